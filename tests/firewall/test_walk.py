"""The walk on rules of every kind: jumps, policies, sets, what is not understood, and tables side
by side."""

from __future__ import annotations

import itertools
import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.firewall import chain_walk, docker
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.trace import trace
from diagnose.firewall.values import Interval, Nets
from diagnose.firewall.walk import walk
from tests.firewall.made_host import ADDRESS, host_with
from tests.firewall.match_cases import OUTCOMES_OF_MATCHES
from tests.firewall.walk_cases import NO_NFTABLES, OUTCOMES, iptables, packet, ruleset

PEER = "198.51.100.1"
ENGINE29 = Path(__file__).parents[1] / "data" / "firewall" / "engine29"


ALL_OUTCOMES = OUTCOMES | OUTCOMES_OF_MATCHES


@pytest.mark.parametrize("name", ALL_OUTCOMES)
def test_what_becomes_of_a_packet(name: str) -> None:
    rules, policy, changes, outcome = ALL_OUTCOMES[name]
    walked = walk(ruleset(iptables(*rules, policy=policy)), "forward", packet(**changes))
    assert walked.outcome == outcome


def test_drop_names_its_rule_and_way() -> None:
    verdict = walk(
        ruleset(iptables("FORWARD -j MINE", "MINE -i docker0 -j DROP")), "forward", packet()
    )
    assert verdict.by is not None
    assert str(verdict.by) == "chain MINE of table ip filter (-i docker0 -j DROP)"
    assert [step.chain for step in verdict.path] == ["FORWARD", "MINE"]


def test_accept_does_not_protect_from_a_later_table() -> None:
    both = ruleset(iptables("FORWARD -j ACCEPT"), legacy=iptables(policy="DROP"))
    verdict = walk(both, "forward", packet())
    assert (verdict.outcome, str(verdict.by)) == (
        "drop",
        "chain FORWARD of table iptables-legacy ip filter (policy drop)",
    )


def test_accept_is_not_claimed_of_what_could_not_be_read() -> None:
    accepted, dropped = iptables("FORWARD -j ACCEPT"), iptables("FORWARD -j DROP")
    assert walk(ruleset(accepted, legacy=None), "forward", packet()).outcome == "unknown"
    assert walk(ruleset(dropped, legacy=None), "forward", packet()).outcome == "drop"
    assert walk(assemble(None, {"ip": accepted}), "forward", packet()).outcome == "unknown"


def test_no_rules_at_all_accept() -> None:
    assert walk(assemble(NO_NFTABLES), "forward", packet()).outcome == "accept"


HOSTILE = (
    "-A",
    "-A FORWARD",
    "-A FORWARD -j",
    "-A FORWARD -s nonsense -j DROP",
    "-A FORWARD -p",
    ":",
    "*",
    "-A FORWARD --dport x:y -j DROP",
    '-A FORWARD -m comment --comment "open',
    "-A FORWARD -j MARK --set-xmark zz",
    "-A FORWARD -j DNAT --to-destination ::nonsense:1",
)


@pytest.mark.parametrize("line", HOSTILE)
def test_hostile_lines_do_not_break_the_walk(line: str) -> None:
    assert walk(ruleset(iptables() + line + "\n"), "forward", packet()).outcome


NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{}COMMIT\n"
TRANSLATIONS = {
    "one address and port": ("--to-destination 172.17.0.2:80", Translate("dnat", "172.17.0.2", 80)),
    "an address alone": ("--to-destination 172.17.0.2", Translate("dnat", "172.17.0.2", None)),
    "a range": (
        "--to-destination 172.17.0.2-172.17.0.9:80-90",
        Translate("dnat", "172.17.0.2", 80),
    ),
    "a port alone": ("--to-destination :8080", Translate("dnat", None, 8080)),
    "IPv6": ("--to-destination [fd00::2]:80", Translate("dnat", "fd00::2", 80)),
    "IPv6 without port": ("--to-destination fd00::2", Translate("dnat", "fd00::2", None)),
}


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_where_dnat_sends_a_packet(name: str) -> None:
    option, wanted = TRANSLATIONS[name]
    rules = ruleset(NAT.format(f"-A PREROUTING -p tcp -j DNAT {option}\n"))
    assert walk(rules, "prerouting", packet(oif="", dst_local=True)).nat == wanted


def test_only_new_connections_are_translated() -> None:
    rules = ruleset(NAT.format("-A POSTROUTING -j MASQUERADE\n"))
    assert walk(rules, "postrouting", packet()).nat == Translate("masquerade")
    assert walk(rules, "postrouting", packet(state="established")).nat is None


