"""The container family on evidence made by hand: what fires, what stays silent, what does not
apply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.containers.bind_mounts import DELETED, BindSources, PathStatus, bind_sources
from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Memory
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.containers.programs import Program, Programs, describe, programs
from diagnose.evidence.containers.stops import Stops, stops
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.mounts import Mounted, Mounts, parse
from diagnose.model import Failed, Finding, Json, Result, Unavailable, Unexamined
from diagnose.questions import AnyQuestion
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, NOW - 90 * 86400)
OPTIONS = Options()
UNKNOWN = Unavailable("forbidden", "not root")
QUIET = LogTails({}, {})
NOT_STOPPED = Stops({})
MIB = 1 << 20


def at(age: float) -> str:
    """The moment `age` seconds ago as the engine writes it."""
    return datetime.fromtimestamp(NOW - age, UTC).isoformat().replace("+00:00", "Z")


def made(
    status: str,
    *,
    code: int = 0,
    ran: float = 1.0,
    age: float = 60.0,
    name: str = "web",
    **parts: Any,
) -> Container:
    """A container in this state; it ended `age` seconds ago after `ran` seconds, or runs for `age`
    seconds."""
    running = status in ("running", "paused")
    states: dict[str, Any] = {"Status": status, "Pid": 100 if running else 0, "ExitCode": code}
    states["StartedAt"] = at(age if running else age + ran)
    states["FinishedAt"] = at(age)
    states.update(parts.pop("State", {}))
    return container(
        name, State=states, **{"Id": hashlib.sha256(name.encode()).hexdigest(), **parts}
    )


def policy(name: str, most: int = 0) -> dict[str, Any]:
    return {"HostConfig": {"RestartPolicy": {"Name": name, "MaximumRetryCount": most}}}


def history(
    each: Container, *rows: tuple[float, str, dict[str, str]], full: bool = False
) -> Events:
    """Events of a container: age in seconds, action, attributes; oldest first."""
    listed = [
        Event(NOW - age, "container", action, "", each.id, attributes)
        for age, action, attributes in rows
    ]
    return Events(tuple(listed), listed[0].at if full else None)


def said(each: Container, *lines: str) -> LogTails:
    return LogTails({each.id: LogTail(lines)}, {})


def items(result: Result) -> list[Finding | Unexamined]:
    """The findings of a check, and what it could not examine."""
    return [*result.findings, *result.unexamined]


def told(result: Result | list[Finding | Unexamined]) -> list[tuple[str, str]]:
    """(severity, summary) of each finding."""
    found = result if isinstance(result, list) else items(result)
    return [
        (finding.severity.name if finding.severity else "-", finding.summary)
        for finding in found
        if isinstance(finding, Finding)
    ]


# -- killed for memory ---------------------------------

LIMITED: dict[str, Any] = {"HostConfig": {"Memory": 16 * MIB}}


def oom_lines(
    each: Container, age: float, *, parent: str = "", constraint: str = "CONSTRAINT_MEMCG"
) -> list[Record]:
    path = f"/docker/{each.id}"
    limit_of = "" if constraint == "CONSTRAINT_NONE" else f",oom_memcg={parent or path}"
    moment = NOW - age
    return [
        Record(moment, "memory: usage 16384kB, limit 16384kB, failcnt 57"),
        Record(
            moment,
            f"oom-kill:constraint={constraint},nodemask=(null),cpuset=x,mems_allowed=0{limit_of},task_memcg={path},task=app,pid=7,uid=0",
        ),
        Record(
            moment,
            "Memory cgroup out of memory: Killed process 7 (app) total-vm:18024kB, anon-rss:15872kB, file-rss:0kB",
        ),
    ]


def oom(
    each: Container,
    *,
    events: Events | Unavailable | None = None,
    lines: Iterable[Record] | None = (),
    killed: int | None = None,
) -> list[tuple[str, str]]:
    groups = Cgroups(
        {each.id: CgroupStats(memory=Memory(oom_kill=killed))} if killed is not None else {}
    )
    log = UNKNOWN if lines is None else KernelLog(tuple(lines))
    remembered = Events(()) if events is None else events
    return told(
        judge(
            "container.oom-killed",
            containers=of(each),
            clock=CLOCK,
            options=OPTIONS,
            cgroups=groups,
            events=remembered,
            kernel_log=log,
        )
    )


def test_each_of_four_sources_alone_tells_of_an_oom_kill():
    down = made("exited", code=137, State={"OOMKilled": True}, **LIMITED)
    runs = made("running", age=300, **LIMITED)
    assert oom(down) == [
        (
            "critical",
            'container "web" ran out of memory and was killed 1 min ago: its limit is 16.0 MiB',
        )
    ]
    assert oom(runs, lines=oom_lines(runs, 600))[0][1].startswith(
        'container "web" ran out of memory, was killed 10 min ago and started'
    )
    assert oom(runs, events=history(runs, (200, "oom", {}))) == [
        (
            "warning",
            'container "web" ran out of memory 3 min ago, lost a process and is still running: its limit is 16.0 MiB',
        )
    ]
    assert oom(runs, killed=2) == [
        (
            "warning",
            'container "web" ran out of memory and lost a process at an unknown time: its limit is 16.0 MiB',
        )
    ]


@pytest.mark.parametrize(
    ("name", "each"),
    [
        ("137 alone is no OOM", made("exited", code=137, **LIMITED)),
        ("one that runs well", made("running", **LIMITED)),
    ],
)
def test_no_oom_kill(name: str, each: Container):
    assert oom(each, killed=0) == []


def test_an_old_oom_kill_is_advice():
    assert (
        oom(made("exited", code=137, age=6 * 86400, State={"OOMKilled": True}, **LIMITED))[0][0]
        == "advice"
    )
    assert oom(made("exited", code=0, State={"OOMKilled": True}, **LIMITED))[0][0] == "advice"
    assert oom(made("running", age=40 * 86400, **LIMITED), killed=1)[0][0] == "advice"


def test_an_oom_kill_is_answered_by_a_greater_limit():
    roomier = made("running", age=30, HostConfig={"Memory": 64 * MIB})
    assert oom(roomier, lines=oom_lines(roomier, 60)) == []
    same = made("running", age=30, **LIMITED)
    assert oom(same, lines=oom_lines(same, 60)) != []
    updated = history(same, (60, "oom", {}), (40, "update", {}))
    assert oom(same, events=updated, lines=None) == []
    down = made("exited", code=137, HostConfig={"Memory": 64 * MIB}, State={"OOMKilled": True})
    assert oom(down, lines=oom_lines(down, 60)) != []


def test_a_peak_far_below_the_limit_tells_that_the_limit_was_raised():
    each = made("running", age=300, HostConfig={"Memory": 32 * MIB})
    for peak, found in ((16 * MIB, 0), (32 * MIB, 1), (None, 1)):
        memory = Memory(oom_kill=2, max_usage=peak, limit=32 * MIB)
        groups = Cgroups({each.id: CgroupStats(memory=memory)})
        assert (
            len(
                told(
                    judge(
                        "container.oom-killed",
                        containers=of(each),
                        clock=CLOCK,
                        options=OPTIONS,
                        cgroups=groups,
                        events=Events(()),
                        kernel_log=UNKNOWN,
                    )
                )
            )
            == found
        )


def test_a_flag_alone_that_has_outlived_a_start_is_advice():
    each = made("running", age=300, State={"OOMKilled": True}, **LIMITED)
    assert oom(each, killed=0)[0][0] == "advice"
    assert oom(each, killed=1)[0][0] == "warning"


def test_an_oom_kill_names_whose_limit_it_was():
    each = made("exited", code=137, **LIMITED)
    assert (
        "the cgroup above it, /tenants"
        in oom(each, lines=oom_lines(each, 60, parent="/tenants"))[0][1]
    )
    unlimited = made("exited", code=137, State={"OOMKilled": True})
    assert "no limit of its own" in oom(unlimited)[0][1]
    assert (
        "the host had no memory left"
        in oom(unlimited, lines=oom_lines(unlimited, 60, constraint="CONSTRAINT_NONE"))[0][1]
    )


def test_without_events_and_kernel_log_an_oom_kill_stays_unknown():
    each = made("running", **LIMITED)
    result = judge("container.oom-killed", containers=of(each), clock=CLOCK, options=OPTIONS)
    assert result.verdict == "unknown"


# -- restarts ------------------------------------------


def die(age: float, code: int = 3) -> tuple[float, str, dict[str, str]]:
    return (age, "die", {"exitCode": str(code)})


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
    ("name", "each", "events", "severity"),
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
            "ends with success",
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
def test_a_loop(name: str, each: Container, events: Events | Unavailable, severity: str):
    assert [
        found
        for found, _ in told(
            judge(
                "container.restart-loop",
                containers=of(each),
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


def ended(each: Container, *ages: float, words: str = "ignoring event") -> DaemonLog:
    """The daemon's log with these ends of a container."""
    fields = {"container": each.id, "topic": "/tasks/delete"}
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
    ("name", "each", "events"),
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
def test_no_loop(name: str, each: Container, events: Events | Unavailable):
    assert (
        told(
            judge(
                "container.restart-loop",
                containers=of(each),
                clock=CLOCK,
                events=events,
                log_tails=QUIET,
                log=UNKNOWN,
                stops=NOT_STOPPED,
            )
        )
        == []
    )


