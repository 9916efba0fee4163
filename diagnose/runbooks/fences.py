"""Where the fenced blocks of a page's Markdown begin and end, as CommonMark says.

A Markdown parser would double the time that it takes to print a report.
"""

import itertools
import re
from collections.abc import Iterator

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.markdown_text import fenced

_FENCE = LazyPattern(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")


class Fence(msgspec.Struct, frozen=True):
    """A fenced block of a page."""

    info: str
    """The words behind the opening fence: `sh fix safe`, `json`."""
    text: str
    """The lines between the fences."""

    def __str__(self) -> str:
        return fenced(self.text, self.info)


def split_at_fences(body: str) -> Iterator[str | Fence]:
    """The prose between fenced blocks, as it stands, and the blocks, in the page's order."""
    prose: list[str] = []
    lines = iter(body.split("\n"))
    for line in lines:
        opening = _FENCE.fullmatch(line)
        if opening is None:
            prose.append(line)
            continue
        if prose:
            yield "\n".join(prose)
            prose = []
        yield Fence(opening[2].strip(), "\n".join(_lines_until(lines, opening[1])))
    if prose:
        yield "\n".join(prose)


def _lines_until(lines: Iterator[str], fence: str) -> Iterator[str]:
    """The lines before the fence that closes the one that was opened."""
    closing = re.compile(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*")
    return itertools.takewhile(lambda line: not closing.fullmatch(line), lines)
