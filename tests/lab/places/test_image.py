"""The image: it sees the host as the installed tool does, or says what is missing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.conftest import unfit
from tests.lab.engines import discover
from tests.lab.places.looks import FIND, INSTALLED, Cell, at, judgement, nightly, tree
from tests.lab.places.roots import host_with_root
from tests.reach import built

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("places"),
]


ENTRY = [
    "/diagnose/lib/ld.so", "--inhibit-cache", "--library-path", "/diagnose/lib",
    "/diagnose/bin/python3", "-I",
]  # fmt: skip


IMAGE = json.dumps([*ENTRY, "-m", "diagnose.reach.into_host"])


SMALL = "mount -t tmpfs -o size=1m full"


FILL = "dd if=/dev/zero of=$folder/file bs=4k 2>/dev/null"


LOCK = (
    "mount --bind $folder $folder; mount -o remount,bind,ro $folder; "
    "! touch $folder/file 2>/dev/null"
)


READ_ONLY = "/etc /home /opt /root /srv /usr /var/log /var/tmp"


ON_THE_HOST = {
    "an ordinary host": (":", ":"),
    "full disk": (
        f"for folder in /tmp /var/tmp /dev/shm; do {SMALL} $folder; {FILL} || :; done",
        "umount /tmp /var/tmp /dev/shm",
    ),
    # the engine has files of / open, so that / itself cannot become read-only
    "read-only root": (f"for folder in {READ_ONLY}; do {LOCK}; done", f"umount --lazy {READ_ONLY}"),
    "noexec /tmp": ("mount -o remount,noexec /tmp", "mount -o remount,exec /tmp"),
}
"""How the host itself becomes the place, and how the place ends: a container enters the host's
own mounts."""


@pytest.fixture(scope="module")
def image(box: Box) -> Iterator[str]:
    """The name of the image, once the engine has it."""
    assert IMAGE in (PROJECT / ".ci" / "Dockerfile").read_text()
    name = "diagnose:test"
    entry = f"ENTRYPOINT {IMAGE}"
    box.docker("import", "-c", entry, str(built.archive()), name, timeout=200)
    # the engine makes its own files for the first container in the host's network
    box.docker("run", "--rm", "--net=host", "shop:1.4", "true")
    yield name
    box.docker("rmi", "-f", name)


@contextmanager
def host_as(box: Box, name: str) -> Iterator[None]:
    make, end = ON_THE_HOST[name]
    box.sh(make)
    try:
        yield
    finally:
        box.sh(end)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=nightly if make != ":" else ())
        for name, (make, _) in ON_THE_HOST.items()
    ],
)
def test_image_sees_the_host_as_the_installed_tool_does(
    box: Box, image: str, name: str, cell: Cell
) -> None:
    """All but its own container, which is there while it looks."""
    on_host = ["--privileged", "--pid=host", "--net=host", "--name=itself"]
    words = ["all", "--format", "json", "--budget", "60"]
    with host_as(box, name):
        before = tree(box)
        done = box.docker("run", "--rm", *on_host, image, *words, check=False, timeout=120)
        assert done.stdout, done.stderr
        of_image = json.loads(done.stdout)
        beside = box.run(["sh", "-c", f"{INSTALLED} {shlex.join(words)}"], check=False, timeout=90)
        assert tree(box) == before
    own = {"container:itself", f"image:{image}"}
    seen = {
        f["key"]
        for f in of_image["findings"]
        if f"{f['subject']['kind']}:{f['subject']['name']}" not in own
    }
    findings = json.loads(beside.stdout)["findings"]
    assert seen == {f["key"] for f in findings if f["subject"]["name"] != image}
    assert done.returncode == beside.returncode
    cell(name, "image", f"{len(seen)} findings")


@nightly
@pytest.mark.parametrize("name", ["musl root", "Debian 11 root"])
def test_image_enters_another_root(name: str, cell: Cell) -> None:
    """What the image says there is what the folder says, which needs nothing of the root."""
    engine = discover()[0][-1]
    if engine.major < 23:
        pytest.skip(f"engine {engine} calls runc by its full path")
    place = at(name)
    words = ["all", "--format", "json", "--budget", "60"]
    with Box(engine) as box:
        box.sh(f"mkdir -p /opt/there && tar xzf {built.archive()} -C /opt/there", timeout=120)
        box.sh("tar c -C / bin/busybox >/opt/there/busybox.tar")
        box.sh(f"cp {built.archive()} /opt/there/diagnose.tar.gz")
        with host_with_root(box, place, "/opt/there") as host:
            host.docker("import", "/opt/there/busybox.tar", "shop:1.4")
            host.docker("import", "-c", f"ENTRYPOINT {IMAGE}", "/opt/there/diagnose.tar.gz", "tool")
            sleeping = ["--name=web", "shop:1.4", "/bin/busybox", "sleep", "1000"]
            assert host.docker("run", "-d", "--net=host", *sleeping).returncode == 0
            host.docker("run", "-d", "--net=host", "--name=fails", "shop:1.4", "/none")
            host.docker("run", "--rm", "--net=host", "shop:1.4", "/bin/busybox", "true")
            on_host = ["--privileged", "--pid=host", "--net=host", "--name=itself"]
            before = host.run("sh", "-c", FIND).stdout
            by_image = host.docker("run", "--rm", *on_host, "tool", *words)
            by_folder = host.run("/opt/there/diagnose/diagnose", *words)
            assert host.run("sh", "-c", FIND).stdout == before
    assert by_image.stdout, by_image.stderr
    of_image, of_folder = (json.loads(run.stdout) for run in (by_image, by_folder))
    own = {"container:itself", "image:tool"}
    seen, expected = (
        {f["key"] for f in report["findings"] if f["key"].partition("@")[2] not in own}
        for report in (of_image, of_folder)
    )
    assert seen == expected
    assert "container.entrypoint-missing@container:fails" in seen
    verdicts, others = (judgement(report)["verdicts"] for report in (of_image, of_folder))
    differ = {id for id in verdicts if verdicts[id] != others[id]}
    assert differ <= {"security.privileged", "image.latest-tag"}  # of its own container and image
    assert by_image.returncode == by_folder.returncode
    cell(name, "image", f"{len(seen)} findings")


def test_image_without_the_host_says_what_is_missing(box: Box, image: str) -> None:
    done = box.docker("run", "--rm", "--privileged", image, "all", check=False, timeout=60)
    assert done.returncode == 3
    assert "--pid=host is missing" in done.stderr
