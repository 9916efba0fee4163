"""The chains and rules of a dump of nftables."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from diagnose.firewall.actions import Maybe
from diagnose.firewall.kernel_numbers import NF_FAMILIES
from diagnose.firewall.nft.expressions import run
from diagnose.firewall.nft.program import RuleProgram
from diagnose.firewall.packet import Hook
from diagnose.firewall.rules import Chain, Rule, Table
from diagnose.firewall.text import describe

_DORMANT = 1
"""Flag of a table whose chains are not on their hooks."""

_HOOKS: Mapping[int, Hook] = {
    0: "prerouting",
    1: "input",
    2: "forward",
    3: "output",
    4: "postrouting",
    5: "ingress",
}
"""Hooks of IP and of bridges, by the kernel's number."""
_DEVICE_HOOKS: Mapping[int, Hook] = {0: "ingress", 1: "egress"}
_ARP_HOOKS: Mapping[int, Hook] = {0: "input", 1: "output"}
_HOOKS_OF = {"netdev": _DEVICE_HOOKS, "arp": _ARP_HOOKS}
"""The families whose hooks have numbers of their own."""

_TableName = tuple[str, str]
"""Family and name of a table."""


class _HookRow(msgspec.Struct, frozen=True):
    """The hook of a base chain, as the kernel numbers it."""

    number: int
    priority: int = 0
    devices: tuple[str, ...] = ()
    device: str | None = None


class _ChainRow(msgspec.Struct, frozen=True):
    """A chain of a dump."""

    family: str
    table: str
    name: str
    hook: _HookRow | None = None
    type: str = "filter"
    policy: int = 1
    """0 drops what no rule decides."""


def chains(
    dump: Mapping[str, Any],
    interfaces: Mapping[int, str] | None = None,
    groups: Mapping[int, Sequence[str]] | None = None,
) -> tuple[Chain, ...]:
    """The chains of a dump as `live.nftables` answers it.

    `interfaces` gives the names of interface indexes, `groups` those of each interface group.
    msgspec.ValidationError for chains of another shape.
    """
    sets: dict[_TableName, dict[str, Mapping[str, Any]]] = {}
    for named_set in dump["sets"]:
        table = (named_set["family"], named_set["table"])
        sets.setdefault(table, {})[named_set["name"]] = named_set
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in dump["rules"]:
        program = RuleProgram(
            order=dump["byteorder"],
            family=NF_FAMILIES.get(rule["family"]),
            sets=sets.get((rule["family"], rule["table"]), {}),
            interfaces=interfaces or {},
            groups=groups,
        )
        owner = (rule["family"], rule["table"], rule["chain"])
        rules.setdefault(owner, []).append(_rule(program, rule))
    dormant = {
        (table["family"], table["name"])
        for table in dump["tables"]
        if table.get("flags", 0) & _DORMANT
    }
    rows = msgspec.convert(dump["chains"], list[_ChainRow])
    return tuple(
        _chain(
            row,
            tuple(rules.get((row.family, row.table, row.name), ())),
            is_dormant=(row.family, row.table) in dormant,
        )
        for row in rows
    )


def _chain(row: _ChainRow, rules: tuple[Rule, ...], *, is_dormant: bool) -> Chain:
    """One chain of a dump; a chain of a dormant table has no hook."""
    table = Table("nft", row.family, row.table)
    hook = row.hook
    if hook is None or is_dormant:
        return Chain(table, row.name, rules, kind=row.type, policy=_policy(row))
    hooks = _HOOKS_OF.get(row.family, _HOOKS)
    return Chain(
        table,
        row.name,
        rules,
        hook=hooks.get(hook.number),
        priority=hook.priority,
        kind=row.type,
        policy=_policy(row),
        devices=hook.devices or tuple(filter(None, [hook.device])),
    )


def _policy(row: _ChainRow) -> Literal["accept", "drop"]:
    return "drop" if row.policy == 0 else "accept"


def _rule(program: RuleProgram, rule: Mapping[str, Any]) -> Rule:
    try:
        for expression in rule.get("expressions", ()):
            run(program, expression)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Rule(f"(not understood: {error})", action=Maybe(f"rule {rule.get('handle')}"))
    conditions = tuple(program.conditions)
    assigns = tuple(program.assigns)
    text = describe(conditions, assigns, program.action, rule.get("comment"))
    return Rule(text, conditions, assigns, program.action)
