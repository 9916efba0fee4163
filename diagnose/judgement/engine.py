"""One run of the chosen checks: it collects evidence, judges, rechecks, and makes the report.

It knows no particular check and no particular evidence. All of it happens inside the budget.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from diagnose import registry
from diagnose.judgement import changes_before, proof
from diagnose.judgement.collection import Collection
from diagnose.judgement.judge import is_out_of_time, judge_all, worst_first
from diagnose.judgement.recheck import recheck
from diagnose.judgement.report import Run, reported
from diagnose.mappings import by_key
from diagnose.model import Check, HostProfile, RecentChanges, Report, ReportBasis, Result, Verdict
from diagnose.questions import AnswerSource, Host
from diagnose.questions.containers import ListContainers
from diagnose.questions.run import ReadClock
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import recorded

__all__ = ["Run", "closure", "run"]


def closure(selected: Iterable[str], checks: Mapping[str, Check]) -> tuple[str, ...]:
    """The selected ids and all that may cause them, directly or not, that exist."""
    causing = by_key((effect, cause.id) for cause in checks.values() for effect in cause.causes)
    reached: dict[str, None] = {}
    open_ends = deque(selected)
    while open_ends:
        id = open_ends.popleft()
        if id in reached or id not in checks:
            continue
        reached[id] = None
        open_ends.extend(checks[id].caused_by)
        open_ends.extend(causing.get(id, ()))
    return tuple(reached)


def begun_early(source: AnswerSource, budget: Budget) -> Collection:
    """The collection of a run of all checks, begun with the evidence that waits, before the
    checks are imported."""
    collection = Collection(source, budget)
    _note_the_time(collection)
    _start(collection, registry.early())
    return collection


def _note_the_time(collection: Collection) -> None:
    """Ask for the time before all else: what began later was not there when it was looked at."""
    collection.host.ask(ReadClock())


def run(
    source: Host | AnswerSource,
    what: Run,
    *,
    began: float,
    budget: Budget,
    collection: Collection | None = None,
) -> Report:
    """The report of one run.

    began: monotonic seconds. The report is there soon after the end of the budget at the latest.
    collection: of this source, where it was begun early.
    """
    chosen = [what.checks[id] for id in closure(what.selected, what.checks)]
    kinds = _kinds(chosen, what)
    if collection is None:
        collection = Collection(source, budget, what.uncollected)
        _note_the_time(collection)
    host = collection.host
    if collection.waits:  # the answers come while the list is waited for
        _start(collection, kinds)
    budget.keep_for_reporting(began, _number_of_containers(host))
    _start(collection, kinds)
    evidence = {kind: collection.get(kind) for kind in kinds}
    collection.end()
    report_basis = evidence[ReportBasis]
    basis = report_basis if isinstance(report_basis, ReportBasis) else ReportBasis()
    basis = replace(basis, changes=changes_before.known_changes(evidence))
    judged = judge_all(chosen, evidence, what.thresholds, budget, what.unjudged)
    results = [_unless_unanswered(result, collection) for result in recheck(host, judged)]
    alternative = proof.Alternative(recorded(host), collection.collected)
    report = reported(results, basis, what, alternative, budget)
    profile = evidence.get(HostProfile)
    shown = collection.collected if what.shown else {}
    collection.forget()
    return replace(
        report,
        profile=profile if isinstance(profile, HostProfile) else None,
        duration_s=round(time.monotonic() - began, 3),
        coverage=tuple(value.coverage for value in evidence.values() if hasattr(value, "coverage")),
        parts_looked_at=host.parts_looked_at,
        uncollected=tuple(sorted(collection.uncollected)),
        unjudged=tuple(sorted(result.check.id for result in judged if is_out_of_time(result))),
        evidence=shown,
    )


def _number_of_containers(host: Host) -> int:
    """How many containers the engine lists."""
    rows = host.ask(ListContainers())
    return len(rows) if isinstance(rows, list) else 0


def _unless_unanswered(result: Result, collection: Collection) -> Result:
    """The result; unknown where the check found nothing, and a question has no answer.

    A collector may go on without an answer: it takes what it has. That nothing was found in the
    rest does not say that there is nothing, nor that there is nothing to look at.
    """
    if result.verdict not in (Verdict.PASSED, Verdict.SKIPPED):
        return result
    missing = collection.unanswered(need.kind for need in result.check.needs)
    if missing is None:
        return result
    return replace(result, verdict=Verdict.UNKNOWN, why=str(missing), missing=missing)


def _kinds(chosen: Iterable[Check], what: Run) -> list[type]:
    """The kinds of evidence of a run, each once, in the order in which they are begun."""
    needed = [need.kind for check in worst_first(chosen) for need in check.needs]
    profile = [HostProfile, RecentChanges] if what.profile else []
    begun_early = filter(registry.is_begun_early, needed)
    return list(dict.fromkeys((*begun_early, ReportBasis, *what.shown, *needed, *profile)))


def _start(collection: Collection, kinds: Iterable[type]) -> None:
    """Have these kinds collected; a recording's are collected when this returns."""
    for kind in kinds:
        collection.start(kind)
