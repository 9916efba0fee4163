"""Whole numbers in texts that a container or an answer controls. Pure."""

_MOST_DIGITS = 18
"""More is no port, no id and no count, and from 4,300 on `int` refuses."""


def is_number(text: str) -> bool:
    """Whether a text is a whole number that `int` takes: `str.isdigit` also takes "²"."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
