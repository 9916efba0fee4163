"""The check in checks/network/interfaces/local_net_diverted.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.firewall.network_stack import NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import Ruleset
from diagnose.questions.network import PolicyRule
from tests.checks.network.evidence import BRIDGE, UPLINK, links, network, subjects_and_severities
from tests.judging import judge

_TUNNEL = Interface(index=7, name="vpn0", up=True, kind="tun")
_LAN = Route(dst="192.0.2.0", prefix=24, oif=2, scope="link")
_LAN6 = Route(dst="2001:db8:7::", prefix=64, oif=2, family="inet6")
_VPN_RULE = PolicyRule(5270, table=52, action="lookup")
_VPN_RULE6 = PolicyRule(5270, "inet6", table=52, action="lookup")
_FOUND = [("interface:eth0", None)]
_KERNELS = tuple(
    PolicyRule(priority, family, table=table, action="lookup")
    for family in ("inet", "inet6")
    for priority, table in ((0, 255), (32766, 254))
)


def _by_vpn(dst: str, prefix: int, **fields: Any) -> Route:
    return Route(dst=dst, prefix=prefix, oif=7, table=52, scope="link", **fields)


DIVERTED = {
    "the own net": ([_by_vpn("192.0.2.0", 24)], [_VPN_RULE], _FOUND),
    "a larger net": ([_by_vpn("192.0.0.0", 16)], [_VPN_RULE], _FOUND),
    "all traffic": ([_by_vpn("0.0.0.0", 0)], [_VPN_RULE], _FOUND),
    "over IPv6": ([_by_vpn("2001:db8:7::", 64, family="inet6")], [_VPN_RULE6], _FOUND),
    "refused": (
        [Route(dst="192.0.2.0", prefix=24, table=52, type="unreachable")],
        [_VPN_RULE],
        _FOUND,
    ),
    "one machine": ([_by_vpn("192.0.2.77", 32)], [_VPN_RULE], []),
    "half of it": ([_by_vpn("192.0.2.0", 25)], [_VPN_RULE], []),
    "another net": ([_by_vpn("10.3.0.0", 24)], [_VPN_RULE], []),
    "no rule": ([_by_vpn("192.0.2.0", 24)], [], []),
    "for one source": (
        [_by_vpn("192.0.2.0", 24)],
        [PolicyRule(5270, src="100.101.102.103/32", table=52, action="lookup")],
        [],
    ),
    "the main table first": (
        [_by_vpn("192.0.2.0", 24)],
        [PolicyRule(50, dst="192.0.2.0/24", table=254, action="lookup"), _VPN_RULE],
        [],
    ),
    "all traffic but what the main table has": (
        [_by_vpn("0.0.0.0", 0)],
        [PolicyRule(100, table=254, action="lookup", suppress_prefix=0), _VPN_RULE],
        [],
    ),
    "a net of Docker's": ([_by_vpn("172.18.0.0", 16)], [_VPN_RULE], []),
}


@pytest.mark.parametrize(("routes", "rules", "expected"), DIVERTED.values(), ids=DIVERTED)
def test_diverted(routes: list[Route], rules: list[PolicyRule], expected: list[Any]) -> None:
    own = [
        _LAN,
        _LAN6,
        Route(dst="172.18.0.0", prefix=16, oif=5, scope="link"),
        Route(dst="100.64.0.0", prefix=10, oif=7, scope="link"),
        Route(dst="192.0.2.10", prefix=32, oif=2, table=255, type="local"),
    ]
    seen = links(UPLINK, BRIDGE, _TUNNEL, addresses=(Address(2, "192.0.2.10", 24),))
    all_routes = Routes((*own, *routes))
    names = {link.index: link.name for link in seen}
    routing = Routing(all_routes, [*_KERNELS, *rules], names)
    stack = NetworkStack(Ruleset(), routing, (), Settings())
    answer = judge(
        "network.local-net-diverted",
        host_stack=HostStack(stack, tuple(rules)),
        routes=all_routes,
        links=seen,
        networks=Networks((network(),)),
        tunnels=Tunnels({"vpn0": "tailscaled (pid 7)"}, frozenset({"vpn0"})),
    )
    assert subjects_and_severities(answer.findings) == expected
