"""How one finding explains another."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec


class Strength(enum.IntEnum):
    """How sure it is that a cause explains an effect; a greater value is surer."""

    possible = 1
    """Only something wide is shared, as a network or an image. The effect is shown as a root of its
    own."""
    likely = 2
    """The effect's own text mentions the cause, or both are about the very same thing."""
    proven = 3
    """Without the cause the effect vanishes: judged again on the edited evidence."""

    def __str__(self) -> str:
        return self.name


Edit = Mapping[type, Any]
"""Evidence by kind, as it would be without a cause."""


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of an effect on a host without its cause."""

    vanishes: bool | None
    """None where it is not known."""
    fact: str = ""
    """Why it stays, in one clause: the fact that clears the suspect."""

    @classmethod
    def unknown(cls) -> Outcome:
        """The outcome that nobody can tell."""
        return cls(vanishes=None)

    @classmethod
    def stays(cls, fact: str) -> Outcome:
        """The effect of something else, by this fact."""
        return cls(vanishes=False, fact=fact)


class CauseLink(msgspec.Struct, frozen=True):
    """One effect folded under one cause, by their keys."""

    cause: str
    effect: str
    because: str
    """The evidence that made the link, in words."""
    is_specific: bool = False
    """Whether the effect's own text mentions the cause, or both are about one container, disk,
    volume, interface or engine."""
    strength: Strength = Strength.likely
    jointly: bool = False
    """Whether the effect vanishes only if other causes are cured too."""


class RuledOut(msgspec.Struct, frozen=True):
    """A suspect that does not explain an effect: its key, and the fact that clears it."""

    cause: str
    fact: str
