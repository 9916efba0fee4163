"""The report as Markdown for a ticket: the same outline in the same order as on the terminal."""

from __future__ import annotations

import re
from typing import TextIO

from diagnose.model import Report
from diagnose.phrases import and_more, size
from diagnose.render.outline import outline
from diagnose.render.outline_block import Other, OutlineBlock
from diagnose.render.words import clean

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
NAMES_SHOWN = 10


def escape(text: str) -> str:
    """Text that Markdown shows as it is written, on one line."""
    return _SPECIAL.sub(r"\\\1", clean(text).replace("\n", " "))


def code(text: str) -> str:
    """Text in a code span that its own backticks cannot end."""
    text = clean(text).replace("\n", " ")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def render(report: Report, exit_code: int, stream: TextIO) -> None:
    """Write the whole report; nothing is left out for width."""
    page = outline(report, exit_code)
    rows = [f"# {escape(page.status)}", "", escape(page.host), ""]
    rows += [f"- {escape(page.coverage)}"] if page.coverage else []
    rows += [f"- note: {escape(note)}" for note in page.notes]
    for block in page.blocks or page.unexplained:
        rows += _block(block)
    if page.blocks and page.unexplained:
        rows += ["", "## Not explained by anything above", ""]
        rows += [f"- {escape(block.summary)}" for block in page.unexplained]
    if page.advice:
        rows += ["", f"## Advice ({len(page.advice)})", ""]
        rows += [
            f"- **{block.id}** {_names(block.subjects)}: {escape(block.summary)}"
            for block in page.advice
        ]
    for title, reasons in (
        ("Not judged", page.unknown),
        ("Crashed", page.crashed),
        ("Does not apply", page.skipped),
    ):
        if reasons:
            rows += ["", f"## {title}", ""]
            rows += [f"- {escape(ids)}: {escape(why)}" for ids, why in reasons]
    if page.silenced:
        rows += ["", f"{page.silenced} findings are silenced by configuration."]
    stream.write("\n".join(rows) + "\n")


def _names(subjects: tuple[str, ...]) -> str:
    return and_more([code(name) for name in subjects], NAMES_SHOWN)


def _block(block: OutlineBlock) -> list[str]:
    rows = [
        "",
        f"## {str(block.severity).upper()} {block.id} {_names(block.subjects)}",
        "",
        escape(block.summary),
        "",
    ]
    rows += [
        f"- {escape(part.name)}: {size(part.bytes)} {escape(part.note)}".rstrip()
        for part in block.parts
    ]
    rows += [f"- {escape(path)}: {code(value)}" for path, value in block.evidence]
    if block.made_by:
        rows.append(f"- made by {escape(block.made_by)}")
    if block.effects:
        rows += ["", "Explains:", ""]
        rows += [
            f"- {effect.id} {_names(effect.subjects)}: "
            f"{escape(effect.summary)} ({effect.strength}: {escape(effect.because)})"
            for effect in block.effects
        ]
    for other in block.others:
        if other.jointly:
            rows.append(f"- {other.id} {code(other.subject)} causes it too: fix both")
        else:
            rows.append(f"- or caused by {_suspect(other)}")
    rows += [f"- possible cause: {_suspect(other)}" for other in block.possible]
    rows += [f"- not due to {escape(suspect)}: {escape(fact)}" for suspect, fact in block.ruled_out]
    if block.by_hand:
        rows += ["", f"Fix (by hand): {escape(block.by_hand)}"]
    if block.look is not None:
        rows += ["", f"{block.look_title.capitalize()}:", "", *fenced(block.look.text)]
    if block.cure is not None:
        impact = f": {escape(block.cure.impact)}" if block.cure.impact else ""
        rows += ["", f"Fix ({block.cure.risk}){impact}", "", *fenced(block.cure.text)]
    return [*rows, "", f"More: `diagnose explain {block.id}`"]


def _suspect(other: Other) -> str:
    decide = f"; to check: {code(other.command)}" if other.command else ""
    return f"{other.id} {code(other.subject)}{decide}"


def fenced(commands: str) -> list[str]:
    """Commands in a fence that no run of backticks in them can end."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", commands) or [""]))
    return [f"{fence}sh", clean(commands), fence]
