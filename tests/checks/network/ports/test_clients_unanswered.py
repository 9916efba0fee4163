"""The check in checks/network/ports/clients_unanswered.py, and the connections that it reads."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.forwarding_circles import forwarding_circles
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Address, Interface
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows
from diagnose.evidence.network.sockets.unanswered_clients import (
    MOST_PORTS,
    Stage,
    UnansweredClients,
    UnansweredClientsByPort,
    unanswered_clients,
)
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from tests.checks.network.evidence import LATER, UPLINK, container, links, network
from tests.hosts import Made
from tests.judging import judge, rows

SHOP = container(
    "shop",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
    },
)
NEAR, OTHER = "192.0.2.80", "192.0.2.81"
STRANGERS = ["198.41.200.21", "198.41.200.22", "198.41.200.23"]


def tries(state: str, *sources: str, age: int = 3, reply: str = "172.18.0.2") -> list[Any]:
    """Tracked connections, each seen so many seconds ago."""
    limit = {"syn_sent": 120, "syn_recv": 60, "time_wait": 120}.get(state, 432000)
    ends = {"dst": "192.0.2.10", "sport": 4444, "dport": 8080, "reply_src": reply}
    return [{**ends, "src": src, "state": state, "timeout": limit - age} for src in sources]


@pytest.mark.parametrize(
    ("net", "kind", "words"),
    [
        ("192.0.2.64", "bridge", "route 192.0.2.64/27 leads to cni0, where nobody has"),
        ("192.0.2.96", "bridge", ""),
        ("192.0.2.64", None, ""),
    ],
    ids=["in it", "beside it", "in the net of a wire"],
)
def test_clients_in_the_net_of_another_program(net: str, kind: str | None, words: str) -> None:
    lost = UnansweredClients(SHOP, 8080, "answer", (NEAR,), 5, leaves_by="cni0")
    pods = Interface(index=7, name="cni0", up=True, operstate="up", kind=kind)
    found = judge(
        "network.clients-unanswered",
        unanswered_clients=UnansweredClientsByPort((lost,), 1),
        neighbours=Neighbours((Neighbour(NEAR, "cni0", ""),)),
        routes=Routes((Route("0.0.0.0", gateway="192.0.2.1", oif=2), Route(net, 27, oif=7))),
        links=links(UPLINK, pods),
    )
    (finding,) = found.findings
    assert words in finding.summary
    assert ("led_away" in finding.variables) == bool(words)


LOST: dict[str, tuple[list[Any], list[str]]] = {
    "nobody": ([], []),
    "the container is silent": (tries("syn_sent", NEAR, NEAR), ["warning"]),
    "answers are lost": (tries("syn_recv", NEAR, NEAR), ["warning"]),
    "one try": (tries("syn_recv", NEAR), []),
    "one try each": (tries("syn_recv", NEAR, OTHER), []),
    "long ago": (tries("syn_recv", NEAR, NEAR, age=55), []),
    "one of them is served": (
        tries("syn_recv", NEAR, NEAR) + tries("established", NEAR), [],
    ),
    "it was served before": (
        tries("syn_recv", NEAR, NEAR) + tries("time_wait", NEAR, age=9), ["warning"],
    ),
    "it is served since": (
        tries("syn_recv", NEAR, NEAR, age=9) + tries("time_wait", NEAR), [],
    ),
    "another one is served": (
        tries("syn_recv", NEAR, NEAR) + tries("established", OTHER), ["warning"],
    ),
    "refused": (tries("close", NEAR, NEAR), []),
    "strangers": (tries("syn_recv", *STRANGERS), ["advice"]),
    "few strangers": (tries("syn_recv", *STRANGERS[:2]), []),
    "strangers beside one that is served": (
        tries("syn_recv", *STRANGERS) + tries("time_wait", "198.41.200.29"), [],
    ),
    "strangers beside a neighbour that is served": (
        tries("syn_recv", *STRANGERS) + tries("established", NEAR), ["advice"],
    ),
    "the host itself": (tries("syn_sent", "192.0.2.10", "192.0.2.10"), []),
    "a container": (tries("syn_sent", "172.18.0.9", "172.18.0.9"), []),
    "docker-proxy": (tries("syn_recv", NEAR, NEAR, reply="192.0.2.10"), []),
    "an earlier container": (tries("syn_sent", NEAR, NEAR, reply="172.18.0.7"), []),
}  # fmt: skip


PREFIX = "net.netfilter.nf_conntrack_tcp_timeout_"
TIMES = {
    f"{PREFIX}{state}": limit
    for state, limit in (("syn_sent", "120"), ("syn_recv", "60"), ("time_wait", "120"))
}
NO_UDP = UdpFlows({})


def seen(
    entries: list[Any],
    clock: Clock = LATER,
    who: Container = SHOP,
    flows: UdpFlows | Unavailable = NO_UDP,
    times: Any = TIMES,
) -> UnansweredClientsByPort | Unavailable:
    """What the collector makes of these connections."""
    tracked = {"loaded": True, "complete": True, "entries": entries}
    host = Host(Made({"conntrack": tracked, "sysctl": times}))
    networks = Networks((network(),))
    return unanswered_clients(host, Containers((who,)), networks, links(), clock, None, flows)


@pytest.mark.parametrize(("entries", "expected"), LOST.values(), ids=LOST)
def test_clients_unanswered(entries: list[Any], expected: list[str]) -> None:
    result = judge("network.clients-unanswered", unanswered_clients=seen(entries))
    assert rows(result) == [(severity, "shop") for severity in expected]


DUAL = container(
    "shop",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00:42::2"}},
        "Ports": {
            "80/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "8080"},
                {"HostIp": "::", "HostPort": "8080"},
            ]
        },
    },
)
OWN6, NEAR6 = "2606:4700:77::10", "2606:4700:77::80"
FAR6 = ["2a00:1450::21", "2a00:1450::22", "2a00:1450::23"]


def tries_over_ipv6(state: str, *sources: str, reply: str = "fd00:42::2") -> list[Any]:
    return [{**flow, "dst": OWN6} for flow in tries(state, *sources, reply=reply)]


LOST6: dict[str, tuple[list[Any], list[Any], list[str]]] = {
    "answers are lost": (tries_over_ipv6("syn_recv", NEAR6, NEAR6), [], ["warning"]),
    "by docker-proxy": (tries_over_ipv6("syn_recv", NEAR6, NEAR6, reply=OWN6), [], ["warning"]),
    "IPv4 works": (
        tries_over_ipv6("syn_recv", NEAR6, NEAR6), tries("established", NEAR), ["warning"],
    ),
    "IPv4 is lost too": (
        tries_over_ipv6("syn_recv", NEAR6, NEAR6),
        tries("syn_recv", NEAR, NEAR),
        ["warning", "warning"],
    ),
    "strangers": (tries_over_ipv6("syn_recv", *FAR6), [], ["advice"]),
    "few strangers": (tries_over_ipv6("syn_recv", *FAR6[:2]), [], []),
    "the host itself": (tries_over_ipv6("syn_recv", OWN6, OWN6), [], []),
}  # fmt: skip


@pytest.mark.parametrize(("over_ipv6", "over_ipv4", "expected"), LOST6.values(), ids=LOST6)
def test_clients_over_ipv6(over_ipv6: list[Any], over_ipv4: list[Any], expected: list[str]) -> None:
    def tracked(question: Any) -> Any:
        entries = over_ipv6 if question.family == "inet6" else over_ipv4
        return {"loaded": True, "complete": True, "entries": entries}

    own = Address(2, OWN6, 64, "inet6")
    interfaces = links(UPLINK, addresses=(*links().addresses, own))
    host = Host(Made({"conntrack": tracked, "sysctl": TIMES}))
    clients = unanswered_clients(
        host, Containers((DUAL,)), Networks((network(),)), interfaces, LATER, None, NO_UDP
    )
    result = judge("network.clients-unanswered", unanswered_clients=clients)
    assert rows(result) == [(severity, "shop") for severity in expected]
    assert len({finding.discriminator for finding in result.findings}) == len(expected)


def test_a_host_without_ipv6_is_asked_for_nothing_more() -> None:
    host = Made({"conntrack": {"loaded": True, "complete": True, "entries": []}, "sysctl": TIMES})
    unanswered_clients(
        host, Containers((DUAL,)), Networks((network(),)), links(), LATER, None, NO_UDP
    )
    assert [question.kind for question in host.asked].count("conntrack") == 1


def test_a_try_from_before_the_start_of_the_container_is_over() -> None:
    young = Clock(wall=1767225600.0 + 45, booted=0)
    assert seen(tries("syn_sent", NEAR, NEAR, age=39), young) == UnansweredClientsByPort((), 1)
    assert seen(tries("syn_sent", NEAR, NEAR, age=3), young) != UnansweredClientsByPort((), 1)


def test_what_was_not_tracked_is_no_pass() -> None:
    host = Host(Made({"conntrack": {"loaded": False, "complete": True, "entries": []}}))
    clients = unanswered_clients(
        host, Containers((SHOP,)), Networks(()), links(), LATER, None, NO_UDP
    )
    result = judge("network.clients-unanswered", unanswered_clients=clients)
    assert result.verdict.value == "skipped"


DNS = container(
    "hole",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}]},
    },
)
SYSLOG = container(
    "hole",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"514/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}]},
    },
)


ROUTED = container(
    "hole",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"53/udp": [{"HostIp": "", "HostPort": ""}]},
    },
)


def asked(src: str, *status: str, reply: str = "172.18.0.2") -> UdpFlow:
    return UdpFlow(src, "192.0.2.10", 4444, 53, reply, status=list(status))


UDP: dict[str, tuple[Container, list[UdpFlow], list[tuple[str, str]]]] = {
    "a server that ignores a client": (DNS, 2 * [asked(NEAR)], [("warning", "hole")]),
    "one query": (DNS, [asked(NEAR)], []),
    "answered later": (DNS, [asked(NEAR), asked(NEAR), asked(NEAR, "seen_reply")], []),
    "strangers": (DNS, 4 * [asked(STRANGERS[0])], []),
    "an earlier container": (DNS, 2 * [asked(NEAR, reply="172.18.0.9")], []),
    "a routed network": (ROUTED, 2 * [asked(NEAR)], []),
    "a server that never answers": (SYSLOG, 2 * [asked(NEAR)], []),
}


@pytest.mark.parametrize(("who", "flows", "expected"), UDP.values(), ids=UDP)
def test_clients_over_udp(
    who: Container, flows: list[UdpFlow], expected: list[tuple[str, str]]
) -> None:
    seen_flows = UdpFlows({53: tuple(flows)})
    networks = Networks((network(),))
    containers = Containers((who,))
    clients = unanswered_clients(
        Host(Made({})), containers, networks, links(), LATER, None, seen_flows
    )
    assert rows(judge("network.clients-unanswered", unanswered_clients=clients)) == expected


MANY = container(
    "many",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {
            f"{port}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]
            for port in range(9000, 9000 + MOST_PORTS + 1)
        },
    },
)
REFUSED = Unavailable("forbidden", "conntrack")
UNKNOWN: dict[str, dict[str, Any]] = {
    "more ports than are read": {"who": MANY},
    "no times of the kernel": {
        "entries": tries("syn_sent", NEAR), "times": Failed("forbidden", "sysctl"),
    },
    "no flows over UDP": {"who": DNS, "flows": REFUSED},
}  # fmt: skip


@pytest.mark.parametrize("more", UNKNOWN.values(), ids=UNKNOWN)
def test_what_was_not_looked_at_is_no_pass(more: dict[str, Any]) -> None:
    result = judge("network.clients-unanswered", unanswered_clients=seen(**{"entries": [], **more}))
    assert result.verdict.value == "unknown"


ON_ITS_NETWORK: dict[str, tuple[str, Literal["tcp", "udp"], str]] = {
    "a neighbour": (NEAR, "tcp", "address_inside"),
    "a neighbour over UDP": (NEAR, "udp", "address_inside"),
    "a stranger": (STRANGERS[0], "tcp", "mute"),
    "a stranger over UDP": (STRANGERS[0], "udp", "choosy"),
}


@pytest.mark.parametrize(
    ("client", "protocol", "step"), ON_ITS_NETWORK.values(), ids=ON_ITS_NETWORK
)
def test_a_container_that_is_on_the_network_of_its_clients(
    client: str, protocol: Literal["tcp", "udp"], step: str
) -> None:
    networks = {
        "front": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16, "Gateway": "172.18.0.1"},
        "lan": {"IPAddress": "192.0.2.168", "IPPrefixLen": 24},
    }
    shop = container("shop", NetworkSettings={"Networks": networks})
    clients = UnansweredClients(shop, 8080, "request", (client,), 3, protocol=protocol)
    items = UnansweredClientsByPort((clients,), watched=1)
    (finding,) = judge("network.clients-unanswered", unanswered_clients=items).findings
    assert step in finding.variables
    assert ('network "lan"' in finding.summary) is (client == NEAR)


MISTAKEN = {
    "another machine": ("02:00:00:00:00:77", "request", {"mistaken"}),
    "its own": ("02:42:AC:12:00:02", "request", {"mute"}),
    "the answers": ("02:00:00:00:00:77", "answer", set()),
}


@pytest.mark.parametrize(("mac", "stage", "cure"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_neighbour_that_is_another_machine(mac: str, stage: Stage, cure: set[str]) -> None:
    place = {"IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02"}
    shop = container("shop", NetworkSettings={"Networks": {"shop": place}})
    clients = UnansweredClients(shop, 8080, stage, (NEAR,), 3)
    (finding,) = judge(
        "network.clients-unanswered",
        unanswered_clients=UnansweredClientsByPort((clients,), watched=1),
        neighbours=Neighbours((Neighbour("172.18.0.2", "br-shop", mac),)),
    ).findings
    assert {"mistaken", "mute"} & set(finding.variables) == cure


def test_a_paused_container_is_not_said_to_choose_its_clients() -> None:
    shop = container("shop", State={"Status": "paused", "Paused": True, "Running": True})
    clients = UnansweredClients(shop, 8080, "request", (NEAR,), 3, protocol="udp")
    items = UnansweredClientsByPort((clients,), watched=1)
    (finding,) = judge("network.clients-unanswered", unanswered_clients=items).findings
    assert "frozen" in finding.variables
    assert "choosy" not in finding.variables


@pytest.mark.parametrize(("asks", "cure"), [(NEAR, "circle"), ("192.0.2.53", "choosy")])
def test_a_client_that_is_the_servers_own_server(asks: str, cure: str) -> None:
    flows = UdpFlows({53: (asked(NEAR), asked(NEAR), UdpFlow("172.18.0.2", asks, 4444, 53, asks))})
    containers = Containers((DNS,))
    clients = unanswered_clients(
        Host(Made({})), containers, Networks((network(),)), links(), LATER, None, flows
    )
    circles = forwarding_circles(containers, flows)
    (finding,) = judge(
        "network.clients-unanswered", unanswered_clients=clients, forwarding_circles=circles
    ).findings
    assert cure in finding.variables
