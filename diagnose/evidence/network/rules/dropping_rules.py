"""Rules that drop packets now, by their counters: limits, and the engine's guard of addresses."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.actions import Stop
from diagnose.firewall.conditions import Condition, Rare
from diagnose.firewall.rules import Chain, Rule
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.firewall import CountLegacyPackets, CountPackets, ListNftables
from diagnose.registry import evidence

_LIMIT = LazyPattern(r"limit|hitcount|\bct count\b|quota", re.IGNORECASE)
"""Words in rules that limit packets, bytes or connections."""
GUARD = LazyPattern(
    r"""
    ^(?:
          -d\ (?P<address>[0-9a-f.:]+)/(?:32|128)\ !\ -i\ \S+\ -j\ DROP
        | ip6?\ daddr\ (?P<native>[0-9a-f.:]+)
            \ iifname\ !=\ "\S+"\ drop\ comment\ "DROP\ DIRECT\ ACCESS"
      )$
    """,
    re.VERBOSE,
)
"""The engine's rule that keeps others from a container's own address (28.0 and later), as iptables
and as the engine's own nftables rules write it (29)."""
_COUNTED = LazyPattern(r"^\[(?P<packets>\d+):\d+\] -A (?P<chain>\S+)")
"""A rule with its packets and bytes before it."""
_ENDS = frozenset({"immediate", "log", "reject", "target"})
"""Expressions that may follow a counter that counts the packets of the whole rule."""


class DroppingRule(msgspec.Struct, frozen=True):
    """A rule that drops packets."""

    chain: Chain
    at: int
    """The rule's place in the chain, from 0."""
    total: int
    """Packets that it has dropped since it was written."""
    within: int
    """During this look."""

    @property
    def rule(self) -> Rule:
        return self.chain.rules[self.at]

    @property
    def step(self) -> Step:
        return Step(self.chain.label, self.chain.name, self.rule.text)

    @property
    def is_limit(self) -> bool:
        """Whether it is a limit, or drops the packets beyond an earlier limit."""
        before = self.chain.rules[: self.at]
        return _is_limited(self.rule) or any(lets_pass_few(rule) for rule in before)


class DroppingRules(Items[DroppingRule], frozen=True):
    """The rules that have dropped something."""

    uncounted: bool = False
    """Whether iptables-legacy has such rules too, whose counters could not be read."""


@evidence
def dropping_rules(host: Host, firewall: Firewall) -> DroppingRules | Unavailable:
    """The rules that were read with their counters, and the counters once more a moment later."""
    answer = host.require(ListNftables())
    legacy = _counted_legacy(host, list(filter(_is_wanted, _legacy_rules(firewall))))
    before = _counters(answer)
    candidates = [
        DroppingRule(chain, at, total, 0)
        for chain in firewall.chains
        for at, total in enumerate(before.get(_name(chain), ()))
        if total and _is_dropping(chain, at, before[_name(chain)])
    ]
    watched = [rule for rule in candidates if _is_wanted(rule)]
    chains = sorted({_name(rule.chain) for rule in watched})
    if not chains:
        return legacy
    counted = host.require(CountPackets(chains))
    after = {_ChainName(row.family, row.table, row.chain): row.packets for row in counted}
    risen = tuple(_with_increase(rule, after.get(_name(rule.chain), ())) for rule in watched)
    return DroppingRules((*risen, *legacy), legacy.uncounted)


def packets_of(answer: Mapping[str, Any], firewall: Firewall) -> dict[Step, int]:
    """The packets that met each rule of nftables, for rules that count them.

    answer: that of `ListNftables`.
    """
    counters = _counters(answer)
    return {
        Step(chain.label, chain.name, rule.text): packets
        for chain in firewall.chains
        for rule, packets in zip(chain.rules, counters.get(_name(chain), ()), strict=False)
        if packets is not None
    }


def _is_wanted(rule: DroppingRule) -> bool:
    return rule.is_limit or GUARD.search(rule.rule.text) is not None


