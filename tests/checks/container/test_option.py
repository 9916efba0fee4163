"""The checks in checks/container/option.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.container.evidence import CLOCK, FOUND, failed
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("line", "config", "expected"),
    [
        ("RTNETLINK answers: Operation not permitted", {}, FOUND),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["CAP_NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"Privileged": True}, []),
        ("s6-overlay-suexec: fatal: can only run as pid 1", {"Init": True}, FOUND),
        ("s6-overlay-suexec: fatal: can only run as pid 1", {}, []),
        ("Error: getaddrinfo ENOTFOUND host.docker.internal", {}, FOUND),
        (
            "Error: getaddrinfo ENOTFOUND host.docker.internal",
            {"ExtraHosts": ["host.docker.internal:host-gateway"]},
            [],
        ),
        (
            "mkdir: can't create directory '/var/cache/x': Read-only file system",
            {"ReadonlyRootfs": True},
            FOUND,
        ),
        ("mkdir: can't create directory '/var/cache/x': Read-only file system", {}, []),
        (
            'error: failed switching to "postgres": operation not permitted',
            {"CapDrop": ["ALL"]},
            FOUND,
        ),
        ('error: failed switching to "postgres": operation not permitted', {}, []),
    ],
)
def test_an_option_that_is_missing(
    line: str, config: dict[str, Any], expected: list[tuple[str, str]]
):
    container, log_tails = failed(line, HostConfig=config)
    assert (
        rows(
            judge(
                "container.option-missing",
                containers=of(container),
                clock=CLOCK,
                log_tails=log_tails,
            )
        )
        == expected
    )