def task(
    slot: str, number: int, status: str = "exited", code: int = 1, age: float = 60
) -> Container:
    labels = {
        "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.task.name": f"{slot}.{number:x}",
    }
    return made(status, code=code, age=age, name=f"{slot}.{number:x}", Config={"Labels": labels})


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
    updated = Stops({each.id: True for each in churning})
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


GIVEN_UP = made("exited", code=4, RestartCount=2, **policy("on-failure", 2))


@pytest.mark.parametrize(
    ("name", "each", "events", "expected"),
    [
        ("given up", GIVEN_UP, Events(()), ["critical"]),
        (
            "given up a month ago",
            made("exited", code=4, age=30 * 86400, RestartCount=2, **policy("on-failure", 2)),
            Events(()),
            ["advice"],
        ),
        (
            "stopped by hand",
            GIVEN_UP,
            history(GIVEN_UP, (62, "kill", {"signal": "15"}), die(60, 143)),
            [],
        ),
        ("done at last", made("exited", RestartCount=2, **policy("on-failure", 2)), Events(()), []),
        (
            "has tries left",
            made("exited", code=4, RestartCount=1, **policy("on-failure", 2)),
            Events(()),
            [],
        ),
        (
            "no maximum",
            made("exited", code=4, RestartCount=9, **policy("on-failure")),
            Events(()),
            [],
        ),
    ],
)
def test_restarts_exhausted(name: str, each: Container, events: Events, expected: list[str]):
    assert [
        found
        for found, _ in told(
            judge(
                "container.restarts-exhausted",
                containers=of(each),
                clock=CLOCK,
                log_tails=QUIET,
                events=events,
            )
        )
    ] == expected


# -- starts --------------------------------------------

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}
EARLY = made("exited", code=1)


@pytest.mark.parametrize(
    ("name", "each", "expected"),
    [
        (
            "publishes a port",
            made("exited", code=1, HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}),
            ["critical"],
        ),
        (
            "has a health check",
            made("exited", code=1, Config={"Healthcheck": {"Test": ["CMD", "x"]}}),
            ["critical"],
        ),
        (
            "a service of compose",
            made("exited", code=1, Config={"Labels": COMPOSE, "AttachStdout": True}),
            ["warning"],
        ),
        ("detached", EARLY, ["warning"]),
        ("crashed with a segmentation fault", made("exited", code=139), ["warning"]),
        ("a code of its own above the signals", made("exited", code=232), ["warning"]),
        ("in the foreground", made("exited", code=1, Config={"AttachStdout": True}), ["advice"]),
        ("done", made("exited"), []),
        ("ended by SIGTERM", made("exited", code=143), []),
        ("killed", made("exited", code=137), []),
        ("worked for an hour first", made("exited", code=1, ran=3600), []),
        ("last week", made("exited", code=1, age=7 * 86400), []),
        ("a terminal", made("exited", code=1, Config={"Tty": True, "AttachStdout": True}), []),
        (
            "a one-off of compose",
            made(
                "exited",
                code=1,
                Config={"Labels": {**COMPOSE, "com.docker.compose.oneoff": "True"}},
            ),
            [],
        ),
        ("held by hand in its loop", made("exited", code=1, **policy("always")), []),
        ("a task of swarm", task("shop_web.1", 1), []),
        (
            "the engine refused it",
            made("exited", code=128, State={"Error": "network x not found"}),
            [],
        ),
    ],
)
def test_exits_at_start(name: str, each: Container, expected: list[str]):
    assert [
        found
        for found, _ in told(
            judge(
                "container.exits-at-start",
                containers=of(each),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                events=Events(()),
            )
        )
    ] == expected


def test_a_stop_that_is_remembered_is_no_failure():
    stopped = history(EARLY, (61, "kill", {"signal": "15"}), die(60, 1))
    assert (
        told(
            judge(
                "container.exits-at-start",
                containers=of(EARLY),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                events=stopped,
            )
        )
        == []
    )


ELF_ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(40)
NO_FORMAT, NO_FILE = "exec format error", "no such file or directory"
NO_RIGHT, NOT_PERMITTED = "permission denied", "operation not permitted"
AMD64 = Info(architecture="x86_64")


@pytest.mark.parametrize(
    ("name", "why", "head", "check", "words"),
    [
        (
            "arm64 on amd64",
            NO_FORMAT,
            ELF_ARM,
            "exec_format",
            "built for arm64, and this host is amd64",
        ),
        ("no #! line", NO_FORMAT, b"echo x\n", "exec_format", "a script without a #! line"),
        (
            "carriage return",
            NO_FILE,
            b"#!/bin/sh\r\necho x\r\n",
            "interpreter_missing",
            "ends in a carriage return",
        ),
        (
            "no such interpreter",
            NO_FILE,
            b"#!/usr/bin/env python3\n",
            "interpreter_missing",
            "/app needs /usr/bin/env",
        ),
        (
            "no loader",
            NO_FILE,
            ELF_ARM,
            "interpreter_missing",
            "the loader that /app was linked for is missing",
        ),
        (
            "closed interpreter",
            NO_RIGHT,
            b"#!/root/py\n",
            "entrypoint_forbidden",
            "/root/py, which /app needs, cannot be",
        ),
        (
            "closed program",
            NO_RIGHT,
            ELF_ARM,
            "entrypoint_forbidden",
            "/app cannot be executed by user 1000",
        ),
        (
            "setcap",
            NOT_PERMITTED,
            ELF_ARM,
            "entrypoint_forbidden",
            "/app has capabilities that the container does not",
        ),
    ],
)
def test_a_refused_program(name: str, why: str, head: bytes, check: str, words: str):
    assert_refused(describe("/app", why, f"exec /app: {why}", head), check, words)


def assert_refused(program: Program, check: str, words: str):
    told_of = Programs({EARLY.id: program})
    found = {
        "exec_format": told(
            judge("container.exec-format", containers=of(EARLY), programs=told_of, info=AMD64)
        ),
        "interpreter_missing": told(
            judge("container.interpreter-missing", containers=of(EARLY), programs=told_of)
        ),
        "entrypoint_forbidden": told(
            judge(
                "container.entrypoint-forbidden",
                containers=of(EARLY),
                programs=told_of,
                mounts=UNKNOWN,
            )
        ),
        "entrypoint_missing": told(
            judge("container.entrypoint-missing", containers=of(EARLY), programs=told_of)
        ),
        "runtime_limit_hit": told(
            judge("container.runtime-limit-hit", containers=of(EARLY), programs=told_of)
        ),
    }
    assert words in found.pop(check)[0][1]
    assert list(found.values()) == [[], [], [], []]


