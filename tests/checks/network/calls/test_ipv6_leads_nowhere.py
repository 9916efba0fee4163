"""Calls over IPv6 without a way out: checks/network/calls/ipv6_leads_nowhere.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.model import Result
from diagnose.questions.network import Route
from tests.checks.network.evidence import container, network
from tests.checks.network.lost_calls import APP, CLOCK
from tests.judging import judge, rows

DUAL = container(
    "feed",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2"}}
    },
)
LOST6 = "connect ENETUNREACH 2001:db8:77::80:443"
OUT6 = [Route("::", family="inet6", gateway="fe80::1", oif=2)]
LOST4 = "connect ETIMEDOUT 198.51.100.7:443"
SLOW = '[27/Nov/2026:19:28:43 +0000] "GET / HTTP/1.1" 504 upstream: connection timed out'
ENGINE = Ping("1.51", "28.5.2", "")
POSTFIX = "connect to mx.lab.test[2001:db8:77::25]:25: Network is unreachable"
WGET = (
    "Connecting to feed.test|2001:db8:77::80|:443... failed: Network is unreachable.",
    "Connecting to feed.test|198.51.100.7|:443... connected.",
)
CURL = "* Immediate connect fail for 2001:db8:77::80: Network is unreachable"
GO = "dial tcp [2001:db8:77::80]:443: connect: network is unreachable"
EXIM = "R=dnslookup T=remote_smtp H=mx.lab.test [2001:db8:77::25] Network is unreachable"
VPN6 = (
    '{"remote_ip":"192.0.2.1","msg":"dial tcp [fd7a:115c:a1e0:b1a:0:7:a01:109]:8080: connect: '
    'network is unreachable"}'
)
VPN_ROUTE = Route("fd7a:115c:a1e0::", prefix=48, family="inet6", oif=3)
IPV6: dict[str, tuple[list[str], Container, list[Route], list[tuple[str, str]]]] = {
    "twice": ([LOST6] * 2, DUAL, [], [("warning", "feed")]),
    "once": ([LOST6], DUAL, [], []),
    "a neighbour": (["connect ENETUNREACH fd00::9:443"] * 2, DUAL, [], []),
    "refused": (["connect ECONNREFUSED 2001:db8:77::80:443"] * 2, DUAL, [], []),
    "a way out": ([LOST6] * 2, DUAL, OUT6, []),
    "no IPv6 inside": ([LOST6] * 2, APP, OUT6, [("warning", "app")]),
    "no IPv6 anywhere": ([LOST6] * 2, APP, [], [("warning", "app")]),
    "no IPv6 inside, and IPv4 is lost": ([LOST6, LOST4, LOST6], APP, OUT6, []),
    "a mail server that goes on with IPv4": ([POSTFIX] * 2, APP, OUT6, []),
    "another one": ([EXIM] * 2, APP, OUT6, []),
    "curl, which does so too": ([CURL] * 2, DUAL, [], []),
    "wget, which is connected then": ([*WGET, *WGET], DUAL, [], []),
    "wget on a network without IPv6": ([*WGET, *WGET], APP, OUT6, []),
    "a program that says so": ([f"{LOST6}, falling back to IPv4"] * 2, DUAL, [], []),
    "a program that does not": ([GO] * 2, APP, OUT6, [("warning", "app")]),
    "a VPN that the host reaches": ([VPN6] * 2, APP, [VPN_ROUTE], [("warning", "app")]),
    "a VPN that the host does not reach": ([VPN6] * 2, APP, [], []),
    "a VPN, and IPv6 inside": ([VPN6] * 2, DUAL, [VPN_ROUTE], []),
    "no IPv6 inside, once": ([LOST6], APP, OUT6, []),
    "no IPv6 inside, and many peers": (
        [f"connect ENETUNREACH 2001:db8:77::{peer}" for peer in range(6)],
        APP,
        OUT6,
        [],
    ),
    "the time of a request": ([SLOW] * 2, APP, OUT6, []),
    "eight groups": (
        ["connect ENETUNREACH 2001:db8:1:2:3:4:5:6"] * 2,
        APP,
        OUT6,
        [("warning", "app")],
    ),
}


def test_an_unknown_engine_does_not_take_the_route_of_the_host_away() -> None:
    (finding,) = _ipv6([LOST6] * 2, APP, OUT6, ping=None).findings
    assert "IPv6 default route of the host" not in finding.evidence


def _ipv6(
    lines: list[str],
    who: Container,
    routes: list[Route],
    ping: Ping | None = ENGINE,
    **fields: object,
) -> Result:
    recent = tuple(RecentLine(CLOCK.wall - 3, line) for line in lines)
    return judge(
        "network.ipv6-leads-nowhere",
        containers=Containers((who,)),
        networks=Networks((network(**fields),)),
        routes=Routes(tuple(routes)),
        recent_logs=RecentLogs({who.id: recent}),
        unanswered_calls=UnansweredCalls(),
        ping=ping,
        clock=CLOCK,
    )


@pytest.mark.parametrize(("lines", "who", "routes", "wanted"), IPV6.values(), ids=IPV6)
def test_ipv6_without_a_way_out(
    lines: list[str], who: Container, routes: list[Route], wanted: list[tuple[str, str]]
) -> None:
    assert rows(_ipv6(lines, who, routes)) == wanted


def test_an_internal_network_needs_no_ipv6() -> None:
    assert _ipv6([LOST6] * 2, APP, OUT6, Internal=True).verdict.value == "skipped"


def test_a_network_gets_ipv6_where_the_host_has_it() -> None:
    assert "ipv6_subnet" in _ipv6([LOST6] * 2, APP, OUT6).findings[0].variables
    assert _ipv6([LOST6] * 2, APP, []).findings[0].variables == {
        "container": "app",
        "without": "shop",
    }
