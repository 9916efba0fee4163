"""A fault of a configuration file, its place in the text, and a JSON error in words. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from diagnose.evidence.engine.daemon_json.brackets import innermost_open


class Fault(msgspec.Struct, frozen=True):
    """A fault in the file that keeps the engine from starting."""

    key: str
    """Dotted, empty for the text as a whole."""
    message: str
    line: int = 0
    column: int = 0
    """line, column: from 1, 0 where not known."""
    stage: str = "value"
    """The part with the fault: "text", "key", "type" or "value"."""


class Position(NamedTuple):
    """Line and column in a text, from 1; both 0 where the place is not known."""

    line: int = 0
    column: int = 0

    @classmethod
    def at(cls, text: str, offset: int) -> Position:
        """The line and column of the character with this offset."""
        begin = text.rfind("\n", 0, offset) + 1
        return cls(text.count("\n", 0, offset) + 1, offset - begin + 1)


def place(text: str, key: str) -> Position:
    """The position of a dotted key in the text."""
    at = 0
    for part in _parts(text, key):
        match = re.compile(rf'"{re.escape(part)}"\s*:').search(text, at)
        if match is None:
            return Position()
        at = match.start()
    return Position.at(text, at)


def _parts(text: str, key: str) -> list[str]:
    head, _, tail = key.partition(".")
    return [key] if f'"{key}"' in text or not tail else [head, tail]


def offset(text: str, line: int, column: int) -> int:
    """The number of characters before a line and column, both from 1."""
    lines = text.splitlines(keepends=True)
    return sum(len(before) for before in lines[: line - 1]) + column - 1


def error_in_words(error: str, text: str, line: int, column: int) -> str:
    """A JSON error in the words of a person who writes the file, by the text at its place.

    error: the decoder's own text, as "Expecting ',' delimiter".
    """
    at = offset(text, line, column) if line else 0
    here = text[at : at + 1]
    before = text[:at].rstrip()[-1:]
    if "trailing comma" in error or (here in ("}", "]") and before == ","):
        closing = text[at:].lstrip(",").strip()[:1] or "}"
        return f"a comma before the closing {closing}"
    if here in ("/", "#"):
        return "a comment: JSON has none"
    if here in ("'", "\u2018", "\u2019", "\u201c", "\u201d"):
        return f'{here} is no quote of JSON: names and texts stand in "'
    bracket = innermost_open(text[:at])
    if here in ("}", "]") and bracket is not None and bracket.closing != here:
        opened = Position.at(text, bracket.offset).line
        return (
            f"a {here} where a {bracket.closing} must close the {bracket.bracket} of line {opened}"
        )
    if error.startswith("Expecting ',' delimiter"):
        last = Position.at(text, len(text[:at].rstrip())).line
        if here == '"' and last < line:
            return f"a comma is missing at the end of line {last}"
        following = text[at : at + 12].strip().partition("\n")[0] or "the end"
        return f"a comma or a closing bracket is missing before {following!r}"
    if error.startswith("Extra data"):
        return "something follows the closing bracket"
    if error.startswith(("Expecting property name", "Expecting value")):
        met = repr(here) if here else "the end of the file"
        return f"{met} where a name or a value is expected"
    return error[:1].lower() + error[1:]
