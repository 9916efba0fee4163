"""A Caddyfile as a tree of its directives. Pure.

A directive is a line: words, in quotes or not, and a block where a brace ends the line. The tree is
that of `diagnose.nginx_text`, whose directives end with a semicolon.
"""

from collections.abc import Iterator

from diagnose.lazy_pattern import LazyPattern
from diagnose.nginx_text import Directive

_WORD = LazyPattern(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s"`]\S*')
_DEEPEST = 12
"""Blocks in blocks."""


def read(text: str) -> tuple[Directive, ...]:
    """The directives of a text, those in site blocks inside them; without its comments."""
    lines = iter(text.replace("\\\n", " ").splitlines())
    return tuple(_directives(lines, 0))


def _directives(lines: Iterator[str], depth: int) -> Iterator[Directive]:
    """The directives up to the brace that ends the block, or to the end of the text."""
    for line in lines:
        words = _words(line)
        if words == ["}"]:
            return
        if words and words[-1] == "{" and depth < _DEEPEST:
            inner = tuple(_directives(lines, depth + 1))
            yield Directive(tuple(words[:-1]) or ("",), inner, is_block=True)
        elif words:
            yield Directive(tuple(words))


def _words(line: str) -> list[str]:
    """The words of a line, without their quotes, up to a comment."""
    words = []
    for match in _WORD.finditer(line):
        word = match[0]
        if word.startswith("#"):
            break
        words.append(word[1:-1] if word[0] in '"`' and len(word) > 1 else word)
    return words
