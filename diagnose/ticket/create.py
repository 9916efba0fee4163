"""Taking a bundle.

One run of every check, more questions for a colleague, the report judged again from what is sealed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from diagnose import interrupts, limited_memory, session
from diagnose.config import Config
from diagnose.judgement import engine
from diagnose.judgement.exit_codes import code_of
from diagnose.model import Check, Json, Report
from diagnose.questions.run import Options
from diagnose.recording.answer_files import Recording
from diagnose.recording.budget import UNLIMITED, Budget, TimeLimit
from diagnose.recording.recorder import Recorder, Replay
from diagnose.recording.redaction import redacted_again, settled
from diagnose.redact import Redactor
from diagnose.render.html import page
from diagnose.ticket import bundle
from diagnose.ticket.anonymize import Renaming

SEALING_S = 60.0
"""Seconds for what follows the run: judging again, packing, and the search for secrets. 1,000
containers take 2.5 s of CPU; where memory is limited, a bundle that takes longer is called off."""
SMALL_RUN = 900
"""Answers of a host whose recording is judged again in any case, which takes 0.15 s, unless what
it holds takes long to judge."""
SHORT_RUN_S = 1.0
"""Seconds of CPU of a run whose recording is judged again in any case."""
AGAIN_SHARE = 0.6
"""How long judging a recording again takes, of the CPU that the run took: half of it for 1,000
containers, nearly all where texts take long to judge."""
SEALING_SHARE = 0.5
"""The same for sealing it."""
OpenRecorder = Callable[[Options, Sequence[str], float, Redactor], tuple[Recorder, Budget]]
"""Makes the recorder of a host and the budget of its run; what it answers is redacted by the
redactor given."""


class Taken(msgspec.Struct, frozen=True):
    """A bundle and its report."""

    report: Report
    sealed: bundle.Bundle
    names: Mapping[str, Mapping[str, str]] | None = None
    """Old to new where it was renamed, for whoever keeps them apart from it."""


def take(
    checks: Mapping[str, Check],
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
    redactor = redactor or session.redactor(configured)
    if options.source is not None:
        return _taken_again(checks, options, configured, redactor, began, max_size, anonymize)
    recorder, budget = open_recorder(
        replace(options, site=configured.site), tuple(checks), began, redactor
    )
    what = engine.Run(
        checks,
        tuple(checks),
        thresholds=configured.thresholds,
        silences=configured.silences,
        notes=configured.notes,
        profile=True,
        shown=page.KINDS,
    )
    budget.keep_for_sealing()
    before_s = time.process_time()
    with interrupts.attended(recorder, budget):
        report = engine.run(recorder, what, began=began, budget=budget)
        run_s = time.process_time() - before_s
        for questions in (bundle.superset(), bundle.last_words(recorder.recording)):
            for _ in recorder.ask_many(questions):
                pass
    limited_memory.must_end_by(time.monotonic() + SEALING_S)
    limit = TimeLimit(began + options.budget_s)
    # A secret that an early answer showed in a place of its own may be known only from a later one.
    asked: Recording = recorder.recording
    recording: Recording = dict(
        settled(question, entry, redactor) for question, entry in asked.items()
    )
    is_small = len(recording) <= SMALL_RUN and run_s <= SHORT_RUN_S
    has_time = is_small or limit.allows(AGAIN_SHARE * run_s, then=SEALING_SHARE * run_s)
    if has_time or recording != asked:
        # The bundle's report is judged again from what the bundle holds, so that both say the same.
        what = replace(what, uncollected=report.uncollected)
        hurried = Budget(limit.ends, limit.ends, options.budget_s)
        judged = _judged_report(recording, what, began, Budget.unlimited() if has_time else hurried)
        report = replace(judged, duration_s=report.duration_s, source="live")
    return _sealed_bundle(
        report, recording, what, began, redactor, max_size, anonymize, limit=limit
    )


def _taken_again(
    checks: Mapping[str, Check],
    options: Options,
    configured: Config,
    redactor: Redactor,
    began: float,
    max_size: int,
    anonymize: bool,
) -> Taken:
    """A bundle of an older one, redacted again by the rules of today."""
    assert options.source is not None
    entries, head = session.recorded(options.source)
    _, what = session.replay(
        options.source, checks, tuple(checks), configured, explicit=options.config is not None
    )
    what = replace(what, profile=True, shown=page.KINDS)
    recording = redacted_again(entries, redactor)
    report = _judged_report(recording, what, began)
    kept = {name: head[name] for name in ("anonymized",) if name in head}
    before = head.get("redacted")
    counts = Counter(before if isinstance(before, dict) else {})
    return _sealed_bundle(
        report, recording, what, began, redactor, max_size, anonymize, extra=kept, before=counts
    )


def _sealed_bundle(
    report: Report,
    recording: Recording,
    what: engine.Run,
    began: float,
    redactor: Redactor,
    max_size: int,
    anonymize: bool,
    *,
    extra: Mapping[str, Json] = MappingProxyType({}),
    before: Mapping[str, int] = MappingProxyType({}),
    limit: TimeLimit = UNLIMITED,
) -> Taken:
    """The bundle of a recording and its report, proven to hold no secret of the redactor's.

    extra: more of the manifest. before: what was redacted in an earlier bundle, by kind. limit: for
    what may be left out.
    """
    head: dict[str, Json] = dict(extra)
    names = None
    if anonymize:
        renaming = Renaming(recording)
        recording = renaming.recording(recording)
        plain, report = report, _judged_report(recording, replace(what, silences=()), began)
        report = _silenced(report, plain, renaming)
        report = replace(report, duration_s=plain.duration_s, source=plain.source)
        head["anonymized"] = {"checks_that_say_something_else": _differing(plain, report)}
        names = renaming.map
    head = {**session.manifest(report, what.thresholds), **head}
    sealed = bundle.make(
        report,
        code_of(report, "warning"),
        recording,
        head,
        redacted=dict(Counter(redactor.counts) + Counter(before)),
        max_size=max_size,
        limit=limit,
    )
    bundle.prove(sealed, redactor.secrets)
    return Taken(report, sealed, names)


def _judged_report(
    recording: Recording, what: engine.Run, began: float, budget: Budget | None = None
) -> Report:
    return engine.run(Replay(recording), what, began=began, budget=budget or Budget.unlimited())


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
        {result.check.id: (result.verdict, len(result.findings)) for result in report.results}
        for report in (plain, renamed)
    )
    return sorted(id for id in before if before[id] != after.get(id))
