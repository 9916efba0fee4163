"""The registers of an nftables rule.

The names of a packet's fields, and the values they are compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from diagnose.firewall.kernel_numbers import NF_ARP, NF_FAMILIES
from diagnose.firewall.values import Interval, Masked, Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.firewall.packet import Field
    from diagnose.firewall.values import Value

Order = Literal["big", "little"]

_NAME_BYTES = 16
_FIB_SOURCE = 0x1
_FIB_DESTINATION = 0x2
_FIB_BY_INPUT = 0x8
_FIB_BY_OUTPUT = 0x10
_PRESENT = 0x20
"""NFTA_FIB_F_*: which address is looked up, by which interface, and whether only its presence is
asked for."""
_FIB_INTERFACE = (1, 2)
_FIB_ADDRESS_TYPE = 3
"""NFT_FIB_RESULT_*: an interface by its index or its name, or the type of an address."""
ETHERTYPES = {0x0800: NF_FAMILIES["ip"], 0x86DD: NF_FAMILIES["ip6"]}
_ARP = {0x0806: NF_ARP}
"""What no rule about addresses of IP is about."""
_META: Mapping[int, tuple[Field, int]] = {
    3: ("mark", 4),
    10: ("uid", 4),
    11: ("gid", 4),
    15: ("family", 1),
    16: ("proto", 1),
    19: ("pkttype", 1),
}
"""What a key of `meta` loads, and how many bytes that has."""
_META_PROTOCOL = 1
_META_LINKS = (8, 9)
"""The kinds of the interfaces (iiftype, oiftype)."""
_META_INDEXES: Mapping[int, Field] = {4: "iif", 5: "oif"}
_META_NAMES: Mapping[int, Field] = {6: "iif", 7: "oif", 17: "brin", 18: "brout"}
"""Keys of `meta` that load the name of an interface."""
_META_GROUPS: Mapping[int, tuple[Field, str]] = {21: ("iif", "iifgroup"), 22: ("oif", "oifgroup")}
_CT: Mapping[int, tuple[Field, int]] = {
    0: ("state", 4),
    1: ("direction", 1),
    2: ("status", 4),
    3: ("ctmark", 4),
    7: ("family", 1),
    10: ("proto", 1),
}
"""What a key of `ct` loads, and how many bytes that has."""
_CT_ORIGINAL: Mapping[int, tuple[Field, int]] = {
    11: ("orig_sport", 2),
    12: ("orig_dport", 2),
    0x13: ("orig_src", 4),
    0x14: ("orig_dst", 4),
    0x15: ("orig_src", 16),
    0x16: ("orig_dst", 16),
}
"""Keys of `ct` about one direction of the connection, read for the original one."""
_NETWORK_HEADER: Mapping[int, Mapping[int, tuple[Field, int]]] = {
    NF_FAMILIES["ip"]: {9: ("proto", 1), 12: ("src", 4), 16: ("dst", 4)},
    NF_FAMILIES["ip6"]: {6: ("proto", 1), 7: ("hop_limit", 1), 8: ("src", 16), 24: ("dst", 16)},
}
_TRANSPORT_HEADER: Mapping[int, tuple[Field, int]] = {0: ("sport", 2), 2: ("dport", 2)}
_TCP = 6
_ICMP = (1, 58)
"""ICMP and ICMPv6, whose header begins with the type and the code."""
TRANSPORTS = (_TCP, 17, 132, 136, 33)
"""Protocols whose header begins with the two ports."""


class Registers(Protocol):
    """The state of a rule that a load depends on.

    The machine's byte order, the network and the transport protocol.
    """

    order: Order
    family: int | None
    proto: int | None


class Part(msgspec.Struct, frozen=True):
    """Bytes of a register: the head of a field, or of something unknown."""

    field: Field | None
    width: int
    full: int
    order: Order = "big"
    kind: Literal["number", "name", "index", "group", "ethertype", "route", "flags", "link"] = (
        "number"
    )
    mask: int | None = None
    label: str = ""


def unknown(width: int, label: str) -> Part:
    """Bytes of something that this model does not know; the label says what."""
    return Part(None, width, width, label=label)


def load_meta(expression: Mapping[str, Any], state: Registers) -> list[Part]:
    """The parts that `meta` loads: interfaces, protocols, the mark."""
    key = expression["key"]
    if key in _META_NAMES:
        return [Part(_META_NAMES[key], _NAME_BYTES, _NAME_BYTES, kind="name")]
    if key in _META_INDEXES:
        return [Part(_META_INDEXES[key], 4, 4, state.order, "index")]
    if key in _META_GROUPS:
        name, label = _META_GROUPS[key]
        return [Part(name, 4, 4, state.order, "group", label=label)]
    if key in _META_LINKS:
        return [Part(None, 2, 2, state.order, "link", label=f"meta key {key}")]
    if key == _META_PROTOCOL:
        return [Part("family", 2, 2, kind="ethertype")]
    if key in _META:
        name, width = _META[key]
        return [Part(name, width, width, state.order)]
    return [unknown(4, f"meta key {key}")]


def load_ct(expression: Mapping[str, Any], state: Registers) -> list[Part]:
    """The parts that `ct` loads.

    Conntrack's state, status and mark, and the addresses and ports of the first packet.
    """
    key = expression["key"]
    direction = expression.get("direction")
    if key in _CT and direction is None:
        name, width = _CT[key]
        return [Part(name, width, width, state.order)]
    if key in _CT_ORIGINAL and direction == 0:
        name, width = _CT_ORIGINAL[key]
        return [Part(name, width, width)]
    if key in (8, 9) and direction == 0 and state.family in _NETWORK_HEADER:
        width = 4 if state.family == NF_FAMILIES["ip"] else 16
        return [Part("orig_src" if key == 8 else "orig_dst", width, width)]
    return [unknown(4, f"ct key {key}")]


def load_payload(expression: Mapping[str, Any], state: Registers) -> list[Part]:
    """The parts that `payload` loads.

    Nft joins neighbouring fields into one load, and cuts one to the bytes of a prefix.
    """
    base = expression["base"]
    offset = expression["offset"]
    length = expression["len"]
    if (base, offset, length, state.proto) == (2, 13, 1, _TCP):
        return [Part("syn", 1, 1, kind="flags")]
    if (base, offset) == (2, 0) and length <= 2 and state.proto in _ICMP:
        return [Part("icmp", length, 2)]
    if (base, offset, length) == (0, 12, 2):
        return [Part("family", 2, 2, kind="ethertype")]
    layout: Mapping[int, tuple[Field, int]] = {}
    if base == 1 and state.family is not None:
        layout = _NETWORK_HEADER[state.family]
    elif base == 2 and state.proto in TRANSPORTS:
        layout = _TRANSPORT_HEADER
    parts = []
    at = offset
    while at < offset + length:
        if at not in layout:
            return [unknown(length, f"payload {base}, {offset}, {length}")]
        name, full = layout[at]
        width = min(full, offset + length - at)
        parts.append(Part(name, width, full))
        at += width
    return parts


def load_fib(expression: Mapping[str, Any], state: Registers) -> list[Part]:
    """The parts that `fib` loads: the type of an address, or the interface of the way back to
    the source."""
    flags = expression["flags"]
    result = expression["result"]
    of_source = flags & _FIB_SOURCE
    of_destination = flags & _FIB_DESTINATION
    asks_by_interface = flags & (_FIB_BY_INPUT | _FIB_BY_OUTPUT)
    is_of_address = bool(of_source or of_destination)
    if result == _FIB_ADDRESS_TYPE and is_of_address and not asks_by_interface:
        return [Part("src_type" if of_source else "dst_type", 4, 4, state.order)]
    if result in _FIB_INTERFACE and of_source and flags & _FIB_BY_INPUT:
        kind: Literal["number", "route"] = "number" if flags & _PRESENT else "route"
        return [Part("reverse_path", 4, 4, state.order, kind)]
    return [unknown(4, "fib")]


def named(part: Part) -> Field:
    """The field of a part that has one. ValueError otherwise."""
    if part.field is None:
        raise ValueError(part.label)
    return part.field


def value_of(part: Part, data: bytes, interfaces: Mapping[int, str]) -> Value | None:
    """The values of a field that equal these bytes, None where that cannot be said."""
    if part.field is None:
        return None
    if part.kind == "name":
        # nft compares all 16 bytes, iptables a name with its NUL, both a prefix without one
        name = data.rstrip(b"\0").decode("utf-8", "backslashreplace")
        return Name(name, prefix=not data.endswith(b"\0"))
    number = int.from_bytes(data, part.order)
    match part.kind:
        case "index":
            interface = interfaces.get(number)
            return None if interface is None else Name(interface)
        case "group":
            return None
        case "ethertype":
            family = {**ETHERTYPES, **_ARP}.get(number, 0)
            return Interval(family, family)
        case "route":
            return Interval(0, 0) if number == 0 else None
        case _:
            return _number(part, number)


def _number(part: Part, number: int) -> Value:
    hidden = 8 * (part.full - part.width)
    every_bit = (1 << 8 * part.full) - 1
    mask = (part.mask if part.mask is not None else (1 << 8 * part.width) - 1) << hidden
    free = every_bit ^ mask
    if free & (free + 1) == 0:
        return Interval(number << hidden, number << hidden | free)
    return Masked(mask, number << hidden)


def between(part: Part, low: bytes, high: bytes, interfaces: Mapping[int, str]) -> Value | None:
    """The values of a field from `low` to `high`, both included, None where that cannot be said."""
    if low == high:
        return value_of(part, low, interfaces)
    if part.kind == "name":
        start = low.rstrip(b"\0")
        whole = high == start.ljust(len(low), b"\xff")
        return Name(start.decode("utf-8", "backslashreplace"), prefix=True) if whole else None
    is_whole = part.mask is None and part.width == part.full
    if part.field is None or part.kind != "number" or not is_whole:
        return None
    return Interval(int.from_bytes(low, "big"), int.from_bytes(high, "big"))