SAID = {
    "exec /app: no such file or directory": (
        "interpreter_missing",
        "what /app needs to run is missing",
    ),
    'standard_init_linux.go:228: exec user process caused: "permission denied"': (
        "entrypoint_forbidden",
        "/app cannot be executed by user 1000",
    ),
    "[FATAL tini (7)] exec serve failed: No such file or directory": (
        "entrypoint_missing",
        "its image has no serve",
    ),
    "[FATAL tini (7)] exec /app failed: Permission denied": (
        "entrypoint_forbidden",
        "/app cannot be executed",
    ),
    "[dumb-init] /gone: No such file or directory": (
        "entrypoint_missing",
        "its image has no /gone",
    ),
    "env: can't execute 'bash\r': No such file or directory": (
        "interpreter_missing",
        "ends in a carriage return",
    ),
    "/usr/bin/env: 'bash\\r': No such file or directory": (
        "interpreter_missing",
        "ends in a carriage return",
    ),
    "/usr/bin/env: ‘node’: No such file or directory": ("interpreter_missing", "/app needs node"),
    "env: python3: No such file or directory": ("interpreter_missing", "/app needs python3"),
    "exec /bin/sh: resource temporarily unavailable": (
        "runtime_limit_hit",
        "user 1000 has as many processes on this host",
    ),
    "error: fork/exec /usr/bin/ffmpeg: no such file or directory": None,
    "sh: can't open '/etc/env: x': No such file or directory": None,
}
"""The last line of a container's log, and what it tells of its program."""


def file_of(question: AnyQuestion) -> Json | Failed:
    """Two files of a container: /gone, which is not there, and one of which no more is known."""
    return Failed("gone") if question.args["path"] == "/gone" else {"type": "other"}


@pytest.mark.parametrize("line", SAID)
def test_the_last_line_tells_of_the_program(line: str):
    each = made("exited", code=127, Path="/app", name=EARLY.name)
    found = programs(Made({"api.archive": file_of}), of(each), said(each, "starting", line)).by_id
    expected = SAID[line]
    assert len(found) == bool(expected)
    if expected:
        assert_refused(found[each.id], *expected)


REFUSALS = {
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
    'exec: "/x": stat /x: no such file or directory: unknown': "entrypoint_missing",
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: exec: "/x": permission denied': "entrypoint_forbidden",
    'error gathering device information while adding custom device "/dev/x": no such file or directory': "device_missing",
    'could not select device driver "" with capabilities: [[gpu]]': "device_missing",
    "network shopnet not found": "network_gone",
    "failed to set up container networking: network shopnet not found": "network_gone",
    "failed to create shim task: OCI runtime create failed: runc create failed: systemd not running on this host, "
    "cannot use systemd cgroups manager: unknown": "runtime_limit_hit",
    "OCI runtime create failed: runc create failed: something new: unknown": "start_refused",
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error "
    "during container init: open /proc/sys/net/core/nosuch: no such file or directory: unknown": "start_refused",
    "unable to find user nosuch: no matching entries in passwd file": "start_refused",
    'exec: "docker-init": executable file not found in $PATH': "start_refused",
    "failed to initialize logging driver: invalid size: '-1'": "start_refused",
    "failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused": "",
    "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated": "",
}


def start_refused(containers: Containers) -> list[Any]:
    return items(
        judge("container.start-refused", containers=containers, bind_sources=BindSources({}))
    )


def entrypoint_missing(containers: Containers) -> list[Any]:
    return items(
        judge("container.entrypoint-missing", containers=containers, programs=Programs({}))
    )


def runtime_limit_hit(containers: Containers) -> list[Any]:
    return items(judge("container.runtime-limit-hit", containers=containers, programs=UNKNOWN))


def entrypoint_forbidden(containers: Containers) -> list[Any]:
    return items(
        judge(
            "container.entrypoint-forbidden",
            containers=containers,
            programs=UNKNOWN,
            mounts=UNKNOWN,
        )
    )


def device_missing(containers: Containers) -> list[Any]:
    return items(judge("container.device-missing", containers=containers))


def network_gone(containers: Containers) -> list[Any]:
    return items(judge("container.network-gone", containers=containers))


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("status", ["created", "exited"])
def test_a_refused_start_has_one_name(error: str, status: str):
    each = made(status, code=128, Path="/x", State={"Error": error})
    checks = (
        entrypoint_missing,
        entrypoint_forbidden,
        device_missing,
        network_gone,
        runtime_limit_hit,
        start_refused,
    )
    assert [check.__name__ for check in checks if told(check(of(each)))] == [
        REFUSALS[error]
    ] * bool(REFUSALS[error])


PEER = made("exited", code=137, name="proxy")
WORDS = [
    (
        f"cannot join network of a non running container: {PEER.id}",
        'container "proxy", which it needs, is not running',
    ),
    (
        f"can't join IPC of container {PEER.id}: container {PEER.id} is not running",
        'container "proxy", which it needs',
    ),
    (
        "Cannot link to a non running container: /proxy AS /web/db",
        'container "proxy", which it needs, is not running',
    ),
    (
        "No such container: 9edcb41dcacbc1b9d300d50c818cbf0bfca28d08",
        'container "9edcb41dcacb", which it needs, no longer',
    ),
    (
        "failed to create task for container: failed to initialize logging driver: journald is not enabled on this host",
        "its log driver  says journald is not enabled on this host",
    ),
    (
        (
            'error evaluating symlinks from mount source "/var/lib/docker/volumes/orders/_data": lstat '
            "/var/lib/docker/volumes/orders: no such file or directory"
        ),
        'the folder of its volume "orders" is gone',
    ),
    (
        (
            "failed to set up container networking: driver failed programming external connectivity on endpoint web "
            "(4a5baf0bcd44): Unable to enable DNAT rule:  (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 "
            "--dport 8123 -j DNAT: iptables: No chain/target/match by that name.\n (exit status 1))"
        ),
        'container "web" did not start: Unable to enable DNAT rule: (iptables failed: iptables --wai ... ',
    ),
    (
        'exec: "docker-init": executable file not found in $PATH',
        'container "web" did not start: the host has no docker-init',
    ),
    (
        (
            "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/docker/"
            'moby/1/log.json: no such file or directory): exec: "runc": executable file not found in $PATH: unknown'
        ),
        "the host has no runc",
    ),
    (
        "failed to start shim: start failed: : fork/exec /usr/bin/containerd-shim-runc-v2: no such file or directory: unknown",
        "the host has no /usr/bin/containerd-shim-runc-v2",
    ),
    (
        "unable to find group nosuch: no matching entries in group file",
        'its image has no group "nosuch"',
    ),
    (
        (
            "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount "
            "/srv/no:/var/lib/docker/volumes/data/_data, flags: 0x1000: no such file or directory"
        ),
        '/srv/no, on which its volume "data" stands, does not exist, or the volume\'s own folder is gone',
    ),
    (
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
            "error during container init: something of a later runtime: unknown"
        ),
        'container "web" did not start: something of a later runtime',
    ),
]


@pytest.mark.parametrize(("error", "words"), WORDS)
def test_a_refused_start_is_told_in_the_engines_words(error: str, words: str):
    each = made("created", code=128, Path="sleep", State={"Error": error})
    (finding,) = items(
        judge("container.start-refused", containers=of(each, PEER), bind_sources=UNKNOWN)
    )
    assert words in finding.summary
    assert (PEER.subject in finding.calls) == ("proxy" in words)


def test_a_mount_over_its_folder_hides_a_program():
    error = 'runc create failed: unable to start container process: exec: "/app/x": stat /app/x: no such file or directory'
    hidden = made(
        "created",
        code=127,
        Path="/app/x",
        State={"Error": error},
        HostConfig={"Tmpfs": {"/app": ""}},
    )
    ((_, summary),) = told(entrypoint_missing(of(hidden)))
    assert summary == 'container "web" did not start: there is no /app/x in what is mounted at /app'


