"""The outline of a report: what is said, in which order, in which group.

Every renderer for people prints this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.judgement.exit_codes import UNKNOWN
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import (
    DAEMON,
    HOST,
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
from diagnose.render.outline_block import FindingTree, OutlineBlock, block

FIRST_WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
"""By exit code."""
_FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}
NAMES_SHOWN = 3
ABSENT_SHOWN = 3
COMPLAINTS_FIRST = 3
"""So many complaints that nothing explains have a block of their own."""
MOST_ROOTS = 500
"""So many roots have a block, others are counted: 8,000 of them made an HTML page of 18 MB, which
took 1.5 s to write and which nobody reads to its end. Formats for programs have all of them."""
_PLAIN_CLASS = LazyPattern(r"(^|: )(?:missing|refused|forbidden): (?=\S)")
"""Classes of failures whose words say them too."""
NAMED_IN_STATUS = 2
"""Containers that the first line names before it counts the others."""


class Outline(msgspec.Struct, frozen=True):
    """A report in the order in which it is shown."""

    severity: Severity | None
    word: str
    status: str
    """The monitoring line."""
    host: str
    """Engine and size."""
    notes: tuple[str, ...]
    coverage: str
    """Which connections were traced through the host, and which were not; empty where none was
    looked at."""
    blocks: tuple[OutlineBlock, ...]
    """The roots above advice. Where they are all about how the host is set up, what happens and
    nobody explains comes first."""
    further: tuple[tuple[str, int], ...]
    """The ids of the roots that have no block, and how many there are of each."""
    advice: tuple[OutlineBlock, ...]
    unexplained: tuple[OutlineBlock, ...]
    """The advice after which nobody is calm: what happens, no finding explains, and no block
    shows."""
    asides: tuple[OutlineBlock, ...]
    """What is logged by programs that keep working."""
    more_unexplained: int
    more_asides: int
    """more_unexplained, more_asides: how many of both have no block."""
    unknown: tuple[tuple[str, str], ...]
    """The ids of checks, and why they could not look."""
    crashed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    """skipped, crashed: the same."""
    silenced: int
    could_not_run: int = 0
    """How many checks are unknown."""
    do_not_apply: int = 0
    """How many checks were skipped."""


def outline(report: Report, code: int, most: int = MOST_ROOTS) -> Outline:
    """The report as an outline.

    code: the exit code of the run, which decides the first word. most: so many roots have a block,
    and so many of what nothing explains.
    """
    tree = FindingTree.of(report)
    roots = [finding for finding in tree.by_key.values() if finding.root]
    loud = [root for root in roots if _is_loud(root, tree)]
    quiet = [root for root in roots if not _is_loud(root, tree)]
    said = _Said.of(_unexplained(quiet, tree.by_key.values()))
    is_only_posture = all(root.check.posture for root in loud)
    first = said.complaints[:COMPLAINTS_FIRST] if is_only_posture else []
    grouped = groups(loud, tree.effects_of)
    further = Counter(root.id for group in grouped[most:] for root in group)
    unexplained = said.complaints[len(first) :]
    number = report.by_severity
    judged = report.by_verdict
    word = FIRST_WORDS[code]
    return Outline(
        severity=max(number, default=None),
        word=word,
        status=f"{word} {report.host.name}: {_summary(report, loud, said, code)}",
        host=_host(report),
        notes=report.notes,
        coverage=_coverage(report.coverage),
        blocks=(
            *_single_blocks(first, tree),
            *(block(group, tree) for group in grouped[:most]),
        ),
        further=tuple(further.most_common()),
        advice=tuple(block(group, tree) for group in _by_check(quiet)),
        unexplained=_single_blocks(unexplained[:most], tree),
        asides=_single_blocks(said.asides[:most], tree),
        more_unexplained=max(0, len(unexplained) - most),
        more_asides=max(0, len(said.asides) - most),
        could_not_run=judged[Verdict.UNKNOWN],
        do_not_apply=judged[Verdict.SKIPPED],
        unknown=_reasons(report.results, Verdict.UNKNOWN),
        crashed=_reasons(report.results, Verdict.CRASHED),
        skipped=_reasons(report.results, Verdict.SKIPPED),
        silenced=sum(1 for finding in report.findings if finding.silenced),
    )


class _Said(msgspec.Struct, frozen=True):
    """Advice that a report says aloud."""

    complaints: Sequence[Reported]
    asides: Sequence[Reported]
    """Those of programs that keep working."""

    @classmethod
    def of(cls, advice: Sequence[Reported]) -> _Said:
        """The two kinds of this advice."""
        return cls(
            [finding for finding in advice if finding.finding.aside is None],
            [finding for finding in advice if finding.finding.aside is not None],
        )


def _single_blocks(findings: Iterable[Reported], tree: FindingTree) -> tuple[OutlineBlock, ...]:
    """A block for each of these findings."""
    return tuple(block([finding], tree) for finding in findings)


def _is_loud(root: Reported, tree: FindingTree) -> bool:
    """Whether a root has a block of its own, and is not listed as advice."""
    severities = [finding.severity for finding in (root, *tree.effects_of.get(root.key, ()))]
    return max(severities) > Severity.advice or _hides_the_host(root, tree.report)


def _summary(report: Report, loud: Sequence[Reported], said: _Said, code: int) -> str:
    """What follows the host's name in the first line."""
    took = f"in {report.duration_s:.1f} s"
    incidents = _incidents(report.by_severity)
    if incidents and said.complaints and all(root.check.posture for root in loud):
        return (
            f"{_complaint(said.complaints)}; {incidents} {took}{_first_cause_clause(report, loud)}"
        )
    if incidents:
        first = _first_cause_clause(report, loud)
        return f"{incidents}{_unlisted_clause(report, loud)} {took}{first}"
    asides = f"; {_complaint(said.asides)}" if said.asides else ""
    return f"{_quiet_status(report, said.complaints, code)}, {took}{asides}"


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
        if finding.check.aloud is not None
        and not finding.finding.is_quiet
        and finding.subject not in explained
    ]


