"""The text of a JSON object with some of its keys changed, and nothing else. Pure.

Order, indent and spaces of what stays are kept.
"""

import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.model import Json

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Member(msgspec.Struct, frozen=True):
    """One key and its value, as places in the text."""

    key: str
    begin: int
    """Where the key begins."""
    value: int
    end: int
    """Behind the value."""


def with_keys(text: str, changes: Mapping[str, Json | None]) -> str:
    """The object with these keys set, or gone where the change is None.

    A key that stands twice is changed where it counts: the last one. ValueError for a text that is
    not a JSON object.
    """
    for key, value in changes.items():
        own_members = [member for member in _members(text) if member.key == key]
        if own_members and value is not None:
            text = text[: own_members[-1].value] + json.dumps(value) + text[own_members[-1].end :]
        elif own_members:
            for member in reversed(own_members):
                text = _without_member(text, member)
        elif value is not None:
            text = _with_member(text, key, value)
    return text


def _members(text: str) -> list[_Member]:
    return list(_walk(text))


def _walk(text: str) -> Iterator[_Member]:
    """The members of a JSON object, each with its place in the text."""
    place = _skip(text, 0)
    if text[place : place + 1] != "{":
        raise ValueError("no JSON object")
    place = _skip(text, place + 1)
    while text[place : place + 1] != "}":
        key, after = _DECODER.raw_decode(text, place)
        colon = _skip(text, after)
        value = _skip(text, colon + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield _Member(str(key), place, value, end)
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _without_member(text: str, member: _Member) -> str:
    """Without a member and the comma that belongs to it."""
    after = _skip(text, member.end)
    if text[after : after + 1] == ",":
        return text[: member.begin] + text[_skip(text, after + 1) :]
    before = text[: member.begin].rstrip()
    return before.removesuffix(",") + text[member.end :]


def _with_member(text: str, key: str, value: Json) -> str:
    """With a new member at the end."""
    members = _members(text)
    entry = f"{json.dumps(key)}: {json.dumps(value)}"
    if not members:
        opening = text.index("{")
        return f"{text[:opening]}{{\n{_indent(text)}{entry}\n}}{text[text.index('}') + 1 :]}"
    last = members[-1]
    is_one_line = "\n" not in text[: last.end]
    between = ", " if is_one_line else f",\n{_indent(text)}"
    return text[: last.end] + between + entry + text[last.end :]


def _indent(text: str) -> str:
    """How far the file's own keys stand from the left; two spaces where it has none."""
    match = re.search(r'\n([ \t]+)"', text)
    return match[1] if match else "  "
