"""The checks in checks/network/packets/mtu_mismatch.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.packet_size.mtu_harm import Harm, MtuHarm
from diagnose.evidence.network.packet_size.packet_sizes import PacketSizes, packet_sizes
from diagnose.evidence.network.packet_size.path_mtu import PathMtu, path_mtu
from diagnose.evidence.network.packet_size.tunnel_sizes import tunnel_sizes
from diagnose.evidence.network.route_lookups import RouteLookup, RouteLookups
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.ruleset import assemble
from diagnose.model import Verdict
from tests.checks.network.evidence import (
    BRIDGE,
    INNER,
    UPLINK,
    VETH,
    container,
    links,
    namespaces_of,
    network,
    with_fields,
)
from tests.judging import judge, rows

NOW = 1_800_000_000.0
DEFAULT = Route(dst="0.0.0.0", prefix=0, oif=2, gateway="192.0.2.1")


NARROW = links(with_fields(UPLINK, mtu=1400), BRIDGE, VETH)


def sizes(
    seen: Interfaces,
    route: Route | None,
    *nets: Network,
    who: Container | None = None,
    mtu: int = 1500,
    lookups: RouteLookups | None = None,
) -> PacketSizes:
    member = who or container("a")
    routes = Routes((route,) if route else ())
    netns = namespaces_of(member, link=with_fields(INNER, mtu=mtu))
    asked = Networks(nets or (network(),))
    return packet_sizes(asked, Containers((member,)), routes, seen, netns, lookups)


@pytest.mark.parametrize(
    ("seen", "route", "blocked", "expected"),
    [
        pytest.param(links(), DEFAULT, {}, [], id="equal"),
        pytest.param(
            links(with_fields(UPLINK, mtu=9001), BRIDGE), DEFAULT, {}, [], id="jumbo uplink"
        ),
        pytest.param(NARROW, DEFAULT, {}, [("advice", "shop")], id="path discovery works"),
        pytest.param(
            NARROW,
            DEFAULT,
            {BRIDGE.name: "ip filter OUTPUT: -p icmp -j DROP"},
            [("warning", "shop")],
            id="lost",
        ),
        pytest.param(
            links(), Route(dst="0.0.0.0", oif=2, mtu=1300), {}, [("advice", "shop")], id="route"
        ),
    ],
)
def test_mtu_mismatch(
    seen: Interfaces, route: Route, blocked: dict[str, str], expected: list[Any]
) -> None:
    answer = judge("network.mtu-mismatch", sizes=sizes(seen, route), path_mtu=PathMtu(blocked))
    assert rows(answer) == expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [pytest.param(30, [("advice", "shop")], id="by a VPN"), pytest.param(2, [], id="past it")],
)
def test_the_way_out_is_the_one_that_the_kernel_takes(index: int, expected: list[Any]) -> None:
    tunnel = with_fields(UPLINK, index=30, name="wg0", kind="wireguard", mtu=1420)
    out = {"shop": RouteLookup(oif=index, table=51820)}
    lookups = RouteLookups(own=RouteLookup(oif=2), out=out, back={})
    found = sizes(links(UPLINK, BRIDGE, VETH, tunnel), DEFAULT, lookups=lookups)
    assert rows(judge("network.mtu-mismatch", sizes=found)) == expected


def test_one_network_by_a_vpn_and_another_one_past_it() -> None:
    tunnel = with_fields(UPLINK, index=30, name="wg0", kind="wireguard", mtu=1420)
    out = {"torrents": RouteLookup(oif=30), "shop": RouteLookup(oif=2)}
    lookups = RouteLookups(own=RouteLookup(oif=2), out=out, back={})
    found = sizes(links(UPLINK, BRIDGE, VETH, tunnel), DEFAULT, lookups=lookups)
    assert rows(judge("network.mtu-mismatch", sizes=found)) == []


def test_signs_of_loss_make_it_a_warning() -> None:
    who = container("a")
    harm = MtuHarm({"shop": (Harm(who, "log: net/http: TLS handshake timeout"),)})
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT, who=who), mtu_harm=harm)
    assert rows(answer) == [("warning", "shop")]
    assert answer.findings[0].evidence["container a"] == "log: net/http: TLS handshake timeout"


@pytest.mark.parametrize(
    ("uplink_mtu", "expected"),
    [
        pytest.param(1500, [], id="fits"),
        pytest.param(1450, [("advice", "shop")], id="50 bytes too many"),
    ],
)
def test_an_overlay_adds_to_each_packet(uplink_mtu: int, expected: list[Any]) -> None:
    seen = links(with_fields(UPLINK, mtu=uplink_mtu), BRIDGE)
    overlay = network(Driver="overlay")
    answer = judge("network.mtu-mismatch", sizes=sizes(seen, DEFAULT, overlay, mtu=1450))
    assert rows(answer) == expected
    for finding in answer.findings:
        assert finding.variables["overlay"] == "shop"
        assert finding.variables["overlay_again"] == "shop-1450"
        assert finding.variables["mtu"] == "1400"


def test_the_default_network_is_never_removed() -> None:
    default = network("bridge")
    who = container("a", NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.18.0.2"}}})
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT, default, who=who))
    variables = answer.findings[0].variables
    assert variables["daemon_mtu"] == "1400"
    assert "network" not in variables


FILTERS = {
    "all of ICMP is dropped": ("-A OUTPUT -p icmp -j DROP", True),
    "this message is dropped": ("-A OUTPUT -p icmp --icmp-type 3/4 -j DROP", True),
    "its type is dropped": ("-A OUTPUT -p icmp -m icmp --icmp-type 3 -j DROP", True),
    "another type is dropped": ("-A OUTPUT -p icmp -m icmp --icmp-type 8 -j DROP", False),
    "nothing is dropped": ("-A OUTPUT -p tcp --dport 25 -j DROP", False),
}


@pytest.mark.parametrize(("rule", "is_blocked"), FILTERS.values(), ids=FILTERS)
def test_the_message_is_one_type_of_icmp(rule: str, is_blocked: bool) -> None:
    nothing = {"tables": [], "chains": [], "rules": [], "sets": [], "elements": []}
    saved = f"*filter\n:OUTPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    rules = Firewall(assemble(nothing, iptables_nft={"ip": saved}))
    found = path_mtu(rules, Networks((network(),)))
    assert bool(found.blocked) is is_blocked


def test_connections_that_are_made_to_fit_are_no_mismatch() -> None:
    clamped = PathMtu({}, "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT), path_mtu=clamped)
    assert answer.verdict is Verdict.SKIPPED


def test_mtu_without_an_uplink_does_not_apply() -> None:
    assert judge("network.mtu-mismatch", sizes=sizes(links(), None)).verdict is Verdict.SKIPPED


WG0 = with_fields(INNER, index=20, name="wg0", kind="tun", mtu=1500)
TUNNELS = {
    "as large as its carrier": ({}, True),
    "in the kernel": ({"name": "home", "kind": "wireguard", "mtu": 1460}, True),
    "room for the header over IPv4": ({"mtu": 1440}, False),
    "as wg-quick chooses": ({"mtu": 1420}, False),
    "of another program, which fits packets itself": ({"name": "tun0"}, False),
    "down": ({"up": False}, False),
}


@pytest.mark.parametrize(("fields", "is_found"), TUNNELS.values(), ids=TUNNELS)
def test_a_tunnel_without_room_for_its_header(fields: dict[str, Any], is_found: bool) -> None:
    vpn = container("vpn")
    tunnel = with_fields(WG0, **fields)
    inside = ContainerNetns(
        vpn, 1, (INNER, tunnel), (Address(8, "172.18.0.2", 16),), routes=(), listeners=()
    )
    found = tunnel_sizes(links(), None, Namespaces({vpn.id: inside}))
    answer = judge("network.mtu-mismatch", sizes=sizes(links(), DEFAULT), tunnel_sizes=found)
    assert rows(answer) == ([("advice", "vpn")] if is_found else [])
    for finding in answer.findings:
        assert finding.variables["tunnel_mtu"] == "1420"


def test_a_tunnel_of_the_host_and_programs_that_wait_for_answers() -> None:
    seen = links(UPLINK, BRIDGE, WG0)
    uplinks = Uplinks((Uplink("eth0", "192.0.2.10"),))
    who = container("a")
    lines = tuple(RecentLine(NOW - 5 + at, "read: connection timed out") for at in range(4))
    answer = judge(
        "network.mtu-mismatch",
        sizes=sizes(seen, DEFAULT),
        tunnel_sizes=tunnel_sizes(seen, uplinks, None),
        containers=Containers((who,)),
        recent_logs=RecentLogs({who.id: lines}),
        clock=Clock(NOW, 0.0),
    )
    assert rows(answer) == [("warning", "wg0")]
    assert answer.findings[0].variables["host_tunnel"] == "wg0"
