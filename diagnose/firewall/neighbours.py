"""Neighbour discovery of IPv6 on one link, walked through the packet filter.

Without it nobody on the link knows whom to send a packet to: it is to IPv6 what ARP is to IPv4,
and unlike ARP it meets ip6tables. A question goes to a multicast address, the answer to the one who
asked; conntrack leaves both alone, so that no rule for established connections accepts them
(nf_conntrack_proto_icmpv6.c).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from diagnose.firewall.flow import Obstacle
from diagnose.firewall.packet import Packet
from diagnose.firewall.verdict import Step
from diagnose.firewall.walk import walk

if TYPE_CHECKING:
    from diagnose.firewall.network_stack import NetworkStack
    from diagnose.firewall.packet import Hook, Layer

Message = Literal["neighbour solicitation", "neighbour advertisement"]

SOLICITATION = 135 << 8
ADVERTISEMENT = 136 << 8
_SOLICITED_NODES = int(IPv6Address("ff02::1:ff00:0"))
_LOW_BITS = (1 << 24) - 1
_UNKNOWN = Step(table="", chain="", rule="unknown")


class _Passage(msgspec.Struct, frozen=True):
    """The hooks that a message meets, in their order."""

    hooks: Sequence[tuple[Layer, Hook]]
    is_sent: bool = False
    """Whether the host itself sends the message."""


_TO_HOST = _Passage(
    (("bridge", "prerouting"), ("bridge", "input"), ("inet", "prerouting"), ("inet", "input"))
)
_FROM_HOST = _Passage(
    (("inet", "output"), ("inet", "postrouting"), ("bridge", "output"), ("bridge", "postrouting")),
    is_sent=True,
)
_ACROSS_BRIDGE = _Passage((("inet", "prerouting"), ("inet", "forward"), ("inet", "postrouting")))
"""Between two ports of a bridge."""


class Undelivered(msgspec.Struct, frozen=True):
    """A message of neighbour discovery that does not arrive, or of which that is not known."""

    message: Message
    sender: str
    """The machine that sends the message."""
    obstacle: Obstacle
    is_certain: bool
    """Whether it is certainly dropped."""


class NeighbourPair(msgspec.Struct, frozen=True):
    """Two neighbours on one interface of the host: the host itself, or a container, and a peer."""

    device: str
    own: str
    peer: str


def solicited_node(address: str) -> str:
    """The multicast address at which the owner of an address is asked for (RFC 4291, 2.7.1)."""
    return str(IPv6Address(_SOLICITED_NODES | int(IPv6Address(address)) & _LOW_BITS))


def between_host_and_peer(stack: NetworkStack, pair: NeighbourPair) -> Iterator[Undelivered]:
    """The messages that are lost between the host and a neighbour of one of its interfaces, both
    ways."""
    yield from asked_by_peer(stack, pair)
    yield from asked_by_host(stack, pair)


def asked_by_peer(stack: NetworkStack, pair: NeighbourPair) -> Iterator[Undelivered]:
    """The lost messages of an exchange that a peer begins: its question and the host's answer.

    The question tells the host who the peer is (RFC 4861, 7.2.3).
    """
    yield from _undelivered_messages(stack, pair, _question(pair.peer, pair.own), _TO_HOST)
    yield from _undelivered_messages(stack, pair, _answer(pair.own, pair.peer), _FROM_HOST)


def asked_by_host(stack: NetworkStack, pair: NeighbourPair) -> Iterator[Undelivered]:
    """The lost messages of an exchange that the host begins: its question and the peer's answer."""
    yield from _undelivered_messages(stack, pair, _question(pair.own, pair.peer), _FROM_HOST)
    yield from _undelivered_messages(stack, pair, _answer(pair.peer, pair.own), _TO_HOST)


def between_peers(stack: NetworkStack, pair: NeighbourPair) -> Iterator[Undelivered]:
    """The messages that are lost between two containers of one bridge, where br_netfilter shows
    them to rules."""
    if not stack.settings.bridge_filter6:
        return
    for packet in (_question(pair.own, pair.peer), _answer(pair.peer, pair.own)):
        frame = replace(
            packet, iif=pair.device, oif=pair.device, physin=None, physout=None, dst_local=False
        )
        yield from _lost_packet(stack, frame, _ACROSS_BRIDGE, pair.device)


def _undelivered_messages(
    stack: NetworkStack, pair: NeighbourPair, packet: Packet, passage: _Passage
) -> Iterator[Undelivered]:
    """A message that the host sends or gets by the interface of a pair, where it is lost."""
    on_interface = _packet_on(stack, pair.device, packet, passage)
    yield from _lost_packet(stack, on_interface, passage, pair.device)


def _packet_on(stack: NetworkStack, device: str, packet: Packet, passage: _Passage) -> Packet:
    """A packet that comes in by an interface of the host, or that the host sends by it."""
    if passage.is_sent:
        return replace(packet, iif="", oif=device, src_local=True, dst_local=False)
    interface = stack.by_name.get(device)
    is_bridge = interface is not None and (interface.kind == "bridge" or bool(interface.ports))
    physin = None if is_bridge else ""
    return replace(packet, iif=device, oif="", physin=physin, dst_local=True, here_in=True)


def _question(sender: str, address_asked: str) -> Packet:
    return _message(SOLICITATION, sender, solicited_node(address_asked))


def _answer(sender: str, asker: str) -> Packet:
    return _message(ADVERTISEMENT, sender, asker)


def _message(icmp: int, src: str, dst: str) -> Packet:
    """A message of neighbour discovery (ICMPv6), as the packet filter sees it."""
    return Packet(
        "",
        oif="",
        src=src,
        dst=dst,
        proto="icmp",
        sport=None,
        dport=None,
        family="ip6",
        state="untracked",
        icmp=icmp,
        src_local=False,
    )


def _lost_packet(
    stack: NetworkStack, packet: Packet, passage: _Passage, device: str
) -> Iterator[Undelivered]:
    """The first hook that drops a message of neighbour discovery, or may drop it, if one does."""
    ruleset = stack.ruleset
    for layer, hook in passage.hooks:
        if layer == "bridge":
            is_of_bridge = passage.is_sent or packet.physin != ""
            if not ruleset.uses_bridges or not is_of_bridge:
                continue
            frame = _as_frame(packet, device, passage)
        else:
            frame = _as_packet(packet, hook, device, passage)
        verdict = walk(ruleset, hook, frame, layer=layer)
        if verdict.outcome == "accept":
            continue
        message: Message = (
            "neighbour solicitation" if packet.icmp == SOLICITATION else "neighbour advertisement"
        )
        obstacle = Obstacle("rule", verdict.by or _UNKNOWN, "request", hook)
        yield Undelivered(message, packet.src or "", obstacle, verdict.is_blocked)
        return


def _as_packet(packet: Packet, hook: Hook, device: str, passage: _Passage) -> Packet:
    """A packet as IP's chains see it.

    A message of the host has its device from the beginning: ip6_output shows that as the one that
    it came in by.
    """
    if hook == "prerouting":
        return replace(packet, oif="")
    is_sent = passage.is_sent and hook == "postrouting"
    return replace(packet, iif=device) if is_sent else packet


def _as_frame(packet: Packet, device: str, passage: _Passage) -> Packet:
    """A packet as the chains of a bridge see it: its interfaces are the bridge's ports."""
    if passage.is_sent:
        return replace(packet, iif="", oif=None, brout=device)
    return replace(packet, iif=None, brin=device)
