"""Rules applied where their sign stands.

A rule costs fifty times what the search for a sign costs.
"""

import re
from collections.abc import Callable, Iterable

from diagnose.lazy_pattern import LazyPattern

_SHORT = 300
"""A text that is not worth cutting into lines."""


def has_sign(text: str, signs: Iterable[str]) -> bool:
    """Whether one of these is in a text.

    This is asked of every string of a host, and any() takes twice as long.
    """
    for sign in signs:  # noqa: SIM110
        if sign in text:
            return True
    return False


def on_lines(text: str, sign: str, rule: Callable[[str], str], more: int = 0) -> str:
    """The text with a rule applied to the lines that hold its sign.

    Signs are in lower case; a rule may take some more lines after each.
    """
    low = text.lower()
    if len(text) < _SHORT or len(low) != len(text):
        return rule(text)
    pieces: list[str] = []
    done = 0
    while (at := low.find(sign, done)) >= 0:
        start = max(done, text.rfind("\n", done, at) + 1)
        end = _line_end(text, at, more)
        while more and (last := low.rfind(sign, at + 1, end)) > at:
            at = last
            end = _line_end(text, last, more)
        pieces += (text[done:start], rule(text[start:end]))
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _line_end(text: str, at: int, more: int) -> int:
    for _ in range(more + 1):
        at = text.find("\n", at + 1)
        if at < 0:
            return len(text)
    return at


def at_signs(
    text: str, signs: tuple[str, ...], rule: LazyPattern, new: Callable[[re.Match[str]], str]
) -> str:
    """The text with the matches of a rule replaced that begin at one of its signs.

    Signs are in lower case.
    """
    low = text.lower()
    if len(low) != len(text):
        return rule.sub(new, text)
    for sign in signs:
        pieces: list[str] = []
        done = at = 0
        while (at := low.find(sign, at)) >= 0:
            match = rule.match(text, at)
            if match:
                pieces += (text[done:at], new(match))
                done = at = match.end()
            else:
                at += len(sign)
        if pieces:
            text = "".join([*pieces, text[done:]])
            low = text.lower()
    return text
