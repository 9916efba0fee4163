"""The console of every text for a terminal.

It takes names from the host literally, as neither markup, emoji nor numbers.
"""

from __future__ import annotations

from typing import TextIO

from rich.console import Console


def literal(stream: TextIO, *, color: bool | None, width: int | None = None) -> Console:
    """A console that prints text as it is.

    color None: as the stream can. width: in columns; None measures the stream.
    """
    return Console(
        file=stream,
        width=width,
        no_color=color is False,
        force_terminal=True if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
