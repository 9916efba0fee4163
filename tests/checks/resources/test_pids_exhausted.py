"""The checks in checks/resources/pids_exhausted.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, Pids
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.limits.host_limits import HostLimits
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Finding
from tests.checks.resources.evidence import (
    CLOCK,
    NOW,
    OPTIONS,
    ROOMY,
    WEB,
    cgroup_of,
    severities,
    web,
)
from tests.inspected import EXITED, of
from tests.judging import judge

QUIET = LogTails({}, {})


def pids_findings(container: Container, **evidence: Any) -> tuple[Finding, ...]:
    given = {"clock": CLOCK, "options": OPTIONS, "host_limits": ROOMY, **evidence}
    return judge("resources.pids-exhausted", containers=of(container), **given).findings


DEAD = web(**EXITED, HostConfig={"PidsLimit": 5})


@pytest.mark.parametrize(
    ("name", "container", "pids", "words", "expected"),
    [
        ("full and refused", WEB, Pids(current=100, max=100, events_max=7), "", ["critical"]),
        ("nearly full", WEB, Pids(current=95, max=100, events_max=0), "", ["warning"]),
        ("was refused, long ago", WEB, Pids(current=5, max=100, events_max=7), "", ["advice"]),
        ("ended by it", DEAD, None, "sh: can't fork: Resource temporarily unavailable", ["-"]),
        ("room", WEB, Pids(current=5, max=100, events_max=0), "", []),
        ("no limit", WEB, Pids(current=5000), "", []),
        ("ended otherwise", DEAD, None, "no such key", []),
        (
            "Go",
            DEAD,
            None,
            "runtime: failed to create new OS thread (have 5 already; errno=11)",
            ["-"],
        ),
        ("Java", DEAD, None, "java.lang.OutOfMemoryError: unable to create native thread", ["-"]),
        (
            "Ruby",
            DEAD,
            None,
            "can't create Thread: Resource temporarily unavailable (ThreadError)",
            ["-"],
        ),
        (
            "a server",
            DEAD,
            None,
            "could not fork new process for connection: Resource temporarily unavailable",
            ["-"],
        ),
        ("C++", DEAD, None, "  what():  Resource temporarily unavailable", ["-"]),
        (
            "a full queue",
            DEAD,
            None,
            "connect() to unix:/s failed (11: Resource temporarily unavailable)",
            [],
        ),
        (
            "a worker's socket",
            DEAD,
            None,
            "worker process 7: recv() failed (11: Resource temporarily unavailable)",
            [],
        ),
        ("a busy server", DEAD, None, "429 slow down: Resource temporarily unavailable", []),
    ],
)
def test_pids_exhausted(
    name: str, container: Container, pids: Pids | None, words: str, expected: list[str]
):
    groups = cgroup_of(pids=pids) if pids else Cgroups({})
    tails = LogTails({container.id: LogTail((words,))}, {})
    assert severities(pids_findings(container, cgroups=groups, log_tails=tails)) == expected


TRACEBACKS = {
    "a fork": (("    pid = os.fork()", "          ^^^^^^^^^"), ["-"]),
    "a socket": (("    data = sock.recv(4096)", "           ^^^^^^^^"), []),
}


@pytest.mark.parametrize(("frame", "expected"), TRACEBACKS.values(), ids=TRACEBACKS)
def test_python_names_the_call_above_its_error(frame: tuple[str, str], expected: list[str]) -> None:
    error = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
    tails = LogTails({DEAD.id: LogTail((*frame, error))}, {})
    assert severities(pids_findings(DEAD, cgroups=Cgroups({}), log_tails=tails)) == expected


def test_a_refused_fork_is_answered_by_a_greater_limit():
    updated = Events((Event(NOW - 9, "container", "update", "", WEB.id, {}),))
    for current, expected in ((5, []), (95, ["critical"])):
        pids = cgroup_of(pids=Pids(current=current, max=100, events_max=7))
        assert (
            severities(pids_findings(WEB, cgroups=pids, events=updated, log_tails=QUIET))
            == expected
        )


def test_a_limit_that_was_lowered_below_what_runs_is_raised_above_it():
    for current, raised in ((100, "200"), (250, "500")):
        pids = cgroup_of(pids=Pids(current=current, max=100, events_max=7))
        (finding,) = pids_findings(WEB, cgroups=pids, log_tails=QUIET)
        assert finding.variables["pids_of_running"] == raised


SESSIONS = {"many": (12, True), "a few": (4, False), "few of all": (9, False)}


@pytest.mark.parametrize(("number", "expected"), SESSIONS.values(), ids=SESSIONS)
def test_what_docker_exec_has_left(number: int, expected: bool) -> None:
    shim = Process(pid=90, comm="containerd-shim", cmdline=["shim", "-id", WEB.id])
    first = Process(pid=WEB.state.pid, ppid=90, comm="httpd", container=WEB.id)
    words = ["sleep", "100000"]
    left = [
        Process(pid=200 + index, ppid=90, comm="sleep", cmdline=words, container=WEB.id)
        for index in range(number)
    ]
    pids = Pids(current=20, max=20, events_max=3)
    (finding,) = pids_findings(
        WEB, cgroups=cgroup_of(pids=pids), processes=Processes((shim, first, *left))
    )
    assert ("docker exec" in finding.summary) == expected
    assert finding.variables.get("left_program", "") == ("sleep" if expected else "")


@pytest.mark.parametrize("name", ["httpd", ".*", "a b"])
def test_what_pkill_would_take_for_more_is_not_ended(name: str) -> None:
    """The first process has the same name, or the name is a pattern."""
    shim = Process(pid=90, comm="containerd-shim", cmdline=["shim", "-id", WEB.id])
    first = Process(pid=WEB.state.pid, ppid=90, comm="httpd", container=WEB.id)
    left = [Process(pid=200 + index, ppid=90, comm=name, container=WEB.id) for index in range(12)]
    (finding,) = pids_findings(
        WEB,
        cgroups=cgroup_of(pids=Pids(current=20, max=20, events_max=3)),
        processes=Processes((shim, first, *left)),
    )
    assert "docker exec" in finding.summary
    assert "left_program" not in finding.variables


def test_the_host_can_run_out_of_tasks():
    full = HostLimits(32000, 32768, files=None, files_max=None, engines=())
    (finding,) = pids_findings(
        WEB, cgroups=cgroup_of(pids=Pids(current=900)), log_tails=QUIET, host_limits=full
    )
    assert finding.subject.kind == "host"
    assert finding.evidence["/proc/loadavg"] == "32000 tasks"
    assert finding.variables == {"busiest": "web", "held": "900", "pid_max": "4194304"}


NPROC = [{"Name": "nproc", "Soft": 24, "Hard": 24}]
BY_USER: dict[str, tuple[Container, DaemonConfig | None, str]] = {
    "its own ulimit": (
        web(**EXITED, HostConfig={"PidsLimit": 64, "Ulimits": NPROC}, Config={"User": "1000"}),
        None,
        "user 1000 may have no more than 24",
    ),
    "root is not held to it": (
        web(**EXITED, HostConfig={"PidsLimit": 64, "Ulimits": NPROC}, Config={"User": ""}),
        None,
        "no more than 64",
    ),
    "the engine's default": (
        web(**EXITED, HostConfig={"PidsLimit": 64}, Config={"User": "app:app"}),
        DaemonConfig("/etc/docker/daemon.json", values={"default-ulimits": {"nproc": NPROC[0]}}),
        "user app may have no more than 24",
    ),
    "the container's own limit is the lower one": (
        web(**EXITED, HostConfig={"PidsLimit": 8, "Ulimits": NPROC}, Config={"User": "1000"}),
        None,
        "no more than 8",
    ),
}


@pytest.mark.parametrize(("container", "config", "words"), BY_USER.values(), ids=BY_USER)
def test_limit_of_a_user(container: Container, config: DaemonConfig | None, words: str) -> None:
    said = LogTail(("sh: can't fork: Resource temporarily unavailable",))
    tails = LogTails({container.id: said}, {})
    findings = pids_findings(container, cgroups=Cgroups({}), log_tails=tails, config=config)
    assert [words in finding.summary for finding in findings] == [True]
