"""Judging: one check on collected evidence."""

import functools
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from diagnose import registry
from diagnose.judgement.collection import Broken
from diagnose.judgement.deadline import TimeIsUpError, alarm, at_most
from diagnose.mappings import distinct
from diagnose.model import Check, Finding, Result, Skipped, Unavailable, Unexamined, Verdict
from diagnose.model.findings import number_of
from diagnose.model.subjects import DAEMON, HOST
from diagnose.phrases import named
from diagnose.recording.budget import Budget

Thresholds = Mapping[str, Mapping[str, float]]
"""Values that override a check's defaults: check id -> threshold name -> value."""

LEAST_S = 0.3
"""Seconds for judging at least, where a busy host has used up the budget while collecting: a report
about nothing helps nobody."""
SLOWEST_SHARE = 0.5
"""No check may take more than this part of the time left: one slow check does not leave the
others unjudged."""


def judge_all(
    checks: Sequence[Check],
    evidence: Mapping[type, Any],
    thresholds: Thresholds,
    budget: Budget,
    never: Iterable[str] = (),
) -> list[Result]:
    """The result of each check, in the order of the checks; one for which the time does not suffice
    is unknown.

    The checks that may find the worst are judged first: they are what a short time is for.

    never: ids of the checks for which a recorded run had no time.
    """
    unjudged = set(never)
    results = {}
    least = budget.at_least(LEAST_S)
    number_found = 0
    with alarm():
        for check in worst_first(checks):
            seconds_left = max(budget.ends_for(number_found), least) - time.monotonic()
            result = Result(check, Verdict.UNKNOWN, why=str(_OUT_OF_TIME), missing=_OUT_OF_TIME)
            if seconds_left > 0 and check.id not in unjudged:
                try:
                    with at_most(seconds_left * SLOWEST_SHARE):
                        result = judge(check, evidence, thresholds)
                except TimeIsUpError:
                    pass
            number_found += len(result.findings)
            results[check.id] = result
    return [results[check.id] for check in checks]


def worst_first(checks: Iterable[Check]) -> list[Check]:
    """The checks whose findings may be critical, then the warnings, then the advice."""
    return sorted(checks, key=lambda check: -check.severity)


_OUT_OF_TIME = Unavailable("budget", "the check did not finish within the time limit")


def is_out_of_time(result: Result) -> bool:
    """Whether the check was not judged to its end for lack of time."""
    return result.missing is _OUT_OF_TIME


def judge(check: Check, evidence: Mapping[type, Any], thresholds: Thresholds) -> Result:
    """One check's result from collected evidence. Pure but for the stopwatch; never raises."""
    began = time.perf_counter()
    result = _judge(check, evidence, thresholds.get(check.id, {}))
    return replace(result, duration_s=round(time.perf_counter() - began, 6))


def _judge(check: Check, evidence: Mapping[type, Any], overrides: Mapping[str, float]) -> Result:
    """The result of a check: from a need that is missing, from a crash, or from its findings."""
    for need in check.needs:
        value = evidence[need.kind]
        if isinstance(value, Broken):
            return Result(check, Verdict.CRASHED, why=value.error)
        if need.is_unmet_by(value):
            if value.reason == "not applicable":
                return Result(check, Verdict.SKIPPED, why=value.detail)
            return Result(check, Verdict.UNKNOWN, why=str(value), missing=value)
    arguments = {need.parameter: need.argument(evidence[need.kind]) for need in check.needs}
    try:
        items = _what_a_check_says(check.function(**arguments, **overrides))
    except Exception:  # noqa: BLE001 - a crash of ours is a result, with its name
        return Result(check, Verdict.CRASHED, why=traceback.format_exc(limit=-3))
    values = [evidence[need.kind] for need in check.needs]
    kinds = tuple(need.kind for need in check.needs)
    roots = [evidence[kind] for kind in _roots_of(kinds) if kind in evidence]
    left_out = [
        unexamined for value in (*values, *roots) for unexamined in getattr(value, "unexamined", ())
    ]
    judged = Result(
        check,
        Verdict.PASSED,
        findings=items.findings,
        unexamined=distinct(left_out, items.unexamined),
        examined=len(values[0]) if values and hasattr(values[0], "__len__") else 1,
    )
    return _with_verdict(judged, items.ending)


@functools.cache
def _roots_of(kinds: tuple[type, ...]) -> tuple[type, ...]:
    """The lists of what is examined that evidence of these kinds is collected from.

    What is left out of such a list is left out of all that is collected from it.
    """
    all_kinds = frozenset(kinds).union(*map(registry.stands_on, kinds))
    return tuple(kind for kind in all_kinds if getattr(kind, "IS_ROOT", False))


def _with_verdict(judged: Result, ending: Skipped | Unavailable | None) -> Result:
    """The result with its verdict. What was found counts more than what could not be examined."""
    if judged.findings:
        return replace(judged, verdict=Verdict.FOUND)
    if isinstance(ending, Skipped):
        return Result(judged.check, Verdict.SKIPPED, why=ending.why)
    if isinstance(ending, Unavailable) and ending.reason == "not applicable":
        return Result(judged.check, Verdict.SKIPPED, why=ending.detail)
    if isinstance(ending, Unavailable):
        return replace(judged, verdict=Verdict.UNKNOWN, why=str(ending), missing=ending)
    if not judged.unexamined:
        return judged
    first = judged.unexamined[0]
    further = number_of(judged.unexamined) - 1
    more = f"; {further} more not examined" if further else ""
    of_all = first.subject in (HOST, DAEMON)
    about = "" if of_all else f"{named(first.subject.kind, [first.subject.name])}: "
    return replace(judged, verdict=Verdict.UNKNOWN, why=f"{about}{first.why}{more}")


class _Said(msgspec.Struct, frozen=True):
    """The findings of a check, and how it ended."""

    findings: tuple[Finding, ...] = ()
    unexamined: tuple[Unexamined, ...] = ()
    ending: Skipped | Unavailable | None = None
    """What the generator returned at its end."""


def _what_a_check_says(answer: Any) -> _Said:
    """The findings that a check yields, and how it ends. Of two findings with one key the first
    counts."""
    if answer is None or isinstance(answer, Skipped | Unavailable):
        return _Said(ending=answer)
    findings: dict[tuple[Any, str], Finding] = {}
    unexamined: list[Unexamined] = []
    iterator = iter(answer)
    while True:
        try:
            item = next(iterator)
        except StopIteration as stop:
            return _Said(tuple(findings.values()), tuple(unexamined), stop.value)
        if isinstance(item, Unexamined):
            unexamined.append(item)
        else:
            findings.setdefault((item.subject, item.discriminator), item)