def _incidents(number: Counter[Severity]) -> str:
    """How many findings there are above advice; empty where there are none."""
    parts = []
    if number[Severity.critical]:
        parts.append(f"{number[Severity.critical]} critical")
    if number[Severity.warning]:
        parts.append(count(number[Severity.warning], "warning"))
    return ", ".join(parts)


def _unlisted_clause(report: Report, loud: Sequence[Reported]) -> str:
    """That no container was looked at, where no finding about the engine tells why."""
    is_blind = report.host.engine is None and report.by_verdict[Verdict.UNKNOWN] > 0
    is_told = any(finding.subject == DAEMON for finding in loud)
    if report.container_names is not None or is_told or not is_blind:
        return ""
    return ", the containers could not be listed,"


def _first_cause_clause(report: Report, loud: Sequence[Reported]) -> str:
    """The first cause, for a reader who sees only this line, such as that of a pager."""
    first = next((finding for finding in loud if finding.selected), None)
    if first is None:
        return ""
    name = f"{first.id} ({first.subject.name})"
    if len(loud) > 1:
        return f"; start with {name}"
    number = report.by_severity
    explains_others = number[Severity.critical] + number[Severity.warning] > 1
    return f", one cause: {name}" if explains_others else f": {name}"


def _quiet_status(report: Report, unexplained: Sequence[Reported], code: int) -> str:
    """The first line of a report without incidents.

    It reads like health only where everything was looked at and no container complains.
    """
    judged = report.by_verdict
    is_blind = judged[Verdict.UNKNOWN] + judged[Verdict.CRASHED] > 0
    if is_blind and not judged[Verdict.PASSED]:
        return f"not examined: none of {count(len(report.results), 'check')} could be judged"
    counted = _counted(report, unexplained)
    if is_blind and report.container_names is None:
        return f"not fully examined, the containers could not be listed: {counted}"
    if is_blind and code == UNKNOWN:
        return f"not fully examined: {counted}"
    if unexplained:
        return counted
    if report.by_severity[Severity.advice]:
        return f"nothing wrong found, {counted}"
    return f"nothing found, {counted}"


def _counted(report: Report, unexplained: Sequence[Reported]) -> str:
    """How many checks came to which verdict; complaints stand directly behind those that passed."""
    judged = report.by_verdict
    advice = report.by_severity[Severity.advice]
    passed = f"{count(judged[Verdict.PASSED], 'check')} passed"
    first = [f"{advice} advice"] if advice else []
    rest = list(_not_passed(judged))
    if not unexplained:
        return ", ".join([*first, passed, *rest])
    complaint = f"{passed}, but {_complaint(unexplained)}"
    others = ", ".join([*first, *rest])
    return f"{complaint}; {others}" if others else complaint


def _not_passed(judged: Counter[Verdict]) -> Iterator[str]:
    if judged[Verdict.UNKNOWN]:
        yield f"{judged[Verdict.UNKNOWN]} could not be judged"
    if judged[Verdict.CRASHED]:
        yield f"{judged[Verdict.CRASHED]} crashed"
    if judged[Verdict.SKIPPED]:
        verb = "does" if judged[Verdict.SKIPPED] == 1 else "do"
        yield f"{judged[Verdict.SKIPPED]} {verb} not apply"


