"""A question by the name of its kind, as its own class."""

from __future__ import annotations

import msgspec

from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.question import policies, recorded, typed


def question(kind: str, **args: Json) -> AnyQuestion:
    """The question of this kind with these arguments. KeyError if there is no such kind.

    As a recording holds it where its class has other arguments.
    """
    asked = recorded(policies()[kind].kind, args)
    try:
        return typed(asked)
    except msgspec.ValidationError:
        return asked
