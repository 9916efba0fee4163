"""What the check says of transfers that break off, and the counters that it reads."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.protocol_counters import counter
from diagnose.evidence.network.sockets.stray_packets import StrayPackets, invalid_packets
from tests.checks.network.evidence import LATER, container
from tests.judging import judge, rows

MIRROR = container("mirror")
ANSWERED = StrayPackets(9, 5, are_answered=True)
CURL = "curl: (28) Operation timed out after 3000 milliseconds with 400000 out of 2000000 bytes received"
GO = "read tcp 172.18.0.2:44202->192.0.2.80:443: read: connection reset by peer"
REFUSED = "dial tcp 192.0.2.80:443: connect: connection refused"
NO_ANSWER = "curl: (28) Operation timed out after 3000 milliseconds with 0 out of 0 bytes received"

CASES: dict[str, tuple[str, int, StrayPackets, list[tuple[str, str]]]] = {
    "curl": (CURL, 3, ANSWERED, [("warning", "host")]),
    "Go": (GO, 4, ANSWERED, [("warning", "host")]),
    "twice": (CURL, 2, ANSWERED, []),
    "refused": (REFUSED, 3, ANSWERED, []),
    "never began": (NO_ANSWER, 3, ANSWERED, []),
    "fewer stray packets": (CURL, 4, StrayPackets(9, 3, are_answered=True), []),
    "dropped": (CURL, 3, StrayPackets(9, 5), []),
}


@pytest.mark.parametrize("name", CASES)
def test_transfers_reset(name: str) -> None:
    text, times, strays, wanted = CASES[name]
    lines = tuple(RecentLine(LATER.wall - 9 + number, text) for number in range(times))
    result = judge(
        "network.transfers-reset",
        containers=Containers((MIRROR,)),
        recent_logs=RecentLogs({MIRROR.id: lines}),
        strays=strays,
        clock=LATER,
    )
    assert rows(result) == wanted


def test_counters_of_conntrack_are_hexadecimal() -> None:
    text = """entries  clashres found new invalid ignore delete
00000005  00000000 00000000 00000000 0000000b 00000000 00000000
00000005  00000000 00000000 00000000 00000002 00000000 00000000
"""
    assert invalid_packets(text) == 13
    assert invalid_packets("") == 0


def test_resets_are_those_of_tcp() -> None:
    text = (
        "Ip: OutRsts\nIp: 7\nTcp: InErrs OutRsts InCsumErrors\nTcp: 0 5 0\nUdp: OutRsts\nUdp: 9\n"
    )
    assert counter(text, "Tcp", "OutRsts") == 5
    assert counter("Tcp: InErrs\nTcp: 0\n", "Tcp", "OutRsts") == 0
