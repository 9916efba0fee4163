"""`diagnose ask "..."`: every check, and what fits a symptom in your own words first."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.model import Check, Report, Reported

IDS_SHOWN = 6


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
    what its addresses, ports and names are on this host. A single - reads the message from stdin.
    """
    from msgspec.structs import replace

    from diagnose import registry
    from diagnose.cli import reader
    from diagnose.judgement.exit_codes import code_of
    from diagnose.render import terminal
    from diagnose.symptoms import search

    text = options.text_of(question)
    matches = search.matching(text)
    meaning = search.meaning(text)
    unknown = () if matches or meaning else ("no page has these words; every check was run",)
    checks = registry.load()
    families = search.families(text)
    ids = [match.id for match in matches]
    of_families = (id for id in checks if id.partition(".")[0] in families)
    fitting = tuple(dict.fromkeys((*ids, *of_families)))
    report = _report(checks, given)
    about = search.about(text, tuple((report.container_names or {}).values()))
    report = replace(report, findings=search.ordered(report.findings, fitting, about))
    code = code_of(report, fail_on)
    if said := (*unknown, *meaning, *_on_this_host(text, report)):
        terminal.say((*said, ""), sys.stdout, color=options.color(no_color))
    terminal.render(
        report,
        code,
        sys.stdout,
        color=options.color(no_color),
        detail=terminal.ReportDetail(verbose=verbose, is_answer=True),
        shell=reader.shell(given["source"]),
    )
    first = _what_came_first(ids, families, fitting, report.findings) if fitting else []
    if further := [*first, *_way_between(text)]:
        terminal.say(("", *further), sys.stdout, color=options.color(no_color))
    process.leave(code)


def _report(checks: Mapping[str, Check], given: Mapping[str, Any]) -> Report:
    """The report of every check, by the options given, with what names its containers."""
    from diagnose import session
    from diagnose.evidence.containers.listing import Containers
    from diagnose.evidence.network.networks import Networks

    shown = (Containers, Networks)
    run = options.of_run(given)
    try:
        return session.diagnose(lambda: checks, None, run, began=process.began(), shown=shown)
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None


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


def _what_came_first(
    ids: Sequence[str],
    families: Sequence[str],
    fitting: Collection[str],
    findings: Iterable[Reported],
) -> list[str]:
    """Which checks fit the words, and where to look if none of them found anything.

    families: those of which every check fits. fitting: all checks that fit.
    """
    from diagnose.phrases import and_more, joined

    every = [f"all of {joined(families)}"] if families else []
    shown = ", and ".join([*([and_more(ids, IDS_SHOWN)] if ids else []), *every])
    order = f"what fits these words comes first: {shown}"
    if any(finding.id in fitting for finding in findings):
        return [order]
    by_hand = [f"how to look yourself: diagnose explain {ids[0]}"] if ids else []
    return [order, "none of them found anything", *by_hand]


def _way_between(text: str) -> list[str]:
    """The command that shows each hop, where the words name both ends of a connection."""
    from diagnose.symptoms import search

    ends = search.ends(text)
    if ends is None:
        return []
    return [f"each hop between the two: diagnose path {ends.begin} {ends.end}"]
