"""A regular expression that is compiled when it is first needed."""

import functools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from diagnose.required_words import required_words


class LazyPattern:
    """A regular expression of a module: most hosts need a few of them only.

    The 250 patterns that a run on a healthy host would compile take 80 ms of CPU, a sixth of the
    run. Its methods are those of `re.Pattern`: each is looked up once, and is then as fast.
    """

    def __init__(self, text: str, flags: re.RegexFlag | int = re.NOFLAG) -> None:
        self.pattern = text
        self._flags = flags

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self._flags)

    def __getattr__(self, name: str) -> Any:
        """The method of the compiled pattern, on first use."""
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self.compiled, name)
        setattr(self, name, method)
        return method

    if TYPE_CHECKING:
        flags: int

        def search(self, text: str, pos: int = 0, endpos: int = ...) -> re.Match[str] | None: ...
        def match(self, text: str, pos: int = 0, endpos: int = ...) -> re.Match[str] | None: ...
        def fullmatch(self, text: str, pos: int = 0, endpos: int = ...) -> re.Match[str] | None: ...
        def finditer(self, text: str, pos: int = 0) -> Iterator[re.Match[str]]: ...
        def findall(self, text: str) -> list[Any]: ...
        def sub(
            self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0
        ) -> str: ...
        def split(self, text: str, maxsplit: int = 0) -> list[Any]: ...


class RarePattern(LazyPattern):
    """A lazy pattern that few texts match, and all of them hold one of its words.

    A search looks for the words first: 2 microseconds for a line of a log, where the pattern itself
    takes 40 to 250.
    """

    @functools.cached_property
    def words(self) -> tuple[str, ...]:
        """Small letters, one of which a text needs; "" where the pattern can do without."""
        return tuple(required_words(self.pattern, self._flags) or ("",))

    def search(self, text: str) -> re.Match[str] | None:  # type: ignore[override]
        lowered = text.lower()
        if not any(word in lowered for word in self.words):
            return None
        return self.compiled.search(text)
