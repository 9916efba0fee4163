"""The part of `explain --here` about this host.

It says why the finding is there, what a cure would change, and which causes are ruled out.
"""

from typing import TextIO

from rich.console import Console
from rich.text import Text

from diagnose.judgement.why_not import Explained, explanations
from diagnose.model import CauseLink, Report, Reported
from diagnose.phrases import and_more
from diagnose.render.console import literal
from diagnose.render.words import one_line

IDS_SHOWN = 12


def render(
    id: str, report: Report, stream: TextIO, *, color: bool | None, width: int | None = None
) -> None:
    """Print what the run found of this check, and why."""
    console = literal(stream, color=color, width=width)
    by_key = {finding.key: finding for finding in report.findings}
    console.print(Text(f"On {one_line(report.host.name)}", "bold"))
    shown = explanations(id, report)
    if not shown:
        _line(console, _not_found(id, report), 2)
    for finding in shown:
        _finding(console, finding, by_key)
    console.print()


def first_found(id: str, report: Report) -> Reported | None:
    """The finding whose values the page is shown with; None where the check found nothing."""
    return next((finding for finding in report.findings if finding.id == id), None)


def _not_found(id: str, report: Report) -> str:
    result = next((result for result in report.results if result.check.id == id), None)
    if result is None:
        return "not judged"
    why = f": {result.why.splitlines()[-1]}" if result.why else ""
    return f"not found here ({result.verdict.value.lower()}{why})"


def _finding(console: Console, explained: Explained, by_key: dict[str, Reported]) -> None:
    finding = explained.finding
    _line(
        console,
        f"{str(finding.severity).upper()}  {finding.subject.name}: {finding.finding.summary}",
        2,
        "bold",
    )
    for link in explained.causes:
        _line(
            console,
            f"because of {_name_of(by_key.get(link.cause), link.cause)}: "
            f"{_strength(link)}; {link.because}",
            4,
        )
    if not explained.causes:
        _line(console, "nothing else that was found explains it", 4)
    for link in explained.changes:
        _line(
            console,
            f"a cure also ends {_name_of(by_key.get(link.effect), link.effect)}: {_strength(link)}",
            4,
        )
    if not explained.changes:
        _line(console, "nothing else that was found comes from it", 4)
    by_fact: dict[str, list[str]] = {}
    for suspect in explained.cleared:
        by_fact.setdefault(suspect.fact, []).append(suspect.name)
    for fact, names in by_fact.items():
        _line(console, f"not {and_more(names)}: {fact}", 4)
    if explained.absent:
        _line(
            console, f"not found here, so not the cause: {and_more(explained.absent, IDS_SHOWN)}", 4
        )
    for id, why in explained.unseen:
        _line(console, f"could not be judged: {id}, {why}", 4)


def _strength(link: CauseLink) -> str:
    return f"{link.strength}, only together with the others" if link.jointly else str(link.strength)


def _name_of(finding: Reported | None, key: str) -> str:
    return f"{finding.id} ({finding.subject.name})" if finding is not None else key


def _line(console: Console, text: str, indent: int, style: str = "") -> None:
    for number, row in enumerate(
        Text(one_line(text), style).wrap(console, max(20, console.width - indent - 2))
    ):
        row.rstrip()
        console.print(Text(" " * (indent + (2 if number else 0))) + row)