def test_translation_that_hangs_on_what_is_not_understood() -> None:
    rules = ruleset(NAT.format("-A POSTROUTING -m set --match-set mine src -j MASQUERADE\n"))
    verdict = walk(rules, "postrouting", packet())
    assert (verdict.outcome, verdict.nat_unknown) == ("accept", True)


@pytest.mark.parametrize(
    ("members", "rule", "outcome"),
    [
        (["203.0.113.0/24", "10.0.0.1-10.0.0.9"], "src -j DROP", "accept"),
        (["203.0.113.0/24", "172.16.0.0/12"], "src -j DROP", "drop"),
        (["172.17.0.0-172.17.0.2", "172.17.0.3"], "src -j DROP", "drop"),
        ([], "src -j DROP", "accept"),
        (["198.51.100.0/24"], "dst -j DROP", "drop"),
        (["198.51.100.0/24"], "src,dst -j DROP", "unknown"),
    ],
)
def test_a_set_whose_members_are_known(members: list[str], rule: str, outcome: str) -> None:
    text = f"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set mine {rule}\nCOMMIT\n"
    rules = assemble(NO_NFTABLES, {"ip": text}, sets={"mine": members})
    assert walk(rules, "forward", packet()).outcome == outcome


def test_engine_28_0_0_keeps_its_bridges_in_an_ipset_that_iptables_does_not_show() -> None:
    """Made: no engine 28.0.0 was at hand; its two rules as in its release's source."""
    text = iptables(
        "FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "FORWARD -m set --match-set docker-ext-bridges-v4 dst -j DOCKER",
        "FORWARD -i docker0 -j ACCEPT",
        policy="DROP",
        chains=("DOCKER",),
    )
    host = host_with(ruleset(text), {"docker0": "172.17.0.0/16"})
    out = trace(host, Flow(Origin("docker0", "172.17.0.2"), PEER, "tcp", 443))
    assert out.obstacle is not None
    assert (out.outcome, out.obstacle.part) == ("unknown", "reply")


def engine29(backend: str) -> tuple[dict[str, Any], str, str]:
    dump = json.loads((ENGINE29 / f"{backend}.netlink.json").read_text())
    text = (ENGINE29 / "iptables.iptables-save.txt").read_text() if backend == "iptables" else ""
    return dump, text, {"iptables": "br-ed21d7087ca4", "nftables": "br-b555eb9aea54"}[backend]


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_engine_29(backend: str) -> None:
    dump, text, bridge = engine29(backend)
    rules = assemble(dump, {"ip": text} if text else None)
    host = host_with(rules, {bridge: "172.18.0.0/16"})
    out = trace(host, Flow(Origin(bridge, "172.18.0.2"), PEER, "tcp", 443))
    assert (out.outcome, out.snat) == ("accept", Translate("masquerade"))
    inside, unpublished = (
        trace(host, Flow(Origin("eth0", PEER), ADDRESS, "tcp", port)) for port in (8090, 8091)
    )
    assert (inside.outcome, inside.nat) == ("accept", Translate("dnat", "172.18.0.2", 8080))
    assert unpublished.nat is None
    direct = Packet("eth0", bridge, "198.51.100.1", "172.18.0.2", "tcp", 40000, 8081)
    assert walk(rules, "forward", direct).outcome == "drop"
    assert walk(rules, "prerouting", direct).outcome == "drop"


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_docker_s_rules_are_known_in_engine_29(backend: str) -> None:
    dump, text, bridge = engine29(backend)
    rules = assemble(dump, {"ip": text} if text else None)
    assert docker.names_bridge(rules, bridge)
    assert not docker.names_bridge(rules, "br-000000000000")
    assert docker.translates_ports(rules)


def test_a_table_is_not_counted_twice() -> None:
    dump, text, _ = engine29("iptables")
    rules = assemble(dump, {"ip": text})
    assert (
        len(
            [
                chain
                for chain in rules.chains
                if chain.name == "FORWARD" and chain.table.family == "ip"
            ]
        )
        == 1
    )


def test_without_iptables_save_the_kernel_s_own_structures_stay_unknown_rather_than_wrong() -> None:
    dump, _, bridge = engine29("iptables")
    rules = assemble(dump)
    assert docker.names_bridge(rules, "docker0"), (
        "iptables compares a short name up to its NUL, not all 16 bytes"
    )
    assert docker.names_bridge(rules, bridge)
    host = host_with(rules, {bridge: "172.18.0.0/16"})
    out = trace(host, Flow(Origin(bridge, "172.18.0.2"), PEER, "tcp", 443))
    assert out.outcome in ("accept", "unknown")


