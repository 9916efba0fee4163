"""nginx's configuration as a tree of its directives, and back. Pure.

The grammar is nginx's own: words, quoted or not, up to a semicolon, or to a block in braces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern

_TOKEN = LazyPattern(
    r"""(?x)
    \#[^\n]*
    | "(?:[^"\\]|\\.)*"?
    | '(?:[^'\\]|\\.)*'?
    | [{};]
    | (?:[^\s{};"'\\]|\\.|\$\{)(?:[^\s{};\\]|\\.|(?<=\$)\{[^}\s]{0,200}\})*
    """,
    16,  # re.DOTALL
)
_DEEPEST = 20
"""Blocks in blocks; nginx has four kinds that may hold each other."""


class Directive(msgspec.Struct, frozen=True):
    """One directive with its arguments: `listen 443 ssl;`, or a block such as `server { ... }`."""

    words: tuple[str, ...]
    """Its name, and the arguments without their quotes."""
    inner: tuple[Directive, ...] = ()
    is_block: bool = False

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def first(self) -> str:
        """Its first argument; "" where it has none."""
        return self.words[1] if len(self.words) > 1 else ""

    @property
    def last(self) -> str:
        """Its last argument; "" where it has none."""
        return self.words[-1] if len(self.words) > 1 else ""

    def all(self, name: str) -> Iterator[Directive]:
        """Its own directives of that name, without those of blocks in it."""
        return (directive for directive in self.inner if directive.name == name)

    def has(self, name: str, value: str) -> bool:
        """Whether it says this itself: `has("absolute_redirect", "off")`."""
        return any(directive.first == value for directive in self.all(name))


def read(text: str) -> tuple[Directive, ...]:
    """The directives of a text; one that is not finished is left out."""
    parts = (match[0] for match in _TOKEN.finditer(text) if not match[0].startswith("#"))
    return tuple(_directives(parts, 0))


def _directives(parts: Iterator[str], depth: int) -> Iterator[Directive]:
    """The directives up to the end of a block, or of the text."""
    words: list[str] = []
    for part in parts:
        if part == "}":
            return
        if part == "{":
            inner = tuple(_directives(parts, depth + 1)) if depth < _DEEPEST else ()
            if words:
                yield Directive(tuple(words), inner, is_block=True)
            words = []
        elif part == ";":
            if words:
                yield Directive(tuple(words))
            words = []
        else:
            words.append(_without_quotes(part))


def _without_quotes(word: str) -> str:
    """A word without the quotes around it."""
    is_quoted = len(word) > 1 and word[0] in "\"'" and word[-1] == word[0]
    return word[1:-1] if is_quoted else word


def text_of(directives: Iterable[Directive]) -> Iterator[str]:
    """The directives as nginx reads them, a line each, which `read` gives back."""
    for directive in directives:
        words = " ".join(map(_quoted_word, directive.words))
        if directive.is_block:
            yield f"{words} {{"
            yield from text_of(directive.inner)
            yield "}"
        else:
            yield f"{words};"


def _quoted_word(word: str) -> str:
    """A word as it stands in a file."""
    is_plain = word and not any(char.isspace() or char in "{};\"'#" for char in word)
    if is_plain:
        return word
    return f"'{word}'" if '"' in word else f'"{word}"'


def kept(directives: Sequence[Directive], kept_names: Iterable[str]) -> Iterator[Directive]:
    """The directives of these names, in the blocks of these names that hold them."""
    names = frozenset(kept_names)
    for directive in directives:
        if directive.name in names:
            inner = tuple(kept(directive.inner, names))
            yield msgspec.structs.replace(directive, inner=inner)
