"""The ways that a packet may take through one hook.

Where a condition is not understood, a packet may have matched or not: it goes on along two ways.
Ways that later rules cannot tell apart are one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from diagnose.firewall.packet import Outcome, Packet

if TYPE_CHECKING:
    from diagnose.firewall.actions import Assign, Translate
    from diagnose.firewall.verdict import Step


class WayState(msgspec.Struct, frozen=True):
    """The part of a way that later rules can see. Ways with equal states are merged."""

    packet: Packet
    nat: Translate | None = None
    nat_by: Step | None = None
    """The rule that translates."""


class Way(msgspec.Struct, frozen=True):
    """A packet's way through a chain so far.

    It holds its state, the jumps that it is in, the last rule that matched, and the first doubt.
    """

    state: WayState
    calls: tuple[Step, ...] = ()
    last: Step | None = None
    doubt: Step | None = None

    @property
    def path(self) -> tuple[Step, ...]:
        return self.calls if self.last is None else (*self.calls, self.last)

    @property
    def is_sure(self) -> bool:
        return self.doubt is None

    def with_packet(self, **changes: Any) -> Way:
        """The way with these fields of its packet changed."""
        packet = replace(self.state.packet, **changes)
        return replace(self, state=replace(self.state, packet=packet))


Decided = tuple[Outcome, Way]
"""A way that ends, and how."""


class WaysOut(msgspec.Struct, frozen=True):
    """The ways out of a rule or a chain."""

    decided: Sequence[Decided] = ()
    """The ways that end here."""
    through: Sequence[Way] = ()
    """The ways that go on behind the rule or chain."""
    returned: Sequence[Way] = ()
    """Those that go back to the chain that called, past the rest of this one."""


class BaseChainEnds(msgspec.Struct, frozen=True):
    """The ways that one base chain accepts, and those that it blocks or leaves unknown."""

    accepted: list[Way]
    stopped: list[Decided]


def assigned(packet: Packet, assigns: Iterable[Assign]) -> Packet:
    """The packet with the fields set that a rule assigns."""
    for assign in assigns:
        value: Any = assign.of(packet)
        match assign.field:
            case "mark":
                packet = replace(packet, mark=value)
            case "ctmark":
                packet = replace(packet, ctmark=value)
            case "state":
                packet = replace(packet, state=value)
    return packet


def translated(state: WayState, nat: Translate) -> WayState:
    """The state behind a rule that rewrites an address or port of the connection."""
    packet = replace(
        state.packet,
        orig_src=state.packet.orig_src or state.packet.src,
        orig_dst=state.packet.orig_dst or state.packet.dst,
        orig_sport=state.packet.orig_sport or state.packet.sport,
        orig_dport=state.packet.orig_dport or state.packet.dport,
    )
    port = nat.port or packet.dport
    match nat.kind:
        case "dnat":
            changed = replace(
                packet, dst=nat.address or packet.dst, dport=port, dst_local=None, dnat=True
            )
        case "redirect":
            changed = replace(packet, dst=None, dport=port, dst_local=True, dnat=True)
        case "snat" | "masquerade":
            possible = tuple(choice for choice in packet.possible if choice[0] != "src")
            # over lo the kernel may choose the source that the packet has, which is not a
            # translation
            is_sure = nat.kind == "snat" or packet.oif != "lo"
            changed = replace(
                packet,
                src=nat.address,
                sport=None,
                src_local=True,
                snat=True if is_sure else None,
                possible=possible,
            )
    return WayState(changed, nat)


def merged(ways: list[Way]) -> list[Way]:
    """The ways without duplicates of a state. A certain way is kept before a doubtful one."""
    if len(ways) < 2:
        return ways
    way_by_state: dict[WayState, Way] = {}
    for way in ways:
        way_before = way_by_state.get(way.state)
        if way_before is None or (way_before.doubt and way.is_sure):
            way_by_state[way.state] = way
    return list(way_by_state.values())


def certain_first(decided: list[Decided]) -> list[Decided]:
    """The ends without duplicates of an outcome and state. A certain end is kept before a doubtful
    one."""
    if len(decided) < 2:
        return decided
    way_by_end: dict[tuple[Outcome, WayState], Way] = {}
    for outcome, way in decided:
        way_before = way_by_end.get((outcome, way.state))
        if way_before is None or (way_before.doubt and way.is_sure):
            way_by_end[outcome, way.state] = way
    return [(outcome, way) for (outcome, _), way in way_by_end.items()]
