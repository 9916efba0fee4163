"""`lookup`: a register is in a set, or a map says what happens."""

from collections.abc import Mapping
from typing import Any

from diagnose.firewall.actions import Choose, Maybe
from diagnose.firewall.conditions import Match, Unread
from diagnose.firewall.nft.program import Expression, RuleProgram, address_of, padded
from diagnose.firewall.nft.verdicts import verdict
from diagnose.firewall.packet import Field
from diagnose.firewall.registers import TRANSPORTS, Part, between, named
from diagnose.firewall.values import Interval, Name, Value

_SET_INTERVAL = 0x4
_ELEMENT_END = 0x1
_ELEMENT_CATCHALL = 0x2
_INVERTED = 1
"""Flag of `lookup`: the register is in none of the elements."""
_VERDICT_REGISTER = 0
_ANY_NUMBER = Interval(0, (1 << 128) - 1)
_PORT_BEARERS = frozenset((Interval(number, number),) for number in TRANSPORTS)

_Key = tuple[Value, ...]


def look_up(program: RuleProgram, expression: Expression) -> None:
    """A lookup in a set becomes a condition, one in a map of verdicts becomes a choice."""
    target = expression.get("dreg")
    if target not in (None, _VERDICT_REGISTER):
        program.conditions.append(Unread(f"set {expression['set']}"))
        return
    named_set = program.sets.get(expression["set"])
    parts = _key_parts(program, expression["sreg"], named_set)
    keys = _keys(program, parts, named_set)
    if named_set is None or parts is None or keys is None:
        _mark_unread(program, expression)
        return
    fields = tuple(named(part) for part in parts)
    if target == _VERDICT_REGISTER:
        program.action = _choice(fields, keys)
        return
    among = tuple(key for key, _ in keys)
    if fields == ("proto",) and all(key in _PORT_BEARERS for key in among):
        program.proto = TRANSPORTS[0]
    is_inverted = bool(expression.get("flags", 0) & _INVERTED)
    program.conditions.append(Match(fields, among, is_inverted))


def _choice(fields: tuple[Field, ...], keys: list[tuple[_Key, Mapping[str, Any]]]) -> Choose:
    """The map's actions, by the keys whose verdict is known."""
    verdicts = [(key, verdict(element["data"])) for key, element in keys]
    return Choose(fields, tuple((key, action) for key, action in verdicts if action is not None))


def _mark_unread(program: RuleProgram, expression: Expression) -> None:
    text = f"set {expression['set']}"
    if expression.get("dreg") == _VERDICT_REGISTER:
        program.action = Maybe(text)
    else:
        program.conditions.append(Unread(text))


def _key_parts(
    program: RuleProgram, register: int, named_set: Mapping[str, Any] | None
) -> list[Part] | None:
    """The parts of a set's key; None where the set was not read whole, or a part is not known."""
    if named_set is None or named_set.get("cut"):
        return None
    lengths = named_set.get("fields") or []
    if lengths:
        parts = _concatenated_parts(program, register, lengths)
    else:
        # a concatenation without intervals comes without the lengths of its fields
        length = named_set["key_bytes"]
        parts = program.parts_in(register, length) or program.concatenated_in(register, length)
    if parts is None or any(part.field is None for part in parts):
        return None
    return parts


def _concatenated_parts(
    program: RuleProgram, register: int, lengths: list[int]
) -> list[Part] | None:
    """The fields of a concatenation, which begin at multiples of four bytes."""
    parts = []
    at = address_of(register)
    for length in lengths:
        part = program.parts.get(at)
        if part is None or part.width != length:
            return None
        parts.append(part)
        at += padded(length)
    return parts


def _keys(
    program: RuleProgram, parts: list[Part] | None, named_set: Mapping[str, Any] | None
) -> list[tuple[_Key, Mapping[str, Any]]] | None:
    """The key of each element, with the element; None where one of them cannot be said."""
    if parts is None or named_set is None:
        return None
    keys = []
    is_concatenated = sum(part.width for part in parts) != named_set["key_bytes"]
    for element in _spans(named_set):
        key = _key(program, parts, element, is_concatenated=is_concatenated)
        if key is None:
            return None
        keys.append((key, element))
    return keys


def _key(
    program: RuleProgram, parts: list[Part], element: Mapping[str, Any], *, is_concatenated: bool
) -> _Key | None:
    """One element of a set as values of the loaded parts; None where it cannot be read."""
    if element.get("any"):
        return tuple(_any_value(part) for part in parts)
    low = bytes.fromhex(element["value"])
    high = bytes.fromhex(element.get("value_end") or element["value"])
    values = []
    at = 0
    for part in parts:
        end = at + part.width
        value = between(part, low[at:end], high[at:end], program.interfaces)
        if value is None:
            return None
        values.append(value)
        at += padded(part.width) if is_concatenated else part.width
    return tuple(values)


def _any_value(part: Part) -> Value:
    is_interface = part.kind in ("name", "index", "group")
    return Name("", prefix=True) if is_interface else _ANY_NUMBER


def _spans(named_set: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The elements of a set with `value` and `value_end`, both included.

    Plain interval sets hold starts and ends apart.
    """
    elements = []
    catchall = []
    for element in named_set["elements"]:
        if _has(element, _ELEMENT_CATCHALL):
            catchall.append(element | {"any": True})
        else:
            elements.append(element)
    is_plain_interval = named_set.get("flags", 0) & _SET_INTERVAL and not named_set.get("fields")
    return [*(_intervals(elements) if is_plain_interval else elements), *catchall]


def _intervals(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each start with the last value before the next start or end."""
    ordered = sorted(
        elements, key=lambda element: (element["value"], not _has(element, _ELEMENT_END))
    )
    following = [element["value"] for element in ordered[1:]] + [None]
    spans = []
    for element, after in zip(ordered, following, strict=True):
        if _has(element, _ELEMENT_END):
            continue
        if "value_end" in element:
            spans.append(element)
            continue
        width = len(bytes.fromhex(element["value"]))
        beyond = 1 << 8 * width if after is None else int.from_bytes(bytes.fromhex(after), "big")
        spans.append(element | {"value_end": (beyond - 1).to_bytes(width, "big").hex()})
    return spans


def _has(element: Mapping[str, Any], flag: int) -> bool:
    return bool(element.get("flags", 0) & flag)
