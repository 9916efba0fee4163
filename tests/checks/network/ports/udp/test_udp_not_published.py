"""The check in checks/network/ports/udp/udp_not_published.py, and unserved ports."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows
from diagnose.evidence.network.sockets.unpublished_udp import unpublished_udp_ports
from diagnose.questions import Host
from tests.checks.network.evidence import LATER, container, links, namespaces_of
from tests.hosts import Made
from tests.judging import judge, rows


def publishing(*ports: str, **fields: Any) -> Container:
    """A container with these ports published at the same ports of the host."""
    bound = {port: [{"HostIp": "0.0.0.0", "HostPort": port.partition("/")[0]}] for port in ports}
    networks = {"shop": {"IPAddress": "172.18.0.2"}}
    return container("log", NetworkSettings={"Networks": networks, "Ports": bound}, **fields)


LOG = publishing("514/tcp")
EXPOSED = publishing("514/tcp", Config={"ExposedPorts": {"514/tcp": {}, "514/udp": {}}})
DNS = publishing("53/tcp")
CADDY = publishing("514/tcp", Path="/usr/bin/caddy", Args=["run"])
WEB = publishing("443/tcp", Config={"ExposedPorts": {"443/udp": {}}})


def row(src: str, *status: str, dst: str = "192.0.2.10") -> dict[str, object]:
    """A tracked flow to port 514 of the host."""
    ends = {"src": src, "dst": dst, "sport": 4444, "dport": 514, "reply_src": dst}
    return {**ends, "status": list(status)}


def sockets(port: int, *protocols: str) -> list[Socket]:
    return [Socket(protocol, "0.0.0.0", port) for protocol in protocols]


FAR = ["198.41.200.21", "198.41.200.22", "198.41.200.23"]
ASKED = [row("192.0.2.99")]
UNPUBLISHED: dict[str, tuple[Container, list[Socket], list[Any], list[Any], list[Any]]] = {
    "a client asks": (LOG, sockets(514, "tcp", "udp"), ASKED, [], [("warning", "log")]),
    "a scanner": (LOG, sockets(514, "tcp", "udp"), [row(FAR[0])], [], []),
    "many of the internet": (
        LOG, sockets(514, "tcp", "udp"), [row(src) for src in FAR], [], [("advice", "log")],
    ),
    "a client beside a scanner": (
        LOG, sockets(514, "tcp", "udp"), [row(FAR[0]), *ASKED], [], [("warning", "log")],
    ),
    "nobody asks": (LOG, sockets(514, "tcp", "udp"), [], [], []),
    "the host itself asks": (LOG, sockets(514, "tcp", "udp"), [row("192.0.2.10")], [], []),
    "to another machine": (
        LOG, sockets(514, "tcp", "udp"), [row("192.0.2.99", dst="192.0.2.50")], [], [],
    ),
    "answered": (LOG, sockets(514, "tcp", "udp"), [row("192.0.2.99", "seen_reply")], [], []),
    "the image says UDP": (EXPOSED, sockets(514, "tcp", "udp"), [], [], [("advice", "log")]),
    "DNS": (DNS, sockets(53, "tcp", "udp"), [], [], [("warning", "log")]),
    "HTTP/3": (WEB, sockets(443, "tcp", "udp"), [], [], []),
    "HTTP/3 at another port": (CADDY, sockets(514, "tcp", "udp"), ASKED, [], []),
    "TCP alone": (DNS, sockets(53, "tcp"), [], [], []),
    "a program of the host has the port": (
        DNS,
        sockets(53, "tcp", "udp"),
        [],
        [Listener("udp", "0.0.0.0", 53, 7, "dnsmasq", None)],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("who", "inner", "flows", "held", "expected"), UNPUBLISHED.values(), ids=UNPUBLISHED
)
def test_udp_not_published(
    who: Container, inner: list[Socket], flows: list[Any], held: list[Any], expected: list[Any]
) -> None:
    table = {"loaded": True, "complete": True, "entries": flows}
    host = Host(Made({"conntrack": table}))
    ports = unpublished_udp_ports(
        host, Containers((who,)), namespaces_of(who, *inner), links(), Listeners(tuple(held))
    )
    result = judge("network.udp-not-published", unpublished_udp_ports=ports)
    assert rows(result) == expected
    if expected:
        number = "53" if who is DNS else "514"
        assert result.findings[0].variables["udp_port"] == f"{number}:{number}/udp"


def test_a_port_that_is_published_twice_is_left_alone() -> None:
    both = publishing("53/tcp", "53/udp")
    host = Host(Made({}))
    ports = unpublished_udp_ports(
        host, Containers((both,)), namespaces_of(both, *sockets(53, "tcp", "udp")), links(), None
    )
    assert ports.items == ()


FOR_UDP = publishing("514/udp")
ROUTED = container(
    "log",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"514/udp": [{"HostIp": "", "HostPort": ""}]},
    },
)
SPARE = publishing("514/udp", "80/tcp")


def flow(src: str, *status: str, reply: str = "172.18.0.2") -> UdpFlow:
    return UdpFlow(src, "192.0.2.10", 4444, 514, reply, status=list(status))


UNSERVED: dict[str, tuple[Container, list[Socket], list[UdpFlow], list[Any]]] = {
    "nobody asks": (FOR_UDP, [], [], []),
    "a routed network": (ROUTED, [], [flow("192.0.2.99")], []),
    "a neighbour asks": (FOR_UDP, [], [flow("192.0.2.99")], [("warning", "log")]),
    "a stranger asks": (FOR_UDP, [], [flow("198.41.200.21")], []),
    "an earlier container was asked": (FOR_UDP, [], [flow("192.0.2.99", reply="172.18.0.9")], []),
    "answered": (FOR_UDP, [], [flow("192.0.2.99", "seen_reply")], []),
    "served": (FOR_UDP, sockets(514, "udp"), [flow("192.0.2.99")], []),
    "over TCP": (FOR_UDP, sockets(514, "tcp"), [], [("warning", "log")]),
    "over TCP beside another": (
        SPARE, [*sockets(514, "tcp"), *sockets(80, "tcp")], [], [("advice", "log")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("who", "inner", "flows", "expected"), UNSERVED.values(), ids=UNSERVED)
def test_published_for_udp(
    who: Container, inner: list[Socket], flows: list[UdpFlow], expected: list[Any]
) -> None:
    result = judge(
        "network.published-port-not-listening",
        containers=Containers((who,)),
        namespaces=namespaces_of(who, *inner),
        clock=LATER,
        udp_flows=UdpFlows({514: tuple(flows)}),
    )
    assert rows(result) == expected
