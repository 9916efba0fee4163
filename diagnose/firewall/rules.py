"""The model of a ruleset: tables, chains and rules."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from diagnose.firewall.actions import Action, Assign, Choose, Enter
from diagnose.firewall.conditions import ADDRESSES, AnyOf, Condition, Match
from diagnose.firewall.kernel_numbers import NF_FAMILIES
from diagnose.firewall.packet import Field, Hook, Packet
from diagnose.firewall.values import Interval, Name, Nets, Value
from diagnose.firewall.verdict import PacketVerdict

Backend = Literal["nft", "legacy"]


class Table(msgspec.Struct, frozen=True, order=True):
    """A table's identity: `ip filter` may exist in nftables and in the legacy tables at once."""

    backend: Backend
    family: str
    name: str

    def __str__(self) -> str:
        prefix = "iptables-legacy " if self.backend == "legacy" else ""
        return f"{prefix}{self.family} {self.name}"


class Rule(msgspec.Struct, frozen=True):
    """One rule: if all conditions hold, the fields are assigned and the action, if any, is done."""

    text: str
    conditions: tuple[Condition, ...] = ()
    assigns: tuple[Assign, ...] = ()
    action: Action | None = None


class Chain(msgspec.Struct, frozen=True, dict=True):
    """A chain; a base chain has a hook, a priority, a type (`filter`, `nat`, `route`) and a policy.

    `devices` are the interfaces of a chain of the family netdev.
    """

    table: Table
    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    priority: int = 0
    kind: str = "filter"
    policy: Literal["accept", "drop"] = "accept"
    devices: tuple[str, ...] = ()

    @functools.cached_property
    def label(self) -> str:
        """The table, as a report shows it."""
        return str(self.table)

    @functools.cached_property
    def _index(self) -> _RuleIndex | None:
        return _RuleIndex(self.rules) if len(self.rules) >= _WORTH_AN_INDEX else None

    def candidates(self, packet: Packet) -> Iterable[int]:
        """The positions of the rules that may match this packet, in order.

        In long chains most rules name another port, address or interface.
        """
        index = self._index
        return range(len(self.rules)) if index is None else index.candidates(packet)


_WORTH_AN_INDEX = 12
"""Rules of a chain from which on looking them up is faster than asking each."""

_SELECTIVE: frozenset[Field] = frozenset(
    {"dport", "orig_dport", "dst", "orig_dst", "iif", "oif", "src", "sport"}
)
"""The fields by which a rule may be found; in each chain, by the one with the most different
values."""


