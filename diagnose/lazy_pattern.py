"""A regular expression that is compiled when it is first needed."""

from __future__ import annotations

import functools
import re


class LazyPattern:
    """A regular expression for lines that most hosts do not have.

    The 229 patterns of the tool take 60 ms to compile, a tenth of a run on a small host. Those that
    read the logs of failed containers take 25 ms of it.
    """

    def __init__(self, text: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.text = text
        self.flags = flags

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.text, self.flags)

    def search(self, text: str) -> re.Match[str] | None:
        return self.compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        return self.compiled.match(text)
