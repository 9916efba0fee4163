"""A question by the name of its kind, as a recording writes it."""

from __future__ import annotations

from diagnose.model import Json
from diagnose.questions import RecordedQuestion
from diagnose.questions.question import policies, recorded


def question(kind: str, **args: Json) -> RecordedQuestion:
    """The question of this kind with these arguments. KeyError if there is no such kind."""
    return recorded(policies()[kind].kind, args)
