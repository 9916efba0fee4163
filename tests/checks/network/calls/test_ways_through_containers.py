"""Calls to a network that only a container's tunnel reaches."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.unanswered_calls import CallWays, SeenCalls, unanswered_calls
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.questions.network import Interface, Route
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container
from tests.checks.network.lost_calls import CLOCK, NETWORKS, losses
from tests.hosts import Made
from tests.judging import judge

CALLER = container("scraper")
VPN = container("vpn")
APART = container("vpn", NetworkSettings={"Networks": {"edge": {"IPAddress": "172.19.0.2"}}})
TUNNEL = Interface(index=3, name="tun0", up=True, operstate="up", kind="tun")
ETHERNET = Interface(index=2, name="eth0", up=True, operstate="up", kind="veth")
ROUTES = {
    "a route into the tunnel": (VPN, Route("192.168.254.0", 24, oif=3), "by_container"),
    "of a container on another network": (APART, Route("192.168.254.0", 24, oif=3), "tunnelling"),
    "the whole internet by the tunnel": (VPN, Route("128.0.0.0", 1, oif=3), "beyond"),
    "a route beside the tunnel": (VPN, Route("192.168.254.0", 24, oif=2), "beyond"),
    "another network": (VPN, Route("192.168.77.0", 24, oif=3), "beyond"),
    "its own tunnel": (CALLER, Route("192.168.254.0", 24, oif=3), "beyond"),
}


@pytest.mark.parametrize(("owner", "route", "variable"), ROUTES.values(), ids=ROUTES)
def test_a_network_behind_a_tunnel(owner: Container, route: Route, variable: str) -> None:
    inside = ContainerNetns(owner, 7, (ETHERNET, TUNNEL), (), (route,), ())
    both = Containers((CALLER, owner) if owner is not CALLER else (CALLER,))
    calls = unanswered_calls(
        Made({}),
        both,
        SeenCalls(losses(WaitingCall("192.168.254.1", 9100, 3), of=CALLER)),
        CallWays(NETWORKS, namespaces=Namespaces({owner.id: inside})),
        None,
        CLOCK,
    )
    (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
    assert variable in finding.variables
    assert ("by its tunnel tun0" in finding.summary) == (variable != "beyond")
