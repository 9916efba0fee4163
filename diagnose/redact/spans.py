"""The spans of a secret's name and value in a text."""

import msgspec

LONGEST = 4000
"""Characters of a value that is looked at; a longer one is replaced without a second look."""


class SecretSpan(msgspec.Struct, frozen=True):
    """The span of a secret value in a text, and its kind."""

    left: int
    right: int
    kind: str


class SecretName(msgspec.Struct, frozen=True):
    """A name of a secret in a text.

    Where it begins and ends, how it reads, and the kind of its value.
    """

    start: int
    end: int
    text: str
    kind: str


def line_before(text: str, start: int) -> str:
    """The text before a place on its line, no more of it than tells indentation from text."""
    return text[max(0, start - 200) : start].rpartition("\n")[2]


def closing(text: str, at: int, quote: str) -> int:
    """The end of a quoted value: before the same quote, unescaped, else at the end of the line.

    -1 for a lone backtick.
    """
    line_end = text.find(quote if len(quote) == 3 and quote[0] != "\\" else "\n", at)
    line_end = line_end if line_end >= 0 else len(text)
    position = at
    while (position := text.find(quote, position, line_end)) >= 0:
        backslashes = 0
        while text[position - 1 - backslashes] == "\\" and position - 1 - backslashes >= at:
            backslashes += 1
        if backslashes % 2 == 0:
            return position
        position += 1
    return -1 if quote == "`" else line_end


def trimmed(value: str) -> str:
    """A value without the punctuation of the sentence or list that it is in."""
    value = value.rstrip(",;")
    for opening, closer in ("()", "[]", "{}"):
        unopened = value.count(closer) - value.count(opening)
        while unopened > 0 and value.endswith(closer):
            ending = len(value) - len(value.rstrip(closer))
            length = min(ending, unopened)
            value = value[: len(value) - length].rstrip(",;")
            unopened -= length
    return value
