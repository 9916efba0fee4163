"""The model of a ruleset: tables, chains, rules, conditions on a packet, and what a matching rule does."""

from __future__ import annotations

import functools
from bisect import bisect_right
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Backend = Literal["nft", "legacy"]
Hook = Literal["ingress", "prerouting", "input", "forward", "output", "postrouting"]
Family = Literal["ip", "ip6"]
Outcome = Literal["accept", "drop", "reject", "unknown"]

Field = Literal[
    "iif",
    "oif",
    "src",
    "dst",
    "proto",
    "sport",
    "dport",
    "family",
    "state",
    "status",
    "direction",
    "mark",
    "ctmark",
    "src_type",
    "dst_type",
    "orig_src",
    "orig_dst",
    "orig_sport",
    "orig_dport",
    "reverse_path",
    "syn",
]
"""What a condition can look at. Addresses, ports, marks and protocols are numbers; `state` and `status` are
conntrack's bits; `src_type` and `dst_type` are the kernel's route types; `reverse_path` is 1 where the way
back to the source leaves through the interface the packet came in by; `syn` is 1 for the first packet of a
TCP connection.
"""

PROTOCOLS: Mapping[str, int] = MappingProxyType(
    {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "ipv6-icmp": 58, "sctp": 132}
)
STATES: Mapping[str, int] = MappingProxyType({"INVALID": 1, "ESTABLISHED": 2, "RELATED": 4, "NEW": 8, "UNTRACKED": 64})
"""Bits of conntrack's state, as nftables' `ct state` holds them."""
STATUSES: Mapping[str, int] = MappingProxyType(
    {"EXPECTED": 1, "SEEN_REPLY": 2, "ASSURED": 4, "CONFIRMED": 8, "SNAT": 16, "DNAT": 32}
)
ROUTE_TYPES: Mapping[str, int] = MappingProxyType(
    {
        "UNSPEC": 0,
        "UNICAST": 1,
        "LOCAL": 2,
        "BROADCAST": 3,
        "ANYCAST": 4,
        "MULTICAST": 5,
        "BLACKHOLE": 6,
        "UNREACHABLE": 7,
        "PROHIBIT": 8,
    }
)
"""Route types of `uapi/linux/rtnetlink.h`; an address of the host itself is LOCAL."""
TCP_FLAGS: Mapping[str, int] = MappingProxyType({"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32})
NF_FAMILIES: Mapping[str, int] = MappingProxyType({"ip": 2, "ip6": 10})


class Packet(msgspec.Struct, frozen=True, dict=True):
    """One packet at one hook; None is what the question leaves open, and a condition on it is neither true
    nor false.

    `state` is conntrack's (`new`, `established`, ...), `dnat` says that the connection's destination was
    translated, `orig_dst` and `orig_dport` are the destination before that. `dst_local` and `src_local` say
    whether the address is one of the host's own. `inner` are networks that an address left open is surely not in.
    """

    iif: str | None
    oif: str | None
    src: str | None
    dst: str | None
    proto: Literal["tcp", "udp", "icmp"] = "tcp"
    sport: int | None = None
    dport: int | None = None
    family: Family = "ip"
    state: str | None = "new"
    reply: bool = False
    dnat: bool | None = False
    snat: bool | None = False
    mark: int | None = 0
    ctmark: int | None = 0
    dst_local: bool | None = None
    src_local: bool | None = None
    orig_src: str | None = None
    orig_dst: str | None = None
    orig_sport: int | None = None
    orig_dport: int | None = None
    reverse_path: bool | None = True
    inner: tuple[Interval, ...] = ()

    @functools.cached_property
    def values(self) -> Mapping[Field, int | str | None]:
        """What a condition on a field compares with; `status` is asked bit by bit."""
        moved = self.reply or self.dnat or self.snat
        proto = "icmpv6" if self.proto == "icmp" and self.family == "ip6" else self.proto
        return {
            "iif": self.iif,
            "oif": self.oif,
            "src": _number(self.src),
            "dst": _number(self.dst),
            "proto": PROTOCOLS[proto],
            "sport": self.sport,
            "dport": self.dport,
            "family": NF_FAMILIES[self.family],
            "state": None if self.state is None else STATES[self.state.upper()],
            "status": None,
            "direction": int(self.reply),
            "mark": self.mark,
            "ctmark": self.ctmark,
            "src_type": _route_type(self.src_local),
            "dst_type": _route_type(self.dst_local),
            "orig_src": _number(self.orig_src if moved else self.src),
            "orig_dst": _number(self.orig_dst if moved else self.dst),
            "orig_sport": self.orig_sport if moved else self.sport,
            "orig_dport": self.orig_dport if moved else self.dport,
            "reverse_path": None if self.reverse_path is None else int(self.reverse_path),
            "syn": int(self.state == "new" and self.proto == "tcp"),
        }

    def status_bit(self, bit: int) -> bool | None:
        """Whether one bit of conntrack's status is set, where it is known."""
        known: dict[int, bool | None] = {
            STATUSES["DNAT"]: self.dnat,
            STATUSES["SNAT"]: self.snat,
            STATUSES["SEEN_REPLY"]: None if self.state is None else self.state != "new",
        }
        return known.get(bit)


def _number(address: str | None) -> int | None:
    return None if address is None else int(ip_address(address))


def _route_type(local: bool | None) -> int | None:
    return None if local is None else ROUTE_TYPES["LOCAL" if local else "UNICAST"]


class Interval(msgspec.Struct, frozen=True):
    """Numbers from `low` to `high`, both included."""

    low: int
    high: int


class Masked(msgspec.Struct, frozen=True):
    """Numbers whose bits under `mask` equal `value`; with `any_bit`, those that share a bit with `mask`."""

    mask: int
    value: int = 0
    any_bit: bool = False


class Name(msgspec.Struct, frozen=True):
    """An interface name, or with `prefix` every name that begins so."""

    text: str
    prefix: bool = False


class Several(msgspec.Struct, frozen=True):
    """Numbers in one of many intervals, as a block list holds: they lie in order and apart, so that a look is quick."""

    lows: tuple[int, ...]
    highs: tuple[int, ...]

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_right(self.lows, number) - 1
        return at >= 0 and number <= self.highs[at]


Value = Interval | Masked | Name | Several


class Match(msgspec.Struct, frozen=True):
    """A condition: the packet's `fields` together are one of `among`, or with `negate` none of them."""

    fields: tuple[Field, ...]
    among: tuple[tuple[Value, ...], ...]
    negate: bool = False

    def holds(self, packet: Packet) -> bool | None:
        """True, false, or None where the packet leaves it open."""
        found = holds_any(self.fields, self.among, packet)
        return found if found is None else found != self.negate


class Unread(msgspec.Struct, frozen=True):
    """A condition or an effect that this model does not know: it may hold or not."""

    text: str


class Rare(msgspec.Struct, frozen=True):
    """A condition that a client's first packets never meet, with `negate` always: more connections, packets or hits than a
    limit allows (or no more), a text in the payload, a fragment.
    """

    text: str
    negate: bool = False

    def holds(self, _: Packet) -> bool:
        return self.negate


Condition = Match | Unread | Rare


def with_flags(mask: int, wanted: int) -> tuple[Value, ...]:
    """TCP flags under a mask as values of `syn`: of a connection's first packet it is 1, of those that follow 0. ValueError
    where they hold for some of those.
    """
    syn, ack = TCP_FLAGS["SYN"], TCP_FLAGS["ACK"]
    first, *later = (flags & mask == wanted for flags in (syn, syn | ack, ack))
    if later[0] != later[1]:
        raise ValueError("holds for some of the packets that follow")
    return tuple(Interval(value, value) for value, holds in ((1, first), (0, later[0])) if holds)


class Stop(msgspec.Struct, frozen=True):
    """The packet's way through this base chain ends."""

    outcome: Outcome


class Enter(msgspec.Struct, frozen=True):
    """The packet goes through another chain of the table, and with `back` comes back after it (a jump;
    otherwise a goto).
    """

    chain: str
    back: bool = True


class Leave(msgspec.Struct, frozen=True):
    """The packet goes back to the calling chain; in a base chain, to its policy."""


class Translate(msgspec.Struct, frozen=True):
    """The connection's address or port is rewritten; None is what stays or is the kernel's choice."""

    kind: Literal["dnat", "snat", "masquerade", "redirect"]
    address: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address and ":" in self.address and self.port else self.address or ""
        return f"{self.kind} {host}{f':{self.port}' if self.port else ''}".rstrip()


class Choose(msgspec.Struct, frozen=True):
    """A verdict map: the first entry that the packet's fields are in says what happens; none, and the rule
    does not match.
    """

    fields: tuple[Field, ...]
    entries: tuple[tuple[tuple[Value, ...], Action], ...]


class Maybe(msgspec.Struct, frozen=True):
    """An effect that this model does not know: it may end the packet's way or not."""

    text: str


Action = Stop | Enter | Leave | Translate | Choose | Maybe


class Assign(msgspec.Struct, frozen=True):
    """A field of the packet is set, to None where the value is not known."""

    field: Literal["mark", "ctmark", "state"]
    value: int | str | None


class Table(NamedTuple):
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


class Chain(msgspec.Struct, frozen=True):
    """A chain; a base chain has a hook, a priority, a type (`filter`, `nat`, `route`) and a policy."""

    table: Table
    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    priority: int = 0
    kind: str = "filter"
    policy: Literal["accept", "drop"] = "accept"


class Ruleset(msgspec.Struct, frozen=True, dict=True):
    """Every chain of the host's packet filter; `unread` names the parts that could not be looked at."""

    chains: tuple[Chain, ...] = ()
    unread: tuple[str, ...] = ()

    @functools.cached_property
    def _by_name(self) -> Mapping[tuple[Table, str], Chain]:
        return {(chain.table, chain.name): chain for chain in self.chains}

    @functools.cached_property
    def rules(self) -> int:
        """How many rules there are in all."""
        return sum(len(chain.rules) for chain in self.chains)

    def kind_of(self, address: str) -> frozenset[Value]:
        """The conditions on addresses that this one meets: no rule tells two addresses of one kind apart."""
        number = int(ip_address(address))
        return frozenset(value for value in self._address_values if _holds(value, number))

    @functools.cached_property
    def _address_values(self) -> frozenset[Value]:
        found: set[Value] = set()
        for chain in self.chains:
            for rule in chain.rules:
                for fields, values in _compared(rule):
                    found.update(value for name, value in zip(fields, values, strict=True) if name in _ADDRESSES)
        return frozenset(found)

    def chain(self, table: Table, name: str) -> Chain | None:
        """The chain of that name in that table."""
        return self._by_name.get((table, name))

    def base_chains(self, hook: Hook, family: Family) -> tuple[Chain, ...]:
        """The base chains that a routed packet of this family meets on this hook, in their order."""
        met = (c for c in self.chains if c.hook == hook and c.table.family in (family, "inet"))
        return tuple(sorted(met, key=lambda chain: chain.priority))


_ADDRESSES = frozenset({"src", "dst", "orig_src", "orig_dst"})


def _compared(rule: Rule) -> Iterator[tuple[tuple[Field, ...], tuple[Value, ...]]]:
    """Every tuple of values that a rule compares fields with."""
    for condition in rule.conditions:
        if isinstance(condition, Match):
            yield from ((condition.fields, values) for values in condition.among)
    if isinstance(rule.action, Choose):
        yield from ((rule.action.fields, values) for values, _ in rule.action.entries)


def holds_any(fields: tuple[Field, ...], among: tuple[tuple[Value, ...], ...], packet: Packet) -> bool | None:
    """Whether the packet's fields are one of the given tuples of values; None where it cannot be told."""
    unsure = False
    if len(fields) == 1:
        for (value,) in among:
            found = _is(fields[0], value, packet)
            if found:
                return True
            unsure = unsure or found is None
        return None if unsure else False
    for values in among:
        each = [_is(name, value, packet) for name, value in zip(fields, values, strict=True)]
        if all(each):
            return True
        unsure = unsure or False not in each
    return None if unsure else False


def _is(name: Field, value: Value, packet: Packet) -> bool | None:
    if name == "status" and isinstance(value, Masked):
        return _status(value, packet)
    actual = packet.values[name]
    if actual is None:
        return False if _is_inner(name, value, packet) else None
    return _holds(value, actual)


def _is_inner(name: Field, value: Value, packet: Packet) -> bool:
    """Whether a condition on an address that is left open speaks of a network that it is surely not in."""
    if name not in _ADDRESSES or not isinstance(value, Interval | Several):
        return False
    spans = [(value.low, value.high)] if isinstance(value, Interval) else zip(value.lows, value.highs, strict=True)
    return all(any(inner.low <= low and high <= inner.high for inner in packet.inner) for low, high in spans)


def _holds(value: Value, actual: int | str) -> bool:
    match value:
        case Interval(low, high):
            return isinstance(actual, int) and low <= actual <= high
        case Masked(mask, wanted, any_bit):
            if not isinstance(actual, int):
                return False
            return bool(actual & mask) if any_bit else actual & mask == wanted
        case Several():
            return actual in value
        case Name(text, prefix):
            return isinstance(actual, str) and (actual.startswith(text) if prefix else actual == text)


def _status(value: Masked, packet: Packet) -> bool | None:
    bits = [1 << shift for shift in range(value.mask.bit_length()) if value.mask >> shift & 1]
    if value.any_bit:
        each = [packet.status_bit(bit) for bit in bits]
        return True if True in each else None if None in each else False
    each = [None if (is_set := packet.status_bit(bit)) is None else is_set == bool(value.value & bit) for bit in bits]
    return False if False in each else None if None in each else True
