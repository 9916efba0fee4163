"""A packet at one hook, and the fields that rules ask for."""

import functools
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Literal

import msgspec

from diagnose.firewall.kernel_numbers import (
    NF_ARP,
    NF_FAMILIES,
    PROTOCOLS,
    ROUTE_TYPES,
    STATES,
    STATUSES,
)
from diagnose.firewall.values import Nets

Hook = Literal["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"]

Family = Literal["ip", "ip6"]

Layer = Literal["inet", "bridge", "netdev", "arp"]
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
    "hop_limit",
    "repl_src",
    "repl_dst",
    "repl_sport",
    "repl_dport",
]
"""What a condition can look at. Addresses, ports, marks and protocols are numbers; `state` and
`status` are conntrack's bits; `src_type` and `dst_type` are the kernel's route types, with `_in`
and `_out` among the addresses of the interface that the packet came in by or leaves through;
`reverse_path` is 1 where the way back to the source leaves through the interface the packet came in
by; `syn` is 1 for the first packet of a TCP connection; `icmp` is type * 256 + code; `uid` and
`gid` are those of the sending process, -1 for a packet that no process of the host sends; `physin`
and `physout` are the ports of a bridge that a bridged packet passes, "" otherwise; `brin` and
`brout` are the bridges of those ports; `repl_` fields are what a reply carries; `pkttype` is the
kernel's (0: for this host); `hop_limit` is known of neighbour discovery alone, which has 255.
"""

_NEIGHBOUR_DISCOVERY = range(133, 138)
"""The ICMPv6 types of neighbour discovery: routers, neighbours, redirects."""


class Packet(msgspec.Struct, frozen=True, dict=True):
    """One packet at one hook.

    None is what the question leaves open, and a condition on it is neither true nor false.

    `state` is conntrack's (`new`, `established`, ...), `dnat` says that the connection's
    destination was translated, `orig_dst` and `orig_dport` are the destination before that.
    `dst_local` and `src_local` say whether the address is one of the host's own. `inner` are
    networks that an address left open is certainly not in; `possible` are the numbers that a field
    left open may have, in order, where they are known. `here_in` and `here_out` say whether the
    destination is an address of the interface that the packet came in by or leaves through. `uid`
    -1: no process of the host sends it.
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
    before_tracking: bool = False
    is_arp: bool = False
    """Whether it is a message of ARP, on the hook of a device, where IP passes too."""

    @functools.cached_property
    def choices(self) -> Mapping[Field, tuple[int, ...]]:
        """The numbers that each field left open may have, where they are known."""
        return dict(self.possible)

    @functools.cached_property
    def values(self) -> Mapping[Field, int | str | None]:
        """The values that conditions on fields compare with; `status` is asked bit by bit.

        Each is worked out when it is asked for.
        """
        return _Values(self)

    def status_bit(self, bit: int) -> bool | None:
        """Whether one bit of conntrack's status is set, where it is known."""
        bits: dict[int, bool | None] = {
            STATUSES["DNAT"]: self.dnat,
            STATUSES["SNAT"]: self.snat,
            STATUSES["SEEN_REPLY"]: None if self.state is None else self.state != "new",
            STATUSES["EXPECTED"]: None if self.state is None else self.state == "related",
            STATUSES["ASSURED"]: False if self.state == "new" else None,
            STATUSES["CONFIRMED"]: None if self.state is None else self.state != "new",
        }
        return bits.get(bit)


class _Values(dict[Field, "int | str | None"]):
    """The values of a packet's fields, those that were asked for."""

    def __init__(self, packet: Packet) -> None:
        super().__init__()
        self._packet = packet

    def __missing__(self, name: Field) -> int | str | None:
        value = self[name] = _READERS[name](self._packet)
        return value


def _may_be_translated(packet: Packet) -> bool:
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
    """The state bit as rules see it.

    A packet that conntrack has not seen yet, in chains before it, is "invalid" there (nft_ct.c,
    xt_conntrack.c: no entry, and not untracked).
    """
    if packet.before_tracking and packet.state != "untracked":
        return STATES["INVALID"]
    return None if packet.state is None else STATES[packet.state.upper()]