class _RuleIndex:
    """The rules of one chain by the one value, or network, that a field must have."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._always: list[int] = []
        self._by_field: dict[Field, dict[int | str, list[int]]] = {}
        self._by_network: dict[Field, dict[int, dict[int, list[int]]]] = {}
        self._values: dict[Field, list[tuple[Value, int]]] = {}
        self._outside: dict[tuple[Field, int], list[int]] = {}
        needs = [_needs(rule) for rule in rules]
        distinct: dict[Field, set[Value]] = {}
        for needed in needs:
            for name, value in needed.items():
                distinct.setdefault(name, set()).add(value)
        for position, needed in enumerate(needs):
            if needed:
                name = max(needed, key=lambda name: len(distinct[name]))
                self._place(position, name, needed[name])
            else:
                self._always.append(position)

    def _place(self, position: int, name: Field, value: Value) -> None:
        """Note a value under its field, so that a packet with this value finds the rule."""
        self._values.setdefault(name, []).append((value, position))
        if isinstance(value, Name):
            self._by_field.setdefault(name, {}).setdefault(value.text, []).append(position)
        elif isinstance(value, Interval) and value.low == value.high:
            self._by_field.setdefault(name, {}).setdefault(value.low, []).append(position)
        elif isinstance(value, Interval):
            bits = _network_bits(value) or 0
            networks = self._by_network.setdefault(name, {}).setdefault(bits, {})
            networks.setdefault(value.low >> bits, []).append(position)

    def candidates(self, packet: Packet) -> list[int]:
        """The positions of the rules that may match a packet, by its values."""
        positions = list(self._always)
        values = packet.values
        for name in self._values:
            value = values[name]
            if value is not None:
                positions += self._positions_about(name, value)
            elif name in packet.choices:
                positions += {
                    position
                    for number in packet.choices[name]
                    for position in self._positions_about(name, number)
                }
            else:
                positions += self._rules_for_open_field(name, packet.inner)
        positions.sort()
        return positions

    def _positions_about(self, name: Field, value: int | str) -> Sequence[int]:
        """The positions of the rules about this value of a field, or about a network around it."""
        exact = self._by_field.get(name)
        positions = exact.get(value, ()) if exact is not None else ()
        by_bits = self._by_network.get(name)
        if by_bits is None or not isinstance(value, int):
            return positions
        return [
            *positions,
            *(
                position
                for bits, networks in by_bits.items()
                for position in networks.get(value >> bits, ())
            ),
        ]

    def _rules_for_open_field(self, name: Field, inner: Nets | None) -> list[int]:
        """The rules that a field left open may meet.

        A packet with an address outside of some networks meets none about an address in them.
        """
        if name not in ADDRESSES or inner is None:
            return [position for _, position in self._values[name]]
        key = (name, id(inner))
        if key not in self._outside:
            self._outside[key] = [
                position for value, position in self._values[name] if not inner.covers(value)
            ]
        return self._outside[key]


def _network_bits(value: Interval) -> int | None:
    """The number of host bits of a network. None for a range that is not a network."""
    size = value.high - value.low + 1
    return size.bit_length() - 1 if size & (size - 1) == 0 and value.low % size == 0 else None


def _needs(rule: Rule) -> dict[Field, Value]:
    """The fields by which a rule can be found.

    Each with the one value, name or network that it asks for.
    """
    needed: dict[Field, Value] = {}
    for condition in rule.conditions:
        if not isinstance(condition, Match) or condition.negate:
            continue
        if len(condition.fields) != 1 or len(condition.among) != 1:
            continue
        name = condition.fields[0]
        value = condition.among[0][0]
        if name in _SELECTIVE and _is_selective(name, value):
            needed[name] = value
    return needed


def _is_selective(name: Field, value: Value) -> bool:
    """Whether a value is one name, one number or one network."""
    if isinstance(value, Name):
        return not value.prefix
    if not isinstance(value, Interval):
        return False
    return value.low == value.high or (name in ADDRESSES and _network_bits(value) is not None)


class Ruleset(msgspec.Struct, frozen=True, dict=True):
    """Every chain of the host's packet filter.

    `unread` names the parts that could not be looked at.
    """

    chains: tuple[Chain, ...] = ()
    unread: tuple[str, ...] = ()

    @functools.cached_property
    def _by_name(self) -> Mapping[tuple[Table, str], Chain]:
        return {(chain.table, chain.name): chain for chain in self.chains}

    def chain(self, table: Table, name: str) -> Chain | None:
        """The chain of that name in that table."""
        return self._by_name.get((table, name))

    @functools.cached_property
    def _chains_on_hooks(self) -> dict[tuple[Hook, str], tuple[Chain, ...]]:
        return {}

    def base_chains(self, hook: Hook, family: str) -> tuple[Chain, ...]:
        """The base chains that a packet meets on this hook, in their order.

        Of the families ip and ip6 (with inet's), of bridge, or of arp.
        """
        chains = self._chains_on_hooks.get((hook, family))
        if chains is None:
            families = (family, "inet") if family in NF_FAMILIES else (family,)
            chains_of_hook = (
                chain
                for chain in self.chains
                if chain.hook == hook and chain.table.family in families
            )
            chains = self._chains_on_hooks[hook, family] = tuple(sorted(chains_of_hook, key=_place))
        return chains

    def device_chains(self, hook: Hook, device: str) -> tuple[Chain, ...]:
        """The base chains of netdev and inet on the ingress or egress of one interface.

        In their order.
        """
        chains_of_hook = [
            chain for chain in self.chains if chain.hook == hook and device in chain.devices
        ]
        return tuple(sorted(chains_of_hook, key=lambda chain: chain.priority))

    @functools.cached_property
    def remembered(self) -> dict[tuple[object, ...], PacketVerdict]:
        """Verdicts of earlier walks that left the packet as it was."""
        return {}

    @functools.cached_property
    def _unread_places(self) -> dict[tuple[int, ...], tuple[int, ...]]:
        return {}

    def unread_apart(self, packet: Packet, chains: Sequence[Chain]) -> tuple[object, ...]:
        """The packet as these base chains see it.

        Without the addresses and ports that none of their rules asks for.
        """
        chain_ids = tuple(map(id, chains))
        unread = self._unread_places.get(chain_ids)
        if unread is None:
            unread = self._unread_places[chain_ids] = _places_not_read(self._fields_read(chains))
        field_values = list(msgspec.structs.astuple(packet))
        for place in unread:
            field_values[place] = None
        return tuple(field_values)

    def ask_for_state(self, chains: Sequence[Chain]) -> bool:
        """Whether a rule of these chains asks for conntrack's state, or for what follows from it.

        Chains that they lead to count too.
        """
        chain_ids = tuple(map(id, chains))
        answer = self._asks_for_state.get(chain_ids)
        if answer is None:
            answer = self._asks_for_state[chain_ids] = bool(
                self._fields_read(chains) & {"state", "status", "syn"}
            )
        return answer

    @functools.cached_property
    def _asks_for_state(self) -> dict[tuple[int, ...], bool]:
        return {}

    def _fields_read(self, chains: Sequence[Chain]) -> set[Field]:
        """The fields that the rules of these chains, and of those that they lead to, ask for."""
        fields: set[Field] = set()
        waiting = list(chains)
        visited = set()
        while waiting:
            chain = waiting.pop()
            if id(chain) in visited:
                continue
            visited.add(id(chain))
            for rule in chain.rules:
                for condition in rule.conditions:
                    fields |= _fields_of(condition)
                fields |= _fields_of_choice(rule.action)
                for name in _leads_to(rule.action):
                    entered = self.chain(chain.table, name)
                    if entered is not None:
                        waiting.append(entered)
        return fields

    @functools.cached_property
    def uses_devices(self) -> bool:
        """Whether any chain is on the ingress or egress of an interface."""
        return any(chain.devices for chain in self.chains)

    @functools.cached_property
    def uses_bridges(self) -> bool:
        """Whether any chain of the family bridge is on a hook."""
        return any(
            chain.table.family == "bridge" and chain.hook is not None for chain in self.chains
        )


_READ_BY: Mapping[str, frozenset[Field]] = MappingProxyType(
    {
        "src": frozenset({"src", "orig_src", "repl_src", "repl_dst"}),
        "dst": frozenset({"dst", "orig_dst", "repl_src", "repl_dst"}),
        "sport": frozenset({"sport", "orig_sport", "repl_sport", "repl_dport"}),
        "dport": frozenset({"dport", "orig_dport", "repl_sport", "repl_dport"}),
        "orig_src": frozenset({"orig_src"}),
        "orig_dst": frozenset({"orig_dst"}),
        "orig_sport": frozenset({"orig_sport"}),
        "orig_dport": frozenset({"orig_dport"}),
    }
)
"""The fields of conditions that look at an address or a port of a packet."""


def _places_not_read(read: set[Field]) -> tuple[int, ...]:
    return tuple(
        Packet.__struct_fields__.index(name)
        for name, fields in _READ_BY.items()
        if not fields & read
    )


def _fields_of(condition: Condition) -> set[Field]:
    match condition:
        case Match(fields):
            return set(fields)
        case AnyOf(conditions):
            return {field for condition in conditions for field in condition.fields}
    return set()


def _leads_to(action: Action | None) -> list[str]:
    """The chains that an action may lead to."""
    match action:
        case Enter(chain):
            return [chain]
        case Choose(_, entries):
            return [name for _, chosen in entries for name in _leads_to(chosen)]
    return []


def _fields_of_choice(action: Action | None) -> set[Field]:
    """The fields by which an action chooses another one, which may choose too."""
    if not isinstance(action, Choose):
        return set()
    return set(action.fields).union(*(_fields_of_choice(chosen) for _, chosen in action.entries))


def _place(chain: Chain) -> tuple[int, int]:
    """The position of a base chain on its hook, to sort by.

    The kernel runs all chains of type nat at one priority, in the order of their own priorities.
    """
    if chain.kind != "nat":
        return chain.priority, 0
    return (-100 if chain.hook in ("prerouting", "output") else 100), chain.priority
