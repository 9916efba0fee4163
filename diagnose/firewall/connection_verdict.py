"""The verdict on a connection: what the packet filter decides, and how it translates addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.firewall.flow import Part, Reason

if TYPE_CHECKING:
    from diagnose.firewall.actions import Translate
    from diagnose.firewall.packet import Hook, Outcome
    from diagnose.firewall.verdict import Step


class ConnectionVerdict(msgspec.Struct, frozen=True):
    """The packet filter's verdict on a connection.

    `by`, `hook` and `part` name the place of the decision, unless the connection is accepted. `nat`
    is the translation that the caller asks about: that of the destination for a connection from
    outside, that of the source for a connection to the outside. `nat_unknown` is true where that
    translation is not known, `nat_by` is the rule that translates the destination.
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
