"""The outline of a report: what is said, in which order, in which group.

Every renderer for people prints this.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from diagnose.mappings import by_key, distinct
from diagnose.model import DAEMON, Coverage, HostFacts, Report, Reported, Severity, Verdict
from diagnose.phrases import and_more, count
from diagnose.render.outlines.grouping import groups
from diagnose.render.outlines.outline_block import FindingTree, OutlineBlock, block
from diagnose.render.outlines.status_line import SaidAloud, status_of
from diagnose.render.outlines.unjudged import reasons_of

_FIRST_WORDS = {1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
"""By exit code, where that is not 0."""
_FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}
NAMES_SHOWN = 3
COMPLAINTS_FIRST = 3
"""So many complaints that nothing explains have a block of their own."""
MOST_ROOTS = 500
"""So many roots have a block, others are counted: 8,000 of them made an HTML page of 18 MB, which
took 1.5 s to write and which nobody reads to its end. Formats for programs have all of them."""


class Advice(msgspec.Struct, frozen=True):
    """The advice of one check, which is listed in a line: a block of each would take 10 ms of a
    run that finds nothing else."""

    id: str
    subjects: tuple[str, ...]
    summary: str
    """Of the first."""
    effects: tuple[str, ...]
    """The ids of what the first explains."""


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
    """Which connections were traced through the host, and which were not, and of what only a part
    was looked at; empty where nothing of this is known."""
    blocks: tuple[OutlineBlock, ...]
    """The roots above advice. Where they are all about how the host is set up, what happens and
    nobody explains comes first."""
    further: tuple[tuple[str, int], ...]
    """The ids of the roots that have no block, and how many there are of each."""
    advice: tuple[Advice, ...]
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

    code: the exit code of the run. most: so many roots have a block, and so many of what nothing
    explains.
    """
    tree = FindingTree.of(report)
    roots = [finding for finding in tree.by_key.values() if finding.root]
    loud = [root for root in roots if _is_loud(root, tree)]
    quiet = [root for root in roots if not _is_loud(root, tree)]
    said_aloud = SaidAloud.of(_unexplained_advice(quiet, tree.by_key.values()))
    is_only_posture = all(root.check.posture for root in loud)
    first = said_aloud.complaints[:COMPLAINTS_FIRST] if is_only_posture else []
    grouped = groups(loud, tree.effects_of)
    further = Counter(root.id for group in grouped[most:] for root in group)
    unexplained = said_aloud.complaints[len(first) :]
    number = report.by_severity
    judged = report.by_verdict
    word = _first_word(code, number, said_aloud)
    return Outline(
        severity=max(number, default=None),
        word=word,
        status=f"{word} {report.host.name}: {status_of(report, loud, said_aloud, code)}",
        host=_host(report),
        notes=report.notes,
        coverage=_coverage(report),
        blocks=(*_single_blocks(first, tree), *(block(group, tree) for group in grouped[:most])),
        further=tuple(further.most_common()),
        advice=_advice_of([finding for finding in quiet if finding not in first], tree),
        unexplained=_single_blocks(unexplained[:most], tree),
        asides=_single_blocks(said_aloud.asides[:most], tree),
        more_unexplained=max(0, len(unexplained) - most),
        more_asides=max(0, len(said_aloud.asides) - most),
        could_not_run=judged[Verdict.UNKNOWN],
        do_not_apply=judged[Verdict.SKIPPED],
        unknown=reasons_of(report.results, Verdict.UNKNOWN),
        crashed=reasons_of(report.results, Verdict.CRASHED),
        skipped=reasons_of(report.results, Verdict.SKIPPED),
        silenced=sum(1 for finding in report.findings if finding.silenced),
    )


def _first_word(code: int, number: Counter[Severity], said_aloud: SaidAloud) -> str:
    """The first word of the report.

    `OK` is for a host on which nothing complains, whatever exit code `--fail-on` asks for.
    """
    if code in _FIRST_WORDS:
        return _FIRST_WORDS[code]
    worst = max(number, default=Severity.advice)
    if worst > Severity.advice or said_aloud.complaints:
        return worst.name.upper()
    return "OK"


