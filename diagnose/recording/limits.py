"""Limits on what an answer may hold.

Text that nobody reads to its end, and values that would not fit into memory.
"""

from collections.abc import Iterable
from typing import Any

from diagnose.model import Json

DEEPEST = 64
"""Levels of nesting in an answer: the engine's own answers have ten."""
TOO_DEEP = "[cut: nested too deep]"

MOST_BYTES = 100 * 2**20
"""What the values of a recording may take in memory. The rest of 300 MiB is for the tool itself,
for the recording's texts, and for the evidence."""
OBJECT_BYTES = 200
LIST_BYTES = 80
ITEM_BYTES = 30
"""What a JSON object, a list and each further item take at least in CPython 3.11, measured with
small keys and values."""


def cut(value: Json, longest: int, depth: int = 0) -> Json:
    """The value with strings of at most `longest` characters, and no deeper than DEEPEST.

    The same object where nothing is cut.
    """
    if not depth and _is_within_limits(value, longest):
        return value
    if isinstance(value, str):
        return value if len(value) <= longest else _cut_text(value, longest)
    if not isinstance(value, dict | list):
        return value
    if depth == DEEPEST:
        return TOO_DEEP
    if isinstance(value, list):
        return _cut_list(value, longest, depth)
    return _cut_object(value, longest, depth)


def _cut_list(value: list[Json], longest: int, depth: int) -> list[Json]:
    items = [cut(child, longest, depth + 1) for child in value]
    is_whole = all(new is old for new, old in zip(items, value, strict=True))
    return value if is_whole else items


def _cut_object(value: dict[str, Json], longest: int, depth: int) -> dict[Any, Json]:
    fields: dict[Any, Json] = {}
    for key, child in value.items():
        fields[cut(key, longest)] = cut(child, longest, depth + 1)
    is_whole = len(fields) == len(value) and all(
        key in fields and fields[key] is child for key, child in value.items()
    )
    return value if is_whole else fields


def is_deep(value: Json) -> bool:
    """Whether the value has more levels of nesting than DEEPEST."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [child for holder in level for child in _children_of(holder)]
        if not level:
            return False
    return True


def _children_of(value: Json) -> list[Json]:
    """The objects and lists right below a value."""
    items: Iterable[Json] = ()
    if type(value) is dict:
        items = value.values()
    elif type(value) is list:
        items = value
    return [child for child in items if type(child) is dict or type(child) is list]


def _is_within_limits(value: Json, longest: int) -> bool:
    """Whether nothing of the value is too long or too deep.

    That is so nearly always, and level by level it is seen in a quarter of the time.
    """
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[Json] = []
        for child in level:
            if type(child) is dict:
                if max(map(len, child), default=0) > longest:
                    return False
                below.extend(child.values())
            elif type(child) is list:
                below.extend(child)
            elif type(child) is str and len(child) > longest:
                return False
        if not below:
            return True
        level = below
    return False


def _cut_text(text: str, longest: int) -> str:
    return f"{text[:longest]} [cut: {len(text) - longest} more characters]"


def bytes_in_memory(text: str) -> int:
    """How many bytes the values of a JSON text take at least, without decoding it."""
    return (
        OBJECT_BYTES * text.count("{") + LIST_BYTES * text.count("[") + ITEM_BYTES * text.count(",")
    )
