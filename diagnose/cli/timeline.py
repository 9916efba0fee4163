"""`diagnose timeline`: what happened lately."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from diagnose.cli import on, options, process


@click.command(cls=on.RemotableCommand)
@options.container
@options.since
@options.source
@options.format_("text", "json")
@options.budget
@options.engine
@options.config
def timeline(format_: str, **given: Any) -> None:
    """Show recent events in one list, in the order of time.

    Starts, exits, kills and health of containers, and messages of the engine and of the kernel.
    """
    from diagnose import session
    from diagnose import timeline as moments
    from diagnose.render import timeline

    asked = options.of_run(given, since_too=True)
    try:
        evidence = session.collect(moments.KINDS, asked, began=process.began())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 0
    timeline.render(
        moments.make(evidence, asked.since_s, asked.containers), format_, sys.stdout, width
    )
    process.leave(0)