def _advice_of(findings: Iterable[Reported], tree: FindingTree) -> tuple[Advice, ...]:
    """A line for each check that has something to advise."""
    return tuple(_advice(group, tree) for group in _grouped_by_check(findings))


def _advice(group: Sequence[Reported], tree: FindingTree) -> Advice:
    """The advice of one check, as one line."""
    head = group[0]
    effects = tree.effects_of.get(head.key, ())
    return Advice(
        head.id,
        distinct(root.subject.name for root in group),
        head.finding.summary,
        distinct(effect.id for effect in effects),
    )


def _single_blocks(findings: Iterable[Reported], tree: FindingTree) -> tuple[OutlineBlock, ...]:
    """A block for each of these findings."""
    return tuple(block([finding], tree) for finding in findings)


def _is_loud(root: Reported, tree: FindingTree) -> bool:
    """Whether a root has a block of its own, and is not listed as advice."""
    severities = [finding.severity for finding in (root, *tree.effects_of.get(root.key, ()))]
    is_wanted = root.is_asked or _hides_the_host(root, tree.report)
    return max(severities) > Severity.advice or is_wanted


def _hides_the_host(finding: Reported, report: Report) -> bool:
    """Whether the reader has to mend this first, since nothing else can be seen before."""
    is_first = finding.subject == DAEMON and not finding.check.posture
    return is_first and report.host.engine is None and finding.selected


def _unexplained_advice(quiet: Iterable[Reported], shown: Iterable[Reported]) -> list[Reported]:
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


def _coverage(report: Report) -> str:
    """How many connections were traced, how many web servers asked for a page, and of what there
    was more than a run looks at."""
    parts = report.coverage
    number_asked = sum(part.pages for part in parts)
    left_out = sum(part.pages_left_out for part in parts)
    of = f" of {number_asked + left_out}" if left_out else ""
    proxies = [f'"{name}"' for part in parts for name in part.proxies]
    unnamed = f" (/ alone; no site behind {and_more(proxies, 2)} by its name)" if proxies else ""
    pages = f"web pages asked for: {number_asked}{of}{unnamed}" if number_asked else ""
    closed = [port for part in parts for port in part.here_alone]
    local_clause = f"published for this host alone: {and_more(closed, 3)}" if closed else ""
    only = ", ".join(str(part) for part in report.parts_looked_at)
    partly = f"looked at only {only}" if only else ""
    return "; ".join(filter(None, (_traced_connections(parts), local_clause, pages, partly)))


def _traced_connections(parts: Sequence[Coverage]) -> str:
    """How many connections were traced, and which could not be."""
    traced: Counter[str] = Counter()
    for part in parts:
        traced.update(part.traced)
    gaps = dict.fromkeys(part.gap for part in parts if part.gap)
    missing = f"; not traced: {'; '.join(gaps)}" if gaps else ""
    total = sum(traced.values())
    if total:
        return f"connections traced: {total} ({_traced_clause(traced, parts)}){missing}"
    return f"connections traced: none{missing}" if gaps else ""


def _traced_clause(traced: Counter[str], parts: Iterable[Coverage]) -> str:
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
        words.append(_without_engine(head))
        if head.kernel:
            words.append(f"kernel {head.kernel}")
    if head.containers is not None:
        running = "" if head.running is None else f" ({head.running} running)"
        words.append(f"{count(head.containers, 'container')}{running}")
    if head.data_root:
        words.append(f"data root {head.data_root}")
    return ", ".join(words)


def _without_engine(head: HostFacts) -> str:
    """Why the head names no engine: the time of a run on a busy host may end before."""
    if head.is_engine_late:
        return "the engine was not identified in time"
    return "no engine reached"


def _grouped_by_check(findings: Iterable[Reported]) -> list[list[Reported]]:
    groups = by_key((finding.id, finding) for finding in findings)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].id))
