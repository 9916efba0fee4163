"""nftables' netlink expressions into the model of `rules`.

A rule is a little program over registers: loads (`meta`, `payload`, `ct`, `fib`) put a field of the
packet in, `cmp`, `range` and `lookup` compare, a verdict ends. Here the registers hold the names of
fields instead of their contents.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from diagnose.firewall.actions import Assign, Choose, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.conditions import Match, Rare, Unread, with_flags
from diagnose.firewall.packet import NF_FAMILIES
from diagnose.firewall.registers import (
    ETHERTYPES,
    TRANSPORTS,
    Order,
    Part,
    between,
    load_ct,
    load_fib,
    load_meta,
    load_payload,
    named,
    unknown,
    value_of,
)
from diagnose.firewall.rules import Chain, Rule, Table
from diagnose.firewall.text import describe
from diagnose.firewall.values import Interval, Masked, Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diagnose.firewall.actions import Action
    from diagnose.firewall.conditions import Condition
    from diagnose.firewall.packet import Hook
    from diagnose.firewall.values import Value

DORMANT = 1
"""Flag of a table whose chains are not on their hooks."""

_HOOKS: Mapping[int, Hook] = {
    0: "prerouting",
    1: "input",
    2: "forward",
    3: "output",
    4: "postrouting",
    5: "ingress",
}
_DEVICE_HOOKS: Mapping[int, Hook] = {0: "ingress", 1: "egress"}
_SENDERS = (10, 11)
"""Keys of `meta` for the sending process's user and group: of a packet without one the rule does
not match at all."""
_BY_A_PROCESS = Match(("uid",), ((Interval(0, (1 << 32) - 1),),))
_SET_INTERVAL, _ELEMENT_END, _ELEMENT_CATCHALL = 0x4, 0x1, 0x2
_MARK = 3
_ANY_NUMBER = Interval(0, (1 << 128) - 1)
_OVER = 1
"""Flag of `limit` and `connlimit`: the condition is met above the rate, or the number of
connections."""
_INVERTED = 1
"""Flag of `dynset`: what it adds to a set, and what it counts there, ends the rule."""

_NO_EFFECT = frozenset({"counter", "log", "last", "dup", "flow_offload"})
_NO_EFFECT_OBJECTS = frozenset({1, 3, 7, 8, 9})
"""Object types that let every packet pass: counter, helper, timeout, security mark, expectation."""

_PORT_BEARERS = frozenset((Interval(number, number),) for number in TRANSPORTS)


class _Program(msgspec.Struct, eq=False):
    """What is known halfway through a rule."""

    order: Order
    family: int | None
    parts: dict[int, Part] = msgspec.field(default_factory=dict)
    constants: dict[int, bytes] = msgspec.field(default_factory=dict)
    proto: int | None = None
    conditions: list[Condition] = msgspec.field(default_factory=list)
    assigns: list[Assign] = msgspec.field(default_factory=list)
    action: Action | None = None


def chains(
    dump: Mapping[str, Any], interfaces: Mapping[int, str] | None = None
) -> tuple[Chain, ...]:
    """The chains of a dump as `live.nftables` answers it.

    `interfaces` gives the names of interface indexes.
    """
    order: Order = dump["byteorder"]
    sets = {(named["family"], named["table"], named["name"]): named for named in dump["sets"]}
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in dump["rules"]:
        owner = (rule["family"], rule["table"], rule["chain"])
        rules.setdefault(owner, []).append(_rule(rule, sets, order, interfaces or {}))
    asleep = {
        (table["family"], table["name"])
        for table in dump["tables"]
        if table.get("flags", 0) & DORMANT
    }
    return tuple(
        _chain(
            chain, tuple(rules.get((chain["family"], chain["table"], chain["name"]), ())), asleep
        )
        for chain in dump["chains"]
    )


def _chain(each: Mapping[str, Any], rules: tuple[Rule, ...], asleep: set[tuple[str, str]]) -> Chain:
    hook = each.get("hook") or {}
    on_hook = bool(hook) and (each["family"], each["table"]) not in asleep
    hooks = _DEVICE_HOOKS if each["family"] == "netdev" else _HOOKS
    devices = tuple(hook.get("devices") or ()) or tuple(filter(None, [hook.get("device")]))
    return Chain(
        Table("nft", each["family"], each["table"]),
        each["name"],
        rules,
        hooks.get(hook["number"]) if on_hook else None,
        hook.get("priority", 0),
        each.get("type", "filter"),
        "drop" if each.get("policy", 1) == 0 else "accept",
        devices if on_hook else (),
    )


def _rule(
    each: Mapping[str, Any],
    sets: Mapping[tuple[str, str, str], Mapping[str, Any]],
    order: Order,
    interfaces: Mapping[int, str],
) -> Rule:
    program = _Program(order, NF_FAMILIES.get(each["family"]))
    try:
        for expression in each.get("expressions", ()):
            _run(program, expression, each, sets, interfaces)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Rule(f"(not understood: {error})", action=Maybe(f"rule {each.get('handle')}"))
    conditions, assigns = tuple(program.conditions), tuple(program.assigns)
    text = describe(conditions, assigns, program.action, each.get("comment"))
    return Rule(text, conditions, assigns, program.action)


def _run(
    program: _Program,
    expression: Mapping[str, Any],
    rule: Mapping[str, Any],
    sets: Mapping[tuple[str, str, str], Mapping[str, Any]],
    interfaces: Mapping[int, str],
) -> None:
    name = expression["name"]
    match name:
        case "meta" | "ct" | "payload" if "sreg" in expression:
            _assign(program, expression)
        case "meta" | "ct" | "payload" | "fib":
            _load_fields(program, expression)
        case "bitwise":
            _bitwise(program, expression)
        case "byteorder":
            address = _address(expression["sreg"])
            part = program.parts.get(address, unknown(expression["len"], "byteorder"))
            _load(program, expression["dreg"], [replace(part, order="big")])
        case "cmp":
            _compare(program, expression, interfaces)
        case "range":
            _range(program, expression, interfaces)
        case "lookup":
            among = sets.get((rule["family"], rule["table"], expression["set"]))
            _lookup(program, expression, among, interfaces)
        case "immediate":
            _immediate(program, expression)
        case "nat" | "masq" | "redir":
            program.action = _nat(program, expression)
        case "reject":
            program.action = Stop("reject")
        case "notrack":
            program.assigns.append(Assign("state", "untracked"))
        case "target":
            _target(program, expression)
        case "match":
            if expression["match"] != "comment":
                program.conditions.append(Unread(f"xt match {expression['match']}"))
        case "objref":
            if expression.get("type") not in _NO_EFFECT_OBJECTS:
                program.conditions.append(Unread(f"object {expression.get('object', '')}"))
        case "limit" | "connlimit":
            program.conditions.append(_limit(expression))
        case "dynset" if not expression.get("flags", 0) & _INVERTED:
            for inner in expression.get("expressions", ()):
                _run(program, inner, rule, sets, interfaces)
        case "queue" | "synproxy" | "tproxy" | "fwd":
            program.action = Maybe(name)
        case _ if name not in _NO_EFFECT:
            program.conditions.append(Unread(name))


def _load_fields(program: _Program, expression: Mapping[str, Any]) -> None:
    """Fields of the packet into a register; one that the rule has assigned holds the new value."""
    name = expression["name"]
    loaders = {"meta": load_meta, "ct": load_ct, "payload": load_payload, "fib": load_fib}
    loaded = loaders[name](expression, program)
    if name == "meta" and expression["key"] in _SENDERS:
        program.conditions.append(_BY_A_PROCESS)
    changed = {assign.field for assign in program.assigns}
    parts = [_as_changed(part) if part.field in changed else part for part in loaded]
    _load(program, expression["dreg"], parts)


def _limit(expression: Mapping[str, Any]) -> Rare:
    """A limit of packets or of connections."""
    is_over = bool(expression.get("flags", 0) & _OVER)
    text = {"limit": "limit rate", "connlimit": "ct count"}[expression["name"]]
    return Rare(f"{text} over" if is_over else text, negate=not is_over)


def _address(register: int) -> int:
    """The first byte of a register: 1 to 4 are 16 bytes wide, 8 to 23 name their quarters."""
    return (register - 8) * 4 if register >= 8 else (register - 1) * 16


def _load(program: _Program, register: int, parts: Iterable[Part]) -> None:
    start = at = _address(register)
    loaded = {}
    for part in parts:
        loaded[at] = part
        at += part.width
    for stale in [address for address in program.parts if start <= address < at]:
        del program.parts[stale]
    program.parts |= loaded


def _as_changed(part: Part) -> Part:
    """A field that the same rule has set before: conditions look at the packet as it came."""
    return unknown(part.width, f"{part.field} just set")


def _bitwise(program: _Program, expression: Mapping[str, Any]) -> None:
    at = _address(expression["sreg"])
    length = expression["len"]
    if expression.get("op", 0) != 0 or any(bytes.fromhex(expression.get("xor") or "")):
        _load(program, expression["dreg"], [unknown(length, "bitwise")])
        return
    mask = bytes.fromhex(expression["mask"])
    parts = []
    done = 0
    while done < length:
        part = program.parts.get(at + done)
        if (
            part is None
            or part.kind not in ("number", "flags")
            or part.mask is not None
            or done + part.width > length
        ):
            parts = [unknown(length, "bitwise")]
            break
        parts.append(replace(part, mask=int.from_bytes(mask[done : done + part.width], part.order)))
        done += part.width
    _load(program, expression["dreg"], parts)


def _parts(program: _Program, register: int, length: int) -> list[Part] | None:
    """The parts that lie side by side from a register on.

    None where they do not fill the length.
    """
    at, end = _address(register), _address(register) + length
    parts = []
    while at < end:
        part = program.parts.get(at)
        if part is None:
            return None
        parts.append(part)
        at += part.width
    return parts


def _compare(
    program: _Program, expression: Mapping[str, Any], interfaces: Mapping[int, str]
) -> None:
    data = bytes.fromhex(expression["data"])
    parts = _parts(program, expression["sreg"], len(data))
    if not parts or any(part.field is None for part in parts):
        program.conditions.append(Unread(parts[0].label if parts else "cmp"))
        return
    operation = expression["op"]
    if operation > 1:
        condition = _ordered(parts[0], data, operation) if len(parts) == 1 else Unread("cmp")
        program.conditions[-1:] = _narrowed(program.conditions[-1:], condition)
        return
    if parts[0].kind == "flags":
        program.conditions.append(_flags(parts, data, operation == 1))
        return
    _note(program, parts, data, operation)
    if len(parts) == 1 and operation == 1 and parts[0].mask is not None and not any(data):
        among: Value = Masked(parts[0].mask, any_bit=True)
        program.conditions.append(Match((named(parts[0]),), ((among,),)))
        return
    program.conditions.append(_equals(parts, [data], operation == 1, interfaces))


def _flags(parts: list[Part], data: bytes, negate: bool) -> Condition:
    """TCP's flags, compared with one value: `tcp flags syn` is "not none of them"."""
    (part,) = parts
    try:
        values = with_flags(0xFF if part.mask is None else part.mask, data[0])
    except ValueError:
        return Unread("tcp flags")
    return Match(("syn",), tuple((value,) for value in values), negate)


