"""The check in checks/firewall/dropped/arp_dropped.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.gateways.arp_filters import ArpFilters, arp_filters
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours, parse_arp
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from tests.checks.network.evidence import container, network
from tests.firewall.test_trace import NO_NFTABLES
from tests.judging import judge, rows

_IN, _OUT = {"number": 0, "priority": 0}, {"number": 1, "priority": 0}


def _chain(hook: dict[str, int], policy: int, family: str = "arp") -> dict[str, Any]:
    row = {"family": family, "table": "filter", "name": "input", "type": "filter"}
    return row | {"hook": hook, "policy": policy}


def _filters(
    *chains: dict[str, Any], rules: tuple[dict[str, Any], ...] = (), table: str = ""
) -> ArpFilters:
    tables = [{"family": chain["family"], "name": "filter"} for chain in chains]
    dump = NO_NFTABLES | {"loaded": True, "tables": tables, "chains": list(chains)}
    dump |= {"rules": list(rules)}
    devices = (Device("br-0123456789ab", ("172.18.0.1/16",), "bridge", ("veth1",)),)
    stack = NetworkStack(
        assemble(dump, iptables_nft=None, iptables_legacy={}, interfaces={}),
        Routing(routes=(), rules=None, interfaces={}),
        devices,
        Settings(),
    )
    return arp_filters(
        HostStack(stack),
        Containers((container("web"),)),
        Networks((network("shop"),)),
        WalkedHost(Uplinks((Uplink("eth0", "192.0.2.10"),)), ping=None, info=None),
        Neighbours(tuple(parse_arp(table))),
    )


DROP, ACCEPT = 0, 1
CASES: dict[str, tuple[tuple[dict[str, Any], ...], list[tuple[str, str]]]] = {
    "what comes in": ((_chain(_IN, DROP),), [("critical", "host")]),
    "what the host sends": ((_chain(_OUT, DROP),), [("critical", "host")]),
    "a chain that accepts": ((_chain(_IN, ACCEPT),), []),
    "another family": ((_chain(_IN, DROP, "bridge"),), []),
    "no chain": ((), []),
}


_HEAD = "IP address HW type Flags HW address Mask Device\n"
_ENTRY = "172.18.0.2 0x1 {} 02:42:ac:12:00:02 * br-0123456789ab\n"
_OF_ONE_ADDRESS = {
    "family": "arp",
    "table": "filter",
    "chain": "input",
    "expressions": [
        {"name": "payload", "base": 1, "offset": 24, "len": 4, "dreg": 1},
        {"name": "cmp", "sreg": 1, "op": 0, "data": "c000024d"},
        {"name": "immediate", "dreg": 0, "verdict": {"code": "drop"}},
    ],
}
"""As keepalived and LVS write it: `arp daddr ip 192.0.2.77 drop`."""
TABLES: dict[str, tuple[int, str, list[tuple[str, str]]]] = {
    "all are dropped, an entry is old": (DROP, _ENTRY.format("0x2"), [("critical", "host")]),
    "all are dropped, entries by hand": (DROP, _ENTRY.format("0x6"), []),
    "all are dropped, another machine is asked in vain": (
        DROP,
        _ENTRY.format("0x6") + _ENTRY.format("0x0").replace("172.18.0.2", "172.18.0.9"),
        [("critical", "host")],
    ),
    "all are dropped, nobody answers": (DROP, _ENTRY.format("0x0"), [("critical", "host")]),
    "one address is dropped": (ACCEPT, _ENTRY.format("0x2"), []),
    "one address is dropped, nobody answers": (
        ACCEPT,
        _ENTRY.format("0x0"),
        [("unexamined", "br-0123456789ab")],
    ),
}


@pytest.mark.parametrize(("policy", "table", "expected"), TABLES.values(), ids=TABLES)
def test_neighbours_that_the_host_needs(
    policy: int, table: str, expected: list[tuple[str, str]]
) -> None:
    rules = (_OF_ONE_ADDRESS,) if policy == ACCEPT else ()
    known = _filters(_chain(_IN, policy), rules=rules, table=_HEAD + table)
    result = judge("firewall.arp-dropped", arp_filters=known)
    unexamined = [("unexamined", left_out.subject.name) for left_out in result.unexamined]
    assert rows(result) + unexamined == expected


@pytest.mark.parametrize(("chains", "expected"), CASES.values(), ids=CASES)
def test_chains_of_the_family_arp(
    chains: tuple[dict[str, Any], ...], expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("firewall.arp-dropped", arp_filters=_filters(*chains))) == expected
