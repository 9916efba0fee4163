"""The chains of one `iptables-save` text."""

import re
from collections.abc import Mapping

import msgspec

from diagnose.firewall.actions import Assign
from diagnose.firewall.iptables import matches, rule_text, targets
from diagnose.firewall.packet import Family, Hook
from diagnose.firewall.rules import Backend, Chain, Rule, Table
from diagnose.firewall.values import Several

_HOOKS: Mapping[str, Hook] = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
"""The hook of each chain that the kernel calls."""
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
"""The place of a table among those of one hook: the lowest comes first."""
_NAT_SOURCE_PRIORITY = 100
"""Source translation is done on INPUT and POSTROUTING, after the filter; the other hooks of nat
come before it.
"""
_COUNTERS = re.compile(r"^\[\d+:\d+\] ")


def tables(text: str) -> frozenset[str]:
    """The tables that the text shows rules or chains of."""
    return frozenset(re.findall(r"^\*(\S+)", text, re.MULTILINE))


def chains(
    text: str, backend: Backend, family: Family, members: Mapping[str, Several] | None = None
) -> tuple[Chain, ...]:
    """The chains of one `iptables-save` or `ip6tables-save` text; other lines are left out.

    `members`: of the sets that it names, where they are known.
    """
    policies: dict[tuple[str, str], str] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, _, rest = line[1:].partition(" ")
            if rest.strip():
                policies[table, name] = rest.split()[0]
        elif line.startswith(("-A ", "[")):
            rule = _rule(_COUNTERS.sub("", line), members or {})
            rules.setdefault((table, rule.chain), []).append(rule.rule)
    return tuple(
        _chain(Table(backend, family, owner), name, policy, tuple(rules.get((owner, name), ())))
        for (owner, name), policy in policies.items()
    )


def _chain(table: Table, name: str, policy: str, rules: tuple[Rule, ...]) -> Chain:
    """One chain of `iptables-save`; a policy "-" marks a chain that no hook enters."""
    if policy == "-":
        return Chain(table, name, rules)
    is_nat = table.name == "nat"
    priority = _PRIORITIES.get(table.name, 0)
    if is_nat and name in ("INPUT", "POSTROUTING"):
        priority = _NAT_SOURCE_PRIORITY
    return Chain(
        table,
        name,
        rules,
        hook=_HOOKS.get(name),
        priority=priority,
        kind="nat" if is_nat else "filter",
        policy="drop" if policy == "DROP" else "accept",
    )


class _RuleInChain(msgspec.Struct, frozen=True):
    """A rule, and the chain that it is in."""

    chain: str
    rule: Rule


def _rule(line: str, members: Mapping[str, Several]) -> _RuleInChain:
    parsed = rule_text.parse(line)
    conditions = tuple(matches.conditions(parsed, members))
    text = line.removeprefix(f"-A {parsed.chain} ")
    effect = targets.effect(parsed.target)
    if isinstance(effect, Assign):
        return _RuleInChain(parsed.chain, Rule(text, conditions, assigns=(effect,)))
    return _RuleInChain(parsed.chain, Rule(text, conditions, action=effect))
