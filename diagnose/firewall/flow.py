"""A connection that is asked about, and what a walk along it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from diagnose.firewall.packet import Packet
from diagnose.firewall.verdict import PacketVerdict, Step

if TYPE_CHECKING:
    from diagnose.firewall.actions import Translate
    from diagnose.firewall.packet import Family, Hook, Outcome

Part = Literal["request", "reply"]

Reason = Literal["rule", "route", "reverse path", "forwarding", "elsewhere", "untranslated"]
"""Why a packet goes no further: a rule or policy drops it, no route leads on, its source is taken
for forged, forwarding is off, it leaves through another interface than the one that leads to its
destination, or no answer can come back to its source."""

EPHEMERAL = 40_000


class Origin(msgspec.Struct, frozen=True):
    """The end at which a connection begins."""

    device: str = ""
    """The interface by which its packets come in; "" for a process of the host."""
    src: str | tuple[str, ...] | None = None
    """Its address, several where all of them ask the same way, None where it is left open."""
    port: str = ""
    """The bridge's port that they come by, where one is known."""
    uid: int | None = None
    """The user of a process of the host."""


class Flow(msgspec.Struct, frozen=True):
    """One connection to be walked."""

    origin: Origin
    dst: str | None
    proto: str = "tcp"
    dport: int | None = None
    family: Family = "ip"
    icmp: int | None = None
    assumed: str = ""
    """The interface that leads to a destination left open."""
    answers_by: str = ""
    """The interface by which the destination's answers come in, where its own routes lead elsewhere
    than the requests came from."""


class Stage(msgspec.Struct, frozen=True):
    """The verdict of one hook."""

    part: Part
    hook: Hook
    verdict: PacketVerdict


class Obstacle(msgspec.Struct, frozen=True):
    """The rule, route or setting that stops a connection, or may stop it. str(by) names it in a
    report."""

    reason: Reason
    by: Step
    part: Part
    hook: Hook

    @property
    def is_routed_away(self) -> bool:
        """Whether routes, or the check of the way back, stop it, and no rule."""
        return self.reason in ("elsewhere", "reverse path", "route")

    @classmethod
    def of_routing(
        cls, reason: Reason, text: str, part: Part, hook: Hook, device: str = ""
    ) -> Obstacle:
        """An obstacle that is the kernel's choice of a route, and no rule of the packet filter."""
        return cls(reason, Step("routing", device, text), part, hook)


class Trace(msgspec.Struct, frozen=True):
    """The result of walking a connection through the packet filter and the routes."""

    outcome: Outcome
    stages: tuple[Stage, ...] = ()
    nat: Translate | None = None
    """The translation of its destination, nat_by: the rule that does it."""
    snat: Translate | None = None
    """The translation of the packet's source."""
    nat_unknown: bool = False
    obstacle: Obstacle | None = None
    """What stops the packet; None if the outcome is accept."""
    to: str | None = None
    """The interface by which its first packet leaves, "" where it is for the host itself."""
    packet: Packet | None = None
    """The first packet as it arrives."""
    nat_by: Step | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the connection certainly does not get through."""
        return self.outcome in ("drop", "reject")

    @property
    def lost_answer(self) -> Obstacle | None:
        """The obstacle in the way of the answer, where the request certainly arrives. None
        otherwise."""
        obstacle = self.obstacle if self.is_blocked else None
        return obstacle if obstacle is not None and obstacle.part == "reply" else None

    @property
    def rule_in_the_way(self) -> Obstacle | None:
        """The rule that certainly stops the connection. None where a route or a setting does, or
        nothing."""
        obstacle = self.obstacle
        is_rule = obstacle is not None and obstacle.reason == "rule"
        return obstacle if self.is_blocked and is_rule else None

    @property
    def is_decided(self) -> bool:
        return self.outcome != "unknown" and not self.nat_unknown

    @property
    def by(self) -> Step | None:
        return self.obstacle.by if self.obstacle else None
