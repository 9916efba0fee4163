"""How checks put things together: by what they have in common, and only what there is. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def by_key(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each key. Keys and values keep the order in which they come."""
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def present(entries: Mapping[str, Value | None]) -> dict[str, Value]:
    """The entries that say something: None and what is empty are left out, 0 and False stay."""
    return {name: value for name, value in entries.items() if value or value in (0, False)}
