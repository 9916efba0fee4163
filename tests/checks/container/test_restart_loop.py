"""The checks in checks/container/restart_loop.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.stops import Stops
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.model import Unavailable
from tests.checks.container.evidence import (
    CLOCK,
    NOW,
    QUIET,
    UNKNOWN,
    at,
    die,
    history,
    items,
    made,
    policy,
    said,
    task,
    told,
)
from tests.inspected import of
from tests.judging import judge

NOT_STOPPED = Stops({})


LOOPING = made("restarting", code=3, RestartCount=8, **policy("always"))


UP_NOW = made("running", age=5, RestartCount=8, State={"FinishedAt": at(8)}, **policy("always"))


STEADY = made(
    "running",
    age=5 * 3600,
    RestartCount=80,
    State={"FinishedAt": at(5 * 3600 + 1)},
    **policy("always"),
)


@pytest.mark.parametrize(
    ("name", "container", "events", "severity"),
    [
        ("waits for its next start", LOOPING, Events(()), "critical"),
        (
            "up at this moment, events tell",
            UP_NOW,
            history(UP_NOW, die(40), die(30), die(10)),
            "critical",
        ),
        ("up at this moment, events are lost, the pause tells", UP_NOW, UNKNOWN, "critical"),
        (
            "crashes every few minutes",
            UP_NOW,
            history(UP_NOW, die(900), die(500), die(8)),
            "warning",
        ),
        (
            "ends with exit code 0",
            made("restarting", RestartCount=8, **policy("always")),
            Events(()),
            "warning",
        ),
        (
            "a worker that recycles itself",
            UP_NOW,
            history(UP_NOW, die(900, 0), die(500, 0), die(8, 0)),
            "advice",
        ),
        (
            "a worker that is about to begin anew",
            made("restarting", ran=600, RestartCount=8, **policy("always")),
            Events(()),
            "advice",
        ),
    ],
)
def test_a_loop(name: str, container: Container, events: Events | Unavailable, severity: str):
    assert [
        found
        for found, _ in told(
            judge(
                "container.restart-loop",
                containers=of(container),
                clock=CLOCK,
                events=events,
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
    ] == [severity]


SLOW = made("running", age=30, RestartCount=8, State={"FinishedAt": at(30.1)}, **policy("always"))


FLOODED = history(SLOW, (20, "exec_die", {}), full=True)


def ended(container: Container, *ages: float, words: str = "ignoring event") -> DaemonLog:
    """The daemon's log with these ends of a container."""
    fields = {"container": container.id, "topic": "/tasks/delete"}
    return DaemonLog(tuple(LogLine(NOW - age, "info", words, fields) for age in ages), "docker.log")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("ignoring event", id="engines 20.10 to 28.5"),
        pytest.param("received task-delete event from containerd", id="engine 29.7"),
    ],
)
def test_ends_that_the_events_no_longer_hold_stand_in_the_daemons_log(words: str):
    (found,) = items(
        judge(
            "container.restart-loop",
            containers=of(SLOW),
            clock=CLOCK,
            events=FLOODED,
            log_tails=QUIET,
            log=ended(SLOW, 300, 210, 120, 30.1, words=words),
            stops=NOT_STOPPED,
        )
    )
    assert found.evidence["daemon log"] == "4 in the last 5 min, none requested by a user"
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(SLOW),
                clock=CLOCK,
                events=FLOODED,
                log_tails=QUIET,
                log=ended(SLOW, 9000, 30.1),
                stops=NOT_STOPPED,
            )
        )
        == []
    )
    once = made(
        "running", age=30, RestartCount=1, State={"FinishedAt": at(30.1)}, **policy("always")
    )
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(once),
                clock=CLOCK,
                events=FLOODED,
                log_tails=QUIET,
                log=ended(once, 300, 210, 120, 30.1),
                stops=NOT_STOPPED,
            )
        )
        == []
    )


REBOOTED = made("running", age=20, RestartCount=8, State={"FinishedAt": at(50)}, **policy("always"))


RECOVERED = made(
    "running", age=480, RestartCount=8, State={"FinishedAt": at(500)}, **policy("always")
)


@pytest.mark.parametrize(
    ("name", "container", "events"),
    [
        ("old history, long up", STEADY, Events(())),
        ("old history, long up, events are lost", STEADY, UNKNOWN),
        ("old history, the host was booted just now", REBOOTED, Events(())),
        ("recovered some minutes ago", RECOVERED, history(RECOVERED, die(560), die(540), die(520))),
        (
            "failed twice",
            made("restarting", code=3, RestartCount=2, **policy("always")),
            Events(()),
        ),
        (
            "restarted by hand, over and over",
            UP_NOW,
            history(
                UP_NOW,
                *[
                    row
                    for age in (90, 60, 10)
                    for row in (
                        (age + 1, "kill", {"signal": "15"}),
                        die(age, 143),
                        (age - 1, "start", {}),
                    )
                ],
            ),
        ),
    ],
)
def test_no_loop(name: str, container: Container, events: Events | Unavailable):
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(container),
                clock=CLOCK,
                events=events,
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
        == []
    )


def test_swarm_churn_is_counted_by_slot():
    churning = [task("shop_web.1", n, age=60 + n) for n in range(4)]
    (found,) = items(
        judge(
            "container.restart-loop",
            containers=of(*churning),
            clock=CLOCK,
            events=Events(()),
            log_tails=said(churning[0], "no such table"),
            log=UNKNOWN,
            stops=NOT_STOPPED,
        )
    )
    assert found.subject.name == "shop_web.1.0"
    assert "4 times" in found.summary
    assert found.evidence["log"] == "no such table"
    settled = [*churning, task("shop_web.1", 9, "running", age=600)]
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(*settled),
                clock=CLOCK,
                events=Events(()),
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
        == []
    )
    updated = Stops({container.id: True for container in churning})
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(*churning),
                clock=CLOCK,
                events=Events(()),
                log_tails=QUIET,
                log=UNKNOWN,
                stops=updated,
            )
        )
        == []
    )
    ended = [task("shop_web.1", n, code=143) for n in range(4)]
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(*ended),
                clock=CLOCK,
                events=Events(()),
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
        == []
    ), "nobody remembers"
    spread = [task(f"shop_web.{n}", n) for n in range(4)]
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(*spread),
                clock=CLOCK,
                events=Events(()),
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("code", "offered"), [(0, "web"), (1, None)], ids=["its input", "an error"]
)
def test_who_is_offered_a_terminal(code: int, offered: str | None):
    """Node alone reads its input; one that ends with an error lacks something else."""
    bare = made("restarting", code=code, RestartCount=8, Path="/usr/bin/node", **policy("always"))
    result = judge(
        "container.restart-loop",
        containers=of(bare),
        clock=CLOCK,
        events=Events(()),
        log_tails=QUIET,
        log=UNKNOWN,
        stops=NOT_STOPPED,
    )
    assert [finding.variables.get("shell") for finding in result.findings] == [offered]