def _note(program: _Program, parts: list[Part], data: bytes, operation: int) -> None:
    """Remember which network and transport protocol the rest of the rule is about."""
    if operation != 0 or len(parts) != 1:
        return
    number = int.from_bytes(data, parts[0].order)
    if parts[0].field == "proto":
        program.proto = number
    elif parts[0].field == "family" and program.family is None:
        program.family = {**ETHERTYPES, 2: 2, 10: 10}.get(number)


def _equals(
    parts: list[Part], keys: Iterable[bytes], negate: bool, interfaces: Mapping[int, str]
) -> Condition:
    among = []
    for key in keys:
        values = []
        at = 0
        for part in parts:
            value = value_of(part, key[at : at + part.width], interfaces)
            if value is None:
                return Unread(part.label or f"{part.field} {part.kind}")
            values.append(value)
            at += part.width
        among.append(tuple(values))
    return Match(tuple(named(part) for part in parts), tuple(among), negate)


def _ordered(part: Part, data: bytes, operation: int) -> Condition:
    if part.kind != "number" or part.mask is not None or part.width != part.full:
        return Unread(f"{part.field} compared")
    number = int.from_bytes(data, part.order)
    last = (1 << 8 * part.width) - 1
    low, high = {2: (0, number - 1), 3: (0, number), 4: (number + 1, last), 5: (number, last)}[
        operation
    ]
    return Match((named(part),), ((Interval(low, high),),))


