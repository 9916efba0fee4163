"""The answer for many hosts, as text, Markdown, HTML or JSON."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

from diagnose.fleet.model import FleetAnswer, FleetCause
from diagnose.phrases import and_more, count
from diagnose.render import fleet_words as words
from diagnose.render.fleet_json import document
from diagnose.render.formats import markdown
from diagnose.render.words import clean

WIDTH = 100
CAUSES_SHOWN = 12
REST_SHOWN = 8
"""So many of the other causes are named by their id."""


def render(answer: FleetAnswer, format_: str, stream: TextIO) -> None:
    """Write the answer.

    Text shows the first of long lists; the others show all causes, HTML and JSON all hosts.
    """
    if format_ == "json":
        json.dump(document(answer), stream, indent=1)
        stream.write("\n")
    elif format_ == "markdown":
        stream.write("\n".join(_markdown(answer)) + "\n")
    elif format_ == "html":
        from diagnose.render.html import fleet as page

        page.render(answer, stream)
    else:
        for line in _text(answer):
            _write(stream, line)


def _text(answer: FleetAnswer) -> Iterator[str]:
    """The answer as text: its causes, then what else is said."""
    yield words.status(answer)
    for number, cause in enumerate(answer.causes[:CAUSES_SHOWN], start=1):
        yield ""
        yield from _cause(number, cause)
    if len(answer.causes) > CAUSES_SHOWN:
        rest = answer.causes[CAUSES_SHOWN:]
        yield ""
        causes = and_more([f"{cause.id} ({len(cause.hosts)})" for cause in rest], REST_SHOWN)
        yield f"and {count(len(rest), 'more cause')}: {causes}"
    for heading, rows in words.sections(answer):
        yield ""
        yield from _section(heading, rows)
    if answer.notes:
        yield ""
    for note in answer.notes:
        yield f"note: {words.line(note)}"


def _cause(number: int, cause: FleetCause) -> Iterator[str]:
    """The lines about one cause: its hosts, what tells them apart, and the first command."""
    hosts = count(len(cause.hosts), "host")
    yield f"{number}  {str(cause.severity).upper()} {cause.id} on {hosts}"
    yield f"   {words.line(cause.summary)}"
    for heading, fact in words.facts(cause):
        yield f"   {heading}: {fact}"
    command = words.command_of(cause)
    if not command or cause.command is None:
        yield f"   first: diagnose explain {cause.id}"
        return
    yield f"   first ({cause.command.risk}), {words.where(cause)}:"
    for line in command.splitlines():
        yield f"     {line}"


def _section(heading: str, rows: Sequence[str]) -> Iterator[str]:
    yield f"{heading}:"
    for row in rows[: words.ROWS_SHOWN]:
        yield f"  {row}"
    if len(rows) > words.ROWS_SHOWN:
        yield f"  and {len(rows) - words.ROWS_SHOWN} more"


def _markdown(answer: FleetAnswer) -> Iterator[str]:
    """The answer as Markdown: its causes, then what else is said."""
    escape = markdown.escape
    yield f"# {escape(words.status(answer))}"
    for cause in answer.causes:
        yield ""
        yield f"## {str(cause.severity).upper()} {cause.id}: {count(len(cause.hosts), 'host')}"
        yield ""
        yield escape(words.line(cause.summary))
        yield ""
        for heading, fact in words.facts(cause):
            yield f"- {heading}: {escape(fact)}"
        command = words.command_of(cause)
        if command and cause.command is not None:
            yield ""
            yield f"Fix ({cause.command.risk}), {escape(words.where(cause))}:"
            yield ""
            yield from markdown.commands(command)
        yield ""
        yield f"More: `diagnose explain {cause.id}`"
    for heading, rows in words.sections(answer):
        yield ""
        yield f"## {escape(heading.capitalize())}"
        yield ""
        yield from (f"- {escape(row)}" for row in rows)
    if answer.notes:
        yield ""
        yield from (f"- note: {escape(note)}" for note in answer.notes)


def _write(stream: TextIO, text: str) -> None:
    """One paragraph; what follows its first line stands further in. A command is never wrapped."""
    indent = " " * (len(text) - len(text.lstrip(" ")))
    if len(indent) >= 5 or not text:
        stream.write(clean(text) + "\n")
        return
    lines = textwrap.wrap(
        clean(text), WIDTH, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
    stream.write("\n".join(lines) + "\n")
