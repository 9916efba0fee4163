"""Words that are another word with one slip of the keyboard. Pure."""

import re

SHORTEST = 4
"""Letters of a word below which another letter makes another word."""


def letters(word: str) -> str:
    """The word without case, dashes and dots."""
    return re.sub(r"[^A-Z0-9]", "", word.upper())


def is_nearly(word: str, other: str) -> bool:
    """Whether two different words have the same letters, or differ by one slip.

    A plural is a slip too: `router` for `routers`.
    """
    if word == other or min(len(word), len(other)) < SHORTEST:
        return False
    return letters(word) == letters(other) or is_one_slip(letters(word), letters(other))


def is_one_slip(first: str, second: str) -> bool:
    """Whether one letter is added, missing or replaced, or two neighbours are swapped."""
    if abs(len(first) - len(second)) > 1:
        return False
    at = next(
        (at for at, (one, two) in enumerate(zip(first, second, strict=False)) if one != two),
        min(len(first), len(second)),
    )
    rest = first[at:]
    other = second[at:]
    is_swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:] and len(rest) > 1
    is_longer_by_one = rest[1:] == other or rest == other[1:]
    return is_swapped or is_longer_by_one or rest[1:] == other[1:]
