"""The folder where nothing else starts: its verdicts are the installed tool's, it is quick, and
nothing of it is left behind."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab import sshd
from tests.lab.box import PROJECT, Box
from tests.lab.conftest import unfit
from tests.lab.engines import cache_dir, discover, mirror
from tests.lab.places.hard_places import PLACES, WHY_NOT, Place
from tests.lab.places.roots import host_with_root
from tests.lab.runner import BASE_CONFIG
from tests.reach import built

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("places"),
]
INSTALLED = f"env -C {PROJECT} PYTHONDONTWRITEBYTECODE=1 {sys.executable} -m diagnose"
LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))
nightly = pytest.mark.skipif(
    not LONG, reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run"
)
Cell = Callable[[str, str, str], None]
WATCHED = "/tmp /run /dev/shm /root /var/tmp /var/log /etc /srv /opt"
"""Where a tool would leave something, if it left anything."""
NOT_WATCHED = ("/run/docker/netns", "/opt/*/*", "/root/*/*/*", "/var/tmp/diagnose-folder-*")
"""Namespaces that the engine removes when it likes, what tests share with the machine, and what is
far down in a large HOME."""
_PRUNED = " -o ".join(f"-path '{path}'" for path in NOT_WATCHED)
_FIND = f"find {WATCHED} -xdev \\( {_PRUNED} \\) -prune -o -print"
_IN_MEMORY = ("/tmp/", "/run/", "/dev/shm/")
"""Folders that a box has for itself."""
YARDSTICK = (
    f"{sys.executable} -I -c 'import click, email.message, http.client, inspect, rich.console'"
)
"""What a start is compared with, 0.13 s of processor time where a start takes 0.35 s: seconds alone
belong to the machine and to whoever works on it beside the test."""
MOST = 4
"""A start costs at most so many of these: 0.5 s there."""
STARTS = 3
"""The cheapest of so many counts: whoever works beside it makes a start dearer, never cheaper."""


class Live(NamedTuple):
    """What a run in a place came to."""

    code: int
    report: dict[str, Any]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A host with a container that runs, and one that cannot start."""
    with Box("distro") as box:
        box.start_engine(config=BASE_CONFIG)
        box.docker("run", "-d", "--name=web", "shop:1.4", "sleep", "1000")
        box.docker("run", "-d", "--name=fails", "shop:1.4", "/none", check=False)
        yield box


@contextmanager
def state(box: Box, name: str) -> Iterator[None]:
    """The engine as the place wants it."""
    if name != "hung dockerd":
        yield
        return
    pid = box.engine_pid
    box.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        box.kill(pid, signal.SIGCONT)


def tree(box: Box) -> set[str]:
    """What is in the watched folders and is the box's own: whatever else is done on the machine
    shows through in the others."""
    paths = box.sh(_FIND).splitlines()
    return {path for path in paths if path.startswith(_IN_MEMORY) or _is_of_the_box(box, path)}


def _is_of_the_box(box: Box, path: str) -> bool:
    return not os.path.lexists(path) and os.path.lexists(box.path(path))


def within(box: Box, place: Place, command: str) -> Any:
    """Run a command in the place."""
    script = f"set -e\n{place.make}\ncd /\n{place.enter}{command}"
    return box.run(["unshare", "--mount", "sh", "-c", script], check=False, timeout=90)


def look(box: Box, place: Place, tool: str) -> Live:
    """A whole run there."""
    done = within(box, place, f"{tool} all --format json --budget 60")
    assert done.stdout, done.stderr
    return Live(done.returncode, json.loads(done.stdout))


def demo(box: Box, place: Place, tool: str) -> dict[str, Any]:
    """What is judged of the recorded host."""
    done = within(box, place, f"{tool} all --from demo --format json --budget 60")
    assert done.stdout, done.stderr
    return judgement(json.loads(done.stdout))


