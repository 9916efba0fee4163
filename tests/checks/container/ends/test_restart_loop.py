"""The checks in checks/container/ends/restart_loop.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.model import Result, Unavailable
from diagnose.questions.sockets import Socket
from tests.checks.container.evidence import (
    CLOCK,
    NOW,
    QUIET,
    UNKNOWN,
    container_in,
    events_of,
    exit_event,
    items,
    log_of,
    moment,
    restart_policy,
    summaries,
    swarm_task,
)
from tests.inspected import container, of
from tests.judging import judge

NOT_STOPPED = Stops({})


def loops(*containers: Container, **evidence: Any) -> Result:
    """What the check says of containers, with no events and no logs unless they are given."""
    usual = {
        "clock": CLOCK,
        "events": Events(()),
        "log_tails": QUIET,
        "log": UNKNOWN,
        "stops": NOT_STOPPED,
    }
    return judge("container.restart-loop", containers=of(*containers), **{**usual, **evidence})


LOOPING = container_in("restarting", code=3, RestartCount=8, **restart_policy("always"))


UP_NOW = container_in(
    "running", age=5, RestartCount=8, State={"FinishedAt": moment(8)}, **restart_policy("always")
)


STEADY = container_in(
    "running",
    age=5 * 3600,
    RestartCount=80,
    State={"FinishedAt": moment(5 * 3600 + 1)},
    **restart_policy("always"),
)


@pytest.mark.parametrize(
    ("name", "container", "events", "severity"),
    [
        ("waits for its next start", LOOPING, Events(()), "critical"),
        (
            "up at this moment, events tell",
            UP_NOW,
            events_of(UP_NOW, exit_event(40), exit_event(30), exit_event(10)),
            "critical",
        ),
        ("up at this moment, events are lost, the pause tells", UP_NOW, UNKNOWN, "critical"),
        (
            "crashes every few minutes",
            UP_NOW,
            events_of(UP_NOW, exit_event(900), exit_event(500), exit_event(8)),
            "warning",
        ),
        (
            "ends with exit code 0",
            container_in("restarting", RestartCount=8, **restart_policy("always")),
            Events(()),
            "warning",
        ),
        (
            "a worker that recycles itself",
            UP_NOW,
            events_of(UP_NOW, exit_event(900, 0), exit_event(500, 0), exit_event(8, 0)),
            "advice",
        ),
        (
            "a worker that is about to begin anew",
            container_in("restarting", ran=600, RestartCount=8, **restart_policy("always")),
            Events(()),
            "advice",
        ),
    ],
)
def test_a_loop(name: str, container: Container, events: Events | Unavailable, severity: str):
    assert [found for found, _ in summaries(loops(container, events=events))] == [severity]


SLOW = container_in(
    "running",
    age=30,
    RestartCount=8,
    State={"FinishedAt": moment(30.1)},
    **restart_policy("always"),
)


FLOODED = events_of(SLOW, (20, "exec_die", {}), full=True)


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
    (found,) = items(loops(SLOW, events=FLOODED, log=ended(SLOW, 300, 210, 120, 30.1, words=words)))
    assert (
        found.evidence["exits (the engine's log)"]
        == "4 in the last 5 min, none requested by a user"
    )
    assert summaries(loops(SLOW, events=FLOODED, log=ended(SLOW, 9000, 30.1))) == []
    once = container_in(
        "running",
        age=30,
        RestartCount=1,
        State={"FinishedAt": moment(30.1)},
        **restart_policy("always"),
    )
    assert summaries(loops(once, events=FLOODED, log=ended(once, 300, 210, 120, 30.1))) == []


REBOOTED = container_in(
    "running", age=20, RestartCount=8, State={"FinishedAt": moment(50)}, **restart_policy("always")
)


RECOVERED = container_in(
    "running",
    age=480,
    RestartCount=8,
    State={"FinishedAt": moment(500)},
    **restart_policy("always"),
)


@pytest.mark.parametrize(
    ("name", "container", "events"),
    [
        ("old history, long up", STEADY, Events(())),
        ("old history, long up, events are lost", STEADY, UNKNOWN),
        ("old history, the host was booted just now", REBOOTED, Events(())),
        (
            "recovered some minutes ago",
            RECOVERED,
            events_of(RECOVERED, exit_event(560), exit_event(540), exit_event(520)),
        ),
        (
            "failed twice",
            container_in("restarting", code=3, RestartCount=2, **restart_policy("always")),
            Events(()),
        ),
        (
            "restarted by hand, over and over",
            UP_NOW,
            events_of(
                UP_NOW,
                *[
                    row
                    for age in (90, 60, 10)
                    for row in (
                        (age + 1, "kill", {"signal": "15"}),
                        exit_event(age, 143),
                        (age - 1, "start", {}),
                    )
                ],
            ),
        ),
    ],
)
def test_no_loop(name: str, container: Container, events: Events | Unavailable):
    assert summaries(loops(container, events=events)) == []


@pytest.mark.parametrize(
    ("code", "lines", "is_silent"),
    [(139, (), True), (139, ("ready to serve",), False), (1, (), False)],
)
def test_a_fault_of_which_the_program_logs_nothing(
    code: int, lines: tuple[str, ...], *, is_silent: bool
) -> None:
    container = container_in(
        "restarting",
        code=code,
        RestartCount=8,
        Config={"Image": "shop/web:1.4"},
        **restart_policy("always"),
    )
    (finding,) = loops(container, log_tails=log_of(container, *lines)).findings
    assert ("it logs nothing" in finding.summary) is is_silent
    assert finding.variables.get("silent_image") == ("shop/web:1.4" if is_silent else None)


def test_swarm_churn_is_counted_by_slot():
    churning = [swarm_task("shop_web.1", n, age=60 + n) for n in range(4)]
    (found,) = items(loops(*churning, log_tails=log_of(churning[0], "no such table")))
    assert found.subject.name == "shop_web.1.0"
    assert "4 times" in found.summary
    assert found.evidence["log"] == "no such table"
    settled = [*churning, swarm_task("shop_web.1", 9, "running", age=600)]
    assert summaries(loops(*settled)) == []
    updated = Stops({container.id: True for container in churning})
    assert summaries(loops(*churning, stops=updated)) == []
    ended = [swarm_task("shop_web.1", n, code=143) for n in range(4)]
    assert summaries(loops(*ended)) == [], "nobody remembers"
    spread = [swarm_task(f"shop_web.{n}", n) for n in range(4)]
    assert summaries(loops(*spread)) == []


@pytest.mark.parametrize(
    ("code", "offered"), [(0, "web"), (1, None)], ids=["its input", "an error"]
)
def test_who_is_offered_a_terminal(code: int, offered: str | None):
    """Node alone reads its input; one that ends with an error lacks something else."""
    bare = container_in(
        "restarting", code=code, RestartCount=8, Path="/usr/bin/node", **restart_policy("always")
    )
    result = loops(bare)
    assert [finding.variables.get("shell") for finding in result.findings] == [offered]


WAITING = container_in(
    "running",
    age=5,
    RestartCount=8,
    NetworkSettings={"Networks": {"flow": {"IPAddress": "172.18.0.3"}}},
    **restart_policy("always"),
)
SERVER = container("web", NetworkSettings={"Networks": {"flow": {"IPAddress": "172.18.0.2"}}})


def listening(seen: tuple[Container, list[Socket]]) -> tuple[str, ContainerNetns]:
    """The id of a container, and what listens in it."""
    owner, sockets = seen
    return owner.id, ContainerNetns(
        owner, 1, links=(), addresses=(), routes=(), listeners=tuple(sockets)
    )


@pytest.mark.parametrize(
    ("refused", "own", "expected"),
    [
        (2, [], {"web"}),
        (2, [Socket("tcp", "127.0.0.11", 39999)], {"web"}),
        (1, [], {None}),
        (7, [Socket("tcp", "0.0.0.0", 8080)], {None}),
        (7, [Socket("tcp", "127.0.0.1", 3306)], {None}),
    ],
    ids=["in vain", "beside the engine's DNS", "as it begins", "it listens", "for itself alone"],
)
def test_calls_to_itself(refused: int, own: list[Socket], expected: set[str | None]) -> None:
    seen = ((WAITING, own), (SERVER, [Socket("tcp", "0.0.0.0", 8080)]))
    found = loops(
        WAITING,
        SERVER,
        events=events_of(WAITING, exit_event(40), exit_event(30), exit_event(10)),
        losses=NetworkLosses((), refused_inside={WAITING.id: refused}),
        context=RunContext(namespaces=Namespaces(dict(map(listening, seen)))),
    )
    assert {finding.variables.get("neighbour") for finding in found.findings} == expected


@pytest.mark.parametrize(
    ("command", "is_over"),
    [(["serve"], True), (["serve", "--old-option"], False), (None, False)],
    ids=["rolled back", "the same once more", "no task"],
)
def test_an_update_of_the_swarm_that_was_rolled_back_is_over(
    command: list[str] | None, is_over: bool
) -> None:
    def made(task: Container, args: list[str]) -> Container:
        return msgspec.structs.replace(task, path="app", args=args)

    failed = [made(swarm_task("web.1", n, age=20 + n), ["serve", "--old-option"]) for n in range(3)]
    present = made(swarm_task("web.1", 9, "running", age=10), command) if command else None
    found = loops(*failed, *([present] if present is not None else []))
    assert (summaries(found) == []) is is_over


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        (("Listening for Jobs", "Job build completed with result: Succeeded"), "advice"),
        (("Listening for Jobs",), "warning"),
        (('10.0.0.7 - - [01/Jan/2026:00:00:00 +0000] "GET /orders HTTP/1.1" 200 12',), "warning"),
        (("processed 3 messages", "FATAL: cannot open /data: Permission denied"), "warning"),
    ],
    ids=["a job done", "no work", "a server", "a complaint behind it"],
)
def test_a_worker_that_takes_one_job_a_run(lines: tuple[str, ...], severity: str) -> None:
    worker = container_in("restarting", RestartCount=8, **restart_policy("always"))
    context = RunContext(log_tails=LogTails({worker.id: LogTail(lines)}, {}))
    found = loops(worker, context=context)
    assert [finding.severity.name for finding in found.findings] == [severity]


REFUSED = LogTail(('could not connect to server: Connection refused, is "db" up on port 5432?',))
ON_NETWORK = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.3"}}}}


@pytest.mark.parametrize(
    ("up", "server", "severity"),
    [(15, "running", "advice"), (6, "running", "critical"), (15, "exited", "critical")],
    ids=["up for longer than before", "just started", "its server is down"],
)
def test_a_program_that_waited_for_its_server(up: float, server: str, severity: str) -> None:
    worker = container(
        "worker",
        RestartCount=3,
        State={"Status": "running", "Running": True, "StartedAt": moment(up), "FinishedAt": moment(up + 1)},
        **restart_policy("on-failure"),
        **ON_NETWORK,
    )  # fmt: skip
    db = container("db", State={"Status": server, "Running": server == "running"}, **ON_NETWORK)
    exits = (exit_event(up + 4), exit_event(up + 3), exit_event(up + 1))
    found = loops(
        worker,
        db,
        events=events_of(worker, *exits),
        log_tails=LogTails({worker.id: REFUSED}, unread={}),
    )
    assert [level for level, _ in summaries(found)] == [severity]
