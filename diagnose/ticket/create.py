"""Taking a bundle.

One run of every check, more questions for a colleague, the report judged again from what is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose import interrupts, session
from diagnose.judgement import engine
from diagnose.judgement.exit_codes import code_of
from diagnose.model import Check, Failed, Json, Report
from diagnose.questions import AnyQuestion, RecordedQuestion
from diagnose.questions.run import Options
from diagnose.recording.answer_files import Recording
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Recorder, Replay
from diagnose.redact import Redactor
from diagnose.render.html import page
from diagnose.ticket import bundle
from diagnose.ticket.anonymize import Renaming

OpenRecorder = Callable[[Options, Sequence[str], float, Redactor], tuple[Recorder, Budget]]
"""Makes the recorder of a host and the budget of its run; what it answers is redacted by the
redactor given."""


class Taken(msgspec.Struct, frozen=True):
    """A bundle and its report.

    names: old to new where it was renamed, for whoever keeps them apart from it.
    """

    report: Report
    sealed: bundle.Bundle
    names: Mapping[str, Mapping[str, str]] | None = None


def take(
    known: Mapping[str, Check],
    options: Options,
    *,
    began: float,
    max_size: int,
    anonymize: bool = False,
    open_recorder: OpenRecorder = session.live,
    redactor: Redactor | None = None,
) -> Taken:
    """Run every check, seal what a colleague may need, and prove that it holds no secret.

    anonymize: with other names than the host's. session.InvalidRequestError for a bad
    configuration; bundle.TooLargeError, bundle.LeakError as their module says.
    """
    configured = session.configuration(options)
    redactor = redactor or Redactor()
    recorder, budget = open_recorder(
        replace(options, site=configured.site), tuple(known), began, redactor
    )
    what = engine.Run(
        known,
        tuple(known),
        thresholds=configured.thresholds,
        silences=configured.silences,
        notes=configured.notes,
        profile=True,
        shown=page.KINDS,
    )
    with interrupts.attended(recorder, budget):
        report = engine.run(recorder, what, began=began, budget=budget)
        for questions in (bundle.superset(), bundle.last_words(recorder.recording)):
            for _ in recorder.ask_many(questions):
                pass
    # A secret that an early answer showed in a place of its own may be known only from a later one.
    # The bundle's report is
    # judged again from what the bundle holds, so that both say the same.
    recording: Recording = dict(
        _settled(question, entry, redactor) for question, entry in recorder.recording.items()
    )
    what = replace(what, uncollected=report.uncollected)
    live, report = report, _judged(recording, what, began)
    extra: dict[str, Json] = {}
    names = None
    if anonymize:
        renaming = Renaming(recording)
        recording = renaming.recording(recording)
        report, plain = _judged(recording, replace(what, silences=()), began), report
        report = _silenced(report, plain, renaming)
        extra = {"anonymized": {"checks_that_say_something_else": _differing(plain, report)}}
        names = renaming.map
    report = replace(report, duration_s=live.duration_s, source="live")
    head = {**session.manifest(report, configured.thresholds), **extra}
    exit_code = code_of(report, "warning")
    sealed = bundle.make(
        report, exit_code, recording, head, redacted=redactor.counts, max_size=max_size
    )
    bundle.prove(sealed, redactor.secrets)
    return Taken(report, sealed, names)


def _judged(recording: Recording, what: engine.Run, began: float) -> Report:
    return engine.run(Replay(recording), what, began=began, budget=Budget.unlimited())


def _silenced(report: Report, plain: Report, renaming: Renaming) -> Report:
    """The renamed report with what was silenced under the old names."""
    silences = {
        (finding.id, finding.subject.kind, renaming.name(finding.subject.name)): renaming.text(
            finding.silenced
        )
        for finding in plain.findings
        if finding.silenced
    }
    findings = tuple(
        replace(
            finding,
            silenced=silences.get(
                (finding.id, finding.subject.kind, finding.subject.name), finding.silenced
            ),
        )
        for finding in report.findings
    )
    return replace(report, findings=findings)


def _differing(plain: Report, renamed: Report) -> list[Json]:
    """The checks whose verdict or number of findings is another under the new names.

    None, unless a name meant something.
    """
    before, after = (
        {result.check.id: (result.verdict, len(result.findings)) for result in one.results}
        for one in (plain, renamed)
    )
    return sorted(id for id in before if before[id] != after.get(id))


def _settled(
    question: AnyQuestion, entry: RecordedAnswer, redactor: Redactor
) -> tuple[AnyQuestion, RecordedAnswer]:
    """Question and answer without secrets that the run has learned since they were recorded."""
    args = redactor.settle(question.args)
    if args != question.args:
        question = RecordedQuestion(
            question.kind, json.dumps(args, sort_keys=True, separators=(",", ":"))
        )
    if isinstance(entry.answer, Failed):
        return question, RecordedAnswer(
            Failed(entry.answer.reason, redactor.text(entry.answer.detail)), entry.duration_s
        )
    return question, RecordedAnswer(redactor.settle(entry.answer), entry.duration_s)
