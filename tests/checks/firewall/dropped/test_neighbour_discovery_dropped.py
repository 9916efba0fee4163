"""What is said of IPv6 neighbours that do not find each other because of rules."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import NetworkEndpoint, NetworkSettings
from diagnose.evidence.network.gateways.neighbour_discovery import NeighbourDiscovery, NeighbourLink
from diagnose.evidence.network.networks import Network
from diagnose.firewall.neighbours import (
    NeighbourPair,
    Undelivered,
    asked_by_host,
    asked_by_peer,
    between_host_and_peer,
    between_peers,
    solicited_node,
)
from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from tests.firewall.test_trace import NO_NFTABLES
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
LINK = NeighbourPair("br-shop", "fd00::1", "fd00::2")
HEAD = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
END = "COMMIT\n"

RULES: dict[str, tuple[str, list[str]]] = {
    "no rule": ("", ["neighbour solicitation", "neighbour advertisement"]),
    "established connections": (
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
        ["neighbour solicitation", "neighbour advertisement"],
    ),
    "what conntrack leaves alone": ("-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT\n", []),
    "all of ICMPv6": ("-A INPUT -p ipv6-icmp -j ACCEPT\n", []),
    "solicitations alone": (
        "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT\n",
        ["neighbour advertisement"],
    ),
    "both, with the hop limit": (
        (
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT\n"
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -m hl --hl-eq 255 -j ACCEPT\n"
        ),
        [],
    ),
    "multicast, and local addresses": (
        (
            "-A INPUT -m addrtype --dst-type MULTICAST -j ACCEPT\n"
            "-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT\n"
        ),
        [],
    ),
    "local addresses alone": (
        "-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT\n",
        ["neighbour solicitation"],
    ),
}


def stack(rules: str, *, bridged: bool = False) -> NetworkStack:
    ruleset = assemble(NO_NFTABLES, {"ip6": HEAD + rules + END}, iptables_legacy={}, interfaces={})
    devices = (Device("br-shop", ("fd00::1/64",), "bridge", ("veth1",)),)
    return NetworkStack(
        ruleset,
        Routing(routes=(), rules=None, interfaces={}),
        devices,
        Settings(bridge_filter6=bridged),
    )


@pytest.mark.parametrize(("rules", "lost"), RULES.values(), ids=RULES)
def test_which_messages_of_neighbour_discovery_rules_drop(rules: str, lost: list[str]) -> None:
    dropped = list(between_host_and_peer(stack(rules), LINK))
    assert [message.message for message in dropped] == lost
    assert all(message.is_certain for message in dropped)


@pytest.mark.parametrize(("bridged", "lost"), [(True, 1), (False, 0)])
def test_between_containers(bridged: bool, lost: int) -> None:
    """Bridged packets meet rules only where br_netfilter shows them."""
    closed = stack("-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP\n", bridged=bridged)
    assert len(list(between_peers(closed, NeighbourPair("br-shop", "fd00::2", "fd00::3")))) == lost


def test_solicited_node() -> None:
    assert solicited_node("2001:db8::12:34ab:cdef") == "ff02::1:ffab:cdef"


def _container(name: str, address: str) -> Container:
    endpoint = NetworkEndpoint(ip_address=address, global_ipv6_address="fd00::2")
    return Container(name * 64, f"/{name}", network_settings=NetworkSettings({"shop": endpoint}))


def _link(container: Container, *, certain: bool = True) -> NeighbourLink:
    (first, *_) = between_host_and_peer(stack(""), LINK)
    lost = Undelivered(first.message, first.sender, first.obstacle, certain)
    return NeighbourLink("network", "br-shop", SHOP, (container,), (lost,))


DUAL, ALONE = _container("d", "10.1.0.2"), _container("a", "")
FOUND = {
    "beside IPv4": ([_link(DUAL)], [("warning", "host")]),
    "IPv6 alone": ([_link(ALONE)], [("critical", "host")]),
    "one rule for both": ([_link(DUAL), _link(ALONE)], [("critical", "host")]),
    "not certain": ([_link(DUAL, certain=False)], []),
    "open": ([NeighbourLink("network", "br-shop", SHOP, (DUAL,), ())], []),
}


@pytest.mark.parametrize(("links", "expected"), FOUND.values(), ids=FOUND)
def test_a_network_without_neighbour_discovery(
    links: list[NeighbourLink], expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "firewall.neighbour-discovery-dropped", neighbour_discovery=NeighbourDiscovery(tuple(links))
    )
    assert rows(result) == expected
    assert [unexamined.subject.name for unexamined in result.unexamined] == (
        ["shop"] if any(not message.is_certain for link in links for message in link.lost) else []
    )


def test_who_asks_says_who_he_is() -> None:
    closed, open_to_icmp = stack(""), stack("-A INPUT -p ipv6-icmp -j ACCEPT\n")
    assert [lost.message for lost in asked_by_peer(closed, LINK)] == ["neighbour solicitation"]
    assert [lost.message for lost in asked_by_host(closed, LINK)] == ["neighbour advertisement"]
    assert not [*asked_by_peer(open_to_icmp, LINK), *asked_by_host(open_to_icmp, LINK)]


def test_a_question_is_for_no_address_of_an_interface() -> None:
    rule = "-A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j DROP\n"
    host = stack(f"{rule}-A INPUT -j ACCEPT\n")
    assert not list(asked_by_peer(host, LINK))
    assert [lost.message for lost in asked_by_host(host, LINK)] == ["neighbour advertisement"]
