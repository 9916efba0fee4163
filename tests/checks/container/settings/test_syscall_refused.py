"""The checks in checks/container/settings/syscall_refused.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Info, Ping
from tests.checks.container.evidence import CLOCK, FOUND, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("options", "security", "expected"),
    [
        (None, ["name=seccomp,profile=default"], FOUND),
        (["seccomp=unconfined"], ["name=seccomp,profile=default"], []),
        (['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'], [], FOUND),
        (None, [], []),
    ],
)
def test_a_filter_has_to_be_in_force(
    options: list[str] | None, security: list[str], expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(
        "runtime/cgo: pthread_create failed: Operation not permitted",
        HostConfig={"SecurityOpt": options},
    )
    result = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=security, server_version="20.10.7"),
    )
    assert rows(result) == expected


OWN = ['seccomp={"defaultAction":"SCMP_ACT_ERRNO"}']
THREAD = "runtime/cgo: pthread_create failed: Operation not permitted"
URING = "io_uring_queue_init failed: Operation not permitted"


@pytest.mark.parametrize(
    ("options", "line", "version", "offered"),
    [
        (OWN, THREAD, "28.5.2", "own_profile"),
        (OWN, THREAD, "20.10.7", None),
        (OWN, URING, "28.5.2", None),
        (None, THREAD, "20.10.7", "engines_filter"),
    ],
    ids=["an old profile", "an old engine too", "a call that no default allows", "the engine's"],
)
def test_whose_filter_is_changed(
    options: list[str] | None, line: str, version: str, offered: str | None
):
    """Newer packages of the engine change nothing about a profile of the container's own."""
    container, log_tails = failed_with_log(line, HostConfig={"SecurityOpt": options})
    (finding,) = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=["name=seccomp,profile=default"], server_version=version),
        ping=Ping("1.51", version, ""),
    ).findings
    given = finding.variables.keys() & {"own_profile", "engines_filter"}
    assert given == ({offered} if offered else set())
