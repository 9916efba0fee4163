"""The model of a ruleset.

Tables, chains, rules, conditions on a packet, and what a matching rule does.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from diagnose.firewall.walk import PacketVerdict

Backend = Literal["nft", "legacy"]
Hook = Literal["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"]
Family = Literal["ip", "ip6"]
Layer = Literal["inet", "bridge", "netdev"]
"""Whose hooks a packet is on: IP's own, those of a bridge (bridged frames), or those of one device.
"""
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
    "icmp",
    "uid",
    "gid",
    "physin",
    "physout",
    "bridged",
    "brin",
    "brout",
    "src_type_in",
    "dst_type_in",
    "src_type_out",
    "dst_type_out",
    "pkttype",
    "tos",
    "mac",
    "repl_src",
    "repl_dst",
    "repl_sport",
    "repl_dport",
]
"""What a condition can look at. Addresses, ports, marks and protocols are numbers; `state` and
`status` are conntrack's bits; `src_type` and `dst_type` are the kernel's route types, with `_in`
and `_out` among the addresses of the interface that the packet came in by or leaves by;
`reverse_path` is 1 where the way back to the source leaves through the interface the packet came in
by; `syn` is 1 for the first packet of a TCP connection; `icmp` is type * 256 + code; `uid` and
`gid` are those of the sending process, -1 for a packet that no process of the host sends; `physin`
and `physout` are the ports of a bridge that a bridged packet passes, "" otherwise; `brin` and
`brout` are the bridges of those ports; `repl_` fields are what a reply carries; `pkttype` is the
kernel's (0: for this host).
"""

PROTOCOLS: Mapping[str, int] = MappingProxyType(
    {
        "ip": 0,
        "hopopt": 0,
        "icmp": 1,
        "igmp": 2,
        "ggp": 3,
        "ipencap": 4,
        "ipip": 4,
        "st": 5,
        "tcp": 6,
        "egp": 8,
        "igp": 9,
        "pup": 12,
        "udp": 17,
        "hmp": 20,
        "xns-idp": 22,
        "rdp": 27,
        "iso-tp4": 29,
        "dccp": 33,
        "xtp": 36,
        "ddp": 37,
        "idpr-cmtp": 38,
        "ipv6": 41,
        "ipv6-route": 43,
        "ipv6-frag": 44,
        "idrp": 45,
        "rsvp": 46,
        "gre": 47,
        "esp": 50,
        "ipv6-crypt": 50,
        "ah": 51,
        "ipv6-auth": 51,
        "skip": 57,
        "ipv6-icmp": 58,
        "icmpv6": 58,
        "icmp6": 58,
        "ipv6-nonxt": 59,
        "ipv6-opts": 60,
        "rspf": 73,
        "vmtp": 81,
        "eigrp": 88,
        "ospf": 89,
        "ospfigp": 89,
        "ax.25": 93,
        "etherip": 97,
        "encap": 98,
        "pim": 103,
        "ipcomp": 108,
        "vrrp": 112,
        "l2tp": 115,
        "isis": 124,
        "sctp": 132,
        "fc": 133,
        "mh": 135,
        "ipv6-mh": 135,
        "mobility-header": 135,
        "udplite": 136,
        "mpls-in-ip": 137,
        "manet": 138,
        "shim6": 139,
        "wesp": 141,
        "rohc": 142,
    }
)
"""Names as in Debian's /etc/protocols, with those that iptables knows by itself."""
STATES: Mapping[str, int] = MappingProxyType(
    {"INVALID": 1, "ESTABLISHED": 2, "RELATED": 4, "NEW": 8, "UNTRACKED": 64}
)
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
TCP_FLAGS: Mapping[str, int] = MappingProxyType(
    {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
)
NF_FAMILIES: Mapping[str, int] = MappingProxyType({"ip": 2, "ip6": 10})


class Packet(msgspec.Struct, frozen=True, dict=True):
    """One packet at one hook.

    None is what the question leaves open, and a condition on it is neither true nor false.

    `state` is conntrack's (`new`, `established`, ...), `dnat` says that the connection's
    destination was translated, `orig_dst` and `orig_dport` are the destination before that.
    `dst_local` and `src_local` say whether the address is one of the host's own. `inner` are
    networks that an address left open is certainly not in; `possible` are the numbers that a field
    left open may have, in order, where they are known. `here_in` and `here_out` say whether the
    destination is an address of the interface that the packet came in by or leaves by. `uid` -1: no
    process of the host sends it.
    """

    iif: str | None
    oif: str | None
    src: str | None
    dst: str | None
    proto: str = "tcp"
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
    inner: Nets | None = None
    possible: tuple[tuple[Field, tuple[int, ...]], ...] = ()
    icmp: int | None = None
    uid: int | None = -1
    gid: int | None = -1
    physin: str | None = ""
    physout: str | None = ""
    brin: str | None = ""
    brout: str | None = ""
    here_in: bool | None = None
    here_out: bool | None = None

    @functools.cached_property
    def choices(self) -> Mapping[Field, tuple[int, ...]]:
        """The numbers that each field left open may have, where they are known."""
        return dict(self.possible)

    @functools.cached_property
    def values(self) -> Mapping[Field, int | str | None]:
        """What a condition on a field compares with; `status` is asked bit by bit.

        Each is worked out when it is asked for.
        """
        return _Values(self)

    def status_bit(self, bit: int) -> bool | None:
        """Whether one bit of conntrack's status is set, where it is known."""
        known: dict[int, bool | None] = {
            STATUSES["DNAT"]: self.dnat,
            STATUSES["SNAT"]: self.snat,
            STATUSES["SEEN_REPLY"]: None if self.state is None else self.state != "new",
            STATUSES["EXPECTED"]: None if self.state is None else self.state == "related",
            STATUSES["ASSURED"]: False if self.state == "new" else None,
            STATUSES["CONFIRMED"]: None if self.state is None else self.state != "new",
        }
        return known.get(bit)


class _Values(dict[Field, "int | str | None"]):
    """The values of a packet's fields, those that were asked for."""

    def __init__(self, packet: Packet) -> None:
        super().__init__()
        self._packet = packet

    def __missing__(self, name: Field) -> int | str | None:
        value = self[name] = _READERS[name](self._packet)
        return value


def _moved(packet: Packet) -> bool:
    """Whether the addresses may differ from those of the connection's first packet."""
    return bool(packet.reply or packet.dnat or packet.snat)


def _protocol(packet: Packet) -> int:
    return PROTOCOLS[
        "icmpv6" if packet.proto == "icmp" and packet.family == "ip6" else packet.proto
    ]


def _is_bridged(packet: Packet) -> int | None:
    if packet.physin is None or packet.physout is None:
        return None
    return int(bool(packet.physin and packet.physout))


def _state(packet: Packet) -> int | None:
    return None if packet.state is None else STATES[packet.state.upper()]


def _source_type_of_interface(packet: Packet) -> int | None:
    return None if packet.src_local else _route_type(packet.src_local)


@functools.lru_cache(maxsize=1 << 14)
def _number(address: str | None) -> int | None:
    return None if address is None else int(ip_address(address))


def _route_type(local: bool | None) -> int | None:
    return None if local is None else ROUTE_TYPES["LOCAL" if local else "UNICAST"]


_READERS: Mapping[Field, Callable[[Packet], int | str | None]] = MappingProxyType(
    {
        "iif": lambda packet: packet.iif,
        "oif": lambda packet: packet.oif,
        "src": lambda packet: _number(packet.src),
        "dst": lambda packet: _number(packet.dst),
        "proto": _protocol,
        "sport": lambda packet: packet.sport,
        "dport": lambda packet: packet.dport,
        "family": lambda packet: NF_FAMILIES[packet.family],
        "state": _state,
        "status": lambda _: None,
        "direction": lambda packet: int(packet.reply),
        "mark": lambda packet: packet.mark,
        "ctmark": lambda packet: packet.ctmark,
        "src_type": lambda packet: _route_type(packet.src_local),
        "dst_type": lambda packet: _route_type(packet.dst_local),
        "orig_src": lambda packet: _number(packet.orig_src if _moved(packet) else packet.src),
        "orig_dst": lambda packet: _number(packet.orig_dst if _moved(packet) else packet.dst),
        "orig_sport": lambda packet: packet.orig_sport if _moved(packet) else packet.sport,
        "orig_dport": lambda packet: packet.orig_dport if _moved(packet) else packet.dport,
        "reverse_path": lambda packet: (
            None if packet.reverse_path is None else int(packet.reverse_path)
        ),
        "syn": lambda packet: int(packet.state == "new" and packet.proto == "tcp"),
        "icmp": lambda packet: packet.icmp,
        "uid": lambda packet: packet.uid,
        "gid": lambda packet: packet.gid,
        "physin": lambda packet: packet.physin,
        "physout": lambda packet: packet.physout,
        "bridged": _is_bridged,
        "brin": lambda packet: packet.brin,
        "brout": lambda packet: packet.brout,
        "src_type_in": _source_type_of_interface,
        "dst_type_in": lambda packet: _route_type(
            packet.here_in if packet.dst_local else packet.dst_local
        ),
        "src_type_out": _source_type_of_interface,
        "dst_type_out": lambda packet: _route_type(
            packet.here_out if packet.dst_local else packet.dst_local
        ),
        "pkttype": lambda _: 0,
        "tos": lambda _: 0,
        "mac": lambda _: None,
        "repl_src": lambda packet: _number(packet.src if packet.reply else packet.dst),
        "repl_dst": lambda packet: (
            None if packet.snat else _number(packet.dst if packet.reply else packet.src)
        ),
        "repl_sport": lambda packet: packet.sport if packet.reply else packet.dport,
        "repl_dport": lambda packet: (
            None if packet.snat else packet.dport if packet.reply else packet.sport
        ),
    }
)


class Nets:
    """Networks that an address left open is certainly not in.

    It remembers which conditions lie within them.
    """

    def __init__(self, spans: Iterable[Interval] = ()) -> None:
        self.spans = tuple(spans)
        self._covered: dict[Value, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.spans)

    def covers(self, value: Value) -> bool:
        """Whether all numbers of a condition are in these networks."""
        known = self._covered.get(value)
        if known is None:
            known = self._covered[value] = self._look(value)
        return known

    def _look(self, value: Value) -> bool:
        if isinstance(value, Interval):
            return self._holds(value.low, value.high)
        if isinstance(value, Several):
            return all(
                self._holds(low, high) for low, high in zip(value.lows, value.highs, strict=True)
            )
        return False

    def _holds(self, low: int, high: int) -> bool:
        return any(span.low <= low and high <= span.high for span in self.spans)


class Interval(msgspec.Struct, frozen=True):
    """Numbers from `low` to `high`, both included."""

    low: int
    high: int


class Masked(msgspec.Struct, frozen=True):
    """Numbers whose bits under `mask` equal `value`.

    With `any_bit`, those that share a bit with `mask`.
    """

    mask: int
    value: int = 0
    any_bit: bool = False


class Name(msgspec.Struct, frozen=True):
    """An interface name, or with `prefix` every name that begins so."""

    text: str
    prefix: bool = False


class Several(msgspec.Struct, frozen=True):
    """Numbers in one of many intervals, as a block list holds.

    They lie in order and apart, so that a look is quick.
    """

    lows: tuple[int, ...]
    highs: tuple[int, ...]

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_right(self.lows, number) - 1
        return at >= 0 and number <= self.highs[at]


Value = Interval | Masked | Name | Several


class Match(msgspec.Struct, frozen=True):
    """A condition: the packet's `fields` together are one of `among`.

    With `negate` they are none of them.
    """

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
    """A condition that a client's first packets never meet, with `negate` always.

    More connections, packets or hits than a limit allows (or no more), a text in the payload, a
    fragment.
    """

    text: str
    negate: bool = False

    def holds(self, _: Packet) -> bool:
        return self.negate


class AnyOf(msgspec.Struct, frozen=True):
    """A condition that holds where one of several does, or with `negate` where none does."""

    conditions: tuple[Match, ...]
    negate: bool = False

    def holds(self, packet: Packet) -> bool | None:
        """True, false, or None where the packet leaves it open."""
        answers = [condition.holds(packet) for condition in self.conditions]
        if True in answers:
            return not self.negate
        return None if None in answers else self.negate


Condition = Match | AnyOf | Unread | Rare


def with_flags(mask: int, wanted: int) -> tuple[Value, ...]:
    """TCP flags under a mask as values of `syn`.

    Of a connection's first packet it is 1, of those that follow 0. ValueError where they hold
    for some of those.
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
    """The packet goes through another chain of the table.

    With `back` it comes back after it (a jump; otherwise a goto).
    """

    chain: str
    back: bool = True


class Leave(msgspec.Struct, frozen=True):
    """The packet goes back to the calling chain; in a base chain, to its policy."""


class Translate(msgspec.Struct, frozen=True):
    """The connection's address or port is rewritten.

    None is what stays or is the kernel's choice.
    """

    kind: Literal["dnat", "snat", "masquerade", "redirect"]
    address: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        if self.address and ":" in self.address and self.port:
            host = f"[{self.address}]"
        else:
            host = self.address or ""
        return f"{self.kind} {host}{f':{self.port}' if self.port else ''}".rstrip()


class Choose(msgspec.Struct, frozen=True):
    """A verdict map: the first entry that the packet's fields are in says what happens.

    None, and the rule does not match.
    """

    fields: tuple[Field, ...]
    entries: tuple[tuple[tuple[Value, ...], Action], ...]


class Maybe(msgspec.Struct, frozen=True):
    """An effect that this model does not know: it may end the packet's way or not."""

    text: str


Action = Stop | Enter | Leave | Translate | Choose | Maybe


_ALL_BITS = 0xFFFFFFFF


class Assign(msgspec.Struct, frozen=True):
    """A field of the packet is set, to None where the value is not known.

    With `source` the value is another mark's, cut to `source_mask`. `keep` are the bits of a mark
    that stay; the value is joined to them by exclusive or.
    """

    field: Literal["mark", "ctmark", "state"]
    value: int | str | None
    source: Literal["mark", "ctmark"] | None = None
    source_mask: int = _ALL_BITS
    keep: int = 0

    def of(self, packet: Packet) -> int | str | None:
        """What the field holds afterwards."""
        value = self.value
        if self.source is not None:
            mark = packet.mark if self.source == "mark" else packet.ctmark
            value = None if mark is None else mark & self.source_mask
        if self.field == "state" or not self.keep or not isinstance(value, int):
            return value
        before = packet.mark if self.field == "mark" else packet.ctmark
        return None if before is None else (before & self.keep) ^ value


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
        found = list(self._always)
        values = packet.values
        for name in self._values:
            value = values[name]
            if value is not None:
                found += self._of(name, value)
            elif name in packet.choices:
                found += {
                    position
                    for number in packet.choices[name]
                    for position in self._of(name, number)
                }
            else:
                found += self._open(name, packet.inner)
        found.sort()
        return found

    def _of(self, name: Field, value: int | str) -> Sequence[int]:
        exact = self._by_field.get(name)
        found = exact.get(value, ()) if exact is not None else ()
        by_bits = self._by_network.get(name)
        if by_bits is None or not isinstance(value, int):
            return found
        return [
            *found,
            *(
                position
                for bits, networks in by_bits.items()
                for position in networks.get(value >> bits, ())
            ),
        ]

    def _open(self, name: Field, inner: Nets | None) -> list[int]:
        """The rules that a field left open may meet.

        With an address outside of some networks, not those about an address in them.
        """
        if name not in _ADDRESSES or inner is None:
            return [position for _, position in self._values[name]]
        key = (name, id(inner))
        if key not in self._outside:
            self._outside[key] = [
                position for value, position in self._values[name] if not inner.covers(value)
            ]
        return self._outside[key]


def _network_bits(value: Interval) -> int | None:
    """How many bits of the addresses of a network are free; None for a range that is no network."""
    size = value.high - value.low + 1
    return size.bit_length() - 1 if size & (size - 1) == 0 and value.low % size == 0 else None


def _needs(rule: Rule) -> dict[Field, Value]:
    """The fields by which a rule can be found.

    Each with the one value, name or network that it asks for.
    """
    needed: dict[Field, Value] = {}
    for condition in rule.conditions:
        if not isinstance(condition, Match) or condition.negate or len(condition.fields) != 1:
            continue
        name, value = (
            condition.fields[0],
            condition.among[0][0] if len(condition.among) == 1 else None,
        )
        if name not in _SELECTIVE or value is None:
            continue
        is_name = isinstance(value, Name) and not value.prefix
        is_number = isinstance(value, Interval) and value.low == value.high
        is_network = (
            isinstance(value, Interval) and name in _ADDRESSES and _network_bits(value) is not None
        )
        if is_name or is_number or is_network:
            needed[name] = value
    return needed


class Ruleset(msgspec.Struct, frozen=True, dict=True):
    """Every chain of the host's packet filter.

    `unread` names the parts that could not be looked at.
    """

    chains: tuple[Chain, ...] = ()
    unread: tuple[str, ...] = ()

    @functools.cached_property
    def _by_name(self) -> Mapping[tuple[Table, str], Chain]:
        return {(chain.table, chain.name): chain for chain in self.chains}

    @functools.cached_property
    def rules(self) -> int:
        """How many rules there are in all."""
        return sum(len(chain.rules) for chain in self.chains)

    def chain(self, table: Table, name: str) -> Chain | None:
        """The chain of that name in that table."""
        return self._by_name.get((table, name))

    @functools.cached_property
    def _on_hooks(self) -> dict[tuple[Hook, str], tuple[Chain, ...]]:
        return {}

    def base_chains(self, hook: Hook, family: str) -> tuple[Chain, ...]:
        """The base chains that a packet meets on this hook, in their order.

        Of the families ip and ip6 (with inet's), or of bridge.
        """
        known = self._on_hooks.get((hook, family))
        if known is None:
            families = (family, "inet") if family in NF_FAMILIES else (family,)
            met = (
                chain
                for chain in self.chains
                if chain.hook == hook and chain.table.family in families
            )
            known = self._on_hooks[hook, family] = tuple(sorted(met, key=_place))
        return known

    def device_chains(self, hook: Hook, device: str) -> tuple[Chain, ...]:
        """The base chains of netdev and inet on the ingress or egress of one interface.

        In their order.
        """
        met = [chain for chain in self.chains if chain.hook == hook and device in chain.devices]
        return tuple(sorted(met, key=lambda chain: chain.priority))

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
        where = tuple(map(id, chains))
        unread = self._unread_places.get(where)
        if unread is None:
            unread = self._unread_places[where] = _places_not_read(self._fields_read(chains))
        seen = list(msgspec.structs.astuple(packet))
        for place in unread:
            seen[place] = None
        return tuple(seen)

    def _fields_read(self, chains: Sequence[Chain]) -> set[Field]:
        """The fields that the rules of these chains, and of those that they lead to, ask for."""
        read: set[Field] = set()
        waiting, seen = list(chains), set()
        while waiting:
            chain = waiting.pop()
            if id(chain) in seen:
                continue
            seen.add(id(chain))
            for rule in chain.rules:
                for condition in rule.conditions:
                    read |= _fields_of(condition)
                for name in _leads_to(rule.action, read):
                    entered = self.chain(chain.table, name)
                    waiting += [entered] if entered is not None else []
        return read

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


def _leads_to(action: Action | None, read: set[Field]) -> list[str]:
    """The chains that an action may lead to; the fields that it chooses by are added."""
    match action:
        case Enter(chain):
            return [chain]
        case Choose(fields, entries):
            read |= set(fields)
            return [name for _, chosen in entries for name in _leads_to(chosen, read)]
    return []


def _place(chain: Chain) -> tuple[int, int]:
    """Where a base chain stands on its hook.

    The kernel runs all chains of type nat at one priority, in the order of their own.
    """
    if chain.kind != "nat":
        return chain.priority, 0
    return (-100 if chain.hook in ("prerouting", "output") else 100), chain.priority


_ADDRESSES = frozenset({"src", "dst", "orig_src", "orig_dst"})


def holds_any(
    fields: tuple[Field, ...], among: tuple[tuple[Value, ...], ...], packet: Packet
) -> bool | None:
    """Whether the packet's fields are one of the given tuples of values.

    None where it is not known.
    """
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
        if name in packet.choices:
            return _among_choices(value, packet.choices[name])
        return False if _is_inner(name, value, packet) else None
    return _holds(value, actual)


def _among_choices(value: Value, choices: tuple[int, ...]) -> bool | None:
    """Whether the numbers that a field may have meet a condition.

    All, none (False) or some (None).
    """
    if isinstance(value, Interval):
        met = bisect_right(choices, value.high) - bisect_left(choices, value.low)
    else:
        met = sum(_holds(value, number) for number in choices)
    if not met:
        return False
    return True if met == len(choices) else None


def _is_inner(name: Field, value: Value, packet: Packet) -> bool:
    """Whether a condition is about a network that an open address is certainly not in."""
    return packet.inner is not None and name in _ADDRESSES and packet.inner.covers(value)


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
            return isinstance(actual, str) and (
                actual.startswith(text) if prefix else actual == text
            )


def _status(value: Masked, packet: Packet) -> bool | None:
    bits = [1 << shift for shift in range(value.mask.bit_length()) if value.mask >> shift & 1]
    if value.any_bit:
        each = [packet.status_bit(bit) for bit in bits]
        return True if True in each else None if None in each else False
    each = [
        None if (is_set := packet.status_bit(bit)) is None else is_set == bool(value.value & bit)
        for bit in bits
    ]
    return False if False in each else None if None in each else True
