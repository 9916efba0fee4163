"""A recording without what today's rules find in it, and what a run has learned to be secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion, RecordedQuestion
from diagnose.recording.answer_files import Recording
from diagnose.recording.recorder import RecordedAnswer

if TYPE_CHECKING:
    from diagnose.redact import Redactor


def redacted_again(entries: Recording, redacts: Redactor) -> Recording:
    """A recording without what the rules of today find in it.

    What was redacted before stays as it is. Secrets that a later answer names are taken out of the
    earlier ones too, and of the questions.
    """
    once = {
        question: RecordedAnswer(
            _redacted_answer(question, entry.answer, redacts), entry.duration_s
        )
        for question, entry in entries.items()
    }
    return all_settled(once, redacts)


def all_settled(entries: Recording, redacts: Redactor) -> Recording:
    """A recording whose earlier answers hold no secret that a later one has named."""
    return dict(settled(question, entry, redacts) for question, entry in entries.items())


def _redacted_answer(
    question: AnyQuestion, answer: Json | Failed, redacts: Redactor
) -> Json | Failed:
    if isinstance(answer, Failed):
        return answer
    try:
        return redacts.answer(question.kind, question.args, answer)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return Failed("malformed", "it could not be searched for secrets")


def settled(
    question: AnyQuestion, entry: RecordedAnswer, redacts: Redactor
) -> tuple[AnyQuestion, RecordedAnswer]:
    """Question and answer without what the run has learned to be secret since then.

    The same objects where they hold nothing of it.
    """
    args = redacts.settle(question.args)
    if args != question.args:
        question = RecordedQuestion(
            question.kind, json.dumps(args, sort_keys=True, separators=(",", ":"))
        )
    old = entry.answer
    if isinstance(old, Failed):
        new: Json | Failed = Failed(old.reason, redacts.text(old.detail))
    else:
        new = redacts.settle(old)
    return question, entry if new is old else RecordedAnswer(new, entry.duration_s)
