"""The check in checks/network/packets/idle_connections_forgotten.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.conntrack import IdleTimeout, idle_timeout
from tests.checks.network.evidence import container
from tests.hosts import Made
from tests.judging import judge, rows

APP = container("app")
CLOCK = Clock(wall=1_800_000_000.0, booted=0.0)
RESET = "psycopg2.OperationalError: SSL SYSCALL error: Connection reset by peer"
CASES: dict[str, tuple[int, str, list[tuple[str, str]]]] = {
    "a minute, and connections break": (60, RESET, [("warning", "host")]),
    "a minute": (60, "ready", [("advice", "host")]),
    "five minutes": (300, RESET, []),
    "the default": (432_000, RESET, []),
}


@pytest.mark.parametrize(("seconds", "line", "wanted"), CASES.values(), ids=CASES)
def test_a_short_idle_time_with_broken_connections(
    seconds: int, line: str, wanted: list[tuple[str, str]]
) -> None:
    result = judge(
        "network.idle-connections-forgotten",
        idle_timeout=IdleTimeout(seconds),
        containers=Containers((APP,)),
        recent_logs=RecentLogs({APP.id: (RecentLine(CLOCK.wall - 9, line),)}),
        clock=CLOCK,
    )
    assert rows(result) == wanted


def test_without_tracking() -> None:
    host = Made({"sysctl": {"net.netfilter.nf_conntrack_tcp_timeout_established": None}})
    assert idle_timeout(host) == IdleTimeout(None)
    result = judge(
        "network.idle-connections-forgotten",
        idle_timeout=IdleTimeout(None),
        containers=Containers(()),
        recent_logs=None,
        clock=CLOCK,
    )
    assert result.verdict.value == "skipped"