def _narrowed(last: list[Condition], condition: Condition) -> list[Condition]:
    """The two bounds of a range as one condition."""
    match last, condition:
        case [Match(fields, ((Interval() as lower,),), False)], Match(
            same, ((Interval() as upper,),)
        ) if fields == same:
            both = Interval(max(lower.low, upper.low), min(lower.high, upper.high))
            return [Match(fields, ((both,),))]
    return [*last, condition]


def _range(program: _Program, expression: Mapping[str, Any], interfaces: Mapping[int, str]) -> None:
    low, high = bytes.fromhex(expression["from"]), bytes.fromhex(expression["to"])
    parts = _parts(program, expression["sreg"], len(low))
    inside = between(parts[0], low, high, interfaces) if parts and len(parts) == 1 else None
    if inside is None or not parts:
        program.conditions.append(Unread("range"))
        return
    program.conditions.append(Match((named(parts[0]),), ((inside,),), expression["op"] == 1))


def _lookup(
    program: _Program,
    expression: Mapping[str, Any],
    among: Mapping[str, Any] | None,
    interfaces: Mapping[int, str],
) -> None:
    verdicts = expression.get("dreg") == 0
    if among is None or among.get("cut") or ("dreg" in expression and not verdicts):
        _not_looked_up(program, expression, f"set {expression['set']}")
        return
    parts = _key_parts(program, expression["sreg"], among)
    if parts is None or any(part.field is None for part in parts):
        _not_looked_up(program, expression, f"set {expression['set']}")
        return
    values = [
        (_key_values(parts, element, among, interfaces), element) for element in _spans(among)
    ]
    if any(value is None for value, _ in values):
        _not_looked_up(program, expression, f"set {expression['set']}")
        return
    fields = tuple(named(part) for part in parts)
    if not verdicts:
        keys = tuple(value for value, _ in values if value is not None)
        if fields == ("proto",) and all(key in _PORT_BEARERS for key in keys):
            program.proto = TRANSPORTS[0]
        program.conditions.append(Match(fields, keys, bool(expression.get("flags", 0) & 1)))
        return
    entries = [(value, _verdict(element["data"])) for value, element in values if value is not None]
    program.action = Choose(
        fields, tuple((value, action) for value, action in entries if action is not None)
    )