def start(box: Box, place: Place, tool: str) -> float:
    """Processor time of a start, in seconds: the cheapest of some."""
    starts = [within(box, place, f"{tool} list >/dev/null\ntimes") for _ in range(STARTS)]
    return min(processor_time(start.stdout) for start in starts)


def yardstick(box: Box) -> float:
    """Processor time of the yardstick now, the mean of five."""
    done = box.run(["sh", "-c", f"for i in 1 2 3 4 5; do {YARDSTICK}; done\ntimes"])
    return processor_time(done.stdout) / 5


def processor_time(times: str) -> float:
    """User and system seconds of the shell's children: the last line of `times`."""
    user, system = times.splitlines()[-1].split()
    return seconds(user) + seconds(system)


def seconds(text: str) -> float:
    """`0m1.234s`, as the shell's `times` writes it."""
    minutes, _, rest = text.rstrip("s").partition("m")
    return float(minutes) * 60 + float(rest)


def judgement(report: dict[str, Any]) -> dict[str, Any]:
    """Findings and verdicts, without what depends on the moment."""
    return {
        "findings": sorted((finding["key"], finding["severity"]) for finding in report["findings"]),
        "verdicts": {check["id"]: check["verdict"] for check in report["checks"]},
    }


def told_apart(ours: Live, reference: Live) -> list[str]:
    """The checks that come to another verdict in the place, with both reasons."""
    theirs = {check["id"]: check for check in reference.report["checks"]}
    return [
        f"{check['id']}: {check['verdict']} ({check['why']}), "
        f"installed {theirs[check['id']]['verdict']} ({theirs[check['id']]['why']})"
        for check in ours.report["checks"]
        if check["verdict"] != theirs[check["id"]]["verdict"]
    ]


def ids(report: dict[str, Any], family: str) -> set[tuple[str, str]]:
    return {
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["id"].startswith(family)
    }


@pytest.fixture(scope="module")
def folder(box: Box) -> str:
    """The launcher, in a folder of the box that outlives the places."""
    box.sh(f"mkdir -p /opt/there && tar xzf {built.archive()} -C /opt/there", timeout=120)
    return "/opt/there/diagnose/diagnose"


