"""The folder where nothing else starts: its verdicts are the installed tool's, it is quick, and
nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.reach import built

from . import sshd
from .box import PROJECT, Box
from .conftest import unfit
from .places import PLACES, Place
from .runner import BASE_CONFIG

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("places"),
]
INSTALLED = f"env -C {PROJECT} PYTHONDONTWRITEBYTECODE=1 {sys.executable} -m diagnose"
WATCHED = "/tmp /run /dev/shm /root /var/tmp /var/log /etc /srv /opt"
"""Where a tool would leave something, if it left anything."""
YARDSTICK = (
    f"{sys.executable} -I -c 'import click, email.message, http.client, inspect, rich.console'"
)
"""What a start is compared with, 0.13 s of processor time where a start takes 0.35 s: seconds alone
belong to the machine and to whoever works on it beside the test."""
MOST = 4
"""A start costs at most so many of these: 0.5 s there."""
STARTS = 3
"""The cheapest of so many counts: whoever works beside it makes a start dearer, never cheaper."""


class Run(NamedTuple):
    """What a run in a place came to. start_s: processor time of `list`."""

    code: int
    report: dict[str, Any]
    demo: dict[str, Any]
    start_s: float


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


def within(box: Box, place: Place, command: str) -> Any:
    """Run a command in the place."""
    script = f"set -e\n{place.make}\ncd /\n{place.enter}{command}"
    return box.run(["unshare", "--mount", "sh", "-c", script], check=False, timeout=90)


def judge(box: Box, place: Place, tool: str) -> Run:
    """Live, the demo, and the time of a start."""
    live = within(box, place, f"{tool} all --format json --budget 60")
    demo = within(box, place, f"{tool} all --from demo --format json")
    starts = [within(box, place, f"{tool} list >/dev/null\ntimes") for _ in range(STARTS)]
    assert live.stdout, live.stderr
    assert demo.stdout, demo.stderr
    return Run(
        live.returncode,
        json.loads(live.stdout),
        json.loads(demo.stdout),
        min(processor_time(start.stdout) for start in starts),
    )


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


def ids(report: dict[str, Any], family: str) -> set[tuple[str, str]]:
    return {
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["id"].startswith(family)
    }


@pytest.fixture(scope="module")
def folder(box: Box) -> str:
    """The launcher, in a folder of the box that outlives the places."""
    box.sh(f"mkdir -p /opt/there && tar xzf {built.archive()} -C /opt/there", timeout=120)
    return "/opt/there/diagnose/diagnose"


def carried(place: Place, folder: str) -> Place:
    """The place with the folder in its own root."""
    if not place.root:
        return place
    put = f"mkdir -p {place.root}/opt/there && mount --bind /opt/there {place.root}/opt/there"
    return Place(f"{place.make}\n{put}", place.root, place.user)


@pytest.mark.parametrize("name", PLACES)
def test_verdicts_are_the_installed_tool_s(
    box: Box, folder: str, name: str, say: Callable[[str], None]
) -> None:
    place = carried(PLACES[name], folder)
    within(box, place, "true")  # what the place itself needs in the box's root is there from now on
    with state(box, name):
        before = box.sh(f"find {WATCHED} -xdev | sort")
        ours = judge(box, place, folder)
        after = box.sh(f"find {WATCHED} -xdev | sort")
        reference = judge(box, place if place.takes_the_installed_tool else Place(), INSTALLED)
    assert judgement(ours.demo) == judgement(reference.demo)
    assert "crashed" not in judgement(ours.report)["verdicts"].values()
    if place.takes_the_installed_tool:
        assert (ours.code, judgement(ours.report)) == (reference.code, judgement(reference.report))
    else:
        # No program of the host's is there; what the engine and the kernel say is the same.
        assert ids(ours.report, "container.") == ids(reference.report, "container.") != set()
        assert ours.code == reference.code
    assert after == before
    assert ours.start_s < MOST * yardstick(box)
    found = len(ours.report["findings"])
    say(
        f"folder in {name}: {found} findings, exit {ours.code}, as installed; start {ours.start_s:.2f} s of CPU; nothing left"
    )


THERE = {name: place for name, place in PLACES.items() if not place.root and name != "no /proc"}
"""Where an ssh server starts: it needs /proc itself."""


@pytest.mark.skipif(
    not os.environ.get("DIAGNOSE_LAB_LONG"),
    reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run",
)
@pytest.mark.parametrize("name", THERE)
def test_verdicts_over_ssh_are_the_installed_tool_s(
    box: Box, name: str, say: Callable[[str], None]
) -> None:
    """`--on` a server that was started in the place; the reference runs in the same place."""
    place = THERE[name]
    port = 2300 + list(THERE).index(name)
    alias, user = f"place{port}", sshd.USER if place.user else "root"
    sshd.keys(box)
    sshd.serve(box, alias, port, place.make, user=user)
    with state(box, name):
        before = box.sh(f"find {WATCHED} -xdev | sort")
        run = box.diagnose(
            "all",
            "--on",
            alias,
            "--folder",
            str(built.archive()),
            "--format",
            "json",
            "--budget",
            "60",
            timeout=200,
        )
        after = box.sh(f"find {WATCHED} -xdev | sort")
        reference = within(box, place, f"{INSTALLED} all --format json --budget 60")
    expected = json.loads(reference.stdout)
    assert (run.code, judgement(run.report)) == (reference.returncode, judgement(expected)), run.err
    assert after == before
    say(
        f"--on in {name}: {len(expected['findings'])} findings, exit {run.code}, as installed; nothing left"
    )


ENTRY = [
    "/diagnose/lib/ld.so",
    "--inhibit-cache",
    "--library-path",
    "/diagnose/lib",
    "/diagnose/bin/python3",
    "-I",
]
IMAGE = json.dumps([*ENTRY, "-m", "diagnose.reach.into_host"])


def test_image_sees_the_host_as_the_installed_tool_does(
    box: Box, say: Callable[[str], None]
) -> None:
    """All but its own container, which is there while it looks."""
    assert IMAGE in (PROJECT / ".ci" / "Dockerfile").read_text()
    box.docker(
        "import", "-c", f"ENTRYPOINT {IMAGE}", str(built.archive()), "diagnose:test", timeout=200
    )
    # the engine makes its own files for the first container in the host's network
    box.docker("run", "--rm", "--net=host", "shop:1.4", "true")
    before = box.sh(f"find {WATCHED} -xdev | sort")
    command = [
        "run",
        "--rm",
        "--privileged",
        "--pid=host",
        "--net=host",
        "--name=itself",
        "diagnose:test",
        "all",
    ]
    done = box.docker(*command, "--format", "json", "--budget", "60", check=False, timeout=120)
    assert done.stdout, done.stderr
    of_image = json.loads(done.stdout)
    reference = box.diagnose("all", "--format", "json", "--budget", "60")
    assert box.sh(f"find {WATCHED} -xdev | sort") == before
    own = {"container:itself", "image:diagnose:test"}
    seen = {
        f["key"]
        for f in of_image["findings"]
        if f"{f['subject']['kind']}:{f['subject']['name']}" not in own
    }
    assert seen == {f["key"] for f in reference.findings if f["subject"]["name"] != "diagnose:test"}
    assert done.returncode == reference.code
    refused = box.docker(
        "run", "--rm", "--privileged", "diagnose:test", "all", check=False, timeout=60
    )
    assert (refused.returncode, "--pid=host is missing" in refused.stderr) == (3, True), (
        refused.stderr
    )
    box.docker("rmi", "-f", "diagnose:test")
    say(
        f"image: {len(seen)} findings, exit {done.returncode}, as installed, beside those about its own container; nothing left"
    )
