"""Expressions that compare a register: `cmp`, `range`, `bitwise` before them."""

from msgspec.structs import replace

from diagnose.firewall.conditions import Condition, Match, Unread, with_flags
from diagnose.firewall.nft.program import Expression, RuleProgram, address_of
from diagnose.firewall.registers import ETHERTYPES, Part, between, named, unknown, value_of
from diagnose.firewall.values import Interval, Masked, Name, Value

_EQUAL, _NOT_EQUAL, _LESS, _AT_MOST, _MORE, _AT_LEAST = range(6)
"""Operations of `cmp`."""
_ETHERNET = 1
"""ARPHRD_ETHER."""
_INET_FAMILIES = {2: 2, 10: 10}
"""`meta nfproto` names families by their own numbers, `meta protocol` by Ethernet types."""


def compare(program: RuleProgram, expression: Expression) -> None:
    """`cmp`: a register equals a value, or is less or more."""
    data = bytes.fromhex(expression["data"])
    operation = expression["op"]
    parts = program.parts_in(expression["sreg"], len(data))
    link = parts[0] if parts and parts[0].kind == "link" else None
    if link is not None and operation == _EQUAL and _is_ethernet(link, data):
        return
    if not parts or any(part.field is None for part in parts):
        program.conditions.append(Unread(parts[0].label if parts else "cmp"))
        return
    if operation not in (_EQUAL, _NOT_EQUAL):
        bound = _order_condition(parts[0], data, operation) if len(parts) == 1 else Unread("cmp")
        program.conditions[-1:] = _joined_range(program.conditions[-1:], bound)
        return
    negate = operation == _NOT_EQUAL
    if len(parts) == 1 and not negate and parts[0].kind != "flags":
        _note_protocol(program, parts[0], data)
    program.conditions.append(_equality(program, parts, data, negate=negate))


def _is_ethernet(part: Part, data: bytes) -> bool:
    """Whether a rule asks for an interface of Ethernet: nft does so before it reads a frame.

    Bridges, veth pairs and network cards are; nobody writes such a rule for a tunnel.
    """
    return int.from_bytes(data, part.order) == _ETHERNET


def _equality(program: RuleProgram, parts: list[Part], data: bytes, *, negate: bool) -> Condition:
    """The condition whether parts of the packet are, or are not, these bytes."""
    if parts[0].kind == "flags":
        return _flags(parts, data, negate=negate)
    if parts[0].kind == "group":
        return _group_condition(program, parts, data, negate=negate)
    mask = parts[0].mask if len(parts) == 1 else None
    if negate and mask is not None and not any(data):
        has_any_bit: Value = Masked(mask, any_bit=True)
        return Match((named(parts[0]),), ((has_any_bit,),))
    return _equals(program, parts, data, negate=negate)


def compare_range(program: RuleProgram, expression: Expression) -> None:
    """`range`: a register lies between two values, or does not."""
    low = bytes.fromhex(expression["from"])
    high = bytes.fromhex(expression["to"])
    parts = program.parts_in(expression["sreg"], len(low))
    inside = None
    if parts and len(parts) == 1:
        inside = between(parts[0], low, high, program.interfaces)
    if inside is None or not parts:
        program.conditions.append(Unread("range"))
        return
    negate = expression["op"] == _NOT_EQUAL
    program.conditions.append(Match((named(parts[0]),), ((inside,),), negate))


def apply_mask(program: RuleProgram, expression: Expression) -> None:
    """`bitwise`: a register under a mask; any other operation gives something unknown."""
    length = expression["len"]
    masked = None
    if expression.get("op", 0) == 0 and not any(bytes.fromhex(expression.get("xor") or "")):
        masked = _masked_parts(program, expression)
    program.load(expression["dreg"], masked or [unknown(length, "bitwise")])


def _masked_parts(program: RuleProgram, expression: Expression) -> list[Part] | None:
    """The parts of the source under the mask; None where that cannot be said."""
    start = address_of(expression["sreg"])
    length = expression["len"]
    mask = bytes.fromhex(expression["mask"])
    parts: list[Part] = []
    done = 0
    while done < length:
        part = program.parts.get(start + done)
        if part is None or part.mask is not None or part.kind not in ("number", "flags"):
            return None
        if done + part.width > length:
            return None
        bits = int.from_bytes(mask[done : done + part.width], part.order)
        parts.append(replace(part, mask=bits))
        done += part.width
    return parts


def _note_protocol(program: RuleProgram, part: Part, data: bytes) -> None:
    """Remember which network and transport protocol the rest of the rule is about."""
    number = int.from_bytes(data, part.order)
    if part.field == "proto":
        program.proto = number
    elif part.field == "family" and program.family is None:
        program.family = {**ETHERTYPES, **_INET_FAMILIES}.get(number)


def _flags(parts: list[Part], data: bytes, *, negate: bool) -> Condition:
    """TCP's flags, compared with one value: `tcp flags syn` is "not none of them"."""
    (part,) = parts
    try:
        values = with_flags(0xFF if part.mask is None else part.mask, data[0])
    except ValueError:
        return Unread("tcp flags")
    return Match(("syn",), tuple((value,) for value in values), negate)


def _group_condition(
    program: RuleProgram, parts: list[Part], data: bytes, *, negate: bool
) -> Condition:
    """The condition whether the interface is, or is not, one of a group's."""
    part = parts[0]
    if len(parts) > 1 or program.groups is None:
        return Unread(part.label)
    number = int.from_bytes(data, part.order)
    names = tuple((Name(name),) for name in program.groups.get(number, ()))
    text = f"{part.label} != {number}" if negate else f"{part.label} {number}"
    return Match((named(part),), names, negate, text)


def _equals(program: RuleProgram, parts: list[Part], data: bytes, *, negate: bool) -> Condition:
    """The condition that the loaded parts equal these bytes."""
    values = []
    at = 0
    for part in parts:
        value = value_of(part, data[at : at + part.width], program.interfaces)
        if value is None:
            return Unread(part.label or f"{part.field} {part.kind}")
        values.append(value)
        at += part.width
    fields = tuple(named(part) for part in parts)
    return Match(fields, (tuple(values),), negate)


def _order_condition(part: Part, data: bytes, operation: int) -> Condition:
    """The condition that a number is smaller or greater than these bytes."""
    if part.kind != "number" or part.mask is not None or part.width != part.full:
        return Unread(f"{part.field} compared")
    number = int.from_bytes(data, part.order)
    last = (1 << 8 * part.width) - 1
    bounds = {
        _LESS: Interval(0, number - 1),
        _AT_MOST: Interval(0, number),
        _MORE: Interval(number + 1, last),
        _AT_LEAST: Interval(number, last),
    }
    return Match((named(part),), ((bounds[operation],),))


def _joined_range(last: list[Condition], condition: Condition) -> list[Condition]:
    """The two bounds of a range as one condition."""
    match last, condition:
        case [Match(fields, ((Interval() as lower,),), False)], Match(
            same, ((Interval() as upper,),)
        ) if fields == same:
            overlap = Interval(max(lower.low, upper.low), min(lower.high, upper.high))
            return [Match(fields, ((overlap,),))]
    return [*last, condition]
