"""Gateways that answer no container: checks/network/calls/gateway_unanswered.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.gateways.silent_gateways import arp_tables, silent_gateways
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.questions.network import Interface, Route
from tests.checks.network.evidence import container, network
from tests.hosts import Made
from tests.judging import judge, rows

LAN = network("lan", "192.0.2.0/24", "192.0.2.254", Driver="macvlan", Options={"parent": "eth0"})
ARP = """IP address       HW type     Flags       HW address            Mask     Device
{}      0x1         {}         {}     *        eth0
"""
NOBODY, SOMEBODY = ("0x0", "00:00:00:00:00:00"), ("0x2", "02:42:c0:00:02:01")
ON_HOST = Neighbours((Neighbour("192.0.2.254", "eth0", "02:42:c0:00:02:fe"),))
GATEWAYS: dict[str, tuple[tuple[str, str, str], Neighbours, str, str]] = {
    "another router": (
        ("192.0.2.254", *NOBODY),
        Neighbours(()),
        "192.0.2.1",
        "the router of this host is 192.0.2.1",
    ),
    "a wire for one address": (
        ("192.0.2.254", *NOBODY),
        ON_HOST,
        "192.0.2.254",
        "the network accepts only the MAC address of the host",
    ),
    "nothing known": (("192.0.2.254", *NOBODY), Neighbours(()), "10.0.0.1", "macvlan network"),
    "the router of the host": (
        ("192.0.2.254", *NOBODY),
        Neighbours(()),
        "192.0.2.254",
        "the host has the same router: it is off, or the network accepts only",
    ),
    "the router is off": (
        ("192.0.2.254", *NOBODY),
        Neighbours((Neighbour("192.0.2.254", "eth0", ""),)),
        "192.0.2.254",
        "no answer from gateway",
    ),
    "it answers": (("192.0.2.254", *SOMEBODY), Neighbours(()), "192.0.2.1", ""),
    "a neighbour that the host reaches": (
        ("192.0.2.77", *NOBODY),
        Neighbours((Neighbour("192.0.2.77", "eth0", "02:42:c0:00:02:4d"),)),
        "192.0.2.254",
        "192.0.2.77 of macvlan network",
    ),
    "a neighbour, while another one answers the host": (
        ("192.0.2.77", *NOBODY),
        Neighbours((Neighbour("192.0.2.78", "eth0", "02:42:c0:00:02:4e"),)),
        "192.0.2.254",
        "these are off, or the network accepts only",
    ),
    "on another interface": (
        ("192.0.2.77", *NOBODY),
        Neighbours((Neighbour("192.0.2.77", "eth1", "02:42:c0:00:02:4d"),)),
        "192.0.2.254",
        "",
    ),
    "a neighbour is off": (("192.0.2.77", *NOBODY), Neighbours(()), "192.0.2.1", ""),
}


@pytest.mark.parametrize(("entry", "on_host", "router", "words"), GATEWAYS.values(), ids=GATEWAYS)
def test_a_gateway_that_does_not_answer_arp(
    entry: tuple[str, str, str], on_host: Neighbours, router: str, words: str
) -> None:
    nas = container("nas", NetworkSettings={"Networks": {"lan": {"IPAddress": "192.0.2.210"}}})
    default = Route("0.0.0.0", gateway="192.0.2.254", oif=2)
    netns = ContainerNetns(nas, 1, links=(), addresses=(), routes=(default,), listeners=())
    host = Made({"file.read": {"text": ARP.format(*entry), "size": 200}})
    gateways = silent_gateways(arp_tables(host, Namespaces({nas.id: netns}), Networks((LAN,))))
    assert gateways.looked_at == 1
    evidence = {
        "silent_gateways": gateways,
        "neighbours": on_host,
        "routes": Routes((Route("0.0.0.0", gateway=router, oif=2),)),
    }
    says = RecentLine(nas.started_at + 1, "wget: can't connect to 203.0.113.9: No route to host")
    failing = RecentLogs({nas.id: (says,)}, {})
    result = judge("network.gateway-unanswered", recent_logs=failing, **evidence)
    severity = "warning" if "are off" in words else "critical"
    assert rows(result) == ([(severity, "lan")] if words else [])
    assert all(words in finding.summary for finding in result.findings)
    calm = judge("network.gateway-unanswered", recent_logs=RecentLogs({}, {}), **evidence)
    assert rows(calm) == ([("advice", "lan")] if words else [])


def test_a_neighbour_is_off_where_others_answer() -> None:
    nas = container("nas", NetworkSettings={"Networks": {"lan": {"IPAddress": "192.0.2.210"}}})
    default = Route("0.0.0.0", gateway="192.0.2.254", oif=2)
    netns = ContainerNetns(nas, 1, links=(), addresses=(), routes=(default,), listeners=())
    text = ARP.format("192.0.2.77", *NOBODY) + ARP.format("192.0.2.78", *SOMEBODY).splitlines()[1]
    host = Made({"file.read": {"text": text, "size": 200}})
    gateways = silent_gateways(arp_tables(host, Namespaces({nas.id: netns}), Networks((LAN,))))
    assert not gateways.neighbours


ZUI = network("zui", "172.18.0.0/16", "172.18.0.1")
BOTH = {"lan": {"IPAddress": "192.0.2.210"}, "zui": {"IPAddress": "172.18.0.2"}}
WAYS: dict[str, tuple[str, str, list[tuple[str, str]], str]] = {
    "by the wire, on an engine that is told": (
        "192.0.2.254",
        "28.5.2",
        [("critical", "lan")],
        "way_out",
    ),
    "by the wire, on an older engine": (
        "192.0.2.254",
        "20.10.24",
        [("critical", "lan")],
        "first_network",
    ),
    "by the bridge": ("172.18.0.1", "28.5.2", [], ""),
}


@pytest.mark.parametrize(("gateway", "version", "wanted", "cure"), WAYS.values(), ids=WAYS)
def test_a_container_on_a_bridge_too(
    gateway: str, version: str, wanted: list[tuple[str, str]], cure: str
) -> None:
    nas = container("nas", NetworkSettings={"Networks": BOTH})
    links = (Interface(2, "eth0"), Interface(3, "eth1"))
    oif = 2 if gateway.startswith("192.") else 3
    netns = ContainerNetns(nas, 1, links, (), (Route("0.0.0.0", gateway=gateway, oif=oif),), ())
    host = Made({"file.read": {"text": ARP.format("192.0.2.254", *NOBODY), "size": 200}})
    networks = Networks((LAN, ZUI))
    says = RecentLine(nas.started_at + 1, "wget: can't connect to 203.0.113.9: No route to host")
    result = judge(
        "network.gateway-unanswered",
        silent_gateways=silent_gateways(arp_tables(host, Namespaces({nas.id: netns}), networks)),
        recent_logs=RecentLogs({nas.id: (says,)}, {}),
        networks=networks,
        ping=Ping("1.41", version, ""),
    )
    assert rows(result) == wanted
    assert all(cure in (finding.variables or {}) for finding in result.findings)


@pytest.mark.parametrize("names", [("nas", "tv"), ("tv", "nas")])
def test_the_bridge_of_one_container_is_no_way_out_for_another(names: tuple[str, str]) -> None:
    homes = {"nas": BOTH, "tv": {"lan": {"IPAddress": "192.0.2.211"}}}
    links, routes = (Interface(2, "eth0"),), (Route("0.0.0.0", gateway="192.0.2.254", oif=2),)
    made = [container(name, NetworkSettings={"Networks": homes[name]}) for name in names]
    inside = {member.id: ContainerNetns(member, 1, links, (), routes, ()) for member in made}
    host = Made({"file.read": {"text": ARP.format("192.0.2.254", *NOBODY), "size": 200}})
    networks = Networks((LAN, ZUI))
    result = judge(
        "network.gateway-unanswered",
        silent_gateways=silent_gateways(arp_tables(host, Namespaces(inside), networks)),
        networks=networks,
        neighbours=ON_HOST,
        ping=Ping("1.41", "28.5.2", ""),
    )
    (finding,) = result.findings
    assert "bridge" not in finding.summary
    assert "way_out" not in finding.variables
    assert "accepts only the MAC address of the host" in finding.summary