def forking(depth: int, *ends: str) -> Ruleset:
    """Chains of which each is entered twice by the one before."""
    names = tuple(f"X{number}" for number in range(depth))
    jumps = [f"{name} -j {after}" for name, after in itertools.pairwise(names) for _ in range(2)]
    return ruleset(iptables("FORWARD -j X0", *jumps, *ends, chains=names))


def test_chains_that_fork_are_walked_once() -> None:
    assert walk(forking(40, "X39 -i eth1 -j DROP"), "forward", packet()).outcome == "accept"
    assert walk(forking(40, "X39 -i docker0 -j DROP"), "forward", packet()).outcome == "drop"


def test_chains_that_fork_into_ever_new_states_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each chain leaves the packet in a state of its own, so that nothing can be remembered.

    The limit is lowered: 2 to the power of 40 rules are beyond either.
    """
    assert chain_walk.MAX_STEPS <= 100_000
    monkeypatch.setattr(chain_walk, "MAX_STEPS", 5_000)
    names = tuple(f"X{number}" for number in range(40))
    marked = [
        rule
        for number, (name, after) in enumerate(itertools.pairwise(names))
        for rule in (
            f"{name} -j {after}",
            f"{name} -j MARK --set-xmark {1 << number % 31:#x}/0x0",
            f"{name} -j {after}",
        )
    ]
    verdict = walk(ruleset(iptables("FORWARD -j X0", *marked, chains=names)), "forward", packet())
    assert verdict.outcome == "unknown"
    assert verdict.by is not None
    assert "more than" in verdict.by.rule


def test_a_long_chain_is_looked_up_by_what_its_rules_name() -> None:
    rules = [
        f"FORWARD -d 172.17.{number // 250}.{number % 250}/32 -p tcp -m tcp --dport 80 -j ACCEPT"
        for number in range(2000)
    ]
    long = ruleset(iptables(*rules, "FORWARD -d 198.51.100.1/32 -j DROP", "FORWARD -j ACCEPT"))
    (chain,) = long.base_chains("forward", "ip")
    assert list(chain.candidates(packet())) == [2000, 2001]
    assert walk(long, "forward", packet()).outcome == "drop"
    assert walk(long, "forward", packet(dst="172.17.3.9", dport=80)).outcome == "accept"
    inner = Nets([Interval(int(ip_address("172.17.0.0")), int(ip_address("172.17.255.255")))])
    assert list(chain.candidates(packet(dst=None, inner=inner))) == [2000, 2001]
    assert len(list(chain.candidates(packet(dst=None, dport=None)))) == 2002


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("-s 172.17.0.0/24 -j DROP", "drop"),
        ("-s 172.17.0.2/32 -j DROP", "unknown"),
        ("-s 172.17.0.9/32 -j DROP", "accept"),
    ],
)
def test_one_of_several_sources(rule: str, outcome: str) -> None:
    """A field left open, whose possible numbers are known: what holds for all of them is
    decided."""
    several = tuple(int(ip_address(address)) for address in ("172.17.0.2", "172.17.0.3"))
    asked = packet(src=None, possible=(("src", several),))
    assert walk(ruleset(iptables(f"FORWARD {rule}")), "forward", asked).outcome == outcome


REPLY = Packet(
    "docker0", "eth0", "172.17.0.2", None, sport=80, dport=40_000, state="established", reply=True
)
BY_SOURCE_PORT = "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp -m tcp --sport 80 -j DROP\nCOMMIT\n"
BY_INTERFACE = "*filter\n:FORWARD ACCEPT\n-A FORWARD -i docker0 -j DROP\nCOMMIT\n"


@pytest.mark.parametrize(("text", "second"), [(BY_SOURCE_PORT, "accept"), (BY_INTERFACE, "drop")])
def test_a_remembered_verdict_is_that_of_a_packet_that_no_rule_tells_apart(
    text: str, second: str
) -> None:
    filtered = ruleset(text)
    other = replace(REPLY, src="172.17.0.3", sport=443)
    assert walk(filtered, "forward", REPLY).outcome == "drop"
    verdict = walk(filtered, "forward", other)
    assert (verdict.outcome, verdict.packet) == (second, other)
    assert len(filtered.remembered) == (2 if second == "accept" else 1)
