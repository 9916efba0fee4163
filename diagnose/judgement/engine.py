"""The engine: collects the evidence that the chosen checks need, judges, links causes, and makes the report.

It knows no particular check. Evidence is collected in parallel, each kind once, each fallible by itself, all inside
the budget.
"""

from __future__ import annotations

import threading
import time
import traceback
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from diagnose import registry
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.run.report_header import ReportHeader
from diagnose.evidence.run.topology import Topology
from diagnose.judgement import causes, coincidence, proof, selection, silences
from diagnose.judgement.silences import Silence
from diagnose.model import (
    Check,
    ContainerRun,
    Failed,
    Finding,
    HostFacts,
    Need,
    Report,
    Reported,
    Result,
    Skipped,
    Unavailable,
    Unexamined,
    Verdict,
    container,
)
from diagnose.questions import AnswerSource, Host
from diagnose.recording.questions import question
from diagnose.recording.recorder import Budget, in_thread, recorded
from diagnose.version import __version__

Thresholds = Mapping[str, Mapping[str, float]]
"""Values that override a check's defaults: check id -> threshold name -> value."""


UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an answer of the wrong shape raises. Only collectors read answers, so it makes their evidence unavailable; the
tests see to it that no real host's answer is ever called malformed.
"""


class Broken(msgspec.Struct, frozen=True):
    """Evidence whose collector crashed: a bug of ours, told apart from evidence that could not be had."""

    error: str


class PendingEvidence(threading.Event):
    """Evidence that is being collected: set once its value is there. (concurrent.futures brings logging, 4 ms of every run.)"""

    value: Any = None


class Collection:
    """Evidence by kind, collected on demand: a thread per kind, which waits for the kinds that it stands on.

    On a host that has no thread left the caller collects it.
    """

    def __init__(self, host: Host | AnswerSource, budget: Budget, never: Iterable[str] = ()) -> None:
        self._host = host if isinstance(host, Host) else Host(host)
        self._budget = budget
        self.uncollected = set(never)
        self._lock = threading.Lock()
        self._pending: dict[type, PendingEvidence] = {}

    def start(self, kind: type) -> PendingEvidence:
        """This kind's evidence to come; collecting begins with the first call."""
        with self._lock:
            pending = self._pending.get(kind)
            if pending is not None:
                return pending
            pending = self._pending[kind] = PendingEvidence()
        function = registry.collector(kind)
        needs = {need: self.start(need.kind) for need in registry.needs_of(function)}
        if not in_thread(self._collect, pending, function, needs):
            self._collect(pending, function, needs)
        return pending

    def get(self, kind: type) -> Any:
        """The evidence, `Unavailable`, or `Broken`; waits at most until the budget is spent."""
        if kind.__name__ not in self.uncollected:
            pending = self.start(kind)
            if pending.wait(self._budget.left + 0.1):
                return pending.value
            self.uncollected.add(kind.__name__)
        return Unavailable("budget", f"{kind.__name__} was not collected within the run's time")

    @property
    def collected(self) -> dict[type, Any]:
        """All evidence that is there by now."""
        with self._lock:
            return {kind: pending.value for kind, pending in self._pending.items() if pending.is_set()}

    def _collect(
        self, pending: PendingEvidence, function: Callable[..., Any], needs: Mapping[Need, PendingEvidence]
    ) -> None:
        pending.value = self._outcome(function, needs)
        pending.set()

    def _outcome(self, function: Callable[..., Any], needs: Mapping[Need, PendingEvidence]) -> Any:
        arguments: dict[str, Any] = {}
        if "host" in registry.hints(function):
            arguments["host"] = self._host
        try:
            for need in needs:
                value = self.get(need.kind)
                if isinstance(value, Broken) or (isinstance(value, Unavailable) and not need.optional):
                    return value
                arguments[need.parameter] = need.argument(value)
            return function(**arguments)
        except msgspec.ValidationError as error:
            return Unavailable("malformed", str(error))
        except UNREADABLE as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            return Unavailable("malformed", f"{type(error).__name__} at {place}: {error}"[:300])
        except Exception:  # noqa: BLE001 - a crash of ours is a result, with its name
            return Broken(traceback.format_exc(limit=-4))


def judge(check: Check, evidence: Mapping[type, Any], thresholds: Thresholds) -> Result:
    """One check's result from collected evidence. Pure but for the stopwatch; never raises."""
    began = time.perf_counter()
    result = _judge(check, evidence, thresholds.get(check.id, {}))
    return replace(result, duration_s=round(time.perf_counter() - began, 6))


