"""Packets that MASQUERADE hides behind another address of the uplink than the host's own."""

from __future__ import annotations

from typing import Any

import pytest

from checks.firewall.translation.other_address import hidden_behind_another
from diagnose.evidence.containers.container import Container
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.other_address import by_other_address
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.actions import Translate
from diagnose.firewall.connection_verdict import ConnectionVerdict

SHOP = Network("a" * 64, "shop", "bridge")
LINKS = (Interface(2, "eth0"), Interface(3, "tun0"))
OLD, OWN = Address(2, "192.0.2.77", 24), Address(2, "192.0.2.10", 24)
TUNNEL = Address(3, "10.8.0.2", 24)
DEFAULT = Route("0.0.0.0", gateway="192.0.2.1", oif=2, src="192.0.2.10")
ANSWERED = {"192.0.2.53": DnsReply(answered=True, rcode="NOERROR", ms=1.0)}
MASQUERADED = ConnectionVerdict("accept", nat=Translate("masquerade"))

CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "an address before its own": ({}, True),
    "its own first": ({"addresses": (OWN, OLD)}, False),
    "out by a tunnel": ({"uplink": "tun0"}, False),
    "answers come back": ({"silent": ()}, False),
    "the host is silent too": ({"host": {}}, False),
    "no source in the route": ({"route": Route("0.0.0.0", gateway="192.0.2.1", oif=2)}, False),
    "not translated": ({"sample": ConnectionVerdict("accept")}, False),
    "another subnet first": ({"addresses": (Address(2, "10.1.0.9", 24), OWN)}, False),
}


@pytest.mark.parametrize(("change", "is_hidden"), CASES.values(), ids=CASES)
def test_the_address_that_the_kernel_takes(change: dict[str, Any], is_hidden: bool) -> None:
    sample = change.get("sample", MASQUERADED)
    uplink = Uplink(change.get("uplink", "eth0"), "192.0.2.77")
    way = OutboundPath(Container("1" * 64, "/web"), SHOP, "172.18.0.2", uplink, sample, sample)
    groups = by_other_address(
        [way],
        Interfaces(LINKS, change.get("addresses", (OLD, OWN, TUNNEL))),
        Routes((change.get("route", DEFAULT),)),
        Lookups(change.get("host", ANSWERED)),
        change.get("silent", ("shop",)),
    )
    assert bool(groups) is is_hidden
    for group in groups:
        variables = hidden_behind_another(group).variables
        assert (variables["own_address"], variables["uplink"]) == ("192.0.2.10", "eth0")
