"""What asks and what answers, and the untyped form of a question, which evidence that is not yet typed still uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from diagnose.model import Failed, Json
from diagnose.questions import AnswerSource, Host, Lane, Policy, RecordedQuestion
from diagnose.questions import Question as TypedQuestion
from diagnose.questions.question import load, recorded

__all__ = ["KINDS", "AnswerSource", "Hands", "Host", "Lane", "Policy", "Question", "TypedQuestion", "question"]

if TYPE_CHECKING:
    Question = TypedQuestion[Any]
else:
    Question = RecordedQuestion

KINDS = load()
"""The policy of every kind of question, by its recorded name."""

USUAL_BUDGET_S = 10.0


def patience(budget_s: float) -> float:
    """How much longer than usual each question may take in a run of this budget; never less than usual."""
    return max(1.0, budget_s / USUAL_BUDGET_S)


def question(kind: str, **args: Json) -> TypedQuestion[Any]:
    """The untyped question of this kind with these JSON arguments. KeyError if there is no such kind."""
    return recorded(KINDS[kind].kind, args)


class Hands(Protocol):
    """What answers the questions of a lane."""

    def serve(
        self, lane: Lane, pull: Callable[[], TypedQuestion[Any] | None]
    ) -> Iterator[tuple[TypedQuestion[Any], Json | Failed]]:
        """The answers to the questions that `pull` gives, in any order, until it gives None and all are answered."""
        ...
