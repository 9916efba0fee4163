"""The console of every text for a terminal.

It takes names from the host literally, as neither markup, emoji nor numbers.
"""

import os
from typing import TextIO

from rich.console import Console

NARROWEST = 40


def literal(stream: TextIO, *, color: bool | None, width: int | None = None) -> Console:
    """A console that prints text as it is.

    color None: as the stream can. width: in columns; None measures the stream.
    """
    console = Console(
        file=stream,
        width=width,
        no_color=color is False,
        force_terminal=True if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    return with_room(console)


def with_room(console: Console) -> Console:
    """The console, with columns enough for the layout of every text.

    A narrower terminal breaks the lines by itself.
    """
    if console.width < NARROWEST:
        console.width = NARROWEST
    return console


def is_read_by_person(console: Console) -> bool:
    """Whether a console is a terminal, or COLUMNS says how wide its rows may be.

    Cron and monitoring plugins have neither.
    """
    return console.is_terminal or "COLUMNS" in os.environ
