"""The answer for many hosts, as text, Markdown or JSON.

Everything that a report says is cleaned: a report may come from a hostile host.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from diagnose import runbooks
from diagnose.fleet.answer import FleetAnswer, FleetCause, Span
from diagnose.fleet.contrast import Split
from diagnose.model import Json
from diagnose.phrases import ago, and_more, count, counted, shortened
from diagnose.render import markdown
from diagnose.render.words import clean

SCHEMA_VERSION = 1
WIDTH = 100
CAUSES_SHOWN = 12
HOSTS_SHOWN = 3
ROWS_SHOWN = 5
ALIKE_SHOWN = 3
LONGEST_NAME = 80
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


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


def status(answer: FleetAnswer) -> str:
    """The first line: how many hosts are well, and what explains the rest."""
    head = f"{_WORDS[answer.code]} {count(answer.hosts, 'host')}:"
    if not answer.hosts:
        return f"{head} no report could be read"
    parts = []
    if answer.causes:
        verb = "explains" if len(answer.causes) == 1 else "explain"
        parts.append(
            f"{count(len(answer.causes), 'cause')} {verb} what is wrong on {answer.sick} of them"
        )
    parts.append(f"{answer.well} {'is' if answer.well == 1 else 'are'} well")
    if answer.unexamined:
        parts.append(f"{len(answer.unexamined)} could not be examined fully")
    if answer.silent:
        parts.append(f"{len(answer.silent)} did not report")
    if answer.unusable:
        parts.append(f"{count(len(answer.unusable), 'file')} could not be counted")
    return f"{head} {', '.join(parts)}"


def name(text: str) -> str:
    """A name from a report, on one line, of a bounded length."""
    return shortened(clean(text).replace("\n", " "), LONGEST_NAME)


def _names(names: Sequence[str], most: int = HOSTS_SHOWN) -> str:
    return and_more(
        [name(each) for each in names[: most + 1]] + [""] * max(0, len(names) - most - 1), most
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _began(span: Span, hosts: int) -> str:
    """Since when, and how fast it spread."""
    of = "" if span.known == hosts else f" (known of {span.known})"
    if span.known == 1:
        return f"began at {_moment(span.first)} UTC{of}"
    took = ago(span.last - span.first)
    if span.last - span.first < 1:
        return f"began at {_moment(span.first)} UTC on all at once{of}"
    half = ago(span.half - span.first)
    return (
        f"began at {_moment(span.first)} UTC, reached half of them within {half} and the last "
        f"within {took}{of}"
    )


def split_words(split: Split) -> str:
    """The fact that splits, with its counts: "all 143, and 2 of 857 others: kernel is 6.1"."""
    verb = "lack" if split.lacks else "have"
    sick = (
        f"all {split.sick}"
        if split.sick_with == split.sick
        else f"{split.sick_with} of {split.sick}"
    )
    other = f"none of the {count(split.other, 'other')}"
    if split.other_with:
        other = f"{split.other_with} of {count(split.other, 'other')}"
    facts = and_more([name(fact) for fact in split.facts], ALIKE_SHOWN)
    return f"{sick} and {other} {verb} this: {facts}"


def _change(cause: FleetCause) -> str:
    if cause.new is None or cause.gone is None:
        return ""
    return f"{cause.new} new since the earlier set, {cause.gone} gone"


def command_of(cause: FleetCause) -> str:
    """The first command, if a page of this version has it.

    A report from a hostile host must not put words into a shell.

    What destroys data is left to the page, which says what to look at before.
    """
    command = cause.command
    if (
        command is None
        or command.risk == "destructive"
        or not runbooks.has_fix(cause.id, command.text)
    ):
        return ""
    return command.text


def facts(cause: FleetCause) -> Iterator[tuple[str, str]]:
    """What is said of a cause, by its heading."""
    yield "hosts", _names(cause.hosts)
    change = _change(cause)
    if change:
        yield "change", change
    if cause.span is not None:
        yield "since", _began(cause.span, len(cause.hosts))
    if cause.split is not None:
        yield "splits", split_words(cause.split)
    if cause.groups:
        shares = [f"{name(group.name)} ({group.sick} of {group.hosts})" for group in cause.groups]
        yield "groups", and_more(shares, ROWS_SHOWN)
    if cause.signatures:
        about = [
            f"{name(signature.partition('@')[2])} ({number})"
            for signature, number in cause.signatures
        ]
        yield "about", and_more(about, ROWS_SHOWN)
    if cause.effects:
        yield (
            "explains",
            and_more([f"{id} ({count(hosts, 'host')})" for id, hosts in cause.effects], ROWS_SHOWN),
        )


def _text(answer: FleetAnswer) -> Iterator[str]:
    yield status(answer)
    for number, cause in enumerate(answer.causes[:CAUSES_SHOWN], start=1):
        yield ""
        yield (
            f"{number}  {str(cause.severity).upper()} {cause.id} on "
            f"{count(len(cause.hosts), 'host')}"
        )
        yield f"   {_name_of_summary(cause)}"
        for heading, words in facts(cause):
            yield f"   {heading}: {words}"
        command = command_of(cause)
        if command and cause.command is not None:
            yield f"   first ({cause.command.risk}), {where(cause)}:"
            yield from (f"     {line}" for line in command.splitlines())
        else:
            yield f"   first: diagnose explain {cause.id}"
    if len(answer.causes) > CAUSES_SHOWN:
        rest = answer.causes[CAUSES_SHOWN:]
        yield ""
        yield (
            f"and {count(len(rest), 'more cause')}: "
            f"{and_more([f'{each.id} ({len(each.hosts)})' for each in rest], 8)}"
        )
    for heading, rows in sections(answer):
        yield ""
        yield f"{heading}:"
        yield from (f"  {row}" for row in rows[:ROWS_SHOWN])
        if len(rows) > ROWS_SHOWN:
            yield f"  and {len(rows) - ROWS_SHOWN} more"
    if answer.notes:
        yield ""
        yield from (f"note: {_name_of(note)}" for note in answer.notes)


def _name_of_summary(cause: FleetCause) -> str:
    return _name_of(cause.summary)


def _name_of(text: str) -> str:
    return shortened(clean(text).replace("\n", " "))


def where(cause: FleetCause) -> str:
    """Where the command is to be typed: it may hold a name that only one host has."""
    command = cause.command
    assert command is not None
    if command.hosts == len(cause.hosts):
        return (
            f"the same on each; begin with {name(command.host)}"
            if command.hosts > 1
            else f"on {name(command.host)}"
        )
    return f"on {name(command.host)}"


def sections(answer: FleetAnswer) -> Iterator[tuple[str, list[str]]]:
    """What is said beside the causes: heading and rows."""
    if answer.silent:
        rows = []
        for silence in answer.silent:
            last = (
                f"last report {_moment(silence.last)} UTC"
                if silence.last is not None
                else "no report at all"
            )
            rows.append(f"{name(silence.host)}: {last}")
        yield f"did not report ({len(rows)})", rows
    if answer.unexamined:
        yield (
            f"not examined fully ({len(answer.unexamined)})",
            [name(host) for host in answer.unexamined],
        )
    if answer.odd:
        rows = []
        for odd in answer.odd:
            differences = [
                f"{name(fact)} is {name(value)} (others: {name(usual)})"
                for fact, value, usual in odd.differences
            ]
            rows.append(f"{name(odd.host)}: {and_more(differences, HOSTS_SHOWN)}")
        yield f"different from their group ({count(len(rows), 'host')})", rows
    if answer.lost:
        rows = [
            f"{lost.id}: {counted('host', [name(host) for host in lost.hosts])}"
            for lost in answer.lost
        ]
        hosts = {host for lost in answer.lost for host in lost.hosts}
        yield (
            (
                f"lost sight of ({count(len(hosts), 'host')} whose checks could look before, and "
                "cannot now)"
            ),
            rows,
        )
    if answer.unusable:
        rows = [f"{name(unusable.place)} {name(unusable.why)}" for unusable in answer.unusable]
        yield f"not counted ({count(len(rows), 'file')})", rows


def _markdown(answer: FleetAnswer) -> Iterator[str]:
    escape = markdown.escape
    yield f"# {escape(status(answer))}"
    for cause in answer.causes:
        yield ""
        yield f"## {str(cause.severity).upper()} {cause.id}: {count(len(cause.hosts), 'host')}"
        yield ""
        yield escape(_name_of(cause.summary))
        yield ""
        for heading, words in facts(cause):
            yield f"- {heading}: {escape(words)}"
        command = command_of(cause)
        if command and cause.command is not None:
            yield ""
            yield f"Fix ({cause.command.risk}), {escape(where(cause))}:"
            yield ""
            yield from markdown.fenced(command)
        yield ""
        yield f"More: `diagnose explain {cause.id}`"
    for heading, rows in sections(answer):
        yield ""
        yield f"## {escape(heading.capitalize())}"
        yield ""
        yield from (f"- {escape(row)}" for row in rows)
    if answer.notes:
        yield ""
        yield from (f"- note: {escape(note)}" for note in answer.notes)


def document(answer: FleetAnswer) -> dict[str, Json]:
    """The answer as a JSON value. Times are RFC 3339; a command that no page has is left out."""
    return {
        "kind": "fleet",
        "schema_version": SCHEMA_VERSION,
        "exit_code": answer.code,
        "hosts": answer.hosts,
        "well": answer.well,
        "sick": answer.sick,
        "unexamined": list(answer.unexamined),
        "causes": [_cause(cause) for cause in answer.causes],
        "different": [
            {
                "host": odd.host,
                "differences": [
                    {"fact": fact, "value": value, "others": usual}
                    for fact, value, usual in odd.differences
                ],
            }
            for odd in answer.odd
        ],
        "lost_sight": [{"id": lost.id, "hosts": list(lost.hosts)} for lost in answer.lost],
        "silent": [
            {"host": silence.host, "last": _time(silence.last)} for silence in answer.silent
        ],
        "not_counted": [msgspec.to_builtins(unusable) for unusable in answer.unusable],
        "notes": list(answer.notes),
        "earlier_hosts": answer.earlier,
    }


def _cause(cause: FleetCause) -> dict[str, Json]:
    command = command_of(cause)
    first = None
    if command and cause.command is not None:
        first = {
            "command": command,
            "risk": cause.command.risk,
            "host": cause.command.host,
            "hosts": cause.command.hosts,
        }
    return {
        "id": cause.id,
        "severity": str(cause.severity),
        "hosts": list(cause.hosts),
        "new": cause.new,
        "gone": cause.gone,
        "began": None if cause.span is None else _span(cause.span),
        "summary": cause.summary,
        "signatures": [
            {"signature": signature, "hosts": number} for signature, number in cause.signatures
        ],
        "explains": [{"id": id, "hosts": number} for id, number in cause.effects],
        "split": None if cause.split is None else msgspec.to_builtins(cause.split),
        "first": first,
        "groups": [msgspec.to_builtins(group) for group in cause.groups],
    }


def _span(span: Span) -> dict[str, Json]:
    return {
        "first": _time(span.first),
        "half": _time(span.half),
        "last": _time(span.last),
        "known": span.known,
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


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