@pytest.fixture(scope="module")
def demo_as_installed(box: Box) -> dict[str, Any]:
    """A recorded host is judged alike wherever it is done."""
    return demo(box, Place(), INSTALLED)


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Keeps what was seen in a place for the matrix at the end of the run."""
    return lambda place, way, text: request.node.user_properties.append(
        ("place", (place, way, text))
    )


def reached_by(way: str) -> list[str]:
    return [name for name in PLACES if (name, way) not in WHY_NOT]


def at(name: str, folder: str = "") -> Place:
    """The place of that name, with the folder in its own root; a skip where it cannot be made."""
    place = PLACES[name]
    if name == "musl root" and not shutil.which("musl-gcc"):
        pytest.skip("musl-gcc is missing (package musl-tools)")
    if name == "Debian 11 root":
        if not LONG:
            pytest.skip("DIAGNOSE_LAB_LONG is not set: left to the nightly run")
        place = Place(place.make.replace("@ARCHIVE@", str(debian_11())), place.root)
    if not place.root or not folder:
        return place
    put = f"mkdir -p {place.root}/opt/there && mount --bind /opt/there {place.root}/opt/there"
    return Place(f"{place.make}\n{put}", place.root, place.user)


def debian_11() -> Path:
    """The root, as an archive: made once on this machine, 140 MB."""
    kept = cache_dir() / "debian-11.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".new.tar")
        command = ["mmdebstrap", "--variant=minbase", "--include=iptables,iproute2,procps"]
        done = subprocess.run(
            [*command, "bullseye", unfinished, mirror()], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"Debian 11 cannot be had: {done.stderr.strip().splitlines()[-1]}")
        unfinished.rename(kept)
    return kept


def compare(box: Box, place: Place, ours: Live) -> None:
    """Hold a run there against what the installed tool says, there or beside it.

    In a root without Python no program of the host's may be there: what the engine and the kernel
    say of containers is the same.
    """
    reference = look(box, place if place.takes_the_installed_tool else Place(), INSTALLED)
    assert "crashed" not in judgement(ours.report)["verdicts"].values()
    if place.takes_the_installed_tool:
        assert told_apart(ours, reference) == []
        assert judgement(ours.report) == judgement(reference.report)
    else:
        containers = ids(ours.report, "container.")
        assert containers == ids(reference.report, "container.") != set()
    assert ours.code == reference.code


@pytest.mark.parametrize("name", PLACES)
def test_verdicts_are_the_installed_tool_s(
    box: Box, folder: str, name: str, demo_as_installed: dict[str, Any], cell: Cell
) -> None:
    place = at(name, folder)
    within(box, place, "true")  # what the place itself needs in the box's root is there from now on
    with state(box, name):
        before = tree(box)
        ours = look(box, place, folder)
        judged = demo(box, place, folder)
        start_s = start(box, place, folder)
        after = tree(box)
        compare(box, place, ours)
    assert judged == demo_as_installed
    assert after == before
    assert start_s < MOST * yardstick(box)
    cell(name, "folder", f"{len(ours.report['findings'])} findings, {start_s:.2f} s")


@nightly
@pytest.mark.parametrize("name", reached_by("--on"))
def test_verdicts_over_ssh_are_the_installed_tool_s(box: Box, name: str, cell: Cell) -> None:
    """`--on` a server that was started in the place; the reference runs in the same place."""
    place = at(name)
    port = 2300 + list(PLACES).index(name)
    alias, user = f"place{port}", sshd.USER if place.user else "root"
    sshd.keys(box)
    root = f"ChrootDirectory {place.root}\n" if place.root else ""
    sshd.serve(box, alias, port, place.make, user=user, options=root)
    with state(box, name):
        before = tree(box)
        words = ["all", "--on", alias, "--folder", str(built.archive()), "--budget", "60"]
        run = box.diagnose(*words, "--format", "json", timeout=200)
        after = tree(box)
        compare(box, place, Live(run.code, run.report))
    assert after == before
    cell(name, "--on", f"{len(run.findings)} findings")


@pytest.fixture(scope="module")
def deb(box: Box, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The deb, as a file of the box in which it is installed."""
    made = built.packages(tmp_path_factory.mktemp("deb"))
    box.write("/opt/diagnose.deb", made["deb"].read_bytes())
    box.sh("dpkg -i /opt/diagnose.deb", timeout=120)
    return "/opt/diagnose.deb"


@nightly
@pytest.mark.parametrize("name", reached_by("deb"))
def test_verdicts_of_the_deb_are_the_installed_tool_s(
    box: Box, name: str, deb: str, cell: Cell
) -> None:
    """Installed on the host that becomes the place, or by the dpkg of the place's own root."""
    place = at(name)
    if place.root:
        copied = f"cp {deb} {place.root}/diagnose.deb"
        within(box, Place(f"{place.make}\n{copied}", place.root), "dpkg -i /diagnose.deb")
    with state(box, name):
        before = tree(box)
        ours = look(box, place, "/usr/bin/diagnose")
        start_s = start(box, place, "/usr/bin/diagnose")
        after = tree(box)
        compare(box, place, ours)
    assert after == before
    assert start_s < MOST * yardstick(box)
    cell(name, "deb", f"{len(ours.report['findings'])} findings, {start_s:.2f} s")


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
    "read-only root": (
        f"for folder in {READ_ONLY}; do {LOCK}; done",
        f"umount --lazy {READ_ONLY}",
    ),
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
            before = host.run("sh", "-c", _FIND).stdout
            by_image = host.docker("run", "--rm", *on_host, "tool", *words)
            by_folder = host.run("/opt/there/diagnose/diagnose", *words)
            assert host.run("sh", "-c", _FIND).stdout == before
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