def _complaint(unexplained: Sequence[Reported]) -> str:
    """What containers and the engine complain of, by the check that says so."""
    names_of: dict[tuple[str, tuple[str, str]], dict[str, None]] = {}
    for finding in unexplained:
        predicates = _predicates(finding)
        if predicates is not None:
            group = (finding.subject.kind, predicates)
            names_of.setdefault(group, {})[finding.subject.name] = None
    verbs_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (kind, (one, several)), names in names_of.items():
        verbs_of.setdefault((kind, tuple(names)), []).append(agree(names, one, several))
    return joined(
        [
            f"{_complaining(kind, names)} {joined(verbs)}"
            for (kind, names), verbs in verbs_of.items()
        ]
    )


def _predicates(finding: Reported) -> tuple[str, str] | None:
    """What the check says of one subject and of several; the engine may have words of its own."""
    check = finding.check
    if finding.finding.aside is not None:
        return finding.finding.aside
    if finding.subject.kind == DAEMON.kind and check.aloud_of_engine:
        return (check.aloud_of_engine, check.aloud_of_engine)
    return check.aloud


def _complaining(kind: str, names: Collection[str]) -> str:
    if kind == HOST.kind:
        return "this host"
    return "the engine" if kind == DAEMON.kind else named(kind, names, NAMED_IN_STATUS)


def _coverage(parts: Sequence[Coverage]) -> str:
    traced: Counter[str] = Counter()
    for part in parts:
        traced.update(part.traced)
    gaps = dict.fromkeys(part.gap for part in parts if part.gap)
    missing = f"; not traced: {'; '.join(gaps)}" if gaps else ""
    total = sum(traced.values())
    if total:
        return f"connections traced: {total} ({_traced(traced, parts)}){missing}"
    return f"connections traced: none{missing}" if gaps else ""


def _traced(traced: Counter[str], parts: Iterable[Coverage]) -> str:
    """How many connections in which direction, of which families of addresses."""
    families = sorted({_FAMILIES[family] for part in parts for family in part.families})
    directions = [f"{number} {direction}" for direction, number in traced.items() if number]
    return f"{', '.join(directions)}; {' and '.join(families)}"


def _host(report: Report) -> str:
    """The engine, the containers and the data root, as the head of a report names them."""
    head = report.host
    words = []
    if head.engine is not None:
        words.append(f"{head.engine['name']} {head.engine['version']}")
    else:
        words.append("no engine reached")
        if head.kernel:
            words.append(f"kernel {head.kernel}")
    if head.containers is not None:
        words.append(f"{count(head.containers, 'container')} ({head.running} running)")
    if head.data_root:
        words.append(f"data root {head.data_root}")
    return ", ".join(words)


def _by_check(findings: Iterable[Reported]) -> list[list[Reported]]:
    groups = by_key((finding.id, finding) for finding in findings)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].id))


def _reasons(results: Sequence[Result], verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """(ids, why) of the checks with this verdict.

    Those with one reason stand together, a whole family as `family.*`.
    """
    in_family = Counter(result.check.family for result in results)
    reasons = [(_why(result), result) for result in results if result.verdict is verdict]
    whole = frozenset(why for why, _ in reasons)
    together = by_key((_common(why, whole), result) for why, result in reasons)
    return tuple(
        (
            ", ".join(_ids(group, in_family)),
            _what_bundle_lacks(group) if why == NOT_IN_BUNDLE[0] else why,
        )
        for why, group in together.items()
    )


def _why(result: Result) -> str:
    """The last line of a check's reason; one for all that a bundle does not hold.

    The class of the failure is left out where its words say it: a path and `Permission denied`.
    """
    if _is_not_in_bundle(result):
        return NOT_IN_BUNDLE[0]
    lines = result.why.strip().splitlines()
    return _PLAIN_CLASS.sub(r"\1", lines[-1]) if lines else ""


def _common(why: str, reasons: Collection[str]) -> str:
    """A reason without the thing that it is about, where other checks have just that reason."""
    rest = why
    while ": " in rest:
        rest = rest.partition(": ")[2]
        if rest in reasons:
            return rest
    return why


def _is_not_in_bundle(result: Result) -> bool:
    return result.missing is not None and result.missing.reason in NOT_IN_BUNDLE


def _what_bundle_lacks(group: Iterable[Result]) -> str:
    """Which answers a bundle does not hold."""
    details = dict.fromkeys(
        result.missing.detail
        for result in group
        if result.missing is not None and _is_not_in_bundle(result)
    )
    return f"{REASONS['not recorded']}: {and_more(details, ABSENT_SHOWN)}"


def _ids(group: Sequence[Result], in_family: Mapping[str, int]) -> list[str]:
    """The checks of a group; in_family: how many checks of each family were judged."""
    in_group = Counter(result.check.family for result in group)
    names: dict[str, None] = {}
    for result in group:
        family = result.check.family
        is_whole = in_group[family] == in_family[family] > 1
        names[f"{family}.*" if is_whole else result.check.id] = None
    return list(names)
