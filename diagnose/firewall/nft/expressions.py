"""The expressions of a rule: what each does to the program."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Literal

from msgspec.structs import replace

from diagnose.firewall.actions import Assign, Maybe, Stop, Translate
from diagnose.firewall.conditions import BY_A_PROCESS, Rare, Unread
from diagnose.firewall.nft.comparisons import apply_mask, compare, compare_range
from diagnose.firewall.nft.program import Expression, RuleProgram, address_of
from diagnose.firewall.nft.sets import look_up
from diagnose.firewall.nft.verdicts import verdict
from diagnose.firewall.registers import Part, load_ct, load_fib, load_meta, load_payload, unknown

_SENDERS = (10, 11)
"""Keys of `meta` for the sending process's user and group: of a packet without one the rule does
not match at all."""
_MARK = 3
"""Key of `meta` and of `ct` for the mark."""
_OVER = 1
"""Flag of `limit` and `connlimit`: the condition is met above the rate, or the number of
connections."""
_INVERTED = 1
"""Flag of `dynset`: what it adds to a set, and what it counts there, ends the rule."""
_DNAT = 1
"""Type of `nat`; the other one is source translation."""

_NO_EFFECT = frozenset({"counter", "log", "last", "dup", "flow_offload"})
_NO_EFFECT_OBJECTS = frozenset({1, 3, 7, 8, 9})
"""Object types that let every packet pass: counter, helper, timeout, security mark, expectation."""
_NO_EFFECT_TARGETS = frozenset({"LOG", "NFLOG", "TCPMSS", "CHECKSUM", "CLASSIFY", "TRACE", "CT"})
"""Targets of xtables after which the packet meets the next rule."""


def run(program: RuleProgram, expression: Expression) -> None:
    """One step of a rule. KeyError, TypeError or ValueError for an answer of another shape."""
    name = expression["name"]
    step = _STEPS.get(name)
    if step is not None:
        step(program, expression)
    elif name not in _NO_EFFECT:
        program.conditions.append(Unread(name))


def _field(program: RuleProgram, expression: Expression) -> None:
    """`meta`, `ct`, `payload`: a field is read into a register, or written from one."""
    if "sreg" in expression:
        _assign(program, expression)
    else:
        _load(program, expression)


def _load(program: RuleProgram, expression: Expression) -> None:
    """Fields of the packet into a register; one that the rule has assigned holds the new value."""
    name = expression["name"]
    parts = _LOADERS[name](expression, program)
    if name == "meta" and expression["key"] in _SENDERS:
        program.conditions.append(BY_A_PROCESS)
    changed = {assign.field for assign in program.assigns}
    program.load(
        expression["dreg"], [_as_changed(part) if part.field in changed else part for part in parts]
    )


def _as_changed(part: Part) -> Part:
    """A field that the same rule has set before: conditions look at the packet as it came."""
    return unknown(part.width, f"{part.field} just set")


def _assign(program: RuleProgram, expression: Expression) -> None:
    if expression["name"] == "payload" or expression["key"] != _MARK:
        return
    constant = program.constant(expression["sreg"])
    value = None if constant is None else int.from_bytes(constant, program.order)
    program.assigns.append(Assign("mark" if expression["name"] == "meta" else "ctmark", value))


def _byte_order(program: RuleProgram, expression: Expression) -> None:
    address = address_of(expression["sreg"])
    part = program.parts.get(address, unknown(expression["len"], "byteorder"))
    program.load(expression["dreg"], [replace(part, order="big")])


def _load_constant(program: RuleProgram, expression: Expression) -> None:
    """A constant into a register, or a verdict."""
    data = expression["data"]
    if isinstance(data, str):
        program.constants[address_of(expression["dreg"])] = bytes.fromhex(data)
    elif data is not None:
        program.action = verdict(data)


def _translate(program: RuleProgram, expression: Expression) -> None:
    """`nat`, with the address and port that the rule has put into registers."""
    kind: Literal["dnat", "snat"] = "dnat" if expression["type"] == _DNAT else "snat"
    data = program.constant(expression["address"]) if "address" in expression else None
    address = None if data is None else str(ip_address(data))
    program.action = Translate(kind, address, _port(program, expression))


def _masquerade(program: RuleProgram, _: Expression) -> None:
    program.action = Translate("masquerade")


def _redirect(program: RuleProgram, expression: Expression) -> None:
    program.action = Translate("redirect", port=_port(program, expression))


def _port(program: RuleProgram, expression: Expression) -> int | None:
    data = program.constant(expression["port"]) if "port" in expression else None
    return None if data is None else int.from_bytes(data, "big")


def _reject(program: RuleProgram, _: Expression) -> None:
    program.action = Stop("reject")


def _untrack(program: RuleProgram, _: Expression) -> None:
    program.assigns.append(Assign("state", "untracked"))


def _unknown_effect(program: RuleProgram, expression: Expression) -> None:
    program.action = Maybe(expression["name"])


def _limit(program: RuleProgram, expression: Expression) -> None:
    """A limit of packets or of connections."""
    is_over = bool(expression.get("flags", 0) & _OVER)
    text = {"limit": "limit rate", "connlimit": "ct count"}[expression["name"]]
    program.conditions.append(Rare(f"{text} over" if is_over else text, negate=not is_over))


def _add_to_set(program: RuleProgram, expression: Expression) -> None:
    """`dynset`: what it does for each packet, such as a limit."""
    if expression.get("flags", 0) & _INVERTED:
        program.conditions.append(Unread("dynset"))
        return
    for inner in expression.get("expressions", ()):
        run(program, inner)


def _object(program: RuleProgram, expression: Expression) -> None:
    if expression.get("type") not in _NO_EFFECT_OBJECTS:
        program.conditions.append(Unread(f"object {expression.get('object', '')}"))


def _xt_match(program: RuleProgram, expression: Expression) -> None:
    if expression["match"] != "comment":
        program.conditions.append(Unread(f"xt match {expression['match']}"))


def _xt_target(program: RuleProgram, expression: Expression) -> None:
    name = expression["target"]
    if name == "MASQUERADE":
        program.action = Translate("masquerade")
    elif name == "REJECT":
        program.action = Stop("reject")
    elif name not in _NO_EFFECT_TARGETS:
        program.action = Maybe(f"xt target {name}")


_LOADERS = {"meta": load_meta, "ct": load_ct, "payload": load_payload, "fib": load_fib}
"""Expressions that load a field of the packet into a register."""

_STEPS: Mapping[str, Callable[[RuleProgram, Expression], None]] = {
    "meta": _field,
    "ct": _field,
    "payload": _field,
    "fib": _load,
    "bitwise": apply_mask,
    "byteorder": _byte_order,
    "cmp": compare,
    "range": compare_range,
    "lookup": look_up,
    "immediate": _load_constant,
    "nat": _translate,
    "masq": _masquerade,
    "redir": _redirect,
    "reject": _reject,
    "notrack": _untrack,
    "limit": _limit,
    "connlimit": _limit,
    "dynset": _add_to_set,
    "objref": _object,
    "match": _xt_match,
    "target": _xt_target,
    "queue": _unknown_effect,
    "synproxy": _unknown_effect,
    "tproxy": _unknown_effect,
    "fwd": _unknown_effect,
}
"""What each expression does; one that is neither here nor in `_NO_EFFECT` is a condition that this
model does not know."""
