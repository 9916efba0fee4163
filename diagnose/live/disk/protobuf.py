"""Messages in the wire format of Protocol Buffers, as fields by number. Pure.

Only what is needed to read a few fields: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Mapping, Sequence

from diagnose.mappings import first_of

_VARINT = 0
_EIGHT_BYTES = 1
_BYTES = 2
_FOUR_BYTES = 5
"""How the value of a field is written, in the last three bits of its tag."""
_KEY = 1
_VALUE = 2
"""The fields of an entry of a map."""

Fields = Mapping[int, Sequence[int | bytes]]
"""The values of each field, in their order."""


def fields(message: bytes) -> Fields:
    """The fields of one message; ValueError where the bytes are none."""
    values_by_number: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
            value = int.from_bytes(message[at : at + size], "little")
            at = at + size
        elif kind == _BYTES:
            size, at = _varint(message, at)
            value = message[at : at + size]
            at = at + size
        else:
            raise ValueError(f"a field of kind {kind}")
        if at > len(message):
            raise ValueError("a field goes beyond its message")
        values_by_number.setdefault(tag >> 3, []).append(value)
    return values_by_number


def messages(of: Fields, number: int) -> list[Fields]:
    """The messages in a field."""
    return [fields(value) for value in of.get(number, ()) if isinstance(value, bytes)]


def text(of: Fields, number: int) -> str:
    """The text in a field; "" where it has none."""
    value = first_of(of.get(number, ()), b"")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def number(of: Fields, field: int) -> int:
    """The number in a field; 0 where it has none, as the format leaves it out."""
    value = first_of(of.get(field, ()), 0)
    return value if isinstance(value, int) else 0


def mapping(of: Fields, number: int) -> dict[str, str]:
    """The texts by name in a field that is a map."""
    return {text(entry, _KEY): text(entry, _VALUE) for entry in messages(of, number)}


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        value = value | (byte & 0x7F) << shift
        at = at + 1
        if byte < 0x80:
            return value, at
    raise ValueError("a number without an end")
