"""The smallest repair that puts lost iptables rules of the engine back. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network

import msgspec

from diagnose.firewall.engine_rules import TableRules, Tables

KEPT = ("DOCKER-USER",)
"""Chains that hold the administrator's own rules: created if they are gone, never written again."""


class Present(msgspec.Struct, frozen=True):
    """One table as `iptables-save` prints it: rules by chain, without `-A CHAIN`."""

    chains: Mapping[str, tuple[str, ...]]


def present(text: str) -> dict[str, Present]:
    """The tables of an output of `iptables-save`."""
    tables: dict[str, dict[str, list[str]]] = {}
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            table.setdefault(line[1:].split()[0], [])
        elif line.startswith("-A "):
            chain, _, rule = line[3:].partition(" ")
            table.setdefault(chain, []).append(rule.strip())
    return {name: _present_chains(chains) for name, chains in tables.items()}


def _present_chains(chains: Mapping[str, Iterable[str]]) -> Present:
    return Present({chain: tuple(rules) for chain, rules in chains.items()})


class Repair(msgspec.Struct, frozen=True):
    """The input that restores lost rules and deletes those that lead to containers that are
    gone."""

    text: str
    """Input for `iptables-restore --noflush`: atomic for each table; foreign chains and rules stay
    as they are."""
    missing: tuple[str, ...]
    """The rules that are missing, as `iptables -A` would add them, each with its table."""
    stale: tuple[str, ...] = ()
    """The rules that lead to addresses which no running container has, likewise."""
    chains: tuple[str, ...] = ()
    """The chains that are gone and whose rules the engine writes, by the table: `filter DOCKER`."""


def repair(
    tables: Tables, present: Mapping[str, Present], subnets: Sequence[str] = ()
) -> Repair | None:
    """The smallest repair; None where no rule of the engine is missing, and none is stale.

    subnets: of the engine's bridges, where a published port that the engine does not want is stale.
    """
    parts = []
    missing = []
    stale = []
    gone = []
    for name, rules in tables.items():
        now = present.get(name, Present({}))
        needed = [chain for chain in rules.own if chain not in KEPT]
        gone += [f"{name} {chain}" for chain in needed if chain not in now.chains]
        lost_rules = _lost_rules(rules, now)
        old = _stale_rules(rules, now, subnets) if name == "nat" else []
        missing += [f"{name}: {rule}" for rule in lost_rules.rules]
        stale += [f"{name}: {rule}" for rule in old]
        deletions = [f"-D {rule}" for rule in old]
        if lost_rules.rules or old:
            parts.append("\n".join([f"*{name}", *deletions, *lost_rules.lines, "COMMIT"]))
    if not parts:
        return None
    return Repair("\n".join(parts) + "\n", tuple(missing), tuple(stale), tuple(gone))


_TARGET = re.compile(r" -j DNAT --to-destination ([0-9.]+):\d+$")


def _stale_rules(rules: TableRules, now: Present, subnets: Sequence[str]) -> list[str]:
    """Rules of published ports that lead into the engine's subnets and that it does not want."""
    networks = [ip_network(subnet) for subnet in subnets]
    stale = []
    for chain, contents in rules.own.items():
        for rule in now.chains.get(chain, ()):
            target = _TARGET.search(rule)
            if target is None or rule in contents:
                continue
            if any(ip_address(target[1]) in network for network in networks):
                stale.append(f"{chain} {rule}")
    return stale


class _LostRules(msgspec.Struct, frozen=True):
    """The rules of one table or chain that are missing."""

    rules: list[str]
    lines: list[str]
    """What brings them back, as iptables-restore takes it."""


def _lost_rules(rules: TableRules, now: Present) -> _LostRules:
    """The rules that are gone, and the lines that put them back."""
    declared: list[str] = []
    filled: list[str] = []
    missing: list[str] = []
    for chain, contents in rules.own.items():
        lost = _lost_of_own(chain, contents, now)
        if lost:
            missing += lost
            declared.append(f":{chain} - [0:0]")
            filled += [f"-A {chain} {rule}" for rule in contents]
    for chain, first in rules.first.items():
        inserted = _inserted_rules(chain, first, list(now.chains.get(chain, ())))
        missing += inserted.rules
        filled += inserted.lines
    for chain, last in rules.last.items():
        appended = [f"{chain} {rule}" for rule in last if rule not in now.chains.get(chain, ())]
        missing += appended
        filled += [f"-A {rule}" for rule in appended]
    return _LostRules(missing, [*declared, *filled])


def _lost_of_own(chain: str, contents: Sequence[str], now: Present) -> list[str]:
    """The missing rules of one of the engine's own chains, or the chain itself.

    The rules of a chain that its owner fills (`KEPT`) are not compared.
    """
    if chain not in now.chains:
        return [f"{chain} {rule}" for rule in contents] or [f"chain {chain}"]
    if chain in KEPT:
        return []
    return [f"{chain} {rule}" for rule in contents if rule not in now.chains[chain]]


def _inserted_rules(chain: str, first: Iterable[str], standing: list[str]) -> _LostRules:
    """The missing rules of a built-in chain; each goes behind the wanted rule before it."""
    inserts = []
    missing = []
    place = 0
    for rule in first:
        if rule in standing:
            place = max(place, standing.index(rule) + 1)
            continue
        standing.insert(place, rule)
        place += 1
        inserts.append(f"-I {chain} {place} {rule}")
        missing.append(f"{chain} {rule}")
    return _LostRules(missing, inserts)
