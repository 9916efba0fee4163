"""A regular expression that is compiled when it is first needed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any


class LazyPattern:
    """A regular expression of a module: most hosts need a few of them only.

    The 250 patterns that a run on a healthy host would compile take 80 ms of CPU, a sixth of the
    run. Its methods are those of `re.Pattern`.
    """

    def __init__(self, text: str, flags: re.RegexFlag | int = re.NOFLAG) -> None:
        self.pattern = text
        self._flags = flags

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self._flags)

    @property
    def flags(self) -> int:
        return self.compiled.flags

    def search(self, text: str, pos: int = 0) -> re.Match[str] | None:
        return self.compiled.search(text, pos)

    def match(self, text: str, pos: int = 0) -> re.Match[str] | None:
        return self.compiled.match(text, pos)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        return self.compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.compiled.finditer(text)

    def findall(self, text: str) -> list[Any]:
        return self.compiled.findall(text)

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        return self.compiled.sub(new, text, count)

    def split(self, text: str, maxsplit: int = 0) -> list[Any]:
        return self.compiled.split(text, maxsplit)
