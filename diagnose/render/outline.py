"""The outline of a report: what is said, in which order, in which group.

Every renderer for people prints this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose import runbooks
from diagnose.judgement.causes import roots
from diagnose.judgement.exit_codes import UNKNOWN
from diagnose.model import (
    NOT_IN_BUNDLE,
    REASONS,
    Coverage,
    Json,
    Report,
    Reported,
    Result,
    Severity,
    Strength,
    Verdict,
)
from diagnose.phrases import and_more, count, size

_FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}
GROUP_FROM = 4
"""From so many findings of one check and severity on, without effects of their own, they are said
as one."""
NAMES_SHOWN = 3
ABSENT_SHOWN = 3
EVIDENCE_SHOWN = 5
ASIDE = "around it"
"""How the name of evidence ends that only `-v` shows: the lines of a log beside the one that
explains."""
_BYTES = re.compile(r"^stat\(|\bbytes\b|^available$|^reserved$")
"""Where evidence is called so, its numbers are bytes: JSON keeps them, people read sizes."""


class OutlinePart(msgspec.Struct, frozen=True):
    """One share of a whole, for a bar."""

    name: str
    bytes: int
    note: str


class Effect(msgspec.Struct, frozen=True):
    """What a root explains: one line a check."""

    id: str
    subjects: tuple[str, ...]
    summary: str
    because: str
    strength: Strength


class Other(msgspec.Struct, frozen=True):
    """Another root of some of the same effects."""

    id: str
    subject: str
    command: str
    """The command that tells the two apart; empty where both have to be cured."""
    jointly: bool = False
    """Whether the effects vanish only when both are cured."""


class OutlineBlock(msgspec.Struct, frozen=True):
    """One root cause, or a group of like ones, with all that is said of it."""

    severity: Severity
    id: str
    subjects: tuple[str, ...]
    summary: str
    evidence: tuple[tuple[str, str], ...]
    more_evidence: tuple[tuple[str, str], ...]
    """What `-v` shows beside it."""
    parts: tuple[OutlinePart, ...]
    effects: tuple[Effect, ...]
    cure: runbooks.Command | None
    """The fix of least risk that suits this finding; None where the page has none."""
    look: runbooks.Command | None
    """The command that shows more than the report; only where the cure destroys data, or there is
    none."""
    others: tuple[Other, ...]
    possible: tuple[Other, ...]
    """What may explain this root, though nothing confirms it."""
    ruled_out: tuple[tuple[str, str], ...]
    """Suspects that do not explain this root, by id and subject, each with the fact that clears it.
    """
    because_of_selection: bool
    made_by: str = ""
    onset: float | None = None
    """Unix time at which the first of the group began, if known."""


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
    unknown: tuple[tuple[str, str], ...]
    crashed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    silenced: int
    could_not_run: int = 0
    """How many checks are unknown."""


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
        if f.severity > Severity.advice or _worst(homes.get(f.key, ())) > Severity.advice
    ]
    loud_keys = {f.key for f in loud}
    quiet = [f for f in root_findings if f.key not in loud_keys]
    blocks = tuple(_block(group, homes, roots_of, report, by_key) for group in _groups(loud, homes))
    advice = tuple(_block(group, homes, roots_of, report, by_key) for group in _by_check(quiet))
    word = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}[code]
    status = f"{word} {report.host.name}: {_status(report, number, loud, homes, code)}"
    return Outline(
        severity=max(number, default=None),
        word=word,
        status=status,
        host=_host(report),
        notes=report.notes,
        coverage=_coverage(report.coverage),
        blocks=blocks,
        advice=advice,
        could_not_run=verdicts(report)[Verdict.UNKNOWN],
        unknown=_reasons(report.results, Verdict.UNKNOWN),
        crashed=_reasons(report.results, Verdict.CRASHED),
        skipped=_reasons(report.results, Verdict.SKIPPED),
        silenced=sum(1 for f in report.findings if f.silenced),
    )


def _worst(findings: Iterable[Reported]) -> int:
    return max((int(f.severity) for f in findings), default=0)


def _status(
    report: Report,
    number: Counter[Severity],
    loud: Sequence[Reported],
    homes: dict[str, list[Reported]],
    code: int,
) -> str:
    took = f"in {report.duration_s:.1f} s"
    found = [
        f"{number[Severity.critical]} critical" if number[Severity.critical] else "",
        count(number[Severity.warning], "warning") if number[Severity.warning] else "",
    ]
    incidents = ", ".join(part for part in found if part)
    if not incidents:
        return f"{_quiet_status(report, number, code)}, {took}"
    folded = sum(len(homes.get(f.key, ())) for f in loud)
    explaining = sum(1 for f in loud if homes.get(f.key))
    total = len(loud) + folded
    tail = ""
    if folded:
        causes = count(explaining, "root cause")
        verb = "explains" if explaining == 1 else "explain"
        tail = f" - {causes} {verb} {folded + explaining} of {total} findings"
    return f"{incidents} {took}{tail}"


def _quiet_status(report: Report, number: Counter[Severity], code: int) -> str:
    """The first line of a report without incidents.

    It reads like health only where everything was looked at.
    """
    judged = verdicts(report)
    blind = judged[Verdict.UNKNOWN] + judged[Verdict.CRASHED]
    if blind and not judged[Verdict.PASSED]:
        return f"not examined: none of {count(len(report.results), 'check')} could be judged"
    advice = f"{number[Severity.advice]} advice" if number[Severity.advice] else ""
    parts = [advice, f"{count(judged[Verdict.PASSED], 'check')} passed"]
    if judged[Verdict.UNKNOWN]:
        parts.append(f"{judged[Verdict.UNKNOWN]} could not be judged")
    if judged[Verdict.CRASHED]:
        parts.append(f"{judged[Verdict.CRASHED]} crashed")
    if judged[Verdict.SKIPPED]:
        verb = "does" if judged[Verdict.SKIPPED] == 1 else "do"
        parts.append(f"{judged[Verdict.SKIPPED]} {verb} not apply")
    counted = ", ".join(part for part in parts if part)
    if blind and report.container_names is None:
        return f"not fully examined, the containers could not be listed: {counted}"
    if blind and code == UNKNOWN:
        return f"not fully examined: {counted}"
    return f"{'nothing wrong found' if advice else 'nothing found'}, {counted}"


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
        words = ["no engine answered", *([f"kernel {head.kernel}"] if head.kernel else ())]
    else:
        words = [f"{head.engine['name']} {head.engine['version']}"]
    if head.containers is not None:
        words.append(f"{count(head.containers, 'container')} ({head.running} running)")
    if head.data_root:
        words.append(f"data root {head.data_root}")
    return ", ".join(words)


def _groups(roots: Sequence[Reported], homes: dict[str, list[Reported]]) -> list[list[Reported]]:
    """Roots as they are shown.

    Similar ones without effects from GROUP_FROM on together, replicas of one service too.
    """
    alike = Counter(_like(f) for f in roots if f.key not in homes)
    groups: dict[object, list[Reported]] = {}
    for finding in roots:
        name: object = finding.key
        if finding.key not in homes and alike[_like(finding)] >= GROUP_FROM:
            name = _like(finding)
        elif finding.key not in homes and finding.finding.service:
            name = (finding.id, finding.severity, finding.finding.service)
        groups.setdefault(name, []).append(finding)
    return list(groups.values())


def _like(finding: Reported) -> tuple[object, ...]:
    """What findings have in common that are shown as one.

    Those that failed with other words stand apart.
    """
    return (finding.id, finding.severity, finding.finding.signs, finding.finding.calls)


def _by_check(findings: Sequence[Reported]) -> list[list[Reported]]:
    groups: dict[str, list[Reported]] = {}
    for finding in findings:
        groups.setdefault(finding.id, []).append(finding)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].id))


def _block(
    group: Sequence[Reported],
    homes: dict[str, list[Reported]],
    roots_of: Mapping[str, tuple[str, ...]],
    report: Report,
    by_key: dict[str, Reported],
) -> OutlineBlock:
    head = group[0]
    variables = head.finding.variables
    values = head.finding.evidence
    parts = [part for value in values.values() for part in _parts(value)]
    rows = [(path, _value(value, path)) for path, value in values.items() if not _parts(value)]
    evidence = [row for row in rows if not row[0].endswith(ASIDE)]
    aside = [row for row in rows if row[0].endswith(ASIDE)]
    summaries = list(dict.fromkeys(f.finding.summary for f in group))
    subjects = tuple(dict.fromkeys(f.subject.name for f in group))
    # one subject for many findings does not tell them apart: their sentences have to
    also = summaries[1:] if len(subjects) == 1 else []
    effects = homes.get(head.key, ())
    rivals = [key for effect in effects for key in roots_of[effect.key] if key != head.key]
    joint = {link.cause for effect in effects for link in effect.causes if link.jointly}
    place = runbooks.Place(report.docker, report.traits)
    cure = runbooks.cure(head.id, variables, place)
    return OutlineBlock(
        severity=head.severity,
        id=head.id,
        subjects=subjects,
        summary=summaries[0],
        evidence=(*evidence[:EVIDENCE_SHOWN], *(("also", summary) for summary in also)),
        more_evidence=(*evidence[EVIDENCE_SHOWN:], *aside),
        parts=tuple(parts),
        effects=_effects(effects),
        cure=cure,
        look=runbooks.confirm(head.id, variables, place)
        if cure is None or cure.risk == "destructive"
        else None,
        others=tuple(
            _other(by_key[key], place, jointly=key in joint) for key in dict.fromkeys(rivals)
        ),
        possible=tuple(
            _other(by_key[link.cause], place) for link in head.possible if link.cause in by_key
        ),
        ruled_out=tuple(
            _cleared(by_key[suspect.cause], suspect.fact)
            for suspect in head.ruled_out
            if suspect.cause in by_key
        ),
        because_of_selection=not head.selected,
        made_by=head.made_by if len({f.made_by for f in group}) == 1 else "",
        onset=min((f.finding.onset for f in group if f.finding.onset is not None), default=None),
    )


def _parts(value: Json) -> list[OutlinePart]:
    """A list of things with their bytes, which is drawn as bars; none for any other value."""
    if not isinstance(value, list) or not all(
        isinstance(row, dict) and "bytes" in row for row in value
    ):
        return []
    return [
        OutlinePart(str(row["name"]), int(row["bytes"]), str(row.get("note", ""))) for row in value
    ]


def _other(root: Reported, place: runbooks.Place, *, jointly: bool = False) -> Other:
    confirm = None if jointly else runbooks.confirm(root.id, root.finding.variables, place)
    first_line = confirm.text.partition("\n")[0] if confirm else ""
    return Other(root.id, root.subject.name, first_line, jointly)


def _cleared(suspect: Reported, fact: str) -> tuple[str, str]:
    return f"{suspect.id} ({suspect.subject.name})", fact


def _effects(findings: Sequence[Reported]) -> tuple[Effect, ...]:
    groups: dict[str, list[Reported]] = {}
    for finding in findings:
        groups.setdefault(finding.id, []).append(finding)
    return tuple(
        Effect(
            id,
            tuple(dict.fromkeys(f.subject.name for f in group)),
            group[0].finding.summary,
            group[0].causes[0].because,
            min(finding.causes[0].strength for finding in group),
        )
        for id, group in groups.items()
    )


def _value(value: Json, name: str) -> str:
    """Evidence of this name as people read it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(_value(item, name) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(item, key)}" for key, item in value.items()) or "none"
    return size(value) if _BYTES.search(name) else str(value)


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
