"""The checks in checks/container/ends/lost_with_host.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Result
from tests.checks.container.evidence import NOW, OPTIONS, QUIET, container_in, moment
from tests.inspected import of
from tests.judging import judge, rows


def lost(name: str, *, code: int = 255, started: float = 9000, finished: float = 298) -> Container:
    return container_in(
        "exited",
        code=code,
        name=name,
        State={"StartedAt": moment(started), "FinishedAt": moment(finished)},
    )


def power_loss(*containers: Container, engine_age: float = 300) -> Result:
    booted = Clock(NOW, NOW - 320)
    engine = Process(pid=50, comm="dockerd", start=320 - engine_age)
    processes = Processes((engine,))
    return judge(
        "container.lost-with-host",
        containers=of(*containers),
        clock=booted,
        options=OPTIONS,
        processes=processes,
    )


@pytest.mark.parametrize(
    ("name", "containers", "expected"),
    [
        ("two were lost", [lost("a"), lost("b")], [("critical", "host")]),
        (
            "with exit code 0, as from engine 24 on",
            [lost("a", code=0), lost("b", code=0)],
            [("critical", "host")],
        ),
        ("one alone", [lost("a")], []),
        ("ended before the engine began", [lost("a", finished=400), lost("b", finished=400)], []),
        ("began after it", [lost("a", started=299), lost("b", started=299)], []),
        ("ended much later", [lost("a", finished=60), lost("b", finished=60)], []),
        ("failed with an error of their own", [lost("a", code=1), lost("b", code=1)], []),
    ],
)
def test_lost_with_the_host(
    name: str, containers: list[Container], expected: list[tuple[str, str]]
):
    result = power_loss(*containers)
    assert rows(result) == expected
    assert all(
        {subject.name for subject in finding.touches} == {"a", "b"} for finding in result.findings
    )


def test_the_summary_says_what_keeps_them_down():
    policy = {"RestartPolicy": {"Name": "unless-stopped"}}
    bare, kept = lost("a"), container_in(
        "exited", code=255, name="b", HostConfig=policy,
        State={"StartedAt": moment(9000), "FinishedAt": moment(298)},
    )  # fmt: skip
    (both,) = power_loss(bare, lost("b")).findings
    assert both.summary.endswith('containers "a" and "b" stayed down: they have no restart policy')
    (one,) = power_loss(bare, kept).findings
    assert one.summary.endswith('; container "a" has no restart policy')
    (none,) = power_loss(kept, kept).findings
    assert "policy" not in none.summary


WENT_DOWN = {
    "ran for seconds": (lost("a", started=305), [], [("warning", "a")]),
    "ran for hours": (lost("a"), [], [("warning", "a")]),
    "failed by itself before": (lost("a", code=1, started=315, finished=310), ["a"], []),
    "failed by itself after": (lost("a", code=255, started=60, finished=57), ["a"], []),
}


@pytest.mark.parametrize(("container", "own", "down"), WENT_DOWN.values(), ids=WENT_DOWN)
def test_one_alone_did_not_fail_at_its_start(
    container: Container, own: list[str], down: list[tuple[str, str]]
) -> None:
    """Its code is the engine's note that nobody saw the end, however short the run was."""
    host = {
        "containers": of(container),
        "clock": Clock(NOW, NOW - 320),
        "options": OPTIONS,
        "processes": Processes((Process(pid=50, comm="dockerd", start=20),)),
        "log_tails": QUIET,
    }
    at_start = judge("container.exits-at-start", **host)
    assert [finding.subject.name for finding in at_start.findings] == own
    assert rows(judge("container.crashed", stops=Stops({container.id: False}), **host)) == down


def test_jobs_that_had_ended_before_are_not_started() -> None:
    lost_ones = [lost("a", code=0), lost("b")]
    (finding,) = power_loss(*lost_ones, lost("job", code=0, finished=4000)).findings
    assert finding.variables["lost"] == "a\nb"
