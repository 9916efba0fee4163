"""The record of a walk: the hooks so far, the translations, and the first doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec

from diagnose.firewall.flow import Obstacle, Part, Stage, Trace
from diagnose.firewall.packet import Packet
from diagnose.firewall.verdict import Step

if TYPE_CHECKING:
    from diagnose.firewall.actions import Translate
    from diagnose.firewall.packet import Hook, Outcome
    from diagnose.firewall.verdict import PacketVerdict


class TraceEndedError(Exception):
    """A packet goes no further."""

    def __init__(self, outcome: Outcome, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle.by))
        self.outcome: Outcome = outcome
        self.obstacle = obstacle


class Arrival(msgspec.Struct, frozen=True):
    """The end of a packet's way: the interface by which it left, or "" for the host itself."""

    device: str
    packet: Packet


class TraceRecord:
    """The course of one trace."""

    def __init__(self) -> None:
        self._stages: list[Stage] = []
        self._nat: Translate | None = None
        self._nat_by: Step | None = None
        self._snat: Translate | None = None
        self._nat_unknown = False
        self._doubt: Obstacle | None = None
        self.arrived: Arrival | None = None

    @property
    def is_in_doubt(self) -> bool:
        return self._doubt is not None

    def doubt(self, obstacle: Obstacle) -> None:
        """From here on it is not certain that the packet comes so far; the first doubt counts."""
        self._doubt = self._doubt or obstacle

    def stop(self, obstacle: Obstacle, outcome: Outcome = "drop") -> NoReturn:
        """The packet goes no further, if it comes so far."""
        raise TraceEndedError(outcome if self._leads_here else "unknown", obstacle)

    def hook(self, part: Part, hook: Hook, verdict: PacketVerdict) -> None:
        """Record the verdict of a hook. Raises TraceEndedError where a rule blocks the packet."""
        self._stages.append(Stage(part, hook, verdict))
        if verdict.outcome == "accept":
            return
        obstacle = Obstacle(
            "rule", verdict.by or Step(table="", chain="", rule="unknown"), part, hook
        )
        if verdict.is_blocked:
            is_certain = not self.is_in_doubt or self._leads_here
            raise TraceEndedError(verdict.outcome if is_certain else "unknown", obstacle)
        self.doubt(obstacle)

    def translation(self, part: Part, hook: Hook, verdict: PacketVerdict) -> None:
        """Record the translation of a hook. An answer is translated as its request was."""
        if part == "reply":
            return
        if hook in ("prerouting", "output"):
            self._nat = verdict.nat or self._nat
            self._nat_by = verdict.nat_by or self._nat_by
            self._nat_unknown = self._nat_unknown or verdict.nat_unknown
        elif verdict.nat is not None:
            self._snat = verdict.nat
        if verdict.nat_unknown and verdict.by is not None:
            self.doubt(Obstacle("rule", verdict.by, part, hook))

    @property
    def _leads_here(self) -> bool:
        """Whether a packet that is let through certainly comes to where it is now.

        A doubt about a verdict alone leaves that open: it is blocked there, or blocked here.
        """
        goes_anywhere = self._doubt is not None and self._doubt.reason == "route"
        return not self._nat_unknown and not goes_anywhere

    def result(self) -> Trace:
        """The trace of a connection that was not stopped."""
        return self._trace("unknown" if self.is_in_doubt else "accept", self._doubt)

    def stopped(self, stopped: TraceEndedError) -> Trace:
        """The trace of a connection that goes no further."""
        doubt = self._doubt if stopped.outcome == "unknown" else None
        return self._trace(stopped.outcome, doubt or stopped.obstacle)

    def _trace(self, outcome: Outcome, obstacle: Obstacle | None) -> Trace:
        """The trace of what is recorded so far."""
        return Trace(
            outcome,
            stages=tuple(self._stages),
            nat=self._nat,
            snat=self._snat,
            nat_unknown=self._nat_unknown,
            obstacle=obstacle,
            to=self.arrived.device if self.arrived else None,
            packet=self.arrived.packet if self.arrived else None,
            nat_by=self._nat_by,
        )
