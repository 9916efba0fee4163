"""The checks in checks/network/packets/full_tables.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.network.neighbours import NeighbourLimits
from diagnose.evidence.network.sockets.conntrack import Conntrack
from diagnose.model import Severity, Verdict
from tests.checks.network.evidence import LATER, subjects_and_severities
from tests.judging import judge, rows

FULL = "nf_conntrack: nf_conntrack: table full, dropping packet"


@pytest.mark.parametrize(
    ("table", "log", "expected"),
    [
        pytest.param(Conntrack(10, 100), [], [], id="room"),
        pytest.param(Conntrack(85, 100), [], [("host:host", Severity.warning)], id="nearly full"),
        pytest.param(Conntrack(99, 100), [], [("host:host", Severity.critical)], id="full"),
        pytest.param(
            Conntrack(10, 100),
            [Record(LATER.wall - 60, FULL)],
            [("host:host", Severity.critical)],
            id="was full",
        ),
        pytest.param(
            Conntrack(10, 100), [Record(LATER.wall - 86400, FULL)], [], id="was full yesterday"
        ),
    ],
)
def test_conntrack_full(table: Conntrack, log: list[Record], expected: list[Any]) -> None:
    answer = judge(
        "network.conntrack-full", conntrack=table, kernel_log=KernelLog(tuple(log)), clock=LATER
    )
    assert subjects_and_severities(answer.findings) == expected


def test_conntrack_that_is_not_loaded_does_not_apply() -> None:
    answer = judge("network.conntrack-full", conntrack=Conntrack(None, None), clock=LATER)
    assert answer.verdict is Verdict.SKIPPED


OVERFLOW = "neighbour: arp_cache: neighbor table overflow!"


@pytest.mark.parametrize(
    ("line", "age", "expected"),
    [
        pytest.param(OVERFLOW, 60, [("critical", "host")], id="a minute ago"),
        pytest.param(
            "neighbour: ndisc_cache: neighbor table overflow!",
            60,
            [("critical", "host")],
            id="IPv6",
        ),
        pytest.param(OVERFLOW, 86400, [], id="yesterday"),
        pytest.param("eth0: link becomes ready", 60, [], id="another line"),
    ],
)
def test_neighbour_table_full(line: str, age: float, expected: list[Any]) -> None:
    log = KernelLog((Record(LATER.wall - age, line),))
    limits = NeighbourLimits({"ipv4": 1024, "ipv6": None})
    answer = judge("network.neighbour-table-full", kernel_log=log, limits=limits, clock=LATER)
    assert rows(answer) == expected
    for finding in answer.findings:
        assert finding.variables["family"] == ("ipv6" if "ndisc" in line else "ipv4")
