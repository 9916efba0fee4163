"""The outline of a report: what is said, in which order, in which group.

Every renderer for people prints this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from diagnose.judgement.causes import roots
from diagnose.judgement.exit_codes import UNKNOWN
from diagnose.model import (
    DAEMON,
    NOT_IN_BUNDLE,
    REASONS,
    Coverage,
    Report,
    Reported,
    Result,
    Severity,
    Verdict,
)
from diagnose.phrases import agree, and_more, count, joined, named
from diagnose.render.grouping import groups
from diagnose.render.outline_block import OutlineBlock, block

_FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}
NAMES_SHOWN = 3
ABSENT_SHOWN = 3
_ENGINES = "the engine's"
NAMED_IN_STATUS = 2
"""Containers that the first line names before it counts the others."""


class Outline(msgspec.Struct, frozen=True):
    """status: the monitoring line.

    host: engine and size. unknown: (ids, why). skipped, crashed: the same.
    """

    severity: Severity | None
    word: str
    status: str
    host: str
    notes: tuple[str, ...]
    coverage: str
    """Which connections were traced through the host, and which were not; empty where none was
    looked at."""
    blocks: tuple[OutlineBlock, ...]
    advice: tuple[OutlineBlock, ...]
    unexplained: tuple[OutlineBlock, ...]
    """The advice after which nobody is calm: what happens, and no finding explains.

    A report without blocks shows these in their place.
    """
    unknown: tuple[tuple[str, str], ...]
    crashed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    silenced: int
    could_not_run: int = 0
    """How many checks are unknown."""
    do_not_apply: int = 0
    """How many checks were skipped."""


def counts(report: Report) -> Counter[Severity]:
    """How many selected findings there are of each severity; silenced ones do not count."""
    return Counter(f.severity for f in report.findings if f.selected and not f.silenced)


def verdicts(report: Report) -> Counter[Verdict]:
    """How many selected checks came to each verdict."""
    return Counter(result.verdict for result in report.results)


def outline(report: Report, code: int) -> Outline:
    """The report as an outline. code: the exit code of the run, which decides the first word."""
    by_key = {f.key: f for f in report.findings if not f.silenced}
    shown = list(by_key.values())
    number = counts(report)
    roots_of = roots(shown)
    homes: dict[str, list[Reported]] = {}
    for finding in shown:
        if not finding.root:
            homes.setdefault(roots_of[finding.key][0], []).append(finding)
    root_findings = [f for f in shown if f.root]
    loud = [
        f
        for f in root_findings
        if f.severity > Severity.advice
        or _worst(homes.get(f.key, ())) > Severity.advice
        or _hides_the_host(f, report)
    ]
    loud_keys = {f.key for f in loud}
    quiet = [f for f in root_findings if f.key not in loud_keys]
    unexplained = _unexplained(quiet, shown)
    blocks = tuple(block(group, homes, roots_of, report, by_key) for group in groups(loud, homes))
    advice = tuple(block(group, homes, roots_of, report, by_key) for group in _by_check(quiet))
    word = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}[code]
    took = f"in {report.duration_s:.1f} s"
    if incidents := _incidents(number):
        summary = f"{incidents} {took}{_beginning(loud)}"
    else:
        summary = f"{_quiet_status(report, number, unexplained, code)}, {took}"
    status = f"{word} {report.host.name}: {summary}"
    return Outline(
        severity=max(number, default=None),
        word=word,
        status=status,
        host=_host(report),
        notes=report.notes,
        coverage=_coverage(report.coverage),
        blocks=blocks,
        advice=advice,
        unexplained=tuple(
            block([finding], homes, roots_of, report, by_key) for finding in unexplained
        ),
        could_not_run=verdicts(report)[Verdict.UNKNOWN],
        do_not_apply=verdicts(report)[Verdict.SKIPPED],
        unknown=_reasons(report.results, Verdict.UNKNOWN),
        crashed=_reasons(report.results, Verdict.CRASHED),
        skipped=_reasons(report.results, Verdict.SKIPPED),
        silenced=sum(1 for f in report.findings if f.silenced),
    )


def _hides_the_host(finding: Reported, report: Report) -> bool:
    """Whether the reader has to mend this first, since nothing else can be seen before."""
    is_first = finding.subject == DAEMON and not finding.check.posture
    return is_first and report.host.engine is None and finding.selected


def _unexplained(quiet: Iterable[Reported], shown: Iterable[Reported]) -> list[Reported]:
    """The advice that a report says aloud: nothing above advice is about the same subject."""
    explained = {
        subject
        for finding in shown
        if finding.severity > Severity.advice
        for subject in (finding.subject, *finding.finding.touches, *finding.finding.calls)
    }
    return [
        finding
        for finding in quiet
        if finding.check.aloud is not None and finding.subject not in explained
    ]


def _worst(findings: Iterable[Reported]) -> int:
    return max((int(f.severity) for f in findings), default=0)


def _incidents(number: Counter[Severity]) -> str:
    """How many findings there are above advice; empty where there are none."""
    critical, warnings = number[Severity.critical], number[Severity.warning]
    counts = (
        f"{critical} critical" if critical else "",
        count(warnings, "warning") if warnings else "",
    )
    return ", ".join(part for part in counts if part)


def _beginning(loud: Sequence[Reported]) -> str:
    """The first cause, for a reader who sees one line alone, such as that of a pager."""
    first = next((finding for finding in loud if finding.selected), None)
    if first is None:
        return ""
    name = f"{first.id} ({first.subject.name})"
    return f": {name}" if len(loud) == 1 else f"; start with {name}"


def _quiet_status(
    report: Report,
    number: Counter[Severity],
    unexplained: Sequence[Reported],
    code: int,
) -> str:
    """The first line of a report without incidents.

    It reads like health only where everything was looked at and no container complains.
    """
    judged = verdicts(report)
    blind = judged[Verdict.UNKNOWN] + judged[Verdict.CRASHED]
    if blind and not judged[Verdict.PASSED]:
        return f"not examined: none of {count(len(report.results), 'check')} could be judged"
    advice = f"{number[Severity.advice]} advice" if number[Severity.advice] else ""
    passed = f"{count(judged[Verdict.PASSED], 'check')} passed"
    rest = []
    if judged[Verdict.UNKNOWN]:
        rest.append(f"{judged[Verdict.UNKNOWN]} could not be judged")
    if judged[Verdict.CRASHED]:
        rest.append(f"{judged[Verdict.CRASHED]} crashed")
    if judged[Verdict.SKIPPED]:
        verb = "does" if judged[Verdict.SKIPPED] == 1 else "do"
        rest.append(f"{judged[Verdict.SKIPPED]} {verb} not apply")
    if unexplained:
        passed = f"{passed}, but {_complaint(unexplained)}"
        counted = "; ".join(
            part for part in (passed, ", ".join(filter(None, [advice, *rest]))) if part
        )
    else:
        counted = ", ".join(filter(None, [advice, passed, *rest]))
    if blind and report.container_names is None:
        return f"not fully examined, the containers could not be listed: {counted}"
    if blind and code == UNKNOWN:
        return f"not fully examined: {counted}"
    if unexplained:
        return counted
    return f"{'nothing wrong found' if advice else 'nothing found'}, {counted}"


def _complaint(unexplained: Sequence[Reported]) -> str:
    """What containers and the engine complain of, by the check that says so."""
    by_predicates: dict[tuple[str, tuple[str, str]], dict[str, None]] = {}
    for finding in unexplained:
        if finding.check.aloud is not None:
            group = (finding.subject.kind, finding.check.aloud)
            by_predicates.setdefault(group, {})[finding.subject.name] = None
    clauses = [
        _clause(kind, names, agree(names, one, several))
        for (kind, (one, several)), names in by_predicates.items()
    ]
    return joined(clauses)


def _clause(kind: str, names: Collection[str], predicate: str) -> str:
    """Who complains of what; the engine's log is its own where it is the engine that complains."""
    if kind == DAEMON.kind:
        return f"the engine {predicate.replace(_ENGINES, 'its')}"
    return f"{named(kind, names, NAMED_IN_STATUS)} {predicate}"


