"""Programs that wait at their start for another one, and print that again and again."""

import itertools
import re
from collections.abc import Sequence, Set

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import family_of_running
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import plain
from diagnose.programs.telling_line import TellingLine

_FAMILY = "waits-for-another"
_AWAITS = LazyPattern(
    r"\bwait(?:ing|s)\b|\b(?:available|reachable|ready|up) yet\b|\bsleeping\b|\bnot ready\b",
    re.IGNORECASE,
)
"""A cheap test: each running container that repeats a line is asked."""


def lines_at_the_end(shaped: Sequence[tuple[str, str]], lasting: Set[str]) -> list[str]:
    """The lines at the end of a log that are all repeated: nothing else happens since.

    shaped: each line with its shape.
    """
    at_end = itertools.takewhile(lambda pair: pair[1] in lasting, reversed(shaped))
    return [line for line, _ in at_end][::-1]


def line_that_waits(lines: Sequence[str]) -> TellingLine | None:
    """The line that names the thing for which the program waits, whatever its level."""
    index = next((at for at, line in enumerate(lines) if _AWAITS.search(line)), None)
    if index is None:
        return None
    telling = TellingLine(plain(lines[index]).strip(), index)
    family = family_of_running(telling, FAMILIES)
    return telling if family is not None and family.name == _FAMILY else None
