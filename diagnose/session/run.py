"""The run: the host or the recording, the budget, and the recording to be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from diagnose import config, limited_memory
from diagnose.evidence.containers.listing import Containers
from diagnose.interrupts import attended, ending
from diagnose.judgement import engine
from diagnose.judgement.collection import Collection
from diagnose.model import Check, Failed, Report
from diagnose.questions import AnswerSource, AnyQuestion, Host, Question
from diagnose.questions.containers import ListContainers
from diagnose.questions.dns import SampleDns
from diagnose.questions.endpoint import FindEndpoint, FindLocality
from diagnose.questions.engine import ReadInfo
from diagnose.questions.files import ReadFile
from diagnose.questions.images import ListNetworks
from diagnose.questions.network import ListRoutes
from diagnose.questions.processes import InspectProcess, ListProcesses
from diagnose.questions.run import Options
from diagnose.questions.service import ReadUnit
from diagnose.recording.budget import Budget, read_until
from diagnose.recording.recorder import RecordedAnswer, Recorder, Replay
from diagnose.session.recorded import manifest, recorded_host_redacted_now, replay
from diagnose.session.request import InvalidRequestError, configuration, redactor, require_known

if TYPE_CHECKING:
    from diagnose.redact import Redactor


ASKED_FIRST: tuple[AnyQuestion, ...] = (ListContainers(), ReadInfo(), ListNetworks())
"""What each report needs. The engine answers while the checks are imported; /info takes it 50 ms,
in which it runs three programs."""
ASKED_EARLY: tuple[type[AnyQuestion], ...] = (
    FindLocality,
    ListProcesses,
    InspectProcess,
    ReadFile,
    ReadUnit,
    ListRoutes,
    SampleDns,
)
"""What the evidence asks that a run of all checks begins early."""


class Examined(msgspec.Struct, frozen=True):
    """A run: its report, what was run, and every answer that it was given."""

    report: Report
    what: engine.Run
    answers: Mapping[AnyQuestion, RecordedAnswer]


def diagnose(
    load: Callable[[], Mapping[str, Check]],
    selected: Sequence[str] | None,
    options: Options,
    *,
    began: float,
    shown: tuple[type, ...] = (),
    afterwards: Callable[[Report, Host], None] | None = None,
) -> Report:
    """Run and report.

    load: gives the known checks; the engine lists its containers meanwhile. selected: ids, None
    for all.

    shown: evidence kinds that the renderer draws. afterwards: asks this host more, within the
    budget, once the report is known; not called for a recording.

    began: when the process began, on the monotonic clock: the budget counts from there.

    InvalidRequestError for a source that cannot be read, an unknown container, an address that is
    none, a bad configuration.
    """
    purpose = _Purpose(load, selected, shown, afterwards)
    return _examine(purpose, options, began).report


def examine(checks: Mapping[str, Check], options: Options, *, began: float) -> Examined:
    """The report of all these checks, with the answers. InvalidRequestError as for `diagnose`."""
    return _examine(_Purpose(lambda: checks, tuple(checks)), options, began)


class _Purpose(msgspec.Struct, frozen=True):
    """The purpose of a run. The fields are explained at `diagnose`."""

    load: Callable[[], Mapping[str, Check]]
    selected: Sequence[str] | None
    shown: tuple[type, ...] = ()
    afterwards: Callable[[Report, Host], None] | None = None

    def ids(self, checks: Mapping[str, Check]) -> Sequence[str]:
        return tuple(checks) if self.selected is None else self.selected


def _examine(purpose: _Purpose, options: Options, began: float) -> Examined:
    configured = configuration(options)
    options = replace(options, site=configured.site)
    if options.source is None:
        examined = _examine_host(purpose, options, configured, began)
    else:
        examined = _examine_recording(options.source, purpose, options, configured, began)
    require_known(options.containers, examined.report.container_names)
    return examined


def _examine_recording(
    path: Path, purpose: _Purpose, options: Options, configured: config.Config, began: float
) -> Examined:
    """The run on a recording, with what its manifest says of it."""
    _promise_end(options, began)
    checks = purpose.load()
    recorded = replay(
        path,
        checks,
        purpose.ids(checks),
        configured,
        explicit=options.config is not None,
        ends=read_until(began, options.budget_s),
        reach=options.reach,
    )
    budget = Budget.of_replay(began, options.budget_s)
    limited_memory.must_end_by(budget.judged_by + limited_memory.LATE_S)
    what = replace(
        recorded.run,
        containers=options.containers,
        profile=purpose.selected is None,
        shown=purpose.shown,
    )
    report = engine.run(recorded.source, what, began=began, budget=budget)
    return Examined(report, what, recorded.source.recording)


def _examine_host(
    purpose: _Purpose, options: Options, configured: config.Config, began: float
) -> Examined:
    """The run on this host; what waits is asked while the checks are imported."""
    redacts = redactor(configured)
    source = live(options, purpose.selected or (), began, redacts)
    recorder = source.recorder
    budget = source.budget
    for question in ASKED_FIRST:
        recorder.begin(question)
    begun = engine.begun_early(recorder, budget) if purpose.selected is None else None
    checks = purpose.load()
    budget.begin_asking()
    limited_memory.must_end_by(budget.judged_by + limited_memory.LATE_S)
    what = engine.Run(
        checks,
        purpose.ids(checks),
        containers=options.containers,
        thresholds=configured.thresholds,
        silences=configured.silences,
        notes=configured.notes,
        profile=purpose.selected is None,
        shown=purpose.shown,
    )
    with attended(recorder, budget):
        report = engine.run(recorder, what, began=began, budget=budget, collection=begun)
        if purpose.afterwards is not None:
            purpose.afterwards(report, Host(recorder))
    recording = recorder.recording
    timings = tuple((question.key, entry.duration_s) for question, entry in recording.items())
    report = replace(report, timings=timings)
    if options.record is not None:
        from diagnose.recording.answer_files import write_folder
        from diagnose.recording.redaction import all_settled

        head = manifest(report, configured.thresholds)
        write_folder(options.record, all_settled(recording, redacts), head)
    return Examined(report, what, recording)


class LiveHost(msgspec.Struct, frozen=True):
    """This host, whose answers are recorded, and the time that a run may take."""

    recorder: Recorder
    budget: Budget


def live(options: Options, selected: Sequence[str], began: float, redacts: Redactor) -> LiveHost:
    """This host, recorded, inside the budget. selected: the ids that the user named, none for all.

    The helper processes are forked here, before any thread, and before the checks are loaded: what
    they share with us is copied page by page as we go on. The network process imports pyroute2
    meanwhile where all is asked, otherwise for the first question.

    InvalidRequestError where `-H` or `--context` names no engine, or a package is missing or cannot
    be loaded.
    """
    from diagnose.live import Live
    from diagnose.live.packages import why_incomplete
    from diagnose.recording.budget import patience

    incomplete = why_incomplete()
    if incomplete:
        raise InvalidRequestError(incomplete)
    _promise_end(options, began)
    limited_memory.require_enough()
    settings = replace(options, wanted=tuple(selected))
    collectors = Live(settings, redacts)
    endpoint = collectors.ask(FindEndpoint()) if options.host or options.context else None
    if isinstance(endpoint, Failed):
        raise InvalidRequestError(endpoint.detail)
    collectors.start_helpers(network=not selected)
    kinds_first = [type(question) for question in ASKED_FIRST]
    collectors.prepare_to_ask(kinds_first if selected else (*kinds_first, *ASKED_EARLY))
    if options.probe and not selected:
        import dnslib  # noqa: F401 - what DNS is asked with, for the same reason
    budget = Budget.of_run(began, options.budget_s)
    return LiveHost(Recorder(collectors, budget, patience(options.budget_s)), budget)


def _promise_end(options: Options, began: float) -> None:
    """Arrange that a run which cannot end is called off, where memory is limited."""
    limited_memory.must_end_by(began + options.budget_s + limited_memory.LATE_S)


def collect(kinds: Sequence[type], options: Options, *, began: float) -> list[object]:
    """Evidence of these kinds, each as it is or `Unavailable`, from this host or a recording.

    InvalidRequestError as for `diagnose`.
    """
    source, budget = _source((), options, began)
    with ending(budget):
        collection = Collection(source, budget)
        for kind in kinds:
            collection.start(kind)
        collected = [collection.get(kind) for kind in kinds]
    for evidence in collected:
        if isinstance(evidence, Containers):
            names = {container.id: container.name for container in evidence}
            require_known(options.containers, names)
    return collected


def answers(questions: Sequence[Question[Any]], options: Options, *, began: float) -> list[Any]:
    """The answers of this host or of a recording to these questions, each as it is or `Failed`.

    InvalidRequestError as for `diagnose`.
    """
    source, budget = _source(("container",), options, began)
    with ending(budget):
        return [source.ask(question) for question in questions]


class _AskedSource(NamedTuple):
    """The source of answers that the user chose, and the time for it."""

    source: AnswerSource
    budget: Budget


def _source(selected: Sequence[str], options: Options, began: float) -> _AskedSource:
    """This host, or the recording that the user named."""
    configured = configuration(options)
    if options.source is None:
        host = live(options, selected, began, redactor(configured))
        return _AskedSource(host.recorder, host.budget)
    _promise_end(options, began)
    recording = recorded_host_redacted_now(
        options.source, configured, read_until(began, options.budget_s)
    )
    return _AskedSource(Replay(recording.answers), Budget.of_replay(began, options.budget_s))