# -- crashes -------------------------------------------

PORT = {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}
SEEN: dict[str, Any] = {"Config": {"AttachStdout": True}}
TERMINAL: dict[str, Any] = {"Config": {"Tty": True}}
INTERACTIVE: dict[str, Any] = {"Config": {"Tty": True, "AttachStdout": True}}


@pytest.mark.parametrize(
    ("name", "each", "asked", "expected"),
    [
        ("a service", made("exited", code=1, ran=3600, HostConfig=PORT), False, ["critical"]),
        (
            "a service of compose",
            made("exited", code=1, ran=60, Config={"Labels": COMPOSE}),
            False,
            ["warning"],
        ),
        (
            "killed from outside",
            made("exited", code=137, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "the host went down",
            made("exited", code=255, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        ("a job with a segmentation fault", made("exited", code=139, ran=3600), False, ["warning"]),
        ("nobody remembers", made("exited", code=1, ran=3600, HostConfig=PORT), None, ["advice"]),
        (
            "nobody remembers who killed it",
            made("exited", code=137, ran=3600, HostConfig=PORT),
            None,
            [],
        ),
        ("stopped", made("exited", code=1, ran=3600, HostConfig=PORT), True, []),
        (
            "a job that failed where nobody saw it",
            made("exited", code=1, ran=3600),
            False,
            ["warning"],
        ),
        (
            "a job that failed before somebody's eyes",
            made("exited", code=1, ran=3600, **SEEN),
            False,
            [],
        ),
        (
            "a service with a terminal",
            made("exited", code=1, ran=60, **TERMINAL, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "an interactive shell",
            made("exited", code=1, ran=60, **INTERACTIVE, HostConfig=PORT),
            False,
            [],
        ),
        ("done", made("exited", code=0, ran=3600, HostConfig=PORT), False, []),
        ("failed at its start", made("exited", code=1, ran=3, HostConfig=PORT), False, []),
        ("last week", made("exited", code=1, ran=3600, age=7 * 86400, HostConfig=PORT), False, []),
        (
            "held by hand in its loop",
            made("exited", code=1, ran=3600, **policy("always")),
            False,
            [],
        ),
        ("runs", made("running", HostConfig=PORT), None, []),
    ],
)
def test_crashed(name: str, each: Container, asked: bool | None, expected: list[str]):
    known = Stops({} if asked is None else {each.id: asked})
    assert [
        found
        for found, _ in told(
            judge(
                "container.crashed",
                containers=of(each),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                stops=known,
            )
        )
    ] == expected


def test_the_services_that_wait_for_one_are_told():
    project = {"com.docker.compose.project": "shop"}
    depends = {
        "com.docker.compose.depends_on": "db:service_healthy:false,init:service_completed_successfully:false"
    }
    init = made(
        "exited",
        code=1,
        name="init",
        Config={"Labels": {**project, "com.docker.compose.service": "init"}},
    )
    app = made("created", name="app", Config={"Labels": {**project, **depends}})
    other = made("created", name="other", Config={"Labels": depends})
    (finding,) = items(
        judge(
            "container.exits-at-start",
            containers=of(init, app, other),
            clock=CLOCK,
            options=OPTIONS,
            log_tails=QUIET,
            events=UNKNOWN,
        )
    )
    assert finding.evidence["wait for it, never started"] == ["app"]


@pytest.mark.parametrize(
    ("name", "each", "expected"),
    [
        ("ended well", made("exited", ran=3600, HostConfig=PORT), ["critical"]),
        ("ended by the signal", made("exited", code=143, ran=3, HostConfig=PORT), ["critical"]),
        (
            "on-failure",
            made("exited", HostConfig={**PORT, **policy("on-failure")["HostConfig"]}),
            ["critical"],
        ),
        ("on-failure, and it failed", made("exited", code=1, **policy("on-failure")), []),
        (
            "will be started",
            made("exited", HostConfig={**PORT, **policy("always")["HostConfig"]}),
            [],
        ),
        ("a job", made("exited", ran=3600), []),
    ],
)
def test_what_fell_with_the_engine_and_did_not_come_back(
    name: str, each: Container, expected: list[str]
):
    known = Stops({each.id: False}, frozenset({each.id}))
    assert [
        found
        for found, _ in told(
            judge(
                "container.crashed",
                containers=of(each),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                stops=known,
            )
        )
    ] == expected
    assert not told(
        judge(
            "container.crashed",
            containers=Containers((each,), source="disk"),
            clock=CLOCK,
            options=OPTIONS,
            log_tails=QUIET,
            stops=known,
        )
    )


@pytest.mark.parametrize(
    ("by_hand", "age", "expected"), [(False, 60, True), (True, 60, False), (False, 600, False)]
)
def test_who_fell_with_the_engine(by_hand: bool, age: float, expected: bool):
    each = made("exited", age=age, ran=3600)
    note = json.dumps({"HasBeenManuallyStopped": by_hand})
    log = DaemonLog((LogLine(NOW - 62, "info", "Processing signal 'terminated'"),), "docker.log")
    host = Made({"file.read": {"text": note}})
    known = stops(
        host, of(each), CLOCK, OPTIONS, Events(()), DataRoot("/var/lib/docker", "default"), log
    )
    assert (each.id in known.stopped_with_daemon) == expected


def test_a_job_that_began_after_the_engines_restart_did_not_stop_with_it():
    job = made("exited", age=30, ran=2)
    log = DaemonLog((LogLine(NOW - 62, "info", "Processing signal 'terminated'"),), "docker.log")
    host = Made({"file.read": {"text": json.dumps({"HasBeenManuallyStopped": False})}})
    known = stops(
        host, of(job), CLOCK, OPTIONS, Events(()), DataRoot("/var/lib/docker", "default"), log
    )
    assert job.id not in known.stopped_with_daemon


def test_a_word_to_read_the_log_file_anew_is_no_stop():
    each = made("exited", code=1, ran=3600)
    assert not history(each, (3000, "kill", {"signal": "10"}), die(60, 1)).was_stopped(each.id)
    assert history(each, (61, "kill", {"signal": "10"}), die(60, 138)).was_stopped(each.id)


# -- health --------------------------------------------


def probed(status: str, code: int, output: str, age: float = 5.0, **check: Any) -> Container:
    probes = {
        "Status": status,
        "FailingStreak": 4,
        "Log": [{"Start": at(age + 1), "End": at(age), "ExitCode": code, "Output": output}],
    }
    test = {
        "Test": ["CMD-SHELL", "curl localhost"],
        "Interval": 10 * 10**9,
        "Timeout": 5 * 10**9,
        **check,
    }
    return made("running", age=7200, State={"Health": probes}, Config={"Healthcheck": test})


@pytest.mark.parametrize(
    ("name", "each", "expected"),
    [
        (
            "fails",
            probed("unhealthy", 1, "503"),
            [
                (
                    "critical",
                    'container "web" is unhealthy: its probe fails with exit code 1, 4 times in a row',
                )
            ],
        ),
        (
            "too slow",
            probed("unhealthy", -1, "timeout"),
            [
                (
                    "critical",
                    'container "web" is unhealthy: its probe does not end within 5 s, 4 times in a row',
                )
            ],
        ),
        (
            "no tool",
            probed("unhealthy", 127, "curl: not found"),
            [
                (
                    "warning",
                    'container "web" is unhealthy: its probe cannot run, because the container has no program "curl", 4 times in a row',
                )
            ],
        ),
        (
            "no tool, in exec form",
            probed(
                "unhealthy",
                -1,
                'OCI runtime exec failed: exec: "curl": executable file not found in $PATH: unknown',
            ),
            [
                (
                    "warning",
                    'container "web" is unhealthy: its probe cannot run, because the container has no program "curl", 4 times in a row',
                )
            ],
        ),
        (
            "not probed any more",
            probed("healthy", 0, "", age=900),
            [
                (
                    "warning",
                    'container "web" has not been probed for 15 min: its status, healthy, is stale',
                )
            ],
        ),
        ("starting", probed("starting", 1, ""), []),
        ("healthy", probed("healthy", 0, ""), []),
        ("a long interval", probed("healthy", 0, "", age=900, Interval=3600 * 10**9), []),
        ("paused", made("paused", State={"Health": {"Status": "unhealthy"}}), []),
        (
            "unpaused, before the next probe",
            made("running", State={"Health": {"Status": "unhealthy"}}),
            [],
        ),
        ("no health check", made("running"), []),
        ("switched off", made("running", State={"Health": {"Status": "none"}}), []),
    ],
)
def test_unhealthy(name: str, each: Container, expected: list[tuple[str, str]]):
    assert told(judge("container.unhealthy", containers=of(each), clock=CLOCK)) == expected


def test_a_streak_that_is_longer_than_the_engine_remembers_began_earlier():
    kept = [
        {"Start": at(age), "End": at(age - 1), "ExitCode": 1, "Output": ""}
        for age in (45, 35, 25, 15, 5)
    ]
    failing = made(
        "running",
        age=7200,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 9, "Log": kept}},
    )
    (finding,) = items(judge("container.unhealthy", containers=of(failing), clock=CLOCK))
    assert finding.onset == pytest.approx(NOW - 85)


# -- mounts --------------------------------------------

MISFILED = (
    "OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
    'error mounting "/srv/app.conf" to rootfs at "/etc/app.conf": mount /srv/app.conf:/etc/app.conf (via '
    "/proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file?"
)
WANTS: dict[str, Any] = {
    "HostConfig": {"Mounts": [{"Type": "bind", "Source": "/srv/x", "Target": "/x"}]}
}
FRESH: dict[str, Any] = {
    "Created": at(60),
    "State": {"StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"},
}


@pytest.mark.parametrize(
    ("name", "each", "source", "count"),
    [
        ("folder over file", made("created", code=127, State={"Error": MISFILED}), PathStatus(), 1),
        (
            "file over folder",
            made("created", code=127, State={"Error": MISFILED}),
            PathStatus(type="file"),
            0,
        ),
        (
            "gone before the start",
            made("created", **FRESH, **WANTS),
            PathStatus(failed="missing"),
            1,
        ),
        ("there", made("created", **FRESH, **WANTS), PathStatus(type="file"), 0),
        ("may not be seen", made("created", **FRESH, **WANTS), PathStatus(failed="forbidden"), 0),
        (
            "created last month",
            made("created", **{**FRESH, "Created": at(30 * 86400)}, **WANTS),
            PathStatus(failed="missing"),
            0,
        ),
    ],
)
def test_mount_source_missing(name: str, each: Container, source: PathStatus, count: int):
    sources = BindSources({"/srv/x": source, "/srv/app.conf": source})
    assert (
        len(
            told(
                judge(
                    "container.mount-source-missing",
                    containers=of(each),
                    clock=CLOCK,
                    options=OPTIONS,
                    bind_sources=sources,
                    log_tails=QUIET,
                )
            )
        )
        == count
    )


SECRET: dict[str, Any] = {
    "Type": "bind",
    "Source": "/srv/pw",
    "Destination": "/run/secrets/pw",
    "RW": True,
}


@pytest.mark.parametrize(
    ("line", "answers", "expected"),
    [
        (
            "cat: /run/secrets/pw: Is a directory",
            {"file.stats": {"/srv/pw": {"failed": "missing"}}},
            [Finding],
        ),
        ("cat: read error: Is a directory", {}, []),
        ("cat: /run/secrets/pw: Is a directory", {"file.list": {"entries": []}}, [Finding]),
        (
            "Error: EISDIR: illegal operation, read '/run/secrets/pw'",
            {"file.list": {"entries": []}},
            [Finding],
        ),
        ("cat: /run/secrets/pw: Is a directory", {"file.list": {"entries": [{"name": "a"}]}}, []),
        ("cat: /run/secrets/pw: Is a directory", {}, [Unexamined]),
        ("cat: /run/secrets/pw/x: Is a directory", {"file.list": {"entries": []}}, []),
        ("cat: /run/secrets/pw: no such key", {"file.list": {"entries": []}}, []),
    ],
)
def test_an_empty_folder_in_the_place_of_a_file(
    line: str, answers: dict[str, Any], expected: list[type]
):
    each = made("exited", code=1, Mounts=[SECRET])
    host = Made({"file.stats": {"/srv/pw": {"type": "folder", "mode": 0o755}}, **answers})
    sources = bind_sources(host, of(each), CLOCK, OPTIONS, said(each, line))
    answer = items(
        judge(
            "container.mount-source-missing",
            containers=of(each),
            clock=CLOCK,
            options=OPTIONS,
            bind_sources=sources,
            log_tails=said(each, line),
        )
    )
    assert [type(one) for one in answer] == expected


@pytest.mark.parametrize(
    "sources", [UNKNOWN, BindSources({}), BindSources({"/srv/x": PathStatus(failed="timed out")})]
)
def test_a_source_that_was_not_seen_is_not_passed_over(sources: BindSources | Unavailable):
    waiting = made("created", **FRESH, **WANTS)
    (missing,) = items(
        judge(
            "container.mount-source-missing",
            containers=of(waiting),
            clock=CLOCK,
            options=OPTIONS,
            bind_sources=sources,
            log_tails=QUIET,
        )
    )
    assert isinstance(missing, Unexamined)
    mount = {"Type": "bind", "Source": "/srv/x", "Destination": "/data", "RW": True}
    failed = made("exited", code=1, Config={"User": "1000"}, Mounts=[mount])
    (shut,) = items(
        judge(
            "container.mount-forbidden",
            containers=of(failed),
            log_tails=said(failed, "/data/key: Permission denied"),
            bind_sources=sources,
            info=Info(),
        )
    )
    assert isinstance(shut, Unexamined)
    root = made("exited", code=1, Mounts=[mount], Config={"User": ""})
    assert (
        items(
            judge(
                "container.mount-forbidden",
                containers=of(root),
                log_tails=said(root, "/data/key: Permission denied"),
                bind_sources=sources,
                info=Info(),
            )
        )
        == []
    )


MOUNTED: dict[str, Any] = {
    "Type": "bind",
    "Source": "/srv/data",
    "Destination": "/data",
    "RW": True,
}
DENIED = "cat: can't open '/data/key': Permission denied"


@pytest.mark.parametrize(
    ("name", "user", "source", "line", "selinux", "count"),
    [
        ("another's", "1000:1000", PathStatus(type="folder", mode=0o700), DENIED, False, 1),
        ("its own", "1000:1000", PathStatus(type="folder", mode=0o700, uid=1000), DENIED, False, 0),
        ("its group's", "1000:50", PathStatus(type="folder", mode=0o770, gid=50), DENIED, False, 0),
        ("root", "", PathStatus(type="folder", mode=0o700), DENIED, False, 0),
        ("root under SELinux", "", PathStatus(type="folder", mode=0o700), DENIED, True, 1),
        (
            "another path",
            "1000",
            PathStatus(type="folder", mode=0o700),
            "/database/x: Permission denied",
            False,
            0,
        ),
        (
            "another error",
            "1000",
            PathStatus(type="folder", mode=0o700),
            "/data/x: no such key",
            False,
            0,
        ),
    ],
)
def test_mount_forbidden(
    name: str, user: str, source: PathStatus, line: str, selinux: bool, count: int
):
    each = made("exited", code=1, Config={"User": user}, Mounts=[MOUNTED])
    info = Info(security_options=["name=selinux"] if selinux else [])
    sources = BindSources(
        {"/srv/data": source}, {"/srv/data/key": PathStatus(type="file", mode=0o644)}
    )
    assert (
        len(
            told(
                judge(
                    "container.mount-forbidden",
                    containers=of(each),
                    log_tails=said(each, line),
                    bind_sources=sources,
                    info=info,
                )
            )
        )
        == count
    )


FOLDER, FILE, GONE = (
    PathStatus(type="folder", mode=0o755),
    PathStatus(type="file", mode=0o644),
    PathStatus(failed="missing"),
)
GROUPS = PathStatus(type="folder", mode=0o770, gid=50)


def shut_out(
    line: str,
    top: PathStatus = FOLDER,
    below: dict[str, PathStatus] | None = None,
    *,
    user: str = "1000:1000",
    info: Info | None = None,
    **host_config: Any,
) -> str:
    """What is said of a container with /srv/data at /data: a summary, why it is not known, or
    nothing."""
    each = made("exited", code=1, Config={"User": user}, Mounts=[MOUNTED], HostConfig=host_config)
    sources = BindSources(
        {"/srv/data": top}, {f"/srv/data/{name}": one for name, one in (below or {}).items()}
    )
    found = items(
        judge(
            "container.mount-forbidden",
            containers=of(each),
            log_tails=said(each, line),
            bind_sources=sources,
            info=info or Info(),
        )
    )
    assert len(found) < 2
    return "".join(one.summary if isinstance(one, Finding) else f"? {one.why}" for one in found)


SHUT = PathStatus(type="file", mode=0o600)
SOCKET = PathStatus(type="socket", mode=0o660)


@pytest.mark.parametrize(
    ("line", "below", "expected"),
    [
        (
            DENIED,
            {"key": SHUT},
            'container "web" cannot read /data/key: its user is 1000:1000, and the path belongs to 0:0 with mode 600',
        ),
        (
            "open /data/a/key: permission denied",
            {"a": PathStatus(type="folder", mode=0o700)},
            'container "web" cannot enter /data/a:',
        ),
        (
            "open /data/a/key: permission denied",
            {"a": FOLDER, "a/key": FILE},
            'container "web" cannot write to /data/a/key:',
        ),
        (
            "PermissionError: [Errno 13] Permission denied: '/data/app log'",
            {"app log": FILE},
            'container "web" cannot write to',
        ),
        ("cat: can't open '/data/key': Permission denied", {"key": FILE}, ""),
        (
            "sh: /data/run.sh: Permission denied",
            {"run.sh": FILE},
            "? /srv/data/run.sh: the log does not say whether it was to be written",
        ),
        (
            "sh: can't create /data/log: Permission denied",
            {"log": FILE},
            'container "web" cannot write to /data/log:',
        ),
        (
            "sh: can't create /data/log: Permission denied",
            {"log": GONE},
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "open /data/queries.active: permission denied",
            {"queries.active": GONE},
            'container "web" cannot create or remove files in',
        ),
        (
            "rm: can't remove '/data/key': Permission denied",
            {"key": SHUT},
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "read /data/my file failed: permission denied",
            {"my": GONE},
            "? /srv/data/my: it is not there",
        ),
        ("ls: can't open '/data': Permission denied", {}, ""),
        (DENIED, {"key": PathStatus(type="link", mode=0o777)}, "? /srv/data/key: it is a link"),
        (DENIED, {}, "? /srv/data/key: it was not looked up"),
        ("open /data/../etc/x: permission denied", {}, "? /srv/data/..: it was not looked up"),
        (
            "chown: /data/key: Operation not permitted",
            {"key": FILE},
            'container "web" cannot change the owner or mode of /data/key:',
        ),
        (
            "chown: /data/key: Operation not permitted",
            {"key": GONE},
            "? /srv/data/key: it is not there",
        ),
        ("mknod: /data/key: Operation not permitted", {"key": SHUT}, ""),
        (
            "dial unix /data/docker.sock: connect: permission denied",
            {"docker.sock": SOCKET},
            'container "web" cannot connect to',
        ),
        ("cat: /srv/data/key: Permission denied", {"key": SHUT}, ""),
    ],
)
def test_what_was_refused_is_named(line: str, below: dict[str, PathStatus], expected: str):
    answer = shut_out(line, below=below)
    assert answer.startswith(expected) if expected else not answer, answer


def test_a_mount_that_is_read_only_is_not_to_be_written():
    each = made("exited", code=1, Config={"User": "1000:1000"}, Mounts=[{**MOUNTED, "RW": False}])
    sources = BindSources({"/srv/data": FOLDER}, {"/srv/data/key": FILE})
    line = "open /data/key: permission denied"
    assert (
        items(
            judge(
                "container.mount-forbidden",
                containers=of(each),
                log_tails=said(each, line),
                bind_sources=sources,
                info=Info(),
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("user", "added", "expected"),
    [
        ("1000", ["50"], ""),
        ("1000:1000", ["50", "60"], ""),
        (
            "1000:1000",
            ["staff"],
            "? /srv/data: the members of group staff are known only to its image",
        ),
        ("1000:staff", None, "? /srv/data: the members of group staff"),
        ("1000", None, "? /srv/data: the groups of its user are known only to its image"),
        ("1000:1000", ["60"], 'container "web" cannot enter /data'),
        ("1000:1000", None, 'container "web" cannot enter /data'),
    ],
)
def test_groups_that_a_container_was_given(user: str, added: list[str] | None, expected: str):
    answer = shut_out(DENIED, GROUPS, {"key": FILE}, user=user, GroupAdd=added)
    assert answer.startswith(expected) if expected else not answer, answer
    private = shut_out(DENIED, PathStatus(type="folder", mode=0o700), user=user, GroupAdd=added)
    assert private.startswith('container "web" cannot enter /data'), "no group helps"


REMAPS = Info(security_options=["name=userns"], docker_root_dir="/var/lib/docker/100000.200000")
WRITES = "sh: can't create /data/new: Permission denied"


@pytest.mark.parametrize(
    ("user", "top", "info", "mode", "expected"),
    [
        (
            "",
            FOLDER,
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data: its user is root (100000 on the host), and',
        ),
        ("", FOLDER, REMAPS, "host", ""),
        ("", PathStatus(type="folder", mode=0o700, uid=100_070, gid=200_070), REMAPS, "", ""),
        ("1000:50", PathStatus(type="folder", mode=0o700, uid=101_000), REMAPS, "", ""),
        ("1000:50", PathStatus(type="folder", mode=0o770, gid=200_050), REMAPS, "", ""),
        (
            "1000:50",
            PathStatus(type="folder", mode=0o770, gid=50),
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "1000:50",
            PathStatus(type="folder", mode=0o700, uid=1000),
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data:',
        ),
        ("1000:50", PathStatus(type="folder", mode=0o700, uid=1000), REMAPS, "host", ""),
        (
            "",
            FOLDER,
            Info(security_options=["name=userns"], docker_root_dir="/d"),
            "",
            "? /srv/data: which users",
        ),
        (
            "1000",
            FOLDER,
            Info(security_options=["name=rootless"], docker_root_dir="/d"),
            "",
            "? /srv/data: which users",
        ),
    ],
)
def test_users_that_the_engine_remaps(
    user: str, top: PathStatus, info: Info, mode: str, expected: str
):
    answer = shut_out(WRITES, top, {"new": GONE}, user=user, info=info, UsernsMode=mode)
    assert answer.startswith(expected) if expected else not answer, answer


def test_a_source_that_is_gone_has_no_mode():
    assert not shut_out(DENIED, GONE)


def test_what_is_to_be_typed_names_the_users_of_the_host():
    added = {"HostConfig": {"GroupAdd": ["20"]}}
    each = made("exited", code=1, Config={"User": "1000:50"}, Mounts=[MOUNTED], **added)
    sources = BindSources({"/srv/data": FOLDER}, {"/srv/data/key": SHUT})
    (found,) = items(
        judge(
            "container.mount-forbidden",
            containers=of(each),
            log_tails=said(each, DENIED),
            bind_sources=sources,
            info=REMAPS,
        )
    )
    assert isinstance(found, Finding)
    assert found.variables == {
        "container": "web",
        "source": "/srv/data/key",
        "owner": "101000:200050",
    }


def test_each_step_to_a_named_path_is_looked_up_without_its_links():
    each = made("exited", code=1, Config={"User": "1000"}, Mounts=[MOUNTED])
    host = Made(
        {"file.stats": lambda asked: {path: {"type": "folder"} for path in asked.args["paths"]}}
    )
    sources = bind_sources(
        host, of(each), CLOCK, OPTIONS, said(each, "open /data/a/b: permission denied")
    )
    assert isinstance(sources, BindSources)
    assert set(sources.below) == {"/srv/data/a", "/srv/data/a/b"}
    assert [asked.args["follow"] for asked in host.asked] == [True, False]
    for far in ("open /data/../b: permission denied", f"open /data{'/a' * 40}: permission denied"):
        sources = bind_sources(host, of(each), CLOCK, OPTIONS, said(each, far))
        assert isinstance(sources, BindSources)
        assert not sources.below


def test_deleted_mounts_are_read_off_the_mount_table():
    table = [
        "612 600 254:1 /srv/old//deleted /etc/app\\040conf ro,relatime - ext4 /dev/vda1 rw",
        "613 600 254:1 /srv/new /data rw,relatime - ext4 /dev/vda1 rw",
    ]
    assert [each.point for each in parse("\n".join(table)) if each.root.endswith(DELETED)] == [
        "/etc/app conf"
    ]


# -- states --------------------------------------------

RUNS = made("running")
DOCKERD = Process(pid=50, comm="dockerd")
SHIM = Process(
    pid=99,
    comm="containerd-shim",
    cmdline=["containerd-shim-runc-v2", "-namespace", "moby", "-id", RUNS.id],
)
FIRST = Process(pid=100, comm="app", container=RUNS.id)


@pytest.mark.parametrize(
    ("name", "each", "seen", "count"),
    [
        ("all there", RUNS, [DOCKERD, SHIM, FIRST], 0),
        ("no shim", RUNS, [DOCKERD, FIRST], 1),
        ("no process", RUNS, [DOCKERD, SHIM], 1),
        ("another runtime", made("running", HostConfig={"Runtime": "runsc"}), [DOCKERD], 0),
        ("not running", made("exited"), [DOCKERD], 0),
    ],
)
def test_shim_lost(name: str, each: Container, seen: list[Process], count: int):
    assert (
        len(
            told(
                judge("container.shim-lost", containers=of(each), processes=Processes(tuple(seen)))
            )
        )
        == count
    )


def test_shims_are_not_missed_where_the_engine_is_not_seen():
    assert (
        judge("container.shim-lost", containers=of(RUNS), processes=Processes(())).verdict
        == "skipped"
    )


@pytest.mark.parametrize(("count", "found"), [(25, 1), (2, 0)])
def test_zombies(count: int, found: int):
    dead = tuple(
        Process(pid=1000 + n, state="Z", comm="sleep", container=RUNS.id) for n in range(count)
    )
    assert (
        len(
            told(
                judge("container.zombies", containers=of(RUNS), processes=Processes((FIRST, *dead)))
            )
        )
        == found
    )


PAUSED = made("paused")


@pytest.mark.parametrize(
    ("name", "events", "severity"),
    [
        ("forgotten", history(PAUSED, (4000, "pause", {})), "warning"),
        ("a backup at work", history(PAUSED, (20, "pause", {})), "advice"),
        ("nobody knows since when", UNKNOWN, "warning"),
    ],
)
def test_paused(name: str, events: Events | Unavailable, severity: str):
    assert [
        found
        for found, _ in told(
            judge("container.paused", containers=of(PAUSED), clock=CLOCK, events=events)
        )
    ] == [severity]


TERM, KILL = (70, "kill", {"signal": "15"}), (60, "kill", {"signal": "9"})


@pytest.mark.parametrize(
    ("name", "rows", "found"),
    [
        ("killed after ten seconds", [TERM, KILL, die(60, 137)], 1),
        ("ended in time", [TERM, die(69, 143)], 0),
        ("killed at once", [(60.1, "kill", {"signal": "15"}), KILL, die(60, 137)], 0),
        ("docker kill", [KILL, die(60, 137)], 0),
    ],
)
def test_ignores_stop_signal(name: str, rows: list[tuple[float, str, dict[str, str]]], found: int):
    assert (
        len(
            told(
                judge(
                    "container.ignores-stop-signal",
                    containers=of(EARLY),
                    events=history(EARLY, *rows),
                )
            )
        )
        == found
    )


@pytest.mark.parametrize(
    ("name", "each", "found"),
    [
        (
            "left dead",
            made(
                "dead",
                code=137,
                State={
                    "Error": "unable to remove filesystem for x: unlinkat /a/b: device or resource busy"
                },
            ),
            1,
        ),
        ("being removed", made("removing"), 0),
        ("dead for a moment", made("dead"), 0),
    ],
)
def test_dead(name: str, each: Container, found: int):
    assert len(told(judge("container.dead", containers=of(each)))) == found


@pytest.mark.parametrize(
    ("name", "each", "found"),
    [
        (
            "publishes a port",
            made("running", HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}),
            1,
        ),
        ("a service of compose", made("running", Config={"Labels": COMPOSE}), 1),
        (
            "has a policy",
            made("running", Config={"Labels": COMPOSE}, **policy("unless-stopped")),
            0,
        ),
        ("a job", RUNS, 0),
        (
            "is removed at its end",
            made("running", Config={"Labels": COMPOSE}, HostConfig={"AutoRemove": True}),
            0,
        ),
        ("swarm sees to it", task("shop_web.1", 1, "running"), 0),
    ],
)
def test_no_restart_policy(name: str, each: Container, found: int):
    assert len(told(judge("container.no-restart-policy", containers=of(each)))) == found


# -- programs, volumes and addresses of the host -------

UNQUOTED = "OCI runtime create failed: runc create failed: unable to start container process: exec {}: permission denied{}"
SCRIPTS = {"Mounts": [{"Type": "bind", "Source": "/srv/scripts", "Destination": "/opt/scripts"}]}
ONE_FILE = {
    "Mounts": [
        {"Type": "bind", "Source": "/srv/scripts/run.sh", "Destination": "/opt/scripts/run.sh"}
    ]
}
NOEXEC = Mounts(
    (Mounted("/", options="rw,relatime"), Mounted("/srv", options="rw,noexec,relatime"))
)
PLAIN = Mounts((Mounted("/", options="rw,relatime"),))
RUN = "/opt/scripts/run.sh"


@pytest.mark.parametrize("ending", ["", ": unknown"])
@pytest.mark.parametrize(
    ("mounted", "known", "words", "variables"),
    [
        (
            SCRIPTS,
            NOEXEC,
            "/srv/scripts/run.sh on the host, and /srv is mounted with noexec",
            {"source", "noexec"},
        ),
        (
            ONE_FILE,
            NOEXEC,
            "/srv/scripts/run.sh on the host, and /srv is mounted with noexec",
            {"source", "noexec"},
        ),
        (SCRIPTS, PLAIN, "permission denied; it is /srv/scripts/run.sh on the host", {"source"}),
        (SCRIPTS, UNKNOWN, "permission denied; it is /srv/scripts/run.sh on the host", {"source"}),
        ({}, NOEXEC, "/opt/scripts/run.sh cannot be executed: permission denied", {"file"}),
    ],
)
def test_a_program_that_is_refused_without_quotes(
    ending: str, mounted: dict[str, Any], known: Any, words: str, variables: set[str]
):
    each = made(
        "created", code=126, Path=RUN, State={"Error": UNQUOTED.format(RUN, ending)}, **mounted
    )
    (finding,) = items(
        judge("container.entrypoint-forbidden", containers=of(each), programs=UNKNOWN, mounts=known)
    )
    assert finding.summary.endswith(words)
    assert set(finding.variables) == {"container", "program", "image"} | variables
    assert told(start_refused(of(each))) == []


@pytest.mark.parametrize(
    ("kind", "words"), [("folder", "was taken as the command"), ("file", "cannot be executed")]
)
def test_a_mounted_folder_that_became_the_command(kind: str, words: str):
    mount = {"Type": "bind", "Source": "/srv/volume", "Destination": "/data", "RW": True}
    each = made(
        "created",
        code=126,
        Path="/data",
        State={"Error": 'exec: "/data": permission denied'},
        Mounts=[mount],
    )
    known = BindSources({"/srv/volume": PathStatus(type=kind)})
    (finding,) = judge(
        "container.entrypoint-forbidden", containers=of(each), bind_sources=known
    ).findings
    assert words in finding.summary
    assert ("source" in finding.variables) == (kind == "file")


def test_other_words_without_quotes_are_not_of_its_program():
    each = made(
        "created", code=126, Path="/app", State={"Error": UNQUOTED.format("/usr/bin/hook", "")}
    )
    assert told(entrypoint_forbidden(of(each))) == []


def test_a_script_that_an_init_may_not_execute_for_noexec():
    line = f"[FATAL tini (7)] exec {RUN} failed: Permission denied"
    each = made("exited", code=126, Path=RUN, **SCRIPTS)
    known = Programs({each.id: describe(RUN, "permission denied", line, b"#!/bin/sh\n")})
    (finding,) = items(
        judge("container.entrypoint-forbidden", containers=of(each), programs=known, mounts=NOEXEC)
    )
    assert "/opt/scripts/run.sh cannot be executed by user 1000" in finding.summary
    assert finding.summary.endswith("/srv is mounted with noexec")
    (finding,) = items(
        judge("container.entrypoint-forbidden", containers=of(each), programs=known, mounts=PLAIN)
    )
    assert "/bin/sh, which /opt/scripts/run.sh needs, cannot be executed" in finding.summary


VOLUME = "/var/lib/docker/volumes/media/_data"
LOCAL = f"error while mounting volume '{VOLUME}': failed to mount local volume: mount "


@pytest.mark.parametrize(
    ("error", "device"),
    [
        (
            f"{LOCAL}/srv/nas/media:{VOLUME}, flags: 0x1000: no such file or directory",
            "/srv/nas/media",
        ),
        (f"{LOCAL}/srv/my nas:{VOLUME}, flags: 0x1001: no such file or directory", "/srv/my nas"),
        (f"{LOCAL}/dev/sdz1:{VOLUME}: no such file or directory", ""),
        (f"{LOCAL}/srv/f/x/y:{VOLUME}, flags: 0x1001: not a directory", ""),
        (f"{LOCAL}:/srv/nas:{VOLUME}, flags: 0x1, data: addr=192.0.2.80: no such device", ""),
    ],
)
def test_a_volume_that_stands_on_a_folder_that_is_not_there(error: str, device: str):
    (finding,) = start_refused(of(made("created", code=128, State={"Error": error})))
    assert finding.variables.get("device", "") == device
    assert (
        f'{device}, on which its volume "media" stands, does not exist' in finding.summary
    ) == bool(device)
    assert (finding.variables.get("folder") == VOLUME) == bool(device)


def test_a_disk_of_a_volume_that_is_not_there_is_no_folder_to_make():
    error = f"{LOCAL}/dev/sdz1:{VOLUME}: no such file or directory"
    (finding,) = start_refused(of(made("created", code=128, State={"Error": error})))
    assert finding.variables == {"container": finding.subject.name, "disk": "/dev/sdz1"}


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        ("Address already in use", True),
        ("failed to set up container networking: Address already in use", True),
        ("something else: bind: Address already in use", False),
    ],
)
def test_a_fixed_address_that_is_taken(error: str, taken: bool):
    on_it = {"NetworkSettings": {"Networks": {"shopnet": {"IPAddress": "172.30.0.5"}}}}
    each = made(
        "created", code=128, State={"Error": error}, NetworkSettings={"Networks": {"shopnet": {}}}
    )
    said = list(start_refused(of(each, made("running", name="db", **on_it))))
    assert [one.variables.get("network") for one in said if "fixed address" in one.summary] == [
        "shopnet"
    ] * taken
    assert [one.evidence.get("addresses on shopnet") for one in said if taken] == [
        ["db 172.30.0.5"]
    ] * taken


@pytest.mark.parametrize("ending", ["", ": unknown"])
def test_processors_that_the_host_does_not_have(ending: str):
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: unable to apply cgroup configuration: failed to write "0-63": write '
        "/sys/fs/cgroup/cpuset/docker/b9da7489abd7/cpuset.cpus: numerical result out of range"
    )
    each = made(
        "exited", code=128, State={"Error": error + ending}, HostConfig={"CpusetCpus": "0-63"}
    )
    (finding,) = runtime_limit_hit(of(each))
    assert (
        finding.summary
        == 'container "web" did not start: its cpuset 0-63 names processors that this host does not have'
    )
    assert finding.evidence["HostConfig.CpusetCpus"] == "0-63"
    assert told(start_refused(of(each))) == []


