"""The first line of a report: what monitoring reads, and a person who was paged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import msgspec

from diagnose.judgement.exit_codes import UNKNOWN
from diagnose.mappings import by_key, distinct, paired
from diagnose.model import DAEMON, HOST, Report, Reported, Severity, Verdict
from diagnose.phrases import agree, and_more, count, joined, named
from diagnose.render.outlines.grouping import place_of

NAMED_IN_STATUS = 2
"""Containers that the first line names before it counts the others."""


class SaidAloud(msgspec.Struct, frozen=True):
    """Advice that a report says aloud."""

    complaints: Sequence[Reported]
    asides: Sequence[Reported]
    """Those of programs that keep working."""

    @classmethod
    def of(cls, advice: Sequence[Reported]) -> SaidAloud:
        """The two kinds of this advice."""
        return cls(
            [finding for finding in advice if finding.finding.aside is None],
            [finding for finding in advice if finding.finding.aside is not None],
        )


def status_of(report: Report, loud: Sequence[Reported], said_aloud: SaidAloud, code: int) -> str:
    """The words after the host's name in the first line."""
    took = f"in {report.duration_s:.1f} s"
    incidents = _incidents(report.by_severity)
    if incidents and said_aloud.complaints and all(root.check.posture for root in loud):
        return f"{_complaint(said_aloud.complaints)}; {incidents} {took}{_first_cause_clause(report, loud)}"
    if incidents:
        first = _first_cause_clause(report, loud)
        return f"{incidents}{_unlisted_clause(report, loud)} {took}{first}"
    asides = f"; {_complaint(said_aloud.asides)}" if said_aloud.asides else ""
    return f"{_quiet_status(report, said_aloud.complaints, code)}, {took}{asides}"


def _incidents(number: Counter[Severity]) -> str:
    """How many findings there are above advice; empty where there are none."""
    parts = []
    if number[Severity.critical]:
        parts.append(f"{number[Severity.critical]} critical")
    if number[Severity.warning]:
        parts.append(count(number[Severity.warning], "warning"))
    return ", ".join(parts)


def _unlisted_clause(report: Report, loud: Sequence[Reported]) -> str:
    """The clause for a run without a container list, where no finding about the engine says why."""
    is_blind = report.host.engine is None and report.by_verdict[Verdict.UNKNOWN] > 0
    is_told = any(finding.subject == DAEMON for finding in loud)
    if report.container_names is not None or is_told or not is_blind:
        return ""
    return f", {_unlisted(report)},"


def _unlisted(report: Report) -> str:
    """The words for a missing container list."""
    if report.host.is_engine_late:
        return "the containers were not listed in time"
    return "the containers could not be listed"


def _first_cause_clause(report: Report, loud: Sequence[Reported]) -> str:
    """The first cause, for a reader who sees only this line, such as that of a pager."""
    first = next((finding for finding in loud if finding.selected), None)
    if first is None:
        return ""
    subjects = distinct(finding.subject.name for finding in loud)
    if len(subjects) > 1 and _have_one_cause(loud):
        return f", one cause: {first.id} ({and_more(subjects, 1)})"
    name = f"{first.id} ({first.subject.name})"
    if len(loud) > 1:
        return f"; start with {name}"
    number = report.by_severity
    explains_others = number[Severity.critical] + number[Severity.warning] > 1
    return f", one cause: {name}" if explains_others else f": {name}"


def _have_one_cause(loud: Sequence[Reported]) -> bool:
    """Whether one check finds all of them on the same file system."""
    places = {(finding.id, place_of(finding)) for finding in loud}
    return len(places) == 1 and bool(place_of(loud[0]))


def _quiet_status(report: Report, unexplained: Sequence[Reported], code: int) -> str:
    """The first line of a report without incidents.

    It reads like health only where everything was looked at and no container complains.
    """
    judged = report.by_verdict
    is_blind = judged[Verdict.UNKNOWN] + judged[Verdict.CRASHED] > 0
    if is_blind and not judged[Verdict.PASSED]:
        return f"not examined: none of {count(len(report.results), 'check')} could be judged"
    counted = _counted_verdicts(report, unexplained)
    if is_blind and report.container_names is None:
        return f"not fully examined, {_unlisted(report)}: {counted}"
    if is_blind and code == UNKNOWN:
        return f"not fully examined: {counted}"
    if unexplained:
        return counted
    outcome = "nothing wrong found" if report.by_severity[Severity.advice] else "nothing found"
    return ", ".join(filter(None, (outcome, _unasked_clause(report), counted)))


def _unasked_clause(report: Report) -> str:
    """The clause for a run that requested no web page; "" where one was requested."""
    has_asked = any(part.pages for part in report.coverage)
    is_about_all = report.profile is not None
    return "" if has_asked or not is_about_all else "no web page asked for"


def _counted_verdicts(report: Report, unexplained: Sequence[Reported]) -> str:
    """How many checks came to which verdict; complaints stand before them."""
    judged = report.by_verdict
    advice = report.by_severity[Severity.advice]
    passed = f"{count(judged[Verdict.PASSED], 'check')} passed"
    first = [f"{advice} advice"] if advice else []
    counted = ", ".join([*first, passed, *_not_passed(judged)])
    return f"{_complaint(unexplained)}; {counted}" if unexplained else counted


def _not_passed(judged: Counter[Verdict]) -> Iterator[str]:
    if judged[Verdict.UNKNOWN]:
        yield f"{judged[Verdict.UNKNOWN]} could not be judged"
    if judged[Verdict.CRASHED]:
        yield f"{judged[Verdict.CRASHED]} crashed"
    if judged[Verdict.SKIPPED]:
        verb = "does" if judged[Verdict.SKIPPED] == 1 else "do"
        yield f"{judged[Verdict.SKIPPED]} {verb} not apply"


def _complaint(unexplained: Sequence[Reported]) -> str:
    """The complaints of containers and the engine, as a clause."""
    names_by_complaint = by_key(
        ((finding.subject.kind, predicates), finding.subject.name)
        for finding, predicates in paired(unexplained, _predicates)
    )
    verbs_by_subjects = by_key(
        ((kind, names), agree(names, one, several))
        for (kind, (one, several)), all_names in names_by_complaint.items()
        for names in [tuple(distinct(all_names))]
    )
    clauses = [
        f"{_complaining_subjects(kind, names)} {joined(verbs)}"
        for (kind, names), verbs in verbs_by_subjects.items()
    ]
    return joined(clauses)


def _predicates(finding: Reported) -> tuple[str, str] | None:
    """The predicates of a finding for one subject and for several. The engine may have its own."""
    check = finding.check
    if finding.finding.aside is not None:
        return finding.finding.aside
    if finding.subject.kind == DAEMON.kind and check.aloud_of_engine:
        return (check.aloud_of_engine, check.aloud_of_engine)
    return check.aloud


def _complaining_subjects(kind: str, names: Collection[str]) -> str:
    if kind == HOST.kind:
        return "this host"
    return "the engine" if kind == DAEMON.kind else named(kind, names, NAMED_IN_STATUS)
