"""Whole numbers in texts that a container or an answer controls, and the middle of some. Pure."""

from collections.abc import Iterable

_MOST_DIGITS = 18
"""More is not a port, no id and no count, and from 4,300 on `int` refuses."""
BYTES_OF_UNIT = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
"""The bytes of a unit of memory, by its letter; a number without one is in bytes."""


def is_number(text: str) -> bool:
    """Whether a text is a whole number that `int` takes: `str.isdigit` also takes "²"."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def median(numbers: Iterable[float]) -> float:
    """The middle one, or what lies between the middle two, of at least one number.

    `statistics` has it too; its import takes 3 ms of each run.
    """
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