def test_who_holds_a_fixed_address_is_named():
    wanted = {"IPAMConfig": {"IPv4Address": "172.30.0.5"}}
    each = made(
        "created",
        code=128,
        State={"Error": "Address already in use"},
        NetworkSettings={"Networks": {"shopnet": wanted}},
    )
    on_it = {"NetworkSettings": {"Networks": {"shopnet": {"IPAddress": "172.30.0.5"}}}}
    (finding,) = start_refused(of(each, made("running", name="db", **on_it)))
    assert (
        'its address 172.30.0.5 of network "shopnet" is held by container "db"' in finding.summary
    )


def listening(container: Container, *ports: int) -> Namespaces:
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in ports)
    return Namespaces({container.id: ContainerNetns(container, 1, (), (), (), sockets)})


@pytest.mark.parametrize(
    ("test", "ports", "expected"),
    [
        ("wget -qO- http://127.0.0.1:3000/ || exit 1", (8080,), True),
        ("curl -f http://localhost:8080/health", (8080,), False),
        ("curl -f http://api.example:3000/", (8080,), False),
        ("pg_isready", (), False),
    ],
    ids=["another port", "its port", "another host", "no port"],
)
def test_a_probe_of_a_port_where_nothing_listens(test: str, ports: tuple[int, ...], expected: bool):
    probe = {"Start": at(10), "End": at(9), "ExitCode": 1, "Output": "refused"}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [probe]}
    container = made(
        "running", Config={"Healthcheck": {"Test": ["CMD-SHELL", test]}}, State={"Health": health}
    )
    namespaces = listening(container, *ports)
    (finding,) = items(
        judge("container.unhealthy", containers=of(container), clock=CLOCK, namespaces=namespaces)
    )
    assert ("TCP sockets inside" in finding.evidence) is expected