def _coverage(parts: Sequence[Coverage]) -> str:
    traced: Counter[str] = Counter()
    for part in parts:
        traced.update(part.traced)
    families = sorted({_FAMILIES[family] for part in parts for family in part.families})
    gaps = dict.fromkeys(part.gap for part in parts if part.gap)
    missing = f"; not traced: {'; '.join(gaps)}" if gaps else ""
    total = sum(traced.values())
    if not total:
        return f"no connection was traced{missing}" if gaps else ""
    directions = ", ".join(
        f"{number} {direction}" for direction, number in traced.items() if number
    )
    return f"connections traced: {total} ({directions}; {' and '.join(families)}){missing}"


def _host(report: Report) -> str:
    head = report.host
    if head.engine is None:
        words = ["no engine reached", *([f"kernel {head.kernel}"] if head.kernel else ())]
    else:
        words = [f"{head.engine['name']} {head.engine['version']}"]
    if head.containers is not None:
        words.append(f"{count(head.containers, 'container')} ({head.running} running)")
    if head.data_root:
        words.append(f"data root {head.data_root}")
    return ", ".join(words)


def _by_check(findings: Sequence[Reported]) -> list[list[Reported]]:
    groups: dict[str, list[Reported]] = {}
    for finding in findings:
        groups.setdefault(finding.id, []).append(finding)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].id))


def _reasons(results: Sequence[Result], verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """(ids, why) of the checks with this verdict.

    Those with one reason stand together, a whole family as `family.*`.
    """
    together: dict[str, list[Result]] = {}
    absent: dict[str, None] = {}
    for result in results:
        if result.verdict is not verdict:
            continue
        why = result.why.strip().splitlines()[-1] if result.why.strip() else ""
        if result.missing is not None and result.missing.reason in NOT_IN_BUNDLE:
            absent[result.missing.detail] = None
            why = NOT_IN_BUNDLE[0]
        together.setdefault(why, []).append(result)
    families = Counter(result.check.family for result in results)
    rows = []
    for reason, group in together.items():
        if reason == NOT_IN_BUNDLE[0]:
            why = f"{REASONS['not recorded']}: {and_more(list(absent), ABSENT_SHOWN)}"
        else:
            why = reason
        names: dict[str, None] = {}
        whole = Counter(result.check.family for result in group)
        for result in group:
            family = result.check.family
            names[f"{family}.*" if whole[family] == families[family] > 1 else result.check.id] = (
                None
            )
        rows.append((", ".join(names), why))
    return tuple(rows)
