"""The check in checks/firewall/published/ban_bypassed.py, on what was walked."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.paths.published.bypassed_bans import (
    BypassedBan,
    BypassedBans,
    bypassed_bans,
)
from diagnose.firewall.verdict import Step
from diagnose.model import Unexamined
from tests.checks.firewall.evidence import host_with, recorded_filter, walked
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
    "a comment in a chain that the host's firewall asks": (
        Step("ip filter", "ufw-before-input", "-s 203.0.113.9/32 -m comment --comment ban -j DROP"),
        False,
        {},
    ),
    "what is outside a set": (
        Step("ip filter", "INPUT", "-m set ! --match-set unbanned src -m comment ban -j DROP"),
        True,
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
    banned = BypassedBans((BypassedBan("203.0.113.9", WEB, 8080, "tcp", by, hooked, True),), 2)
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
    unread = BypassedBans(
        items=(), walked=0, unread=(Unexamined(WEB.subject, "clients of its port: refused"),)
    )
    assert judge("firewall.ban-bypassed", bypassed_bans=unread).verdict == "unknown"


def test_a_chain_that_stops_others_too_is_not_copied() -> None:
    by = Step("inet filter", "input", "ip saddr @blacklist drop")
    banned = BypassedBans(
        (BypassedBan("203.0.113.9", WEB, 8080, "tcp", by, is_hooked=True, is_list_alone=False),), 2
    )
    (finding,) = judge("firewall.ban-bypassed", bypassed_bans=banned).findings
    assert finding.variables == {"container": "web", "port": "8080"}


INPUT = "-A INPUT -p tcp -j f2b-site"
BANNED = f"{INPUT}\n-A f2b-site -s 203.0.113.9/32 -j REJECT\n-A f2b-site -j RETURN"
INNER = f"{INPUT}\n-A f2b-site -s 172.16.0.0/12 -i eth0 -j DROP"
CLIENTS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "a banned client": (BANNED, {}, ["203.0.113.9"]),
    "a client that is not banned": (BANNED, {"src": "203.0.113.10"}, []),
    "a banned address that is called at this port": (BANNED, {"reply_src": "198.51.100.9"}, []),
    "a container, and a list of private addresses": (INNER, {"src": "172.17.0.2"}, []),
    "a rule that is not understood": (
        f"{INPUT}\n-A f2b-site -m geoip --source-country AQ -j DROP",
        {},
        [],
    ),
    "a ban that containers feel": (BANNED + "\n-A DOCKER-USER -j f2b-site", {}, []),
}


@pytest.mark.parametrize(("rules", "flow", "expected"), CLIENTS.values(), ids=CLIENTS)
def test_which_clients_are_found(rules: str, flow: dict[str, str], expected: list[str]) -> None:
    recorded = recorded_filter("28.5", "healthy")
    chains, docker = ":DOCKER-USER - [0:0]", "-A FORWARD -j DOCKER-USER"
    text = recorded["iptables_nft"]["ip"].replace(chains, f"{chains}\n:f2b-site - [0:0]")
    recorded["iptables_nft"]["ip"] = text.replace(docker, f"{docker}\n{rules}", 1)
    entry = {
        "src": "203.0.113.9",
        "dst": "192.0.2.10",
        "sport": 40_000,
        "dport": 8080,
        "reply_src": recorded["probes"]["web goes out"]["asked"]["src"],
        "status": ["seen_reply"],
    }
    made = host_with(recorded)
    made.answers["conntrack"] = lambda question: {
        "entries": [entry | flow] if question.args["dport"] == 8080 else []
    }
    stack, paths = walked(made)
    found = bypassed_bans(made, stack, paths)
    assert [ban.address for ban in found] == expected
    assert [str(unexamined.subject) for unexamined in found.unread] == (
        ["container:web"] if "geoip" in rules else []
    )
