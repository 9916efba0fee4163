"""Texts of JSON whose strings were replaced, with all else in them as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.model import Json

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"')
_INDENT = re.compile(r"\n([ \t]+)\S")


def written_like(text: str, value: Json) -> str:
    """A value as JSON with the indentation and the end of a text that held another one."""
    indent = _INDENT.search(text)
    separators = None if indent else (",", ":")
    written = json.dumps(
        value, ensure_ascii=False, indent=indent and indent[1], separators=separators
    )
    return f"{written}\n" if text.endswith("\n") else written


def with_strings(text: str, value: Json) -> str | None:
    """A JSON text with its strings replaced by those of a value of the same shape.

    None where a key is doubled.
    """
    old_strings = list(_STRING.finditer(text))
    new_strings = list(strings_of(value))
    if len(old_strings) != len(new_strings):
        return None
    pieces: list[str] = []
    done = 0
    for old, string in zip(old_strings, new_strings, strict=True):
        if json.loads(old[0]) != string:
            pieces += (text[done : old.start()], json.dumps(string, ensure_ascii=False))
            done = old.end()
    return "".join([*pieces, text[done:]])


def strings_of(value: Json) -> Iterator[str]:
    """The strings of a JSON value in the order in which its text has them.

    Keys come before what they hold.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from strings_of(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings_of(child)


def is_json_of(text: str, value: Json) -> bool:
    """Whether a text is JSON, and holds this value."""
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False
