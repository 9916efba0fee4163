"""The words of a line by which the same error is found again."""

from collections.abc import Iterable

from diagnose.lazy_pattern import LazyPattern

_PIECE = LazyPattern(r"[^0-9'\"`<>\[\]{}()\\]{8,80}")
"""Words without numbers, names in quotes and redacted values, which differ from time to time."""
_HIDDEN = "redacted"


def steady_words(text: str, lines: Iterable[str]) -> str:
    """The longest piece of a text that one of the lines has unchanged; "" for none.

    A log in JSON may write the text in another way.
    """
    written = tuple(lines)
    pieces = (match[0].strip(" ,.:;=-") for match in _PIECE.finditer(text))
    unchanged = (piece for piece in pieces if _is_unchanged_in(piece, written))
    return max((piece for piece in unchanged if _HIDDEN not in piece), key=len, default="")


def _is_unchanged_in(piece: str, lines: Iterable[str]) -> bool:
    return any(piece in line for line in lines)
