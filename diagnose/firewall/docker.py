"""Docker's own tables, chains and rules in a ruleset, and whether packets reach them.

Engines 20.10 to 29 keep their rules in `ip filter` and `ip nat`, in chains named DOCKER...; the
nftables backend of engine 29 has tables of its own, named docker-bridges, without any such chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.firewall.actions import Choose, Enter, Translate
from diagnose.firewall.conditions import Match
from diagnose.firewall.rules import Table
from diagnose.firewall.values import Interval, Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.firewall.actions import Action
    from diagnose.firewall.packet import Field, Hook
    from diagnose.firewall.rules import Chain, Rule, Ruleset
    from diagnose.firewall.verdict import Step

USER_CHAIN = "DOCKER-USER"
NFTABLES_TABLE = "docker-bridges"
_NAT_CHAINS = ("DOCKER", "nat-prerouting-and-output")


def is_docker_chain(table: str, chain: str) -> bool:
    """Whether a chain is the engine's own; DOCKER-USER is the administrator's."""
    if chain == USER_CHAIN:
        return False
    return chain.startswith("DOCKER") or table.endswith(f" {NFTABLES_TABLE}")


def homes(ruleset: Ruleset) -> frozenset[Table]:
    """The IPv4 tables that hold chains of the engine, whether anything leads there or not."""
    return frozenset(
        chain.table
        for chain in ruleset.chains
        if chain.table.family == "ip" and is_docker_chain(str(chain.table), chain.name)
    )


def is_lost(ruleset: Ruleset, step: Step) -> bool:
    """Whether a packet was decided by the default of Docker's table, or by a chain of Docker's.

    Such a chain drops what none of its rules takes. In both cases the rule is missing that should
    have taken the packet. Where no table of Docker's is left, the default of `ip filter` counts.
    """
    if is_docker_chain(step.table, step.chain):
        return True
    if not step.rule.startswith("policy "):
        return False
    own_tables = {
        str(table) for table in homes(ruleset) if table.name in ("filter", NFTABLES_TABLE)
    } or {"ip filter"}
    return step.table in own_tables


def names_bridge(ruleset: Ruleset, bridge: str) -> bool:
    """Whether the forward hook reaches a rule about this bridge in a table of Docker's kind."""
    return any(
        _is_about(rule, bridge)
        for chain in reachable_chains(ruleset, "forward")
        if chain.table.name in ("filter", NFTABLES_TABLE)
        for rule in chain.rules
    )


def translates_ports(ruleset: Ruleset) -> bool:
    """Whether the prerouting hook reaches the chain of Docker's published ports."""
    return any(
        chain.name in _NAT_CHAINS and chain.table.name in ("nat", NFTABLES_TABLE)
        for chain in reachable_chains(ruleset, "prerouting")
    )


def reachable_chains(ruleset: Ruleset, hook: Hook) -> Iterator[Chain]:
    """The chains that a packet on this hook can come by.

    Base chains and what their rules lead to, each once.
    """
    waiting = list(ruleset.base_chains(hook, "ip"))
    reached = set()
    while waiting:
        chain = waiting.pop()
        if (chain.table, chain.name) in reached:
            continue
        reached.add((chain.table, chain.name))
        yield chain
        for rule in chain.rules:
            for name in _entered_chains(rule.action):
                entered = ruleset.chain(chain.table, name)
                if entered is not None:
                    waiting.append(entered)


def _entered_chains(action: Action | None) -> Iterator[str]:
    if isinstance(action, Enter):
        yield action.chain
    elif isinstance(action, Choose):
        for _, chosen in action.entries:
            yield from _entered_chains(chosen)


def _is_about(rule: Rule, bridge: str) -> bool:
    """Whether a condition or the map of a rule names this bridge."""
    keys = [
        values
        for condition in rule.conditions
        if isinstance(condition, Match)
        for values in condition.among
    ]
    if isinstance(rule.action, Choose):
        keys += [values for values, _ in rule.action.entries]
    return any(value == Name(bridge) for values in keys for value in values)


class PortRule(msgspec.Struct, frozen=True):
    """A rule of the engine that sends a port of the host to a container."""

    table: Table
    chain: str
    number: int
    """The rule's place in the chain, from 1."""
    text: str
    protocol: str
    host_port: int
    address: str


_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}


def port_rules(ruleset: Ruleset) -> Iterator[PortRule]:
    """The rules of IPv4 published ports that packets from outside come by."""
    for chain in reachable_chains(ruleset, "prerouting"):
        if chain.name not in _NAT_CHAINS or chain.table.name != "nat":
            continue
        for number, rule in enumerate(chain.rules, 1):
            action = rule.action
            protocol = _protocol_of(rule)
            host_port = _only_number(rule, "dport")
            if not isinstance(action, Translate) or action.kind != "dnat" or not action.address:
                continue
            if protocol is not None and host_port is not None:
                yield PortRule(
                    chain.table,
                    chain=chain.name,
                    number=number,
                    text=rule.text,
                    protocol=protocol,
                    host_port=host_port,
                    address=action.address,
                )


def redirected_ports(ruleset: Ruleset) -> frozenset[tuple[str, int]]:
    """The protocols and ports that rules lead to another port of the host."""
    ports = set()
    for chain in reachable_chains(ruleset, "prerouting"):
        for rule in chain.rules:
            protocol = _protocol_of(rule)
            port = _only_number(rule, "dport")
            is_redirect = isinstance(rule.action, Translate) and rule.action.kind == "redirect"
            if is_redirect and protocol is not None and port is not None:
                ports.add((protocol, port))
    return frozenset(ports)


def _protocol_of(rule: Rule) -> str | None:
    """The name of the one protocol that a rule is about."""
    return _PROTOCOLS.get(_only_number(rule, "proto") or 0)


def _only_number(rule: Rule, field: Field) -> int | None:
    """The one number that a rule asks for in this field."""
    for condition in rule.conditions:
        if not isinstance(condition, Match) or condition.negate or condition.fields != (field,):
            continue
        match [values[0] for values in condition.among]:
            case [Interval(low, high)] if low == high:
                return low
    return None
