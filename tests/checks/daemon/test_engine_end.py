"""How systemd left an engine that is down: checks/daemon/engine_end.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.daemon import Unit
from diagnose.evidence.engine.log import DaemonLog, daemon_log
from diagnose.evidence.engine.starting.socket_failure import SocketFailure, socket_failure
from diagnose.model import Failed
from tests.checks.daemon.evidence import daemon, only_finding
from tests.hosts import Made
from tests.judging import judge

SLOW = Unit("loaded", "failed", result="timeout", unit_file_state="enabled")


@pytest.mark.parametrize(
    ("unit", "variable"),
    [
        (Unit("loaded", "inactive", unit_file_state="disabled"), "disabled"),
        (Unit("masked", "inactive", unit_file_state="masked"), "masked"),
        (Unit("loaded", "inactive", unit_file_state="enabled"), "idle"),
        (Unit("loaded", "failed", unit_file_state="disabled"), "idle"),
        (SLOW, "slow"),
    ],
    ids=["not enabled", "masked", "stopped", "failed", "too slow"],
)
def test_how_a_unit_that_is_down_is_started(unit: Unit, variable: str) -> None:
    finding = only_finding(judge("daemon.not-running", daemon=daemon(unit=unit)).findings)
    assert {"disabled", "masked", "idle", "slow"} & finding.variables.keys() == {variable}


FAILED = Unit("loaded", "failed", result="resources")
NO_GROUP = [
    {"at": 1.0, "message": "docker.socket: Failed to resolve group docker: No such process"},
    {"at": 2.0, "message": "docker.socket: Failed with result 'resources'."},
    {"at": 3.0, "message": "Failed to listen on docker.socket - Docker Socket for the API."},
]
"""What systemd 257 writes."""


def failure(socket_unit: Unit, entries: list[dict[str, object]] | None) -> SocketFailure:
    journal = Failed("missing", "no journal") if entries is None else {"entries": entries}
    host = Made({"journal": lambda _: journal})
    socket = socket_failure(host, daemon(unit=Unit("loaded", "inactive"), socket_unit=socket_unit))
    assert isinstance(socket, SocketFailure)
    return socket


def test_a_socket_whose_group_is_gone() -> None:
    without_group = failure(FAILED, NO_GROUP)
    assert without_group.group == "docker"
    finding = only_finding(
        judge(
            "daemon.not-running",
            daemon=daemon(unit=Unit("loaded", "inactive"), socket_unit=FAILED),
            socket_failure=without_group,
        ).findings
    )
    assert finding.variables["group"] == "docker"
    assert 'no group "docker"' in finding.summary


def test_a_socket_that_failed_in_silence() -> None:
    assert failure(FAILED, None) == SocketFailure(has_failed=True)
    assert failure(FAILED, NO_GROUP[1:2]) == SocketFailure(has_failed=True)


def test_a_socket_in_order() -> None:
    assert failure(Unit("loaded", "active"), NO_GROUP) == SocketFailure()


def test_what_systemd_says_of_the_unit_is_no_last_word_of_the_engine() -> None:
    """The words of systemd 257, from the process that becomes dockerd a moment later."""
    unset = "docker.service: Referenced but unset environment variable: DOCKER_OPTS"
    entries = [
        {"at": 1.0, "message": unset, "priority": 4, "pid": 812},
        {"at": 2.0, "message": "docker.service: start operation timed out. Terminating.", "pid": 1},
    ]
    host = Made({"endpoint": {}, "journal": {"entries": entries}})
    log = daemon_log(host)
    assert isinstance(log, DaemonLog)
    assert log.last_failure is None
    finding = only_finding(judge("daemon.not-running", daemon=daemon(unit=SLOW), log=log).findings)
    assert "TimeoutStartSec" in finding.summary
    assert "slow" in finding.variables
