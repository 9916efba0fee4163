"""Brackets of JSON that are open at a place of the text. Pure."""

import msgspec

from diagnose.lazy_pattern import LazyPattern

CLOSING = {"[": "]", "{": "}"}
_STRINGS_AND_BRACKETS = LazyPattern(r'"(?:[^"\\\n]|\\.)*+"?|[]\[{}]')
"""A text up to its end or that of its line, in which no bracket counts; or a bracket."""


class OpenBracket(msgspec.Struct, frozen=True):
    """A bracket without its counterpart."""

    bracket: str
    offset: int
    """In characters of the whole text."""

    @property
    def closing(self) -> str:
        """The bracket that closes this one."""
        return CLOSING[self.bracket]


def innermost_open(text: str) -> OpenBracket | None:
    """The last bracket that this beginning of a file opens and does not close."""
    opened: list[OpenBracket] = []
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        if match[0] in CLOSING:
            opened.append(OpenBracket(match[0], match.start()))
        elif match[0] in CLOSING.values() and opened:
            opened.pop()
    return opened[-1] if opened else None