def _not_looked_up(program: _Program, expression: Mapping[str, Any], text: str) -> None:
    if expression.get("dreg") == 0:
        program.action = Maybe(text)
        return
    program.conditions.append(Unread(text))


def _key_parts(program: _Program, register: int, among: Mapping[str, Any]) -> list[Part] | None:
    """The parts of a set's key; the fields of a concatenation begin at multiples of four bytes."""
    lengths = among.get("fields") or []
    if not lengths:
        return _parts(program, register, among["key_bytes"])
    parts = []
    at = _address(register)
    for length in lengths:
        part = program.parts.get(at)
        if part is None or part.width != length:
            return None
        parts.append(part)
        at += length + 3 & ~3
    return parts


def _spans(among: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements of a set with `value` and `value_end`, both included.

    Plain interval sets hold starts and ends apart.
    """
    elements = [
        element for element in among["elements"] if not element.get("flags", 0) & _ELEMENT_CATCHALL
    ]
    catchall = [
        element | {"any": True}
        for element in among["elements"]
        if element.get("flags", 0) & _ELEMENT_CATCHALL
    ]
    if not among.get("flags", 0) & _SET_INTERVAL or among.get("fields"):
        return elements + catchall
    spans = []
    ordered = sorted(
        elements, key=lambda element: (element["value"], not element.get("flags", 0) & _ELEMENT_END)
    )
    for position, each in enumerate(ordered):
        if each.get("flags", 0) & _ELEMENT_END:
            continue
        if "value_end" in each:
            spans.append(each)
            continue
        width = len(bytes.fromhex(each["value"]))
        after = ordered[position + 1]["value"] if position + 1 < len(ordered) else None
        if after is None:
            last = (1 << 8 * width) - 1
        else:
            last = int.from_bytes(bytes.fromhex(after), "big") - 1
        spans.append(each | {"value_end": last.to_bytes(width, "big").hex()})
    return spans + catchall


def _key_values(
    parts: list[Part],
    element: Mapping[str, Any],
    among: Mapping[str, Any],
    interfaces: Mapping[int, str],
) -> tuple[Value, ...] | None:
    if element.get("any"):
        return tuple(
            Name("", prefix=True) if part.kind in ("name", "index") else _ANY_NUMBER
            for part in parts
        )
    low = bytes.fromhex(element["value"])
    high = bytes.fromhex(element.get("value_end") or element["value"])
    padded = bool(among.get("fields"))
    values = []
    at = 0
    for part in parts:
        value = between(part, low[at : at + part.width], high[at : at + part.width], interfaces)
        if value is None:
            return None
        values.append(value)
        at += part.width + 3 & ~3 if padded else part.width
    return tuple(values)


def _verdict(data: Mapping[str, Any]) -> Action | None:
    match data["code"]:
        case 0 | 2:
            return Stop("drop")
        case 1 | 5:
            return Stop("accept")
        case -1 | -2:
            return None
        case -3 | -4:
            return Enter(data["chain"], back=data["code"] == -3)
        case -5:
            return Leave()
        case code:
            return Maybe(f"verdict {code}")


def _immediate(program: _Program, expression: Mapping[str, Any]) -> None:
    data = expression["data"]
    if isinstance(data, str):
        program.constants[_address(expression["dreg"])] = bytes.fromhex(data)
    elif data is not None:
        program.action = _verdict(data)


def _assign(program: _Program, expression: Mapping[str, Any]) -> None:
    if expression["name"] == "payload" or expression["key"] != _MARK:
        return
    constant = program.constants.get(_address(expression["sreg"]))
    value = None if constant is None else int.from_bytes(constant, program.order)
    program.assigns.append(Assign("mark" if expression["name"] == "meta" else "ctmark", value))


def _nat(program: _Program, expression: Mapping[str, Any]) -> Translate:
    port = program.constants.get(_address(expression["port"])) if "port" in expression else None
    number = None if port is None else int.from_bytes(port, "big")
    if expression["name"] == "masq":
        return Translate("masquerade")
    if expression["name"] == "redir":
        return Translate("redirect", port=number)
    address = (
        program.constants.get(_address(expression["address"])) if "address" in expression else None
    )
    kind: Literal["snat", "dnat"] = "dnat" if expression["type"] == 1 else "snat"
    return Translate(kind, None if address is None else str(ip_address(address)), number)


def _target(program: _Program, expression: Mapping[str, Any]) -> None:
    match expression["target"]:
        case "MASQUERADE":
            program.action = Translate("masquerade")
        case "REJECT":
            program.action = Stop("reject")
        case "LOG" | "NFLOG" | "TCPMSS" | "CHECKSUM" | "CLASSIFY" | "TRACE" | "CT":
            return
        case name:
            program.action = Maybe(f"xt target {name}")
