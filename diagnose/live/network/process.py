"""Questions that the network process answers."""

from __future__ import annotations

from diagnose.live import Live
from diagnose.live.helper import MARGIN_S
from diagnose.model import Json
from diagnose.questions import AnyQuestion


def ask(live: Live, question: AnyQuestion) -> Json:
    """What the network process answers.

    The functions named in `worker` describe arguments, shapes and errors.
    """
    return live.helper("network").call(
        question.kind, question.args, live.deadline(question) - MARGIN_S
    )
