"""The report as Markdown for a ticket: the same outline in the same order as on the terminal."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from diagnose.markdown_text import code_span, escaped, fenced
from diagnose.model import Report
from diagnose.phrases import and_more, count, size
from diagnose.render.outlines.outline import Outline, outline
from diagnose.render.outlines.outline_block import Other, OutlineBlock
from diagnose.render.words import clean

NAMES_SHOWN = 10


def escape(text: str) -> str:
    """Text that Markdown shows as it is written, on one line."""
    return escaped(clean(text))


def code(text: str) -> str:
    """Text in a code span that its own backticks cannot end."""
    return code_span(clean(text))


def render(report: Report, exit_code: int, stream: TextIO) -> None:
    """Write the report; nothing is left out for width, and what has no block is counted."""
    page = outline(report, exit_code)
    rows = [f"# {escape(page.status)}", "", escape(page.host), ""]
    if page.coverage:
        rows.append(f"- {escape(page.coverage)}")
    rows += [f"- note: {escape(note)}" for note in page.notes]
    for block in page.blocks:
        rows += _block(block)
    rows += _section("Further findings", [f"- **{id}**: {number}" for id, number in page.further])
    rows += _complaints_and_advice(page)
    rows += _section("Not judged", _reasons(page.unknown))
    rows += _section("Crashed", _reasons(page.crashed))
    rows += _section("Does not apply", _reasons(page.skipped))
    if page.silenced:
        rows += ["", f"{page.silenced} findings are silenced by configuration."]
    stream.write("\n".join(rows) + "\n")


def _section(title: str, items: Sequence[str]) -> list[str]:
    """A list under its title; nothing where the list is empty."""
    return ["", f"## {title}", "", *items] if items else []


def _complaints_and_advice(page: Outline) -> list[str]:
    """The findings without a block: complaints beside worse findings, and advice."""
    items = [
        f"- **{advice.id}** {_names(advice.subjects)}: {escape(advice.summary)}"
        for advice in page.advice
    ]
    return [
        *_section("Also worth a look", _summaries(page.unexplained, page.more_unexplained)),
        *_section(
            "Logged by programs that keep working", _summaries(page.asides, page.more_asides)
        ),
        *_section(f"Advice ({len(page.advice)})", items),
    ]


def _summaries(blocks: Sequence[OutlineBlock], further: int) -> list[str]:
    """A row for each block, and one for how many more there are."""
    more = [f"- and {count(further, 'container')} more"] if further else []
    return [*(f"- {escape(block.summary)}" for block in blocks), *more]


def _reasons(reasons: Sequence[tuple[str, str]]) -> list[str]:
    return [f"- {escape(ids)}: {escape(why)}" for ids, why in reasons]


def _names(subjects: tuple[str, ...]) -> str:
    return and_more([code(name) for name in subjects], NAMES_SHOWN)


def _block(block: OutlineBlock) -> list[str]:
    """One root as a section."""
    return [
        "",
        f"## {str(block.severity).upper()} {block.id} {_names(block.subjects)}",
        "",
        escape(block.summary),
        "",
        *_evidence(block),
        *_links(block),
        *_remedies(block),
        "",
        f"More: `diagnose explain {block.id}`",
    ]


def _evidence(block: OutlineBlock) -> Iterator[str]:
    for part in block.parts:
        yield f"- {escape(part.name)}: {size(part.bytes)} {escape(part.note)}".rstrip()
    for path, value in block.evidence:
        yield f"- {escape(path)}: {code(value)}"
    if block.made_by:
        yield f"- made by {escape(block.made_by)}"


def _links(block: OutlineBlock) -> Iterator[str]:
    """The effects of the root, and the findings that may explain it or do not."""
    if block.effects:
        yield from ("", "Explains:", "")
    for effect in block.effects:
        because = f"{effect.strength}: {escape(effect.because)}"
        yield f"- {effect.id} {_names(effect.subjects)}: {escape(effect.summary)} ({because})"
    for other in block.others:
        if other.jointly:
            yield f"- fix {other.id} {code(other.subject)} too: both cause this"
        else:
            yield f"- or caused by {_suspect(other)}"
    for other in block.possible:
        yield f"- possible cause: {_suspect(other)}"
    for suspect, fact in block.ruled_out:
        yield f"- not due to {escape(suspect)}: {escape(fact)}"


def _remedies(block: OutlineBlock) -> Iterator[str]:
    """The cure: its words for what is done by hand, the look, and the commands."""
    if block.by_hand:
        yield from ("", f"Fix (by hand): {escape(block.by_hand)}")
    if block.look is not None:
        yield from (
            "",
            f"{block.look_title[:1].upper()}{block.look_title[1:].rstrip('.')}:",
            "",
            *commands(block.look.text),
        )
    if block.cure is not None:
        impact = f": {escape(block.cure.impact)}" if block.cure.impact else ""
        yield from ("", f"Fix ({block.cure.risk}){impact}", "", *commands(block.cure.text))


def _suspect(other: Other) -> str:
    decide = f"; to check: {code(other.command)}" if other.command else ""
    return f"{other.id} {code(other.subject)}{decide}"


def commands(text: str) -> list[str]:
    """The lines of a fenced block of commands."""
    return fenced(clean(text), "sh").split("\n")
