"""The packets of a connection: its first one, and the answer to one that has arrived."""

from __future__ import annotations

import functools
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from diagnose.firewall.flow import EPHEMERAL
from diagnose.firewall.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.firewall.flow import Flow
    from diagnose.firewall.network_stack import NetworkStack
    from diagnose.firewall.packet import Field

Possible = tuple[tuple["Field", tuple[int, ...]], ...]
"""The numbers that fields left open may have, as `Packet.possible` holds them."""

_OPPOSITE: Mapping[Field, Field] = {"src": "dst", "dst": "src", "sport": "dport", "dport": "sport"}
"""What a field of a packet is in the reply to it."""

_ORIGINAL = ("orig_src", "orig_dst", "orig_sport", "orig_dport")
"""The fields of the connection's first packet, before it was translated."""

_ECHO_REPLY: Mapping[int, int] = {8 << 8: 0, 128 << 8: 129 << 8}
"""The ICMP type and code of the answer to a ping, over IPv4 and IPv6."""


def first_packet(stack: NetworkStack, flow: Flow) -> Packet:
    """The packet that opens a connection, as it leaves its origin."""
    origin = flow.origin
    src, possible = _one_or_several(origin.src)
    by_host = not origin.device
    return Packet(
        iif=origin.device,
        oif="",
        src=src,
        dst=flow.dst,
        proto=flow.proto,
        sport=None if flow.proto == "icmp" else EPHEMERAL,
        dport=flow.dport,
        family=flow.family,
        icmp=flow.icmp,
        dst_local=stack.is_local(flow.dst) if flow.dst else False,
        src_local=by_host,
        inner=stack.inner_nets,
        possible=possible,
        uid=origin.uid if by_host else -1,
        gid=None if by_host else -1,
        physin=origin.port or (None if stack.is_bridge(origin.device) else ""),
        brin="",
        reverse_path=True,
    )


def _one_or_several(src: str | tuple[str, ...] | None) -> tuple[str | None, Possible]:
    """The source address of a packet, or the numbers of the several that it may be."""
    if src is None or isinstance(src, str):
        return src, ()
    if len(src) == 1:
        return src[0], ()
    return None, (("src", _numbers(src)),)


@functools.lru_cache(256)
def _numbers(addresses: tuple[str, ...]) -> tuple[int, ...]:
    """The addresses as numbers: each port that is published is traced from the same ones."""
    return tuple(sorted(int(ip_address(address)) for address in addresses))


def reply_to(sent: Packet) -> Packet:
    """The answer to a packet as it arrived, before conntrack has undone anything.

    Where a rule kept the packet out of conntrack, the answer is the first that conntrack sees: it
    begins no TCP connection (nf_conntrack_proto_tcp.c).
    """
    ct_state = "new" if sent.proto != "tcp" else "invalid"
    return replace(
        sent,
        iif=sent.oif,
        oif="",
        src=sent.dst,
        dst=sent.src,
        sport=sent.dport,
        dport=sent.sport,
        state=ct_state if sent.state == "untracked" else "established",
        reply=True,
        mark=0,
        icmp=_ECHO_REPLY.get(sent.icmp) if sent.icmp is not None else None,
        orig_src=sent.orig_src or sent.src,
        orig_dst=sent.orig_dst or sent.dst,
        orig_sport=sent.orig_sport or sent.sport,
        orig_dport=sent.orig_dport or sent.dport,
        src_local=sent.dst_local,
        dst_local=sent.src_local,
        uid=-1,
        gid=-1,
        physin="",
        physout="",
        possible=_opposite(sent.possible),
    )


def restored(sent: Packet, arrived: Packet) -> dict[str, Any] | None:
    """The destination that conntrack restores in an answer.

    None unless the source of the request was translated.
    """
    if not arrived.snat:
        return None
    return {
        "dst": sent.src or arrived.orig_src,
        "dport": sent.sport,
        "possible": _opposite(sent.possible),
    }


def later_request(first: Packet, arrived: Packet) -> Packet:
    """A packet that the client sends after the answer to its first one, as a hook sees it.

    Behind conntrack's own place on the hook the packet has its translated destination already;
    before that place it has the original one.
    """
    known_translation = _translation(arrived, "dnat", *_ORIGINAL) if arrived.dnat else {}
    return replace(first, state="established", **known_translation)


def translated(arrived: Packet) -> dict[str, Any] | None:
    """The destination that conntrack gives each later packet of a request.

    None unless the destination of the first packet was translated.
    """
    return _translation(arrived, "dst", "dport", "dst_local") if arrived.dnat else None


def _translation(arrived: Packet, *fields: str) -> dict[str, Any]:
    return {field: getattr(arrived, field) for field in fields}


def _opposite(possible: Possible) -> Possible:
    return tuple((_OPPOSITE.get(field, field), numbers) for field, numbers in possible)


def one_of(field: Literal["src", "dst"], packet: Packet) -> str | None:
    """An address of the packet, or one of the possible ones: they lie in one subnet."""
    address = packet.src if field == "src" else packet.dst
    if address is not None or field not in packet.choices:
        return address
    number = packet.choices[field][0]
    return str(IPv4Address(number) if packet.family == "ip" else IPv6Address(number))
