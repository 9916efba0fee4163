"""Usage texts: what a program prints where it does not understand its arguments.

They explain options in words that errors have too, as "Connect timeout".
"""

import re
from collections.abc import Sequence

from diagnose.lazy_pattern import LazyPattern

OPTION_HELP = LazyPattern(r"^\s+--?[A-Za-z][\w-]*(?:[ ,=][^\t]{0,40}?)?(?:\t+|\s{2,})\S")
"""A line of a usage text, which explains an option."""

OPTION_ALONE = LazyPattern(r"^\s+--?[A-Za-z][\w.-]{0,60}(?: [a-z]{2,10})?\s*$")
"""A line of Go's usage text: an option alone, whose explanation is the next line."""

_USAGE = LazyPattern(
    r"^\s*usage:?\s*$|^\s*usage: (?!.*\d ?(?:%|[kmgt]i?b\b))\S|^\s*Usage of \S{1,200}:\s*$",
    re.IGNORECASE,
)
"""The line with which a usage text begins; "usage: 85 %" is a reading."""


def without_usage(lines: Sequence[str]) -> list[str]:
    """The lines without those of usage texts.

    Such a text begins with its word or with an option. It ends above the first line that has no
    indent and stands below an indented one, unless that is a heading ("Options:").
    """
    kept: list[str] = []
    is_usage = False
    has_indent = False
    for line in lines:
        is_indented = line[:1].isspace()
        if _USAGE.match(line):
            is_usage = True
            has_indent = False
        elif is_indented and (OPTION_HELP.match(line) or OPTION_ALONE.match(line)):
            is_usage = True
            has_indent = True
        elif is_indented:
            has_indent = True
        elif has_indent and line and not line.endswith(":"):
            is_usage = False
        if not is_usage:
            kept.append(line)
    return kept
