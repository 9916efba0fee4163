"""`diagnose list` and `diagnose explain`: the checks and their pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.runbooks import Page

PAGES_SHOWN = 8
"""So many pages are listed for words: the best first."""
PAGES_BESIDE_A_MEANING = 3
"""Below what an error message means, a farther page misleads."""
NO_PAGE = "no page fits: say in English what you see, or paste the error message"


@click.command("list")
@click.argument("selectors", nargs=-1, metavar="[SELECTOR]...", shell_complete=options.complete_id)
@options.format_("text", "json", "markdown")
@options.config
def list_(selectors: tuple[str, ...], format_: str, config: Path | None) -> None:
    """List the checks and the thresholds in force.

    Each with its id, severity and title, and the evidence that it needs (`?`:
    it can do without).
    """
    from diagnose import config as configuration
    from diagnose.render import check_list

    selection = options.selected(selectors or ("*",))
    try:
        thresholds = configuration.load(config).thresholds
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from None
    checks = [selection.checks[id] for id in selection.ids]
    check_list.render(checks, thresholds, format_, sys.stdout)


@click.command(short_help="Show the runbook page of a check, or find pages by words.")
@click.argument(
    "words", nargs=-1, required=True, metavar="ID|WORDS|-", shell_complete=options.complete_id
)
@click.option("--raw", is_flag=True, help="Print the Markdown as it is written.")
@click.option(
    "--here",
    is_flag=True,
    help="Run the checks, and explain first why this one finds something here: its causes, what a "
    "fix would change, which other causes are ruled out, and what of the page applies.",
)
@options.source
@options.budget
@options.since
@options.no_probe
@options.engine
@options.config
@options.no_color
def explain(words: tuple[str, ...], raw: bool, here: bool, no_color: bool, **given: Any) -> None:
    """Show the runbook page of one check, or the pages that words may be about.

    For example: diagnose explain "no space left on device". Of an error message it says first what
    it means. A single - reads the message from stdin, where no shell changes it: docker compose up
    -d 2>&1 | diagnose explain -
    """
    from diagnose import runbooks
    from diagnose.judgement import selection

    id = options.text_of(words)
    try:
        page = runbooks.page(id)
    except KeyError:
        if ("." not in id or " " in id) and _list_matches(id):
            return
        if " " in id:
            raise click.UsageError(NO_PAGE) from None
        raise click.UsageError(selection.unknown(id, runbooks.paths())) from None
    if raw:
        sys.stdout.write(page.body)
        return
    color = options.color(no_color)
    if (here or given["source"] is not None) and _explain_here(page, given, color):
        return
    from diagnose.render import explain

    explain.render(page, sys.stdout, color=color)


def _list_matches(words: str) -> bool:
    """Print what an error means, and the ids and titles of the pages that words may be about.

    False where there is neither.
    """
    from diagnose import registry
    from diagnose.render import terminal
    from diagnose.symptoms import search

    meaning = search.meaning(words)
    most = PAGES_BESIDE_A_MEANING if meaning else PAGES_SHOWN
    matches = search.matching(words, most=most)
    checks = registry.load()
    titles = [f"{match.id}: {checks[match.id].title.rstrip('.')}" for match in matches]
    texts = [*meaning]
    if meaning and titles:
        texts.append("")
    texts += titles
    if matches:
        texts.append(f"read a page: diagnose explain {matches[0].id}")
    if texts:
        terminal.say(texts, sys.stdout, color=False)
    return bool(texts)


def _explain_here(page: Page, given: dict[str, Any], color: bool | None) -> bool:
    """Say why the check finds what it finds on this host, or in the recording.

    Then show what of its page applies. False where nothing was found, so that no part of the page
    is about this host.
    """
    from diagnose import registry, session
    from diagnose.render import explain, here

    try:
        report = session.diagnose(registry.load, None, options.of_run(given), began=process.began())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    here.render(page.id, report, sys.stdout, color=color)
    found = here.first_found(page.id, report)
    if found is None:
        return False
    explain.render_applying(page, found, report, sys.stdout, color=color)
    return True
