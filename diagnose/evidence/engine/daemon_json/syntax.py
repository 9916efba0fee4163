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
    misplaced = _misplaced_comma(error, text, at) or _foreign_character(here)
    if misplaced:
        return misplaced
    bracket = innermost_open(text[:at])
    if here in ("}", "]") and bracket is not None and bracket.closing != here:
        opened = Position.at(text, bracket.offset).line
        return (
            f"a {here} where a {bracket.closing} must close the {bracket.bracket} of line {opened}"
        )
    if error.startswith("Expecting ',' delimiter"):
        return _lack_before(text, at, line)
    if error.startswith("Extra data"):
        return "something follows the closing bracket"
    if error.startswith(("Expecting property name", "Expecting value")):
        character = repr(here) if here else "the end of the file"
        return f"{character} where a name or a value is expected"
    return error[:1].lower() + error[1:]


def _misplaced_comma(error: str, text: str, at: int) -> str:
    """The words about a comma before a closing bracket; "" for another error."""
    is_behind_comma = text[at : at + 1] in ("}", "]") and text[:at].rstrip().endswith(",")
    if "trailing comma" not in error and not is_behind_comma:
        return ""
    closing = text[at:].lstrip(",").strip()[:1] or "}"
    return f"a comma before the closing {closing}"


def _foreign_character(character: str) -> str:
    """The words about a character of another language than JSON; "" for one of JSON."""
    if character in ("/", "#"):
        return "a comment: JSON has none"
    if character in ("'", "\u2018", "\u2019", "\u201c", "\u201d"):
        return f'{character} is not a quote of JSON: names and texts stand in "'
    return ""


def _lack_before(text: str, at: int, line: int) -> str:
    """The words about a comma or a bracket that is missing before this place."""
    last_line = Position.at(text, len(text[:at].rstrip())).line
    if text[at : at + 1] == '"' and last_line < line:
        return f"a comma is missing at the end of line {last_line}"
    following = text[at : at + 12].strip().partition("\n")[0] or "the end"
    return f"a comma or a closing bracket is missing before {following!r}"
