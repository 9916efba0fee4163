"""A finding's evidence as a person reads it: rows of name and value, and parts drawn as bars."""

import re
from collections.abc import Collection, Mapping

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json
from diagnose.phrases import how_often, size

FIGURES = "statvfs("
"""How the name of evidence begins whose figures the sentence has in words."""
ASIDE = "around it"
"""How the name of evidence ends that only `-v` shows: the lines of a log beside the one that
explains."""
MEANING = "this means"
HEALING = "what fixes it"
"""The names of evidence that say in words what a log means, and what a person does."""
EVIDENCE_SHOWN = 5
TELLING = 3
"""So many characters of a value are not an accident in a sentence."""
CUT = 50
"""A sentence may cut a longer text at its begin or its end."""
_BYTES = LazyPattern(r"^stat\(|\bbytes\b|^available$|^reserved$")
"""Where evidence is called so, its numbers are bytes: JSON keeps them, people read sizes."""
_MOMENT = LazyPattern(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
"""A time as the engine writes it, to the nanosecond."""


class OutlinePart(msgspec.Struct, frozen=True):
    """One share of a whole, for a bar."""

    name: str
    bytes: int
    note: str


class EvidenceRows(msgspec.Struct, frozen=True):
    """A finding's evidence as rows of name and value, and as parts that are drawn as bars."""

    shown: tuple[tuple[str, str], ...]
    more: tuple[tuple[str, str], ...]
    parts: tuple[OutlinePart, ...]


def evidence_rows(
    values: Mapping[str, Json], summary: str, shown_texts: Collection[str], by_hand: str = ""
) -> EvidenceRows:
    """The evidence in rows: those that are shown, those behind them, and parts of their own.

    summary: the sentence above the evidence; what it says in the same words is not repeated.

    shown_texts: names of evidence that the fix says. by_hand: the words of the fix.
    """
    parts = [part for value in values.values() for part in _parts(value)]
    rows = [(path, _value(value, path)) for path, value in values.items() if not _parts(value)]
    aside = []
    for path, value in rows:
        is_figure = path in shown_texts or path.endswith(ASIDE) or path.startswith(FIGURES)
        if is_figure or _is_in(value, summary) or _is_counted(values[path], summary):
            aside.append((path, value))
    evidence = [row for row in rows if row not in aside]
    said = f"{summary}\n{by_hand}".casefold()
    unsaid = [
        row for row in aside if not (row[0] in (MEANING, HEALING) and row[1].casefold() in said)
    ]
    more = (*evidence[EVIDENCE_SHOWN:], *unsaid)
    return EvidenceRows(tuple(evidence[:EVIDENCE_SHOWN]), more, tuple(parts))


def _is_in(value: str, summary: str) -> bool:
    """Whether a sentence holds a value, or the begin or the end of a long one.

    A short value may be in a sentence by chance.
    """
    if len(value) < TELLING:
        return False
    pieces = [value]
    if len(value) > CUT:
        pieces = [value[:CUT].rpartition(" ")[0], value[-CUT:].partition(" ")[2]]
    return any(_has_words(summary, piece.strip()) for piece in pieces)


def _has_words(summary: str, piece: str) -> bool:
    """Whether a sentence has these words, and not only as a part of longer ones."""
    if not piece or piece not in summary:
        return False
    whole_words = rf"""(?<![^\s"'(,]){re.escape(piece)}(?![^\s"'),;:.]|\.\d)"""
    return re.search(whole_words, summary) is not None


def _is_counted(value: Json, summary: str) -> bool:
    """Whether a sentence says a number in words: once, twice, 7 times."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and re.search(rf"\b{how_often(value)}\b", summary) is not None


def _parts(value: Json) -> list[OutlinePart]:
    """A list of things with their bytes, which is drawn as bars; none for any other value."""
    if not isinstance(value, list):
        return []
    rows = [row for row in value if isinstance(row, dict) and "bytes" in row]
    if len(rows) < len(value):
        return []
    return [
        OutlinePart(str(row["name"]), int(row["bytes"]), str(row.get("note", ""))) for row in rows
    ]


def _value(value: Json, name: str) -> str:
    """Evidence of this name as people read it."""
    if isinstance(value, str):
        moment = _MOMENT.fullmatch(value)
        return f"{moment[1]} {moment[2]} UTC" if moment is not None else value
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "not set"
    if isinstance(value, list):
        return ", ".join(_value(child, name) for child in value) or "none"
    if isinstance(value, dict):
        return ", ".join(_pair(key, _value(child, key)) for key, child in value.items()) or "none"
    return size(value) if _BYTES.search(name) else str(value)


def _pair(key: str, value: str) -> str:
    return f"{key} ({value})" if " " in key else f"{key} {value}"