def _legacy_rules(firewall: Firewall) -> Iterator[DroppingRule]:
    """The rules of iptables-legacy that drop packets."""
    for chain in firewall.chains:
        for at, rule in enumerate(chain.rules if chain.table.backend == "legacy" else ()):
            if _drops(rule):
                yield DroppingRule(chain, at, total=0, within=0)


def _counted_legacy(host: Host, rules: Sequence[DroppingRule]) -> DroppingRules:
    """The legacy rules that have dropped something, with both counts."""
    counted = []
    uncounted = False
    rules_of = by_key((_question(rule), rule) for rule in rules)
    answers = dict(host.ask_many(rules_of))
    for question, counted_rules in rules_of.items():
        answer = answers[question]
        texts = ("", "") if isinstance(answer, Failed) else answer
        before, after = map(_saved_counters, texts)
        for rule in counted_rules:
            place = (rule.chain.table.name, rule.chain.name)
            counts = before.get(place, ())
            if len(counts) != len(rule.chain.rules):
                uncounted = True
            elif counts[rule.at]:
                total = msgspec.structs.replace(rule, total=counts[rule.at])
                counted.append(_with_increase(total, after.get(place, ())))
    return DroppingRules(tuple(counted), uncounted)


def _question(rule: DroppingRule) -> CountLegacyPackets:
    """The question that counts the packets of a rule of iptables-legacy."""
    return CountLegacyPackets(family="ip6" if rule.chain.table.family == "ip6" else "ip")


def _saved_counters(text: str) -> dict[tuple[str, str], list[int]]:
    """By table and chain, how many packets met each rule, as `iptables-save --counters` says."""
    counters: dict[tuple[str, str], list[int]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif match := _COUNTED.match(line):
            counters.setdefault((table, match["chain"]), []).append(int(match["packets"]))
    return counters


def _drops(rule: Rule) -> bool:
    return isinstance(rule.action, Stop) and rule.action.outcome in ("drop", "reject")


class _ChainName(NamedTuple):
    """A chain as nftables names it."""

    family: str
    table: str
    """"" where it is not of nftables."""
    chain: str


def _name(chain: Chain) -> _ChainName:
    table = chain.table.name if chain.table.backend == "nft" else ""
    return _ChainName(chain.table.family, table, chain.name)


def _counters(answer: Mapping[str, Any]) -> dict[_ChainName, list[int | None]]:
    """The counters of all rules, by chain, in the order of its rules."""
    counters: dict[_ChainName, list[int | None]] = {}
    for rule in answer["rules"]:
        name = _ChainName(rule["family"], rule["table"], rule["chain"])
        counters.setdefault(name, []).append(_packets(rule.get("expressions", ())))
    return counters


def _packets(expressions: Sequence[Mapping[str, Any]]) -> int | None:
    """The packets that met all conditions of a rule; None where it does not count them."""
    for expression in reversed(expressions):
        if expression.get("name") == "counter":
            return int(expression.get("packets", 0))
        if expression.get("name") not in _ENDS:
            return None
    return None


def _is_dropping(chain: Chain, at: int, counters: Sequence[int | None]) -> bool:
    """Whether the rule at a place drops packets, and the counters are of the same rules."""
    if len(counters) != len(chain.rules):
        return False
    return _drops(chain.rules[at])


def _with_increase(rule: DroppingRule, after: Sequence[int | None]) -> DroppingRule:
    count = after[rule.at] if rule.at < len(after) else None
    within = max(0, (count or 0) - rule.total)
    return msgspec.structs.replace(rule, within=within)


def _is_limited(rule: Rule) -> bool:
    return any(is_over_limit(condition) for condition in rule.conditions)


def is_over_limit(condition: Condition) -> bool:
    """Whether a condition holds only beyond a limit."""
    return isinstance(condition, Rare) and not condition.negate and _names_limit(condition)


def lets_pass_few(rule: Rule) -> bool:
    """Whether a rule takes packets up to a limit alone."""
    return any(
        isinstance(condition, Rare) and condition.negate and _names_limit(condition)
        for condition in rule.conditions
    )


def _names_limit(condition: Rare) -> bool:
    return _LIMIT.search(condition.text) is not None
