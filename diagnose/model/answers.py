"""Failures of questions, and the gaps that they leave in evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Json = Any
"""A JSON value. Answers have no static type: evidence decodes them into types of its own."""

Reason = Literal[
    "refused",
    "forbidden",
    "missing",
    "timed out",
    "budget",
    "gone",
    "remote",
    "malformed",
    "too large",
    "not recorded",
    "not allowed",
    "not applicable",
    "shed",
]

REASONS: Mapping[Reason, str] = {
    "refused": "refused",
    "forbidden": "forbidden",
    "missing": "missing",
    "timed out": "timed out",
    "budget": "not enough time",
    "gone": "gone",
    "remote": "not on this host",
    "malformed": "unreadable answer",
    "too large": "too large",
    "not recorded": "not in this bundle",
    "not allowed": "not looked at",
    "not applicable": "does not apply",
    "shed": "left out of this bundle",
}
"""Each reason in words for people; a detail follows behind a colon."""

NOT_IN_BUNDLE: tuple[Reason, ...] = ("not recorded", "shed")
"""The reasons that say that a bundle is incomplete."""


SAYS_NOTHING: frozenset[Reason] = frozenset({"timed out", "budget", "too large"})
"""The reasons for which a question has no answer although the host has one. The others say
something of the host: that a file is not there, or that this user may not read it."""


class Failed(msgspec.Struct, frozen=True):
    """An answer that could not be had.

    A reason from the closed list and one sentence of detail, redacted like any answer.
    """

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        """The words for people; a recording holds the reason itself."""
        return f"{REASONS[self.reason]}: {self.detail}" if self.detail else REASONS[self.reason]


class Unavailable(msgspec.Struct, frozen=True):
    """Evidence that could not be had, and why.

    Never equal to empty evidence; falsy values are not unavailable.
    """

    reason: Reason
    detail: str = ""

    @classmethod
    def of(cls, failed: Failed) -> Unavailable:
        return cls(failed.reason, failed.detail)

    def __str__(self) -> str:
        return f"{REASONS[self.reason]}: {self.detail}" if self.detail else REASONS[self.reason]


class NoEvidenceError(Exception):
    """Ends a collector whose evidence could not be had.

    `registry.evidence` catches it and returns its reason in place of the evidence.
    """

    def __init__(self, reason: Unavailable) -> None:
        super().__init__(str(reason))
        self.reason = reason
