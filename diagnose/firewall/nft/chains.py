"""The chains and rules of a dump of nftables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnose.firewall.actions import Maybe
from diagnose.firewall.nft.expressions import run
from diagnose.firewall.nft.program import RuleProgram
from diagnose.firewall.packet import NF_FAMILIES, Hook
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
_DEVICE_HOOKS: Mapping[int, Hook] = {0: "ingress", 1: "egress"}

_TableName = tuple[str, str]
"""Family and name of a table."""


def chains(
    dump: Mapping[str, Any], interfaces: Mapping[int, str] | None = None
) -> tuple[Chain, ...]:
    """The chains of a dump as `live.nftables` answers it.

    `interfaces` gives the names of interface indexes.
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
        )
        owner = (rule["family"], rule["table"], rule["chain"])
        rules.setdefault(owner, []).append(_rule(program, rule))
    dormant = {
        (table["family"], table["name"])
        for table in dump["tables"]
        if table.get("flags", 0) & _DORMANT
    }
    return tuple(
        _chain(
            chain,
            tuple(rules.get((chain["family"], chain["table"], chain["name"]), ())),
            is_dormant=(chain["family"], chain["table"]) in dormant,
        )
        for chain in dump["chains"]
    )


def _chain(chain: Mapping[str, Any], rules: tuple[Rule, ...], *, is_dormant: bool) -> Chain:
    hook = chain.get("hook") or {}
    on_hook = bool(hook) and not is_dormant
    hooks = _DEVICE_HOOKS if chain["family"] == "netdev" else _HOOKS
    devices = tuple(hook.get("devices") or ()) or tuple(filter(None, [hook.get("device")]))
    return Chain(
        Table("nft", chain["family"], chain["table"]),
        chain["name"],
        rules,
        hook=hooks.get(hook["number"]) if on_hook else None,
        priority=hook.get("priority", 0),
        kind=chain.get("type", "filter"),
        policy="drop" if chain.get("policy", 1) == 0 else "accept",
        devices=devices if on_hook else (),
    )


def _rule(program: RuleProgram, rule: Mapping[str, Any]) -> Rule:
    try:
        for expression in rule.get("expressions", ()):
            run(program, expression)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Rule(f"(not understood: {error})", action=Maybe(f"rule {rule.get('handle')}"))
    conditions, assigns = tuple(program.conditions), tuple(program.assigns)
    text = describe(conditions, assigns, program.action, rule.get("comment"))
    return Rule(text, conditions, assigns, program.action)
