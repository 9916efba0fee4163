"""Crashes of a program's own code that follow from a file which the kernel refused."""

import re
from collections.abc import Sequence

from diagnose.lazy_pattern import LazyPattern

_CRASH = LazyPattern(
    r"""
    \bnil\ pointer\ dereference\b | \bNullPointerException\b | \bObject\ reference\ not\ set\b
    | \b[Cc]annot\ read\ propert(?:y|ies)\ (?:'\w{1,40}'\ )?of\ (?:null|undefined)\b
    | 'NoneType'\ object\ (?:has\ no\ attribute|is\ not)\b | \bundefined\ method\ .{1,80}\ for\ nil\b
    """,
    re.VERBOSE,
)
"""The code of a program fails at a value that it did not get, in Go, Java, .NET, JavaScript, Python
and Ruby."""
_REFUSED_FILE = LazyPattern(
    r"(?:^|[\s\"'(=:,\[])/[\w.-]{1,60}/[^\n]{0,200}: (?:permission denied|read-only file system"
    r"|no such file or directory|no space left on device|operation not permitted)\W*$",
    re.IGNORECASE,
)
"""A file with the kernel's reason at the end: `open /data/app.log: permission denied`."""
_MOST_LINES = 3
"""Lines above a crash that are looked at."""


def refused_before_crash(texts: Sequence[str], crash: int) -> int | None:
    """The place of a refused file right above a crash: the program went on without the file, and
    its code met the lack.

    None where the line at this place is no such crash. crash: the place of the line.
    """
    if not _CRASH.search(texts[crash]):
        return None
    places = range(crash - 1, max(crash - _MOST_LINES - 1, -1), -1)
    return next((place for place in places if _REFUSED_FILE.search(texts[place])), None)
