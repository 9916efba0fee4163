"""`diagnose path FROM TO`: each hop of one connection, and the first that stops it."""

from __future__ import annotations

import sys
from typing import Any

import click

from diagnose.cli import options, process


@click.command()
@click.argument("begin", metavar="FROM")
@click.argument("target", metavar="TO[:PORT][/udp]")
@options.source
@options.format_("text", "json", "svg")
@options.budget
@options.engine
@options.no_color
def path(begin: str, target: str, format_: str, no_color: bool, **given: Any) -> None:
    """Show each hop of a connection, and the first that stops it.

    FROM and TO are containers, `host`, `internet`, an address, or a name that FROM uses. For
    example: web db:5432, internet web:8080, web internet. Nothing is sent: what the host does to a
    packet is read from its rules and routes.

    Exit codes: 0 every hop is open, 2 one is broken, 3 one is not known.
    """
    from diagnose import registry, session
    from diagnose.model import Unavailable
    from diagnose.path import answer, ends
    from diagnose.render import path as rendering

    known = registry.load()
    selected = [id for id, check in known.items() if check.family in answer.FAMILIES]
    asked = options.of_run({**given, "probe": False})
    try:
        ends.target(target)
        report = session.diagnose(
            lambda: known, selected, asked, began=process.began(), shown=answer.KINDS
        )
        found = answer.answer(report, begin, target)
    except (session.InvalidRequestError, ends.UnknownEndError) as error:
        raise click.ClickException(str(error)) from None
    if isinstance(found, Unavailable):
        raise click.ClickException(f"the containers could not be listed: {found}")
    rendering.render(found, format_, sys.stdout, color=options.color(no_color))
    process.leave(found.exit_code)
