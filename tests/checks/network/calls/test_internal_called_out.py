"""Calls of the outside from internal networks: checks/network/calls/internal_called_out.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.networks import Networks
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import network
from tests.checks.network.lost_calls import APP, CLOCK, DB, OUTSIDE, calls_of, losses
from tests.judging import judge, rows

GO = "dial tcp 192.0.2.80:80: connect: network is unreachable"
CLOSED = Networks((network(Internal=True), network("front")))
NAME = "Error: getaddrinfo EAI_AGAIN api.stripe.com"
INTERNAL: dict[str, tuple[list[str], list[WaitingCall], list[tuple[str, str]]]] = {
    "no route": ([GO, GO], [], [("warning", "app")]),
    "a public name": ([NAME, NAME], [], [("warning", "app")]),
    "a neighbour's name": (["getaddrinfo ENOTFOUND db"] * 2, [], []),
    "once": ([GO], [], []),
    "it waits": ([], [OUTSIDE], [("warning", "app")]),
    "calm": ([], [], []),
}


@pytest.mark.parametrize(("lines", "calls", "wanted"), INTERNAL.values(), ids=INTERNAL)
def test_internal_networks(
    lines: list[str], calls: list[WaitingCall], wanted: list[tuple[str, str]]
) -> None:
    found = calls_of(losses(*calls), CLOSED)
    recent = tuple(RecentLine(CLOCK.wall - 3, line) for line in lines)
    result = judge(
        "network.internal-called-out",
        containers=Containers((APP, DB)),
        networks=CLOSED,
        recent_logs=RecentLogs({APP.id: recent}),
        unanswered_calls=found,
        clock=CLOCK,
    )
    assert rows(result) == wanted
    assert not judge("network.call-unanswered", unanswered_calls=found).findings
