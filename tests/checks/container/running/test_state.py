"""The checks in checks/container/running/state.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Unavailable
from tests.checks.container.evidence import CLOCK, RUNS, UNKNOWN, container_in, events_of, summaries
from tests.inspected import of
from tests.judging import judge, rows

DOCKERD = Process(pid=50, comm="dockerd")


SHIM = Process(
    pid=99,
    comm="containerd-shim",
    cmdline=["containerd-shim-runc-v2", "-namespace", "moby", "-id", RUNS.id],
)


FIRST = Process(pid=100, comm="app", container=RUNS.id)


@pytest.mark.parametrize(
    ("name", "container", "seen", "count"),
    [
        ("all there", RUNS, [DOCKERD, SHIM, FIRST], 0),
        ("no shim", RUNS, [DOCKERD, FIRST], 1),
        ("no process", RUNS, [DOCKERD, SHIM], 1),
        ("another runtime", container_in("running", HostConfig={"Runtime": "runsc"}), [DOCKERD], 0),
        ("not running", container_in("exited"), [DOCKERD], 0),
    ],
)
def test_shim_lost(name: str, container: Container, seen: list[Process], count: int):
    result = judge(
        "container.shim-lost", containers=of(container), processes=Processes(tuple(seen))
    )
    assert rows(result) == [("critical", "web")] * count


@pytest.mark.parametrize(
    ("seen", "age", "count"),
    [
        ([DOCKERD, SHIM], 2.0, 0),
        ([DOCKERD], 2.0, 0),
        ([DOCKERD, SHIM], 60.0, 1),
        ([DOCKERD], 60.0, 1),
        ([DOCKERD, FIRST], 2.0, 1),
    ],
    ids=[
        "it has ended this moment",
        "its shim has ended too, and its network is being released",
        "its process is gone for good",
        "both are gone for good",
        "its shim is gone",
    ],
)
def test_an_end_that_the_engine_has_not_heard_of(seen: list[Process], age: float, count: int):
    started = container_in("running", age=age)
    result = judge(
        "container.shim-lost", containers=of(started), processes=Processes(tuple(seen)), clock=CLOCK
    )
    assert rows(result) == [("critical", "web")] * count


def test_shims_are_not_missed_where_the_engine_is_not_seen():
    assert (
        judge("container.shim-lost", containers=of(RUNS), processes=Processes(())).verdict
        == "skipped"
    )


@pytest.mark.parametrize(("count", "number"), [(25, 1), (2, 0)])
def test_zombies(count: int, number: int):
    dead = tuple(
        Process(pid=1000 + n, state="Z", comm="sleep", container=RUNS.id) for n in range(count)
    )
    result = judge("container.zombies", containers=of(RUNS), processes=Processes((FIRST, *dead)))
    assert rows(result) == [("warning", "web")] * number


def test_zombies_of_another_process_than_the_first():
    keeper = Process(pid=900, comm="runner.sh", container=RUNS.id)
    dead = tuple(
        Process(pid=1000 + n, ppid=900, state="Z", comm="sleep", container=RUNS.id)
        for n in range(25)
    )
    seen = Processes((FIRST, keeper, *dead))
    [finding] = judge("container.zombies", containers=of(RUNS), processes=seen).findings
    assert finding.variables["keeper"] == "runner.sh"
    assert "init" not in finding.variables


PAUSED = container_in("paused")


@pytest.mark.parametrize(
    ("name", "events", "severity"),
    [
        ("forgotten", events_of(PAUSED, (4000, "pause", {})), "warning"),
        ("a backup at work", events_of(PAUSED, (20, "pause", {})), "advice"),
        ("nobody knows since when", UNKNOWN, "warning"),
    ],
)
def test_paused(name: str, events: Events | Unavailable, severity: str):
    assert [
        found
        for found, _ in summaries(
            judge("container.paused", containers=of(PAUSED), clock=CLOCK, events=events)
        )
    ] == [severity]


@pytest.mark.parametrize(
    ("name", "container", "number"),
    [
        (
            "left dead",
            container_in(
                "dead",
                code=137,
                State={
                    "Error": "unable to remove filesystem for x: unlinkat /a/b: device or resource busy"
                },
            ),
            1,
        ),
        ("being removed", container_in("removing"), 0),
        ("dead for a moment", container_in("dead"), 0),
    ],
)
def test_dead(name: str, container: Container, number: int):
    result = judge("container.dead", containers=of(container))
    assert rows(result) == [("warning", "web")] * number
