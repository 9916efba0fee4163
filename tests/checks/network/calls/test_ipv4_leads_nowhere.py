"""The check in checks/network/calls/ipv4_leads_nowhere.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.model import Result, Unavailable
from tests.checks.network.evidence import container, network
from tests.judging import judge, rows

V4 = Route(dst="0.0.0.0", oif=2, gateway="192.0.2.1")
V6 = Route(dst="::", family="inet6", oif=2, gateway="2001:db8::1")
OLD = container("old")
DUAL = container(
    "dual",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.3", "GlobalIPv6Address": "fd00::3"}}
    },
)
CASES: dict[str, tuple[tuple[Route, ...], Container, dict[str, Any], list[Any]]] = {
    "IPv6 alone": ((V6,), OLD, {}, [("warning", "shop")]),
    "both": ((V4, V6), OLD, {}, []),
    "IPv4 alone": ((V4,), OLD, {}, []),
    "the container has IPv6": ((V6,), DUAL, {}, []),
    "an internal network": ((V6,), OLD, {"Internal": True}, []),
}


def _judged(
    routes: tuple[Route, ...], member: Container, fields: dict[str, Any], servers: tuple[str, ...]
) -> Result:
    return judge(
        "network.ipv4-leads-nowhere",
        containers=Containers((member,)),
        networks=Networks((network(**fields),)),
        routes=Routes(routes),
        ping=Ping("1.51", "28.5.2", ""),
        resolvers=Resolvers(ResolvConf(servers), Unavailable("missing"), configured=(), inside={}),
    )


@pytest.mark.parametrize(("routes", "member", "fields", "wanted"), CASES.values(), ids=CASES)
def test_who_needs_ipv4_on_a_host_without_it(
    routes: tuple[Route, ...], member: Container, fields: dict[str, Any], wanted: list[Any]
) -> None:
    assert rows(_judged(routes, member, fields, ())) == wanted


@pytest.mark.parametrize(("server", "explains"), [("192.0.2.53", False), ("2001:db8::53", True)])
def test_names_fail_for_it_where_a_server_has_ipv6(server: str, explains: bool) -> None:
    (finding,) = _judged((V6,), OLD, {}, (server,)).findings
    assert ("dns" in (finding.signs or ())) is explains
