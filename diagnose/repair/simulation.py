"""A repair judged before it is made, on the recorded answers or on their evidence. Pure."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from diagnose.judgement import engine
from diagnose.judgement.collection import Collection
from diagnose.judgement.judge import Thresholds, judge
from diagnose.judgement.proof import Alternative
from diagnose.judgement.report import key
from diagnose.model import Check, Edit, Failed, Json, Report, Result, Severity
from diagnose.questions import Host
from diagnose.questions.question import AnyQuestion
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.repair.differences import Difference

LONGEST_S = 10.0


class Simulation(msgspec.Struct, frozen=True):
    """The findings that are gone or new after the repair."""

    gone: frozenset[str]
    new: frozenset[str]
    """gone, new: keys of findings above advice."""


def simulate(
    answers: Mapping[AnyQuestion, RecordedAnswer],
    differences: Sequence[Difference],
    what: engine.Run,
) -> Simulation:
    """Judge the recorded answers as they are, and as they would be after the repair."""
    as_it_is = _keys_found(Replay(answers), what)
    repaired = Replay(
        {
            question: _answer_after(question, entry, differences)
            for question, entry in Replay(answers).recording.items()
        }
    )
    afterwards = _keys_found(repaired, what)
    return Simulation(as_it_is - afterwards, afterwards - as_it_is)


def simulated_edit(
    checks: Iterable[Check], collection: Collection, host: Host, edit: Edit, thresholds: Thresholds
) -> Simulation:
    """Judge the evidence as it is, and as it would be under an edit.

    For a repair whose effect on an answer no edit of the answer can tell.
    """
    judged = list(checks)
    evidence = {need.kind: collection.get(need.kind) for check in judged for need in check.needs}
    as_it_is: set[str] = set()
    afterwards: set[str] = set()
    repaired = Alternative(host, collection.collected, edit)

    def judge_it(check: Check, evidence: Mapping[type, Any]) -> Result:
        return judge(check, evidence, thresholds)

    for check in judged:
        before = judge_it(check, evidence)
        as_it_is |= _keys_above_advice(before)
        afterwards |= _keys_above_advice(repaired.judged(check, judge_it) or before)
    return Simulation(frozenset(as_it_is - afterwards), frozenset(afterwards - as_it_is))


def _keys_above_advice(result: Result) -> set[str]:
    """The keys of a check's findings above advice."""
    severity = result.check.severity
    return {
        key(result.check, finding)
        for finding in result.findings
        if (finding.severity or severity) > Severity.advice
    }


def _answer_after(
    question: AnyQuestion, entry: RecordedAnswer, differences: Sequence[Difference]
) -> RecordedAnswer:
    """A recorded answer as it is after the repair."""
    answer: Json | Failed = entry.answer
    for difference in differences:
        answer = difference.edited(question, answer)
    return RecordedAnswer(answer, entry.duration_s)


def _keys_found(source: Replay, what: engine.Run) -> frozenset[str]:
    """The keys of what is found above advice when a recording is judged again."""
    began = time.monotonic()
    report: Report = engine.run(
        source, what, began=began, budget=Budget.of_replay(began, LONGEST_S)
    )
    return frozenset(
        finding.key for finding in report.findings if finding.severity > Severity.advice
    )
