"""Taking a bundle.

One run of every check, more questions for a colleague, the report judged again from what is sealed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from diagnose import interrupts, limited_memory, session
from diagnose.config import Config
from diagnose.judgement import engine
from diagnose.judgement.exit_codes import code_of
from diagnose.model import Check, Json, Report, Verdict
from diagnose.questions import AnswerSource, AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording.answer_files import Recording
from diagnose.recording.budget import UNLIMITED, Budget, TimeLimit, proving_s, waiting_factor
from diagnose.recording.recorder import Replay
from diagnose.recording.redaction import all_settled, redacted_again
from diagnose.redact import Redactor
from diagnose.render.html import page
from diagnose.ticket import bundle, further_questions
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
OpenRecorder = Callable[[Options, Sequence[str], float, Redactor], session.LiveHost]
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
    task = _BundleTask(
        checks,
        options,
        configured=configured,
        redactor=redactor or session.redactor(configured),
        began=began,
        max_size=max_size,
        anonymize=anonymize,
    )
    if options.source is not None:
        return task.sealed(task.of_older_bundle(options.source))
    return task.sealed(task.of_host(open_recorder))


class _Examined(msgspec.Struct, frozen=True):
    """A recording with its report: what is sealed."""

    report: Report
    recording: Recording
    what: engine.Run
    manifest: Mapping[str, Json] = MappingProxyType({})
    """What an older bundle says of itself."""
    redacted: Mapping[str, int] = MappingProxyType({})
    """How much was redacted in an older bundle, by kind."""
    limit: TimeLimit = UNLIMITED
    """For what may be left out."""


class _BundleTask(msgspec.Struct, frozen=True):
    """A bundle that is asked for."""

    checks: Mapping[str, Check]
    options: Options
    configured: Config
    redactor: Redactor
    began: float
    max_size: int
    anonymize: bool

    def of_host(self, open_recorder: OpenRecorder) -> _Examined:
        """A run of every check, and what a colleague may need beyond it."""
        ids = tuple(self.checks)
        configured = self.configured
        options = replace(self.options, site=configured.site)
        host = open_recorder(options, ids, self.began, self.redactor)
        recorder = host.recorder
        budget = host.budget
        what = engine.Run(
            self.checks,
            ids,
            thresholds=configured.thresholds,
            silences=configured.silences,
            notes=configured.notes,
            profile=True,
            shown=page.KINDS,
        )
        budget.keep_for_sealing(lambda: recorder.asked, lambda: self.redactor.known)
        before_s = time.process_time()
        with interrupts.attended(recorder, budget):
            report = engine.run(recorder, what, began=self.began, budget=budget)
            run_s = time.process_time() - before_s
            _ask_all(recorder, further_questions.superset())
            if budget.left:  # to look for what failed takes 0.5 s where there are 8,000 containers
                _ask_all(recorder, further_questions.last_words(recorder.recording))
        limited_memory.must_end_by(time.monotonic() + SEALING_S)
        run = _Examined(report, recorder.recording, what, limit=self._limit())
        return self._judged_again(run, run_s)

    def _limit(self) -> TimeLimit:
        """Until when that may be done which may be left out: the proof may not."""
        slowness = waiting_factor()
        proof_s = slowness * proving_s(self.redactor.known)
        return TimeLimit(self.began + self.options.budget_s - proof_s, slowness)

    def _judged_again(self, run: _Examined, run_s: float) -> _Examined:
        """The run, judged by what the bundle will hold, so that both say the same.

        run_s: seconds of CPU that the run took.
        """
        # an early answer may show a secret that is known to be one only from a later answer
        recording = all_settled(run.recording, self.redactor)
        is_small = len(recording) <= SMALL_RUN and run_s <= SHORT_RUN_S
        limit = run.limit
        has_time = is_small or limit.allows(AGAIN_SHARE * run_s, then=SEALING_SHARE * run_s)
        if not has_time and recording == run.recording:
            return replace(run, recording=recording)
        what = replace(run.what, uncollected=run.report.uncollected)
        hurried = Budget(limit.ends, limit.ends, self.options.budget_s)
        hurried.keep_for_sealing(lambda: len(recording))
        budget = Budget.unlimited() if has_time else hurried
        judged = _judged_report(recording, what, self.began, budget)
        report = replace(judged, duration_s=run.report.duration_s, source="live")
        return replace(run, report=report, recording=recording, what=what)

    def of_older_bundle(self, source: Path) -> _Examined:
        """An older bundle, redacted again by the rules of today."""
        host = session.recorded_host(source)
        is_explicit = self.options.config is not None
        run = session.replay(
            source, self.checks, tuple(self.checks), self.configured, explicit=is_explicit
        ).run
        what = replace(run, profile=True, shown=page.KINDS)
        recording = redacted_again(host.answers, self.redactor)
        before = host.manifest.get("redacted")
        return _Examined(
            _judged_report(recording, what, self.began),
            recording,
            what,
            manifest={
                name: host.manifest[name] for name in ("anonymized",) if name in host.manifest
            },
            redacted=before if isinstance(before, dict) else {},
        )

    def sealed(self, examined: _Examined) -> Taken:
        """The bundle, proven to hold no secret of the redactor's."""
        report = examined.report
        recording = examined.recording
        what = examined.what
        head: dict[str, Json] = dict(examined.manifest)
        names = None
        if self.anonymize:
            renaming = Renaming(recording)
            recording = renaming.recording(recording)
            unsilenced = replace(what, silences=())
            plain = report
            report = _judged_report(recording, unsilenced, self.began)
            report = _with_silences(report, plain, renaming)
            report = replace(report, duration_s=plain.duration_s, source=plain.source)
            head["anonymized"] = {
                "checks_that_say_something_else": _differing_checks(plain, report)
            }
            names = renaming.map
        sealed = bundle.make(
            report,
            code_of(report, "warning"),
            recording,
            {**session.manifest(report, what.thresholds), **head},
            redacted=dict(Counter(self.redactor.counts) + Counter(examined.redacted)),
            max_size=self.max_size,
            limit=examined.limit,
        )
        bundle.prove(sealed, self.redactor.secrets, self.redactor.phrases)
        return Taken(report, sealed, names)


def _ask_all(source: AnswerSource, questions: Iterable[AnyQuestion]) -> None:
    """Have these questions answered, for the recording."""
    for _ in source.ask_many(questions):
        pass


def _judged_report(
    recording: Recording, what: engine.Run, began: float, budget: Budget | None = None
) -> Report:
    return engine.run(Replay(recording), what, began=began, budget=budget or Budget.unlimited())


def _with_silences(report: Report, plain: Report, renaming: Renaming) -> Report:
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


def _differing_checks(plain: Report, renamed: Report) -> list[Json]:
    """The checks whose verdict or number of findings is another under the new names.

    None, unless a name meant something.
    """
    before = _verdicts(plain)
    after = _verdicts(renamed)
    return sorted(id for id in before if before[id] != after.get(id))


def _verdicts(report: Report) -> dict[str, tuple[Verdict, int]]:
    """The verdict of each check, and the number of its findings."""
    return {result.check.id: (result.verdict, len(result.findings)) for result in report.results}
