"""The checks in checks/container/system_call.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Info
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
