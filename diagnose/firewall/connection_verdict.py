"""What becomes of a connection, as the packet filter and its translation decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.firewall.flow import Part, Reason

if TYPE_CHECKING:
    from diagnose.firewall.actions import Translate
    from diagnose.firewall.packet import Hook, Outcome
    from diagnose.firewall.verdict import Step


class ConnectionVerdict(msgspec.Struct, frozen=True):
    """What becomes of a connection.

    `by`, `hook` and `part` say where it was decided, unless it is accepted. `nat` is the
    translation that the question is about: the destination's for a connection that comes in, the
    source's for one that goes out; `nat_unknown` says that it is not known, `nat_by` is the rule
    that translates the destination.
    """

    outcome: Outcome
    nat: Translate | None = None
    nat_unknown: bool = False
    by: Step | None = None
    hook: Hook | None = None
    part: Part = "request"
    reason: Reason = "rule"
    nat_by: Step | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the connection certainly does not get through."""
        return self.outcome in ("drop", "reject")
