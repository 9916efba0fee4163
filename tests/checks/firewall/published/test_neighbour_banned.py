"""The check in checks/firewall/published/neighbour_banned.py, on what neighbours meet."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.paths.published.banned_neighbours import (
    BannedNeighbour,
    BannedNeighbours,
)
from diagnose.evidence.network.routes import Route, Routes
from diagnose.firewall.verdict import Step
from tests.judging import judge, rows

RULE = Step(
    "ip filter", "f2b-nginx", "-s 192.0.2.80/32 -j REJECT --reject-with icmp-port-unreachable"
)
IN_SET = Step("ip filter", "DOCKER-USER", "-m set --match-set crowdsec-blacklists src -j DROP")
NATIVE = Step("inet f2b-table", "f2b-chain", "ip saddr @addr-set-nginx reject")
ROUTES = Routes((Route("0.0.0.0", gateway="192.0.2.1", oif=2),))
CURES = {
    "a rule of iptables": (RULE, 1, {"address", "program", "table", "chain", "rule_number"}),
    "a rule whose place is not known": (RULE, None, {"address", "program", "table", "chain"}),
    "a set": (IN_SET, 2, {"address", "set"}),
    "what is outside a set": (
        Step("ip filter", "INPUT", "-m set ! --match-set unbanned src -m comment ban -j DROP"),
        2,
        {"address"},
    ),
    "a rule over IPv6": (
        Step("ip6 filter", "f2b-web", "-s fd00:77::80/128 -j REJECT"),
        1,
        {"address", "program", "table", "chain", "rule_number"},
    ),
    "nftables": (NATIVE, 1, {"address", "nft_family", "nft_table", "nft_chain"}),
}


@pytest.mark.parametrize(("by", "number", "variables"), CURES.values(), ids=CURES)
def test_who_is_banned(by: Step, number: int | None, variables: set[str]) -> None:
    banned = BannedNeighbours((BannedNeighbour("192.0.2.80", by, (), number),), 4)
    result = judge("firewall.neighbour-banned", banned_neighbours=banned, routes=ROUTES)
    assert rows(result) == [("warning", "host")]
    assert set(result.findings[0].variables) == variables


def test_the_router_is_named() -> None:
    banned = BannedNeighbours((BannedNeighbour("192.0.2.1", RULE, (), 1),), 4)
    result = judge("firewall.neighbour-banned", banned_neighbours=banned, routes=ROUTES)
    assert "the router of this host" in result.findings[0].summary


def test_nothing_walked_is_no_pass() -> None:
    result = judge(
        "firewall.neighbour-banned", banned_neighbours=BannedNeighbours(()), routes=ROUTES
    )
    assert result.verdict.value == "skipped"


def test_connections_that_are_not_walked_are_no_pass() -> None:
    banned = BannedNeighbours((), 200, 7)
    result = judge("firewall.neighbour-banned", banned_neighbours=banned, routes=ROUTES)
    assert result.verdict.value == "unknown"
