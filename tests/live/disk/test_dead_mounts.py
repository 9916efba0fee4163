"""Files on mounts that never answer, and the table of mounts."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from diagnose.live.kernel.mountinfo import by_point, holding, parse
from diagnose.model import Json
from tests.live.disk.test_files import root_only

SCENE = """
import json, os, sys, threading, time
from pathlib import Path
from tests.fuse_dead import mount_dead, private_mounts
try:
    private_mounts()
    point = Path(sys.argv[1])
    mount_dead(point)
except OSError as error:
    print(json.dumps({"unfit": str(error)}))
    os._exit(0)
from tests.questions import question
from diagnose.live import Live, Refused
from diagnose.live.disk import files, opening, worker
live = Live()
live.start_helpers(network=False)
answers = {}
for name, kind, args in json.loads(sys.argv[2]):
    began = time.monotonic()
    try:
        hand = {"fs.usage": files.usage, "file.stats": files.stats, "file.list": files.list_folder}[kind]
        answers[name] = {"value": hand(live, question(kind, **args))}
    except Refused as refused:
        answers[name] = {"reason": refused.failed.reason, "detail": refused.failed.detail}
    answers[name]["took"] = time.monotonic() - began
print(json.dumps(answers), flush=True)
os._exit(0)
"""


def scene(point: Path, *asked: tuple[str, str, dict[str, Json]]) -> dict[str, Json]:
    argv = [sys.executable, "-c", textwrap.dedent(SCENE), str(point), json.dumps(asked)]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[3]
    )
    answers: dict[str, Json] = json.loads(done.stdout)
    if "unfit" in answers:
        pytest.skip(f"no FUSE mount can be made here: {answers['unfit']}")
    return answers


@root_only
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs /dev/fuse")
def test_a_mount_that_never_answers_is_left_behind_and_named(tmp_path: Path) -> None:
    good = str(tmp_path / "good")
    Path(good).write_text("x")
    dead = tmp_path / "dead"
    dead.mkdir()
    answers = scene(
        dead,
        ("first", "fs.usage", {"path": str(dead)}),
        ("again", "file.list", {"path": str(dead / "folder")}),
        ("both", "file.stats", {"paths": [good, str(dead / "log")]}),
        ("next", "fs.usage", {"path": "/"}),
    )
    first = answers["first"]
    assert (first["reason"], first["took"] < 4) == ("timed out", True)
    assert str(dead) in first["detail"]
    assert "SIGKILL does not end it" in first["detail"]
    assert answers["again"]["reason"] == "timed out"
    assert answers["again"]["took"] < 0.5, "a silent mount is asked once only"
    assert answers["both"]["value"][good]["type"] == "file"
    assert answers["both"]["value"][str(dead / "log")] == {"failed": "timed out"}
    assert answers["next"]["value"]["point"] == "/"


@root_only
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs /dev/fuse")
def test_stats_give_up_only_the_dead_mount(tmp_path: Path) -> None:
    good = str(tmp_path / "good")
    Path(good).write_text("x")
    dead = tmp_path / "dead"
    dead.mkdir()
    answers = scene(dead, ("both", "file.stats", {"paths": [str(dead / "log"), good]}))
    both = answers["both"]
    assert both["took"] < 4
    assert both["value"][good]["size"] == 1
    assert both["value"][str(dead / "log")]["failed"] == "timed out"


MOUNTINFO = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro
41 27 0:50 / /mnt/with\040space rw - nfs4 server:/export\040one rw,vers=4.2,hard
42 27 8:1 /sub /var/lib/docker rw,relatime master:2 - xfs /dev/sdb1 rw,prjquota
43 42 0:60 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw,lowerdir=l/A,upperdir=u
broken line
44 27 0:61 / /run/lxcfs rw - fuse.lxcfs lxcfs rw
"""


@pytest.mark.parametrize(
    ("path", "point", "fstype", "may_hang"),
    [
        ("/etc/passwd", "/", "ext4", False),
        ("/mnt/with space/x", "/mnt/with space", "nfs4", True),
        ("/var/lib/docker/containers", "/var/lib/docker", "xfs", False),
        ("/var/lib/docker-old", "/", "ext4", False),
        (
            "/var/lib/docker/overlay2/abc/merged/etc",
            "/var/lib/docker/overlay2/abc/merged",
            "overlay",
            False,
        ),
        ("/run/lxcfs", "/run/lxcfs", "fuse.lxcfs", True),
    ],
)
def test_finds_the_mount_of_a_path(path: str, point: str, fstype: str, may_hang: bool) -> None:
    mount = holding(path, by_point(parse(MOUNTINFO)))
    assert mount is not None
    assert (mount.point, mount.fstype, mount.may_hang) == (point, fstype, may_hang)


def test_mountinfo_is_decoded() -> None:
    mounts = parse(MOUNTINFO)
    assert len(mounts) == 6
    nfs = mounts[2]
    assert (nfs.source, nfs.super) == ("server:/export one", ("rw", "vers=4.2", "hard"))
    assert mounts[3].root == "/sub"
