"""A repair judged before it is made, on the recorded answers. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.judgement import engine
from diagnose.model import Failed, Json, Report, Severity
from diagnose.questions.question import AnyQuestion
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.repair.differences import Difference

LONGEST_S = 10.0


class Simulation(msgspec.Struct, frozen=True):
    """What the checks find after the repair. gone, new: keys of findings above advice."""

    gone: frozenset[str]
    new: frozenset[str]


def simulated(
    answers: Mapping[AnyQuestion, RecordedAnswer],
    differences: Sequence[Difference],
    what: engine.Run,
) -> Simulation:
    """Judge the recorded answers as they are, and as they would be after the repair."""
    as_it_is = _judged(Replay(answers), what)
    repaired = Replay({question: _after(question, entry, differences)
                       for question, entry in Replay(answers).recording.items()})  # fmt: skip
    afterwards = _judged(repaired, what)
    return Simulation(as_it_is - afterwards, afterwards - as_it_is)


def _after(
    question: AnyQuestion, entry: RecordedAnswer, differences: Sequence[Difference]
) -> RecordedAnswer:
    answer: Json | Failed = entry.answer
    for difference in differences:
        answer = difference.edited(question, answer)
    return replace(entry, answer=answer)


def _judged(source: Replay, what: engine.Run) -> frozenset[str]:
    began = time.monotonic()
    report: Report = engine.run(
        source, what, began=began, budget=Budget.of_replay(began, LONGEST_S)
    )
    return frozenset(
        finding.key for finding in report.findings if finding.severity > Severity.advice
    )
