"""Phrases about many hosts that text, Markdown and HTML share.

Everything from a report is cleaned: a report may come from a hostile host.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from diagnose import runbooks
from diagnose.fleet.contrast import Split
from diagnose.fleet.model import Blindness, FleetAnswer, FleetCause, OddHost, SilentHost, Span
from diagnose.phrases import and_more, count, counted, duration, shortened, utc
from diagnose.render.words import clean

HOSTS_SHOWN = 3
ROWS_SHOWN = 5
ALIKE_SHOWN = 3
LONGEST_NAME = 80
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def status(answer: FleetAnswer) -> str:
    """The first line: on how many hosts nothing is wrong, and what explains the rest.

    A report knows of advice too, such as a container that repeats an error: no host is called well.
    """
    head = f"{_WORDS[answer.code]} {count(answer.hosts, 'host')}:"
    if not answer.hosts:
        return f"{head} no report could be read"
    parts = []
    if answer.causes:
        verb = "explains" if len(answer.causes) == 1 else "explain"
        causes = count(len(answer.causes), "cause")
        parts.append(f"{causes} {verb} what is wrong on {answer.sick} of them")
    parts.append(f"nothing above advice on {answer.well}")
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


def line(text: str) -> str:
    """A sentence from a report, on one line."""
    return shortened(clean(text).replace("\n", " "))


def command_of(cause: FleetCause) -> str:
    """The first command, if a page of this version has it; else "".

    A report from a hostile host must not put words into a shell. What destroys data is left to the
    page, which says what to look at before.
    """
    command = cause.command
    if command is None or command.risk == "destructive":
        return ""
    return command.text if runbooks.has_fix(cause.id, command.text) else ""


def where(cause: FleetCause) -> str:
    """The hosts on which to type the command: it may hold a name that only one host has."""
    command = cause.command
    assert command is not None
    host = name(command.host)
    if 1 < command.hosts == len(cause.hosts):
        return f"the same on each; begin with {host}"
    return f"on {host}"


def facts(cause: FleetCause) -> Iterator[tuple[str, str]]:
    """The facts of a cause, each with its heading."""
    yield "hosts", and_more([name(host) for host in cause.hosts], HOSTS_SHOWN)
    if cause.new is not None and cause.gone is not None:
        yield "change", f"{cause.new} new since the earlier set, {cause.gone} gone"
    if cause.span is not None:
        yield "since", _began(cause.span, len(cause.hosts))
    if cause.split is not None:
        yield "splits", _split_clause(cause.split)
    if cause.groups:
        shares = [f"{name(group.name)} ({group.sick} of {group.hosts})" for group in cause.groups]
        yield "groups", and_more(shares, ROWS_SHOWN)
    if cause.signatures:
        subjects = [
            f"{name(signature.partition('@')[2])} ({number})"
            for signature, number in cause.signatures
        ]
        yield "about", and_more(subjects, ROWS_SHOWN)
    if cause.effects:
        effects = [f"{id} ({count(hosts, 'host')})" for id, hosts in cause.effects]
        yield "explains", and_more(effects, ROWS_SHOWN)


class Section(NamedTuple):
    """A part of the answer below its causes."""

    heading: str
    rows: list[str]


def sections(answer: FleetAnswer) -> Iterator[Section]:
    """The sections beside the causes: silent hosts, unread reports, differences."""
    if answer.silent:
        rows = [_last_report(silence) for silence in answer.silent]
        yield Section(f"did not report ({len(rows)})", rows)
    if answer.unexamined:
        rows = [name(host) for host in answer.unexamined]
        yield Section(f"not examined fully ({len(rows)})", rows)
    if answer.odd:
        rows = [_differences(odd) for odd in answer.odd]
        yield Section(f"different from their group ({count(len(rows), 'host')})", rows)
    if answer.lost:
        yield _lost_sight(answer.lost)
    if answer.unusable:
        rows = [f"{name(unusable.place)} {name(unusable.why)}" for unusable in answer.unusable]
        yield Section(f"not counted ({count(len(rows), 'file')})", rows)


def _moment(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%d %H:%M")


def _began(span: Span, hosts: int) -> str:
    """Since when, and how fast it spread."""
    began = f"began at {_moment(span.first)} UTC"
    of = "" if span.known == hosts else f" (known of {span.known})"
    took_s = span.last - span.first
    if span.known == 1:
        return f"{began}{of}"
    if took_s < 1:
        return f"{began} on all at once{of}"
    half = duration(span.half - span.first)
    return f"{began}, reached half of them within {half} and the last within {duration(took_s)}{of}"


def _split_clause(split: Split) -> str:
    """The fact that splits, with its counts: "all 143, and 2 of 857 others: kernel is 6.1"."""
    verb = "lack" if split.lacks else "have"
    sick = f"{split.sick_with} of {split.sick}"
    if split.sick_with == split.sick:
        sick = f"all {split.sick}"
    share = str(split.other_with) if split.other_with else "none"
    other_hosts = count(split.other, "other")
    if not split.other_with:
        other_hosts = f"the {other_hosts}"
    facts = and_more([name(fact) for fact in split.facts], ALIKE_SHOWN)
    return f"{sick} and {share} of {other_hosts} {verb} this: {facts}"


def _last_report(silence: SilentHost) -> str:
    last = "no report at all"
    if silence.last is not None:
        last = f"last report {_moment(silence.last)} UTC"
    return f"{name(silence.host)}: {last}"


def _differences(odd: OddHost) -> str:
    differences = [
        f"{name(fact)} is {name(value)} (others: {name(usual)})"
        for fact, value, usual in odd.differences
    ]
    return f"{name(odd.host)}: {and_more(differences, HOSTS_SHOWN)}"


def _lost_sight(checks: Sequence[Blindness]) -> Section:
    """The checks that could look before and cannot now."""
    hosts = count(len({host for check in checks for host in check.hosts}), "host")
    rows = [f"{check.id}: {counted('host', map(name, check.hosts))}" for check in checks]
    return Section(f"lost sight of ({hosts} whose checks could look before, and cannot now)", rows)
