"""`diagnose fleet`: one answer for many hosts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.fleet.model import Fleet
    from diagnose.fleet.reports import Reader


@click.command()
@click.argument(
    "reports", nargs=-1, required=True, metavar="REPORTS...", shell_complete=options.complete_file
)
@click.option(
    "--group-by",
    default="",
    metavar="LABEL",
    help="Count hosts by this label or fact, and compare each with its own group.",
)
@click.option(
    "--since",
    "since_s",
    callback=options.parse_duration,
    default="24h",
    show_default=True,
    metavar="DURATION",
    help="A host whose last report is older than the newest one by more than this counts as silent.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="REPORTS",
    shell_complete=options.complete_file,
    help="An earlier set: report what is new, gone, silent or no longer visible since then. Repeatable.",
)
@options.file_option("--expect", description="Names of hosts that should report, one per line.")
@click.option(
    "--name-by",
    type=click.Choice(["report", "file"]),
    default="report",
    show_default=True,
    help=(
        "Where the name of a host comes from: "
        "its report, or the name of the file, as a collector wrote it."
    ),
)
@options.format_("text", "json", "markdown", "html")
@options.fail_on
def fleet(
    reports: tuple[str, ...],
    group_by: str,
    since_s: float,
    against: tuple[str, ...],
    expect: Path | None,
    name_by: str,
    format_: str,
    fail_on: str,
) -> None:
    """Give one answer for the reports of many hosts.

    REPORTS are files that `diagnose all --format json` wrote, plain or gzipped; folders, which are
    searched for *.json and *.json.gz; patterns; - for a list of paths on stdin; or
    s3://BUCKET/PREFIX. Of several reports of one host the newest counts, and the earlier ones show
    since when.

    For each cause: how many hosts, since when, what is new, the fact that splits them from the
    others, and the first command. Exit codes are those of a run: 0 nothing found, 1 warnings, 2
    critical, 3 unknown; a host that did not report is unknown.
    """
    from diagnose import registry
    from diagnose.fleet import answer
    from diagnose.fleet import reports as reading
    from diagnose.fleet.model import FleetRequest
    from diagnose.fleet.packed import SourceError
    from diagnose.render import fleet as rendering

    now = time.time()
    reader = reading.Reader(by_file=name_by == "file")
    expected = _expected_names(expect)
    try:
        present = _read(reports, reader, now)
        earlier = _read(against, reader, now) if against else None
    except SourceError as error:
        raise click.ClickException(str(error)) from None
    request = FleetRequest(now, since_s, group_by, fail_on, tuple(expected))
    severities = {id: check.severity for id, check in registry.load().items()}
    fleet_answer = answer.answer(present, earlier, request, severities)
    rendering.render(fleet_answer, format_, sys.stdout)
    process.leave(fleet_answer.code)


def _expected_names(path: Path | None) -> list[str]:
    """The names of the hosts that should report, from a file."""
    from diagnose.plain_file import NotPlainError, plain_text

    try:
        return plain_text(path, follow=True).split() if path is not None else []
    except NotPlainError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise click.ClickException(f"cannot read {path}: {why}") from None


def _read(words: tuple[str, ...], reader: Reader, now: float) -> Fleet:
    """The hosts whose reports the words of the command line name."""
    from diagnose.fleet import answer, sources
    from diagnose.fleet.packed import Packed

    files = sources.read(words, sys.stdin)
    reports = (reader.report(file) if isinstance(file, Packed) else file for file in files)
    return answer.fleet(reports, now)
