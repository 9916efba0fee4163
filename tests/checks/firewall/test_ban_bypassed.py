"""The check in checks/firewall/ban_bypassed.py, on what was walked."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.paths.bypassed_bans import BypassedBan, BypassedBans
from diagnose.firewall.verdict import Step
from diagnose.model import Unexamined
from tests.inspected import container
from tests.judging import judge, rows

WEB = container("web")
CURES = {
    "a set of iptables": (
        Step("ip filter", "INPUT", "-m set --match-set crowdsec-blacklists src -j DROP"),
        True,
        {"set": "crowdsec-blacklists"},
    ),
    "a chain of iptables": (
        Step("ip filter", "f2b-web", "-s 203.0.113.9/32 -j REJECT"),
        False,
        {"program": "iptables", "ban_chain": "f2b-web"},
    ),
    "a chain of nftables": (
        Step("inet f2b-table", "f2b-chain", "tcp dport 443 ip saddr 203.0.113.9 reject"),
        True,
        {"nft_family": "inet", "nft_table": "f2b-table", "nft_chain": "f2b-chain"},
    ),
    "a chain of nftables that another one asks": (
        Step("inet f2b-table", "f2b-web", "ip saddr 203.0.113.9 reject"),
        False,
        {},
    ),
    "a rule in the chain of the host": (
        Step("ip filter", "INPUT", "-s 203.0.113.9/32 -m comment --comment ban -j DROP"),
        True,
        {},
    ),
}


@pytest.mark.parametrize(("by", "hooked", "cure"), CURES.values(), ids=CURES)
def test_the_cure_is_that_of_the_list(by: Step, hooked: bool, cure: dict[str, str]) -> None:
    banned = BypassedBans((BypassedBan("203.0.113.9", WEB, 8080, "tcp", by, hooked),), 2)
    result = judge("firewall.ban-bypassed", bypassed_bans=banned)
    assert rows(result) == [("warning", "web")]
    assert result.findings[0].variables == {"container": "web", "port": "8080", **cure}


def test_one_finding_names_all_addresses_of_a_list() -> None:
    by = CURES["a chain of iptables"][0]
    items = tuple(BypassedBan(f"203.0.113.{n}", WEB, 8080, "tcp", by) for n in (7, 8, 9))
    (finding,) = judge("firewall.ban-bypassed", bypassed_bans=BypassedBans(items, 5)).findings
    assert "3 banned clients (203.0.113.7, 203.0.113.8 and 1 more)" in finding.summary


def test_without_clients_nothing_is_known_to_be_well() -> None:
    assert judge("firewall.ban-bypassed", bypassed_bans=BypassedBans(())).verdict == "skipped"
    unread = BypassedBans((), 0, (Unexamined(WEB.subject, "clients of its port: refused"),))
    assert judge("firewall.ban-bypassed", bypassed_bans=unread).verdict == "unknown"