HIDDEN = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    'runc create failed: unable to start container process: error during container init: error mounting "/srv/inner" '
    'to rootfs at "/data/inner": create mountpoint for /data/inner mount: make mountpoint "/data/inner": '
    "mkdirat data/inner: read-only file system: unknown"
)
INNER = [
    {"Type": "bind", "Source": "/srv/outer", "Destination": "/data", "RW": False},
    {"Type": "bind", "Source": "/srv/inner", "Destination": "/data/inner", "RW": True},
]


@pytest.mark.parametrize(("kind", "variable"), [("file", "empty_file"), ("folder", "empty_folder")])
def test_a_mount_below_a_read_only_mount_needs_something_to_lie_on(kind: str, variable: str):
    each = made("created", code=128, Path="sleep", Mounts=INNER, State={"Error": HIDDEN})
    sources = BindSources({"/srv/inner": PathStatus(type=kind)})
    result = judge("container.start-refused", containers=of(each), bind_sources=sources)
    (finding,) = items(result)
    assert finding.variables[variable] == "/srv/outer/inner"


def test_only_an_error_without_a_known_cause_is_tried_again():
    unknown = made("created", code=128, Path="sleep", State={"Error": "something new"})
    known = made(
        "created", code=128, Path="sleep", State={"Error": "Devices: rro is not supported"}
    )
    (first,) = start_refused(of(unknown))
    (second,) = start_refused(of(known))
    assert "retry" in first.variables
    assert "retry" not in second.variables
