"""The folder where nothing else starts: its verdicts are the installed tool's, it is quick, and
nothing of it is left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab import sshd
from tests.lab.box import Box
from tests.lab.conftest import unfit
from tests.lab.places.hard_places import PLACES, WHY_NOT, Place
from tests.lab.places.looks import (
    INSTALLED,
    STARTS,
    YARDSTICK,
    Cell,
    Live,
    at,
    ids,
    judgement,
    nightly,
    state,
    told_apart,
    tree,
)
from tests.reach import built

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("places"),
]


MOST = 4
"""A start costs at most so many of these: 0.5 s there."""


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


@pytest.fixture(scope="module")
def demo_as_installed(box: Box) -> dict[str, Any]:
    """A recorded host is judged alike wherever it is done."""
    return demo(box, Place(), INSTALLED)


def reached_by(way: str) -> list[str]:
    return [name for name in PLACES if (name, way) not in WHY_NOT]


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
