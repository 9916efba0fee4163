"""Words for people: long names, and text that no terminal obeys."""

from __future__ import annotations

import re
import unicodedata

_FULL_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def middle(text: str, width: int) -> str:
    """A long name cut in its middle, never at its end, where names differ."""
    if len(text) <= width:
        return text
    tail = (width - 3) // 2
    return f"{text[: width - 3 - tail]}...{text[-tail:]}" if width > 6 else text[:width]


_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Categories: control, format, surrogate, private use, separators of lines and of paragraphs."""


def short_ids(text: str) -> str:
    """The text with full ids cut to the twelve digits that docker itself shows.

    Ids of containers, images and networks.
    """
    return _FULL_ID.sub(r"\1", text)


def one_line(text: str) -> str:
    """The text as `clean` gives it, in one line.

    A name with a line break begins no line of its own: neither a made-up finding, nor a command
    for the system that runs the tool and reads its output, such as `::error::`.
    """
    return " ".join(clean(text).split("\n"))


def clean(text: str) -> str:
    """The text without anything that a terminal would obey.

    Control, format and surrogate characters are shown as `?`, and a tab as a space.
    """
    return "\n".join(
        # nearly all are: to look at each character takes seventy times as long
        line if line.isprintable() else "".join(map(_shown, line))
        for line in text.replace("\t", " ").split("\n")
    )


def _shown(char: str) -> str:
    return "?" if unicodedata.category(char) in _OBEYED else char
