"""`diagnose ask "..."`: every check, and what fits a symptom in your own words first."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.evidence.containers.container import Container
    from diagnose.model import Check, Report, Reported
    from diagnose.path.answer import PathAnswer
    from diagnose.symptoms.user_question import UserQuestion

IDS_NEAREST = 3
"""What these find is shown even where it is advice."""


@click.command()
@click.argument("question", nargs=-1, required=True, metavar="WORDS...|-")
@options.source
@options.budget
@options.since
@options.fail_on
@options.no_probe
@options.engine
@options.config
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show advice, checks that could not run, and skipped checks in full.",
)
@options.no_color
def ask(
    question: tuple[str, ...], fail_on: str, verbose: bool, no_color: bool, **given: Any
) -> None:
    """Run every check, and show first what fits your words.

    For example: diagnose ask "port 8080 does not answer". The words are compared with the symptoms
    on the pages; no language model is used, and nothing is sent. If the words name a container of
    this host, its findings come first. What an error message means stands above the report, and
    what its addresses, ports and names are on this host. If the words name a connection, such as
    "web cannot reach db:5432", its first broken hop stands there too. A single - reads the message
    from stdin.
    """
    from msgspec.structs import replace

    from diagnose import registry
    from diagnose.cli import reader
    from diagnose.judgement.exit_codes import code_of
    from diagnose.render import fitting_pages, terminal
    from diagnose.symptoms import search, user_question

    text = options.text_of(question)
    asked = user_question.read(text)
    matches = search.matching(text)
    meaning = search.meaning(text)
    unknown = () if matches or meaning else fitting_pages.NO_PAGE
    checks = registry.load()
    families = search.families(text)
    ids = [match.id for match in matches]
    of_families = [id for id in checks if id.partition(".")[0] in families]
    fitting = search.distances(matches, of_families)
    report = _report(checks, asked, given)
    containers = _named_containers(asked, report)
    ways = _ways_asked_about(asked, report)
    report = replace(report, findings=_sorted_by_fit(report, asked, fitting, containers, ways))
    code = code_of(report, fail_on)
    if lines := (*unknown, *meaning, *_facts(asked, report, containers, ways)):
        terminal.say((*lines, ""), sys.stdout, color=options.color(no_color))
    terminal.render(
        report,
        code,
        sys.stdout,
        color=options.color(no_color),
        detail=terminal.ReportDetail(verbose=verbose, is_answer=True),
        shell=reader.shell(given["source"]),
    )
    if fitting:
        said_of_pages = fitting_pages.sentences(ids, fitting, report)
        terminal.say(("", *said_of_pages), sys.stdout, color=options.color(no_color))
    process.leave(code)


def _report(
    checks: Mapping[str, Check], question: UserQuestion, options_given: Mapping[str, Any]
) -> Report:
    """The report of every check, by the options given, with what a path is walked through."""
    from diagnose import session
    from diagnose.path import answer
    from diagnose.symptoms.named_containers import KINDS

    run = options.of_run({**options_given, "reach": question.reached})
    try:
        return session.diagnose(
            lambda: checks, None, run, began=process.began(), shown=(*answer.KINDS, *KINDS)
        )
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None


def _named_containers(question: UserQuestion, report: Report) -> tuple[Container, ...]:
    from diagnose.evidence.containers.listing import Containers
    from diagnose.symptoms.named_containers import named_in

    return named_in(question, report.evidence_of(Containers) or ())


def _facts(
    question: UserQuestion,
    report: Report,
    containers: Iterable[Container],
    ways: Iterable[PathAnswer],
) -> Iterator[str]:
    """Facts about the places, connections and containers that the words name."""
    from diagnose.render import path

    yield from _places_on_this_host(question, report)
    yield from itertools.chain.from_iterable(map(path.sentences, ways))
    yield from _lines_of_quiet_containers(containers, report)


def _places_on_this_host(question: UserQuestion, report: Report) -> list[str]:
    """The owners of the addresses, ports and names of the message on this host."""
    from diagnose.evidence.containers.listing import Containers
    from diagnose.evidence.network.networks import Networks
    from diagnose.symptoms.named_places import places_named

    containers = report.evidence_of(Containers)
    if containers is None:
        return []
    places = places_named(question, containers, report.evidence_of(Networks))
    return [f"on this host: {fact}" for fact in places]


def _lines_of_quiet_containers(containers: Iterable[Container], report: Report) -> Iterator[str]:
    """The state of each named container that no finding is about."""
    from diagnose.evidence.containers.logs.recent import RecentLogs
    from diagnose.evidence.machine.clock import Clock
    from diagnose.symptoms.named_containers import facts_of, quiet

    clock = report.evidence_of(Clock)
    if clock is not None:
        for container in quiet(containers, report.findings):
            yield from facts_of(container, report.evidence_of(RecentLogs), clock)


def _sorted_by_fit(
    report: Report,
    question: UserQuestion,
    fitting: Mapping[str, int],
    containers: Iterable[Container],
    ways: Iterable[PathAnswer],
) -> tuple[Reported, ...]:
    """First what breaks the connections that are asked about, then what fits the words."""
    from msgspec.structs import replace

    from diagnose.symptoms import search

    keys_on_ways = {way.finding.key for way in ways if way.finding is not None}
    subjects = {container.subject for container in containers}
    nearest = frozenset(tuple(fitting)[:IDS_NEAREST])
    by_words = (
        replace(finding, is_asked=finding.id in nearest and not finding.check.posture)
        for finding in search.ordered(report.findings, fitting, subjects)
    )

    def place(finding: Reported) -> tuple[bool, bool]:
        names_site = any(site in finding.finding.summary for site in question.sites)
        return finding.key not in keys_on_ways, not names_site

    return tuple(sorted(by_words, key=place))


def _ways_asked_about(question: UserQuestion, report: Report) -> list[PathAnswer]:
    """The walk of each connection that the words name, whose ends are known here."""
    from diagnose.evidence.containers.listing import Containers
    from diagnose.model import Unavailable
    from diagnose.path import answer, ends
    from diagnose.symptoms.asked_ways import asked_ways

    containers = report.evidence_of(Containers)
    walked: list[PathAnswer] = []
    for way in asked_ways(question, containers) if containers is not None else ():
        try:
            path_answer = answer.answer(report, way.begin, way.target)
        except ends.UnknownEndError:
            continue
        if not isinstance(path_answer, Unavailable):
            walked.append(path_answer)
    return _those_that_differ(walked)


def _those_that_differ(walked: list[PathAnswer]) -> list[PathAnswer]:
    """Of many ways the broken ones, one for each hop that breaks them; the first if none is."""
    from diagnose.symptoms.asked_ways import MOST

    if len(walked) <= MOST:
        return walked
    stopped = {way.path.decisive.text: way for way in reversed(walked) if way.path.decisive}
    return list(reversed(stopped.values()))[:MOST] or walked[:1]
