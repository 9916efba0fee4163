"""What the checks say of connections that a container's own network namespace stops."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import NetworkEndpoint, NetworkSettings
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.inner_paths import (
    InnerArrival,
    InnerInboundPath,
    InnerOutboundPath,
    InnerPaths,
)
from diagnose.evidence.network.paths.published.return_paths import ReturnPaths
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath
from diagnose.evidence.network.paths.wanted.wants import Want
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.verdict import Step
from diagnose.model import Unexamined, Verdict
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
PLACE = NetworkEndpoint(gateway="10.1.0.1", ip_address="10.1.0.3")
VPN = Container("1" * 64, "/vpn", network_settings=NetworkSettings({"shop": PLACE}))
DB = Container("2" * 64, "/db")
POLICY = Step("ip filter", "INPUT", "policy drop")
TUNNEL = Step("routing", "tun0", "answers to 192.0.2.1 leave through tun0, not through eth0")
ALL = ("this host", "the local network", "other networks")


def stopped(by: Step, reason: Any = "rule") -> Trace:
    return Trace("drop", obstacle=Obstacle(reason, by, "request", "input"))


def inbound(trace: Trace, *clients: Any, waiting: tuple[str, ...] = ()) -> InnerPaths:
    lost = dict.fromkeys(clients, trace)
    return InnerPaths((InnerInboundPath(VPN, SHOP, "10.1.0.3", "80/tcp", 8080, lost, waiting),))


def outbound(trace: Trace, source: Any = "environment") -> InnerPaths:
    want = Want(VPN, "db", 5432, source, "DB_HOST")
    path = WantedPath("between containers", want, SHOP, "10.1.0.4", 5432, trace, DB)
    return InnerPaths(outbound_paths=(InnerOutboundPath(VPN, path, trace),))


def arrival(trace: Trace, source: Any = "environment") -> InnerPaths:
    want = Want(DB, "vpn", 8080, source, "API_HOST")
    path = WantedPath("between containers", want, SHOP, "10.1.0.3", 8080, Trace("accept"), VPN)
    return InnerPaths(arrivals=(InnerArrival(VPN, path, trace),))


RULES: dict[str, tuple[InnerPaths, list[tuple[str, str]]]] = {
    "open to all": (inbound(Trace("accept")), []),
    "closed to all": (inbound(stopped(POLICY), *ALL), [("critical", "vpn")]),
    "closed to the host alone": (inbound(stopped(POLICY), "this host"), [("warning", "vpn")]),
    "answers by the tunnel are not a rule": (inbound(stopped(TUNNEL, "elsewhere"), *ALL), []),
    "out, open": (outbound(Trace("accept")), []),
    "out, closed": (outbound(stopped(POLICY)), [("warning", "vpn")]),
    "a neighbour, open": (arrival(Trace("accept")), []),
    "a neighbour, closed": (arrival(stopped(POLICY)), [("warning", "vpn")]),
    "a neighbour whose log says so": (arrival(stopped(POLICY), "log"), [("critical", "vpn")]),
    "out, closed, and a log says so": (outbound(stopped(POLICY), "log"), [("critical", "vpn")]),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_inside(name: str) -> None:
    paths, wanted = RULES[name]
    assert rows(judge("firewall.dropped-inside-container", inner_paths=paths)) == wanted


def test_a_namespace_that_could_not_be_read_is_not_called_open() -> None:
    paths = InnerPaths(unread=(Unexamined(VPN.subject, "forbidden"),))
    result = judge("firewall.dropped-inside-container", inner_paths=paths)
    assert result.verdict is Verdict.UNKNOWN


ROUTES: dict[str, tuple[InnerPaths, list[tuple[str, str]]]] = {
    "answered": (inbound(Trace("accept")), []),
    "neighbours get no answer": (
        inbound(stopped(TUNNEL, "elsewhere"), *ALL[1:]),
        [("warning", "vpn")],
    ),
    "neighbours wait": (
        inbound(stopped(TUNNEL, "elsewhere"), *ALL[1:], waiting=("192.0.2.1",)),
        [("critical", "vpn")],
    ),
    "other networks alone": (inbound(stopped(TUNNEL, "elsewhere"), ALL[2]), [("advice", "vpn")]),
    "a rule is not a route": (inbound(stopped(POLICY), *ALL), []),
}


@pytest.mark.parametrize("name", ROUTES)
def test_routes_inside(name: str) -> None:
    paths, wanted = ROUTES[name]
    result = judge(
        "network.replies-misrouted",
        inner_paths=paths,
        return_paths=ReturnPaths(()),
        host_stack=HostStack(
            NetworkStack(Ruleset(), Routing(routes=[], rules=None, interfaces={}))
        ),
    )
    assert rows(result) == wanted
