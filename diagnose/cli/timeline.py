"""`diagnose timeline`: what happened recently."""

import os
import sys
from typing import Any

import click

from diagnose.cli import on, options, process


@click.command(cls=on.RemotableCommand)
@options.container_option("Only events of this container. Repeatable.")
@options.since
@options.source
@options.format_("text", "json")
@options.budget
@options.engine
@options.config
def timeline(format_: str, **given: Any) -> None:
    """Show recent events in one list, in chronological order.

    Starts, exits, kills and health of containers, messages of the engine and of the kernel,
    changed packages of the host, and changed files that containers use.

    Lines are folded at the width of the terminal, or at $COLUMNS. In a pipe each event is one line.
    """
    from diagnose import session
    from diagnose import timeline as moments
    from diagnose.render import timeline

    request = options.of_run(given, since_too=True)
    try:
        evidence = session.collect(moments.KINDS, request, began=process.began())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    history = moments.make(evidence, request.since_s, request.containers)
    timeline.render(history, format_, sys.stdout, _width())
    process.leave(0)


def _width() -> int:
    """Columns to fold at, 0 for none."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns)
    return os.get_terminal_size().columns if sys.stdout.isatty() else 0