def _judge(check: Check, evidence: Mapping[type, Any], overrides: Mapping[str, float]) -> Result:
    arguments: dict[str, Any] = {}
    left_out: list[Unexamined] = []
    examined = 1
    for position, need in enumerate(check.needs):
        value = evidence[need.kind]
        if isinstance(value, Broken):
            return Result(check, Verdict.CRASHED, why=value.error)
        if isinstance(value, Unavailable) and not need.optional:
            return Result(check, Verdict.UNKNOWN, why=str(value), missing=value)
        arguments[need.parameter] = need.argument(value)
        left_out.extend(getattr(value, "unexamined", ()))
        if position == 0 and hasattr(value, "__len__"):
            examined = len(value)
    try:
        findings, more, ending = _drain(check.function(**arguments, **overrides))
    except Exception:  # noqa: BLE001 - a crash of ours is a result, with its name
        return Result(check, Verdict.CRASHED, why=traceback.format_exc(limit=-3))
    unexamined = tuple(dict.fromkeys((*left_out, *more)))
    judged = Result(check, Verdict.PASSED, findings=findings, unexamined=unexamined, examined=examined)
    if findings:
        return replace(judged, verdict=Verdict.FOUND)
    if isinstance(ending, Skipped):
        return Result(check, Verdict.SKIPPED, why=ending.why)
    if isinstance(ending, Unavailable):
        return replace(judged, verdict=Verdict.UNKNOWN, why=str(ending), missing=ending)
    if unexamined:
        first = unexamined[0]
        others = f" and {len(unexamined) - 1} more" if len(unexamined) > 1 else ""
        return replace(judged, verdict=Verdict.UNKNOWN, why=f"{first.subject.name}{others} not examined: {first.why}")
    return judged


def _drain(answer: Any) -> tuple[tuple[Finding, ...], list[Unexamined], Skipped | Unavailable | None]:
    """What a check said, whether it returned it or yielded it; a generator may end by returning Skipped or
    Unavailable."""
    if answer is None or isinstance(answer, Skipped | Unavailable):
        return (), [], answer
    findings: dict[tuple[Any, str], Finding] = {}
    unexamined: list[Unexamined] = []
    iterator = iter(answer)
    while True:
        try:
            each = next(iterator)
        except StopIteration as stop:
            return tuple(findings.values()), unexamined, stop.value
        if isinstance(each, Unexamined):
            unexamined.append(each)
        else:
            findings.setdefault((each.subject, each.discriminator), each)


def closure(selected: Iterable[str], checks: Mapping[str, Check]) -> tuple[str, ...]:
    """The selected ids and all that may cause them, directly or not, that exist."""
    seen: dict[str, None] = {}
    open_ends = list(selected)
    while open_ends:
        id = open_ends.pop(0)
        if id in seen or id not in checks:
            continue
        seen[id] = None
        open_ends.extend(checks[id].caused_by)
        open_ends.extend(other.id for other in checks.values() if id in other.causes)
    return tuple(seen)


def key(check: Check, finding: Finding) -> str:
    """The finding's key, stable over runs: id, subject, and the discriminator if there is one."""
    tail = f"#{finding.discriminator}" if finding.discriminator else ""
    return f"{check.id}@{finding.subject}{tail}"


class Run(msgspec.Struct, frozen=True):
    """What to look at: all known checks by id, the selected ids, containers (empty: all), threshold overrides.

    uncollected: evidence kinds that the recorded run had no time to collect, though the tape may hold their answers.
    """

    checks: Mapping[str, Check]
    selected: Sequence[str]
    containers: tuple[str, ...] = ()
    thresholds: Thresholds = msgspec.field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    uncollected: tuple[str, ...] = ()
    source: typing.Literal["live", "bundle"] = "live"
    notes: tuple[str, ...] = ()


def run(host: Host | AnswerSource, what: Run, *, began: float, budget: Budget) -> Report:
    """Collect, judge, link, report.

    began: monotonic seconds; the report is there soon after the budget's end at the latest.
    """
    ids = closure(what.selected, what.checks)
    chosen = [what.checks[id] for id in ids]
    kinds = {need.kind for check in chosen for need in check.needs} | {ReportHeader, Topology, Containers}
    collection = Collection(host, budget, what.uncollected)
    for kind in kinds:
        collection.start(kind)
    evidence = {kind: collection.get(kind) for kind in kinds}
    results = [judge(check, evidence, what.thresholds) for check in chosen]
    results = _recheck(host, results)
    report = reported(results, evidence, what, proof.Alternative(recorded(host), collection.collected))
    return replace(
        report, duration_s=round(time.monotonic() - began, 3), uncollected=tuple(sorted(collection.uncollected))
    )


