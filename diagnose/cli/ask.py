"""`diagnose ask "..."`: every check, and what fits a symptom in your own words first."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.model import Check, Report, Reported
    from diagnose.path.answer import PathAnswer

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
    from diagnose.symptoms import search

    text = options.text_of(question)
    matches = search.matching(text)
    meaning = search.meaning(text)
    unknown = () if matches or meaning else fitting_pages.NO_PAGE
    checks = registry.load()
    families = search.families(text)
    ids = [match.id for match in matches]
    of_families = [id for id in checks if id.partition(".")[0] in families]
    fitting = search.distances(matches, of_families)
    report = _report(checks, text, given)
    ways = _ways_asked_about(text, report)
    report = replace(report, findings=_by_fit(report, text, fitting, ways))
    code = code_of(report, fail_on)
    if said := (*unknown, *meaning, *_facts(text, report, ways)):
        terminal.say((*said, ""), sys.stdout, color=options.color(no_color))
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


def _report(checks: Mapping[str, Check], text: str, given: Mapping[str, Any]) -> Report:
    """The report of every check, by the options given, with what a path is walked through."""
    from diagnose import session
    from diagnose.path import answer
    from diagnose.symptoms.asked_places import asked_places
    from diagnose.symptoms.named_containers import KINDS

    run = options.of_run({**given, "reach": asked_places(text)})
    try:
        return session.diagnose(
            lambda: checks, None, run, began=process.began(), shown=(*answer.KINDS, *KINDS)
        )
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None


def _facts(text: str, report: Report, ways: Iterable[PathAnswer]) -> Iterator[str]:
    """What the places, connections and containers that the words name are on this host."""
    from diagnose.render import path

    yield from _on_this_host(text, report)
    yield from itertools.chain.from_iterable(map(path.sentences, ways))
    yield from _of_named_containers(text, report)


def _on_this_host(text: str, report: Report) -> list[str]:
    """What the addresses, ports and names of the message are here."""
    from diagnose.evidence.containers.listing import Containers
    from diagnose.evidence.network.networks import Networks
    from diagnose.symptoms.named_places import places_named

    containers, networks = report.evidence.get(Containers), report.evidence.get(Networks)
    if not isinstance(containers, Containers):
        return []
    known = networks if isinstance(networks, Networks) else None
    return [f"on this host: {fact}" for fact in places_named(text, containers, known)]


def _of_named_containers(text: str, report: Report) -> Iterator[str]:
    """What is known of containers that the words name and no finding is about."""
    from diagnose.evidence.containers.listing import Containers
    from diagnose.evidence.containers.logs.recent import RecentLogs
    from diagnose.evidence.machine.clock import Clock
    from diagnose.symptoms.named_containers import facts_of, quiet_named

    containers, clock = report.evidence.get(Containers), report.evidence.get(Clock)
    if not isinstance(containers, Containers) or not isinstance(clock, Clock):
        return
    logs = report.evidence.get(RecentLogs)
    for container in quiet_named(text, containers, report.findings):
        yield from facts_of(container, logs if isinstance(logs, RecentLogs) else None, clock)


def _by_fit(
    report: Report, text: str, fitting: Mapping[str, int], ways: Iterable[PathAnswer]
) -> tuple[Reported, ...]:
    """First what breaks the connections that are asked about, then what fits the words."""
    from msgspec.structs import replace

    from diagnose.symptoms import search

    about = search.about(text, tuple((report.container_names or {}).values()))
    behind = {way.finding.key for way in ways if way.finding is not None}
    ordered = search.ordered(report.findings, fitting, about)
    nearest = frozenset(tuple(fitting)[:IDS_NEAREST])
    asked = (
        replace(finding, is_asked=finding.id in nearest and not finding.check.posture)
        for finding in ordered
    )
    sites = search.sites(text)

    def place(finding: Reported) -> tuple[bool, bool]:
        names_site = any(site in finding.finding.summary for site in sites)
        return finding.key not in behind, not names_site

    return tuple(sorted(asked, key=place))


def _ways_asked_about(text: str, report: Report) -> list[PathAnswer]:
    """The walk of each connection that the words name, whose ends are known here."""
    from diagnose.evidence.containers.listing import Containers
    from diagnose.model import Unavailable
    from diagnose.path import answer, ends
    from diagnose.symptoms.asked_ways import asked_ways

    containers = report.evidence.get(Containers)
    walked: list[PathAnswer] = []
    for way in asked_ways(text, containers) if isinstance(containers, Containers) else ():
        try:
            found = answer.answer(report, way.begin, way.target)
        except ends.UnknownEndError:
            continue
        if not isinstance(found, Unavailable):
            walked.append(found)
    return walked
