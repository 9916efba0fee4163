"""The check network.interface-throttled."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.evidence.network.wiring.throttled_interfaces import throttled_interfaces
from diagnose.model import Severity
from diagnose.questions.queues import QueueCounters
from tests.checks.network.evidence import container, network
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

SHOP = container("shop")
SLOW = QueueCounters(4, "tbf", "8001:", rate=8000)
CASES: dict[str, tuple[list[list[QueueCounters]], int]] = {
    "drops": ([[SLOW], [QueueCounters(4, "tbf", "8001:", rate=8000, dropped=7)]], 1),
    "holds back": ([[SLOW], [QueueCounters(4, "tbf", "8001:", rate=8000, backlog=900)]], 1),
    "nothing to do": ([[SLOW], [SLOW]], 0),
    "fast": ([[], [QueueCounters(4, "tbf", "8001:", rate=90_000_000, dropped=7)]], 0),
    "an older loss": ([[QueueCounters(4, "tbf", "8001:", rate=8000, dropped=7)]] * 2, 0),
    "a class": (
        [[], [QueueCounters(4, "htb", "1:"), QueueCounters(4, "htb", "1:10", 9000, backlog=80)]],
        1,
    ),
    "loses on purpose": ([[], [QueueCounters(4, "netem", "8001:", loss=0.1)]], 1),
    "delays on purpose": ([[], [QueueCounters(4, "netem", "8001:", delay_ms=100.0)]], 1),
}


@pytest.mark.parametrize(("samples", "expected"), CASES.values(), ids=CASES)
def test_queues(samples: list[list[QueueCounters]], expected: int) -> None:
    host = Made({"net.queues": [[_row(row) for row in rows] for rows in samples]})
    netns = ContainerNetns(
        SHOP, 1, (Interface(2, "eth0", kind="veth", link=4),), addresses=(), routes=(), listeners=()
    )
    end = Interface(4, "veth1a2b3c4", kind="veth", link=2, queue="tbf")
    links = Interfaces((Interface(1, "uplink0"), end))
    found = throttled_interfaces(
        host,
        links,
        Networks((network(),)),
        of(SHOP),
        Uplinks((Uplink("uplink0", "192.0.2.10"),)),
        Namespaces({SHOP.id: netns}),
    )
    result = judge("network.interface-throttled", throttled_interfaces=found)
    assert [finding.subject.name for finding in result.findings] == ["veth1a2b3c4"] * expected


def _row(row: QueueCounters) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def test_nothing_is_asked_where_no_queue_limits() -> None:
    links = Interfaces((Interface(1, "uplink0", queue="fq_codel"),))
    uplinks = Uplinks((Uplink("uplink0", "192.0.2.10"),))
    found = throttled_interfaces(Made({}), links, Networks(()), of(), uplinks, None)
    assert not found
    assert not found.unexamined


@pytest.mark.parametrize(
    ("row", "is_advice"),
    [
        (QueueCounters(1, "cake", "8001:", rate=900_000, backlog=9000), True),
        (QueueCounters(1, "netem", "8001:", loss=0.1), False),
    ],
    ids=["a shaper of a slow line", "loses on purpose"],
)
def test_an_uplink(row: QueueCounters, *, is_advice: bool) -> None:
    links = Interfaces((Interface(1, "uplink0", queue=row.kind),))
    uplinks = Uplinks((Uplink("uplink0", "192.0.2.10"),))
    host = Made({"net.queues": [[], [_row(row)]]})
    found = throttled_interfaces(host, links, Networks(()), of(), uplinks, None)
    (finding,) = judge("network.interface-throttled", throttled_interfaces=found).findings
    assert (finding.severity is Severity.advice) is is_advice
