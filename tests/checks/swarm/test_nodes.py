"""Managers without a leader; nodes with a lost address or an expired certificate."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.swarm.swarm import Node, Swarm
from diagnose.questions.network import Address
from tests.judging import judge


def _host(*addresses: str) -> Interfaces:
    pairs = [text.split("/") for text in addresses]
    return Interfaces((), tuple(Address(2, ip, int(prefix)) for ip, prefix in pairs))


def _known(address: str, *, manager: bool = True, nodes: int = 1) -> Swarm:
    listed = tuple(Node(id=str(number)) for number in range(nodes)) if manager else ()
    return Swarm("active", manager=manager, node_address=address, managers=1, nodes=listed)


MOVED: dict[str, tuple[Swarm, Interfaces, list[tuple[str, str]]]] = {
    "as it was": (_known("192.0.2.10"), _host("192.0.2.10/24"), []),
    "the only node": (_known("192.0.2.10"), _host("192.0.2.77/24"), [("warning", "address")]),
    "with workers": (
        _known("192.0.2.10", nodes=3),
        _host("192.0.2.77/24"),
        [("critical", "address")],
    ),
    "a worker": (
        _known("192.0.2.10", manager=False),
        _host("127.0.0.1/8", "192.0.2.77/24"),
        [("critical", "former")],
    ),
    "both addresses": (_known("192.0.2.10"), _host("192.0.2.77/24", "192.0.2.10/24"), []),
    "translated by a router": (_known("203.0.113.7"), _host("10.0.0.5/24"), []),
    "IPv6": (_known("2001:db8::1"), _host("2001:db8::2/64"), [("warning", "address")]),
    "no address is known": (_known(""), _host("192.0.2.77/24"), []),
}


@pytest.mark.parametrize(("swarm", "interfaces", "expected"), MOVED.values(), ids=MOVED)
def test_address_of_a_node(
    swarm: Swarm, interfaces: Interfaces, expected: list[tuple[str, str]]
) -> None:
    found = judge("swarm.address-gone", swarm=swarm, interfaces=interfaces).findings
    assert [
        (finding.severity and finding.severity.name, *finding.variables) for finding in found
    ] == expected


@pytest.mark.parametrize(
    ("managers", "words"),
    [(3, "too few of its 3 managers can"), (0, "too few of its managers can")],
)
def test_managers_without_a_leader(managers: int, words: str) -> None:
    swarm = Swarm("active", manager=True, managers=managers, error="The swarm has no leader")
    leaderless = msgspec.structs.replace(swarm, error="rpc error: The swarm does not have a leader")
    (finding,) = judge("swarm.quorum-lost", swarm=leaderless).findings
    assert words in finding.summary
    assert not judge("swarm.quorum-lost", swarm=swarm).findings
