"""What the checks say of walked connections: to the host, between containers, of other bridges, and
of answers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.gateways.router_advertisements import (
    IgnoredRouter,
    RouterAdvertisements,
    router_advertisements,
)
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.bridge_paths import BridgePath, BridgePaths
from diagnose.evidence.network.paths.published.relays import relays
from diagnose.evidence.network.paths.published.return_paths import ReturnPaths
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths
from diagnose.evidence.network.paths.wanted.wants import Want
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.verdict import Step
from diagnose.model import Json, Unavailable, Verdict
from tests.firewall.test_trace import stack, table
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
APART = Network(
    "b" * 64, "quiet", "bridge", options={"com.docker.network.bridge.enable_icc": "false"}
)
API = Container("1" * 64, "/api")
DB = Container("2" * 64, "/db")
POLICY = Step("ip filter", "INPUT", "policy drop")
REJECT = Step("ip filter", "DOCKER-USER", "-i br-+ -o br-+ -j REJECT")
OPEN = Trace("accept")


def stopped(by: Step, outcome: Any = "drop") -> Trace:
    return Trace(outcome, obstacle=Obstacle("rule", by, "request", "input"))


def to_host(trace: Trace, port: int = 5432, source: Any = "environment") -> WantedPath:
    return WantedPath(
        "to the host",
        Want(API, "172.17.0.1", port, source, "DB_HOST"),
        SHOP,
        "172.17.0.1",
        port or 9100,
        trace,
    )


def to_peer(trace: Trace, network: Network = SHOP) -> WantedPath:
    want = Want(API, "db", 5432, "environment", "DB_HOST")
    return WantedPath(
        "between containers", want, network, "172.18.0.3", 5432, trace, DB, bridged=True
    )


INPUT: dict[str, tuple[list[WantedPath], list[tuple[str, str]]]] = {
    "open": ([to_host(OPEN)], []),
    "closed": ([to_host(stopped(POLICY))], [("warning", "host")]),
    "closed, and a log says that it failed": (
        [to_host(stopped(POLICY), source="log")],
        [("critical", "host")],
    ),
    "any port, all closed": ([to_host(stopped(POLICY), 0, "extra hosts")], [("warning", "host")]),
    "any port, one open": (
        [to_host(stopped(POLICY), 0, "extra hosts"), to_host(OPEN, 0, "extra hosts")],
        [],
    ),
}


@pytest.mark.parametrize("name", INPUT)
def test_services_of_the_host(name: str) -> None:
    paths, wanted = INPUT[name]
    assert rows(judge("firewall.input-dropped", wanted_paths=WantedPaths(tuple(paths)))) == wanted


def test_a_way_that_depends_on_a_rule_that_is_not_understood_is_not_called_open() -> None:
    result = judge(
        "firewall.input-dropped", wanted_paths=WantedPaths((to_host(stopped(POLICY, "unknown")),))
    )
    assert (result.verdict, [left.subject.name for left in result.unexamined]) == (
        Verdict.UNKNOWN,
        ["api"],
    )


def test_the_answers_of_a_service_are_dropped() -> None:
    """A rule on source ports takes another cure than one on the requests."""
    for place, cure in (
        ("ip filter", {"program": "iptables", "table": "filter", "answers_chain": "OUTPUT"}),
        ("ip raw", {}),
    ):
        by = Step(place, "OUTPUT", "-p tcp -m tcp --sport 5432 -j DROP")
        stopped_answer = Trace("drop", obstacle=Obstacle("rule", by, "reply", "output"))
        (finding,) = judge(
            "firewall.input-dropped", wanted_paths=WantedPaths((to_host(stopped_answer),))
        ).findings
        assert "drops answers to br-shop" in finding.summary
        assert finding.variables == cure


def test_nobody_wants_anything() -> None:
    assert judge("firewall.input-dropped", wanted_paths=WantedPaths(())).verdict is Verdict.SKIPPED
    assert (
        judge("firewall.between-containers", wanted_paths=WantedPaths(())).verdict
        is Verdict.SKIPPED
    )


BETWEEN: dict[str, tuple[WantedPath, list[tuple[str, str]]]] = {
    "open": (to_peer(OPEN), []),
    "closed": (to_peer(stopped(REJECT)), [("warning", "api")]),
    "apart on purpose": (to_peer(stopped(REJECT), APART), []),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_between_containers(name: str) -> None:
    path, wanted = BETWEEN[name]
    assert rows(judge("firewall.between-containers", wanted_paths=WantedPaths((path,)))) == wanted


def bridge(trace: Trace) -> BridgePaths:
    return BridgePaths(
        (BridgePath("lxcbr0", "routed", "ip", "10.0.3.0/24", "eth0", ("veth1",), trace),)
    )


BRIDGES: dict[str, tuple[Trace, list[tuple[str, str]]]] = {
    "let through": (OPEN, []),
    "dropped by the policy": (
        stopped(Step("ip filter", "FORWARD", "policy drop")),
        [("critical", "lxcbr0")],
    ),
    "dropped by the policy of a table of somebody's own": (
        stopped(Step("inet own", "forward", "policy drop")),
        [],
    ),
    "closed by a rule of its own program": (
        stopped(Step("ip filter", "LIBVIRT_FWO", "-i lxcbr0 -j REJECT")),
        [],
    ),
}


@pytest.mark.parametrize("name", BRIDGES)
def test_other_bridges(name: str) -> None:
    trace, wanted = BRIDGES[name]
    result = judge(
        "firewall.other-bridges-cut-off", bridge_paths=bridge(trace), firewall=Firewall(Ruleset())
    )
    assert rows(result) == wanted


RELAY = "-A PREROUTING -i eth0 -p tcp -m tcp --dport 3389 -j DNAT --to-destination {}"
RELAYS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "dropped by the policy": (RELAY.format("203.0.113.9:389"), "", [("warning", "eth0")]),
    "accepted": (
        RELAY.format("203.0.113.9:389"),
        "-A FORWARD -d 203.0.113.9/32 -j ACCEPT\n-A FORWARD -s 203.0.113.9/32 -j ACCEPT",
        [],
    ),
    "closed by a rule": (
        RELAY.format("203.0.113.9:389"), "-A FORWARD -p tcp -m tcp --dport 389 -j DROP", []
    ),
    "to a container": (RELAY.format("172.17.0.2:389"), "", []),
    "to this host": (RELAY.format("172.17.0.1:389"), "", []),
    "no port": ("-A PREROUTING -i eth0 -j DNAT --to-destination 203.0.113.9", "", []),
}  # fmt: skip


@pytest.mark.parametrize(("translation", "rules", "wanted"), RELAYS.values(), ids=RELAYS)
def test_a_port_that_is_led_to_another_machine(
    translation: str, rules: str, wanted: list[tuple[str, str]]
) -> None:
    text = table("nat", translation) + table("filter", *rules.split("\n"), policy="DROP")
    web = container("web", NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}})
    found = relays(HostStack(stack(text)), of(web), Uplinks((Uplink("eth0", "192.0.2.10"),)))
    result = judge(
        "firewall.other-bridges-cut-off",
        bridge_paths=BridgePaths(()),
        relays=found,
        firewall=Firewall(Ruleset()),
    )
    assert rows(result) == wanted
    for finding in result.findings:
        assert finding.variables["relayed_to"] == "203.0.113.9"
        assert finding.variables["relayed_port"] == "389"


ROUTERS: dict[str, tuple[RouterAdvertisements, list[tuple[str, str]]]] = {
    "ignored": (
        RouterAdvertisements((IgnoredRouter("eth0", ("2001:db8::10",), "fe80::1"),)),
        [("critical", "eth0")],
    ),
    "there is a default route": (RouterAdvertisements(), []),
}


UPLINK = Interface(2, "eth0")
LEARNING = {"net/ipv6/conf/eth0/forwarding": "1", "net/ipv6/conf/eth0/accept_ra": "1"}


@pytest.mark.parametrize(
    ("table6", "wanted"),
    [
        ([{"index": 2, "address": "fe80::1", "is_router": True}], ["fe80::1"]),
        ([{"index": 2, "address": "fe80::20", "is_router": False}], []),
        ([{"index": 3, "address": "fe80::1", "is_router": True}], []),
        ([], []),
    ],
    ids=["a router", "another machine", "a router of another link", "nobody"],
)
def test_a_router_that_is_ignored_has_to_be_there(table6: Json, wanted: list[str]) -> None:
    host = Made({"sysctl": LEARNING, "net.neighbours": table6})
    links = Interfaces((UPLINK,), (Address(2, "2001:db8::10", 64, "inet6"),))
    found = router_advertisements(host, Uplinks((Uplink("eth0", None),)), links, Routes(()))
    assert not isinstance(found, Unavailable)
    assert [ignored.router for ignored in found.ignored] == wanted


@pytest.mark.parametrize("name", ROUTERS)
def test_ipv6_routers(name: str) -> None:
    found, wanted = ROUTERS[name]
    result = judge("network.ipv6-default-route-lost", router_advertisements=found)
    assert rows(result) == wanted


BACK = Trace("drop", nat=Translate("dnat", "172.18.0.2"))
TRANSLATED = replace(BACK, snat=Translate("masquerade"))
OWN_CALLS: dict[str, tuple[Trace, Any, Container, list[tuple[str, str]]]] = {
    "led back": (BACK, "log", API, [("critical", "api")]),
    "with another source": (TRANSLATED, "log", API, []),
    "to a neighbour": (BACK, "log", DB, []),
    "no call has failed": (BACK, "environment", API, []),
}


@pytest.mark.parametrize(("trace", "source", "peer", "wanted"), OWN_CALLS.values(), ids=OWN_CALLS)
def test_calls_that_come_back(
    trace: Trace, source: Any, peer: Container, wanted: list[tuple[str, str]]
) -> None:
    want = Want(API, "203.0.113.10", 443, source, "timed out")
    path = WantedPath("between containers", want, SHOP, "203.0.113.10", 443, trace, peer)
    result = judge(
        "network.replies-misrouted",
        wanted_paths=WantedPaths((path,)),
        return_paths=ReturnPaths(()),
        host_stack=HostStack(stack()),
    )
    assert rows(result) == wanted
