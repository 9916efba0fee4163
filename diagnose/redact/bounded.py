"""Whether a pattern that a user wrote takes time in proportion to the text, and little of it.

Python's `re` tries every way in which a pattern may match, and cannot be interrupted. A pattern is
therefore allowed only if few ways begin at one place: repeats have an upper bound, hold one
character each, and multiply only where what follows could have been part of the repeat.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

LEAST = 4
"""Characters that a match has at least: a shorter one would replace half of every text."""
LONGEST = 512
"""Characters that one match may have."""
MOST_STEPS = 4096
"""Ways in which a match may be tried at one place of a text, times its length. 64 KiB of the worst
text then take less than a second."""

_OTHER = 128
"""Stands for all characters that are not ASCII."""
_ALL = frozenset(range(_OTHER + 1))
_NOTHING: frozenset[int] = frozenset()
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
"""Classes of characters as a pattern writes them, by the parser's names."""
_Piece = tuple[Any, Any]


class UnboundedPatternError(ValueError):
    """A pattern that is refused; one sentence that says what to write instead."""


def compile_bounded(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled. UnboundedPatternError for one that is wrong or may be slow."""
    try:
        compiled = re.compile(pattern)
        parsed = importlib.import_module("re._parser").parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnboundedPatternError(f"it is not a regular expression: {error}") from None
    if compiled.flags & (re.IGNORECASE | re.VERBOSE):
        raise UnboundedPatternError("flags are not supported: write [Aa] for both letters")
    least, longest = parsed.getwidth()
    steps = _count_ways(list(parsed), _NOTHING) * longest
    if least < LEAST:
        raise UnboundedPatternError(
            f"it may match {least} characters, and at least {LEAST} are needed"
        )
    if longest > LONGEST:
        raise UnboundedPatternError(
            f"it may match {longest} characters, and at most {LONGEST} are allowed"
        )
    if steps > MOST_STEPS:
        raise UnboundedPatternError(
            f"it may take {steps} steps at one place of a text, and at most {MOST_STEPS} are "
            "allowed: make the repeats shorter, or put a sign between them that is in neither"
        )
    return compiled


def _count_ways(pieces: Sequence[_Piece], after: frozenset[int]) -> int:
    """In how many ways a sequence may be tried where what follows it begins with `after`."""
    ways = 1
    for index in reversed(range(len(pieces))):
        ways *= _ways_of(pieces[index], after)
        first = _first_of_piece(pieces[index])
        after = first.characters | after if first.may_be_empty else first.characters
    return ways


def _ways_of(piece: _Piece, after: frozenset[int]) -> int:
    """In how many ways a piece of a parsed pattern can match a text."""
    operation, value = piece
    name = str(operation)
    if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY", "AT"):
        return 1
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _ways_of_repeat(value, after, is_possessive=name == "POSSESSIVE_REPEAT")
    if name == "SUBPATTERN":
        return _count_ways(list(value[-1]), after)
    if name == "ATOMIC_GROUP":
        return _count_ways(list(value), after)
    if name == "BRANCH":
        return sum(_count_ways(list(branch), after) for branch in value[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return _count_ways(list(value[1]), _NOTHING)
    raise UnboundedPatternError("references to a group and conditions are not supported")


def _ways_of_repeat(
    value: tuple[Any, Any, Any], after: frozenset[int], *, is_possessive: bool
) -> int:
    """In how many ways a repetition may match before what follows it."""
    least, most, body = value
    if str(most) == "MAXREPEAT":
        raise UnboundedPatternError("*, + and {3,} have no bound: write {1,64} in place of +")
    inner = list(body)
    if len(inner) != 1 or _width_of(inner[0]) != 1:
        if least == most == 1 or (least, most) == (0, 1):
            return (2 if least == 0 else 1) * _count_ways(inner, after)
        if least == most and all(_width_of(piece) == 1 for piece in inner):
            return 1
        raise UnboundedPatternError(
            "what is repeated a varying number of times may only be one character or one [class]"
        )
    first = _first_of_piece(inner[0])
    if is_possessive or not first.characters & after:
        return 1
    return int(most - least + 1)


def _width_of(piece: _Piece) -> int | None:
    """1 for what stands for one character."""
    return 1 if str(piece[0]) in ("LITERAL", "NOT_LITERAL", "IN", "ANY") else None


class _First(msgspec.Struct, frozen=True):
    """How a part of a pattern may begin."""

    characters: frozenset[int]
    may_be_empty: bool


def _first_of_piece(piece: _Piece) -> _First:
    """The characters with which a match of one piece of a pattern can begin."""
    operation, value = piece
    name = str(operation)
    if _width_of(piece):
        return _First(_characters(name, value), may_be_empty=False)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        first = _first_of(list(value[2]))
        return _First(first.characters, may_be_empty=first.may_be_empty or value[0] == 0)
    if name == "SUBPATTERN":
        return _first_of(list(value[-1]))
    if name == "ATOMIC_GROUP":
        return _first_of(list(value))
    if name == "BRANCH":
        branches = [_first_of(list(branch)) for branch in value[1]]
        union = _NOTHING.union(*(branch.characters for branch in branches))
        return _First(union, may_be_empty=any(branch.may_be_empty for branch in branches))
    return _First(_NOTHING, may_be_empty=True)


def _first_of(pieces: Sequence[_Piece]) -> _First:
    union = _NOTHING
    for piece in pieces:
        first = _first_of_piece(piece)
        union |= first.characters
        if not first.may_be_empty:
            return _First(union, may_be_empty=False)
    return _First(union, may_be_empty=True)


def _characters(name: str, value: Any) -> frozenset[int]:
    """The characters that one element of a parsed pattern matches."""
    if name == "LITERAL":
        return frozenset({min(value, _OTHER)})
    if name == "NOT_LITERAL":
        return _ALL - {value} if value < _OTHER else _ALL
    if name == "ANY":
        return _ALL
    chars = _NOTHING
    is_negated = False
    for operation, part in value:
        if str(operation) == "NEGATE":
            is_negated = True
        elif str(operation) == "RANGE":
            low, high = part
            chars |= frozenset(range(min(low, _OTHER), min(high, _OTHER) + 1))
        elif str(operation) == "CATEGORY":
            chars |= _category(str(part))
        else:
            chars |= {min(part, _OTHER)}
    return (_ALL - chars) | {_OTHER} if is_negated else chars


def _category(name: str) -> frozenset[int]:
    shape = re.compile(_CATEGORIES[name])
    return frozenset(code for code in range(_OTHER) if shape.match(chr(code))) | {_OTHER}