def _source_type_of_interface(packet: Packet) -> int | None:
    return None if packet.src_local else _route_type(local=packet.src_local)


@functools.lru_cache(maxsize=1 << 14)
def _number(address: str | None) -> int | None:
    return None if address is None else int(ip_address(address))


def _destination_type(packet: Packet) -> int | None:
    if packet.dst is not None and _is_multicast(packet.dst):
        return ROUTE_TYPES["MULTICAST"]
    return _route_type(local=packet.dst_local)


def _destination_type_of_interface(packet: Packet, *, is_here: bool | None) -> int | None:
    """The type of the destination for one interface: the host's other addresses are not local.

    is_here: whether the destination is an address of the interface.
    """
    type_on_host = _destination_type(packet)
    return _route_type(local=is_here) if type_on_host == ROUTE_TYPES["LOCAL"] else type_on_host


@functools.lru_cache(maxsize=1 << 14)
def _is_multicast(address: str) -> bool:
    return ip_address(address).is_multicast


def _reply_address(packet: Packet) -> int | None:
    """The address that the answers go to; None where the source is translated."""
    if packet.snat:
        return None
    return _number(packet.dst if packet.reply else packet.src)


def _reply_port(packet: Packet) -> int | None:
    """The port that the answers go to; None where the source is translated."""
    if packet.snat:
        return None
    return packet.dport if packet.reply else packet.sport


def _hop_limit(packet: Packet) -> int | None:
    """255 for neighbour discovery (RFC 4861, 7.1), which no router has forwarded."""
    is_icmp6 = packet.family == "ip6" and packet.proto == "icmp" and packet.icmp is not None
    return 255 if is_icmp6 and (packet.icmp or 0) >> 8 in _NEIGHBOUR_DISCOVERY else None


def _route_type(*, local: bool | None) -> int | None:
    if local is None:
        return None
    return ROUTE_TYPES["LOCAL"] if local else ROUTE_TYPES["UNICAST"]


_READERS: Mapping[Field, Callable[[Packet], int | str | None]] = MappingProxyType(
    {
        "iif": lambda packet: packet.iif,
        "oif": lambda packet: packet.oif,
        "src": lambda packet: _number(packet.src),
        "dst": lambda packet: _number(packet.dst),
        "proto": _protocol,
        "sport": lambda packet: packet.sport,
        "dport": lambda packet: packet.dport,
        "family": lambda packet: NF_ARP if packet.is_arp else NF_FAMILIES[packet.family],
        "state": _state,
        "status": lambda _: None,
        "direction": lambda packet: int(packet.reply),
        "mark": lambda packet: packet.mark,
        "ctmark": lambda packet: packet.ctmark,
        "src_type": lambda packet: _route_type(local=packet.src_local),
        "dst_type": _destination_type,
        "orig_src": lambda packet: _number(
            packet.orig_src if _may_be_translated(packet) else packet.src
        ),
        "orig_dst": lambda packet: _number(
            packet.orig_dst if _may_be_translated(packet) else packet.dst
        ),
        "orig_sport": lambda packet: (
            packet.orig_sport if _may_be_translated(packet) else packet.sport
        ),
        "orig_dport": lambda packet: (
            packet.orig_dport if _may_be_translated(packet) else packet.dport
        ),
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
        "dst_type_in": lambda packet: _destination_type_of_interface(
            packet, is_here=packet.here_in
        ),
        "src_type_out": _source_type_of_interface,
        "dst_type_out": lambda packet: _destination_type_of_interface(
            packet, is_here=packet.here_out
        ),
        "pkttype": lambda _: 0,
        "tos": lambda _: 0,
        "mac": lambda _: None,
        "hop_limit": _hop_limit,
        "repl_src": lambda packet: _number(packet.src if packet.reply else packet.dst),
        "repl_dst": _reply_address,
        "repl_sport": lambda packet: packet.sport if packet.reply else packet.dport,
        "repl_dport": _reply_port,
    }
)