def reported(
    results: Sequence[Result], evidence: Mapping[type, Any], what: Run, host: proof.Alternative | None = None
) -> Report:
    """The report of judged checks: causes linked and proven, silences applied, the head filled. Pure.

    host: the evidence that causes are proven on; None leaves them unproven.
    """
    facts, topology, containers = evidence[ReportHeader], evidence[Topology], evidence[Containers]
    known = facts if isinstance(facts, ReportHeader) else ReportHeader(HostFacts("unknown", "", None), 0.0, "docker")
    present = tuple(containers) if isinstance(containers, Containers) else None
    names = None if present is None else {each.id: each.name for each in present}
    origins = {each.subject: each.made_by for each in present or ()}
    findings = [
        Reported(
            key(result.check, finding),
            result.check,
            finding.severity or result.check.severity,
            finding,
            selected=result.check.id in what.selected,
            made_by=origins.get(finding.subject, ""),
        )
        for result in results
        for finding in result.findings
    ]
    stands_on = topology.stands_on if isinstance(topology, Topology) else {}
    linked = causes.link(findings, stands_on)
    if host is not None:
        linked = proof.proven(linked, host, lambda check, found: judge(check, found, what.thresholds))
    together = coincidence.notes(linked, stands_on)
    labels = silences.of_labels({each.name: each.labels for each in present or ()})
    kept, expired = silences.apply(_only(linked, what, names or {}), (*what.silences, *labels), known.now)
    wanted = set(what.selected)
    return Report(
        version=__version__,
        host=known.head,
        taken_at=known.now,
        duration_s=0.0,
        source=what.source,
        findings=kept,
        results=tuple(sorted((r for r in results if r.check.id in wanted), key=lambda r: r.check.id)),
        docker=known.docker,
        traits=known.traits,
        notes=(*what.notes, *known.notes, *together, *expired),
        container_names=names,
    )


def _only(findings: Sequence[Reported], what: Run, names: Mapping[str, str]) -> tuple[Reported, ...]:
    """The selected findings and their causes; with containers named, only what is about them, and its causes.

    An engine that does not work is about every container.
    """
    by_key = {finding.key: finding for finding in findings}
    kept: dict[str, None] = {}

    def keep(finding: Reported) -> None:
        if finding.key not in kept:
            kept[finding.key] = None
            for each in finding.causes:
                keep(by_key[each.cause])

    named = {
        container(name)
        for word in what.containers
        for name in selection.called(word, names) or (word.removeprefix("/"),)
    }

    def about(finding: Reported) -> bool:
        return not named or finding.is_outage or not named.isdisjoint({finding.subject, *finding.finding.touches})

    for finding in findings:
        if finding.selected and about(finding):
            keep(finding)
    return tuple(
        finding if about(finding) else replace(finding, selected=False) for finding in findings if finding.key in kept
    )


def _recheck(host: Host | AnswerSource, results: Sequence[Result]) -> list[Result]:
    """Answers are no snapshot: drop findings that compared two sources of a container that has changed since."""
    findings = [finding for result in results for finding in result.findings]
    asked = {question("api.recheck", id=life.id): life for finding in findings for life in finding.stable}
    asked |= {question("api.settled", id=life.id): life for finding in findings for life in finding.settled}
    if not asked:
        return list(results)
    changed: set[ContainerRun] = set()
    gone: set[ContainerRun] = set()
    for each, answer in host.ask_many(asked):
        life = asked[each]
        if isinstance(answer, Failed):
            if answer.reason == "gone":
                gone.add(life)
            continue
        state = answer.get("State") if isinstance(answer, dict) else None
        if isinstance(state, dict) and (state.get("Pid"), state.get("StartedAt")) != (
            life.pid,
            life.started_at,
        ):
            changed.add(life)
    return [_without(result, changed, gone) for result in results]


def _without(result: Result, changed: set[ContainerRun], gone: set[ContainerRun]) -> Result:
    """The result without findings about lives that are over: a container that is gone leaves no trace, one that lives again
    was not examined in its new life.
    """
    kept = tuple(f for f in result.findings if not (changed | gone).intersection(f.lives))
    if len(kept) == len(result.findings):
        return result
    again = tuple(
        Unexamined(f.subject, "it restarted while it was looked at")
        for f in result.findings
        if changed.intersection(f.lives)
    )
    unexamined = (*result.unexamined, *again)
    if kept:
        return replace(result, findings=kept, unexamined=unexamined)
    if not unexamined:
        return replace(result, verdict=Verdict.PASSED, findings=())
    first = unexamined[0]
    return replace(
        result,
        verdict=Verdict.UNKNOWN,
        why=f"{first.subject.name} not examined: {first.why}",
        findings=(),
        unexamined=unexamined,
    )
