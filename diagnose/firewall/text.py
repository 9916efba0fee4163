"""A rule in words, in nftables' own syntax, for rules that the kernel holds only as expressions."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from typing import TYPE_CHECKING, assert_never

from diagnose.firewall.actions import Choose, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.conditions import AnyOf, Rare, Unread
from diagnose.firewall.kernel_numbers import PROTOCOLS, ROUTE_TYPES, STATES, STATUSES
from diagnose.firewall.values import Interval, Masked, Name, Several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.firewall.actions import Action, Assign
    from diagnose.firewall.conditions import Condition, Match
    from diagnose.firewall.packet import Field
    from diagnose.firewall.values import Value

_KEYS: Mapping[Field, str] = {
    "iif": "iifname",
    "oif": "oifname",
    "src": "ip saddr",
    "dst": "ip daddr",
    "proto": "meta l4proto",
    "sport": "sport",
    "dport": "dport",
    "family": "meta nfproto",
    "state": "ct state",
    "status": "ct status",
    "direction": "ct direction",
    "mark": "meta mark",
    "ctmark": "ct mark",
    "src_type": "fib saddr type",
    "dst_type": "fib daddr type",
    "orig_src": "ct original saddr",
    "orig_dst": "ct original daddr",
    "orig_sport": "ct original proto-src",
    "orig_dport": "ct original proto-dst",
    "reverse_path": "fib saddr . iif oif",
    "syn": "syn",
    "icmp": "icmp type . code",
    "uid": "meta skuid",
    "gid": "meta skgid",
    "physin": "meta ibrport",
    "physout": "meta obrport",
    "bridged": "bridged",
    "brin": "meta ibrname",
    "brout": "meta obrname",
    "src_type_in": "fib saddr . iif type",
    "dst_type_in": "fib daddr . iif type",
    "src_type_out": "fib saddr . oif type",
    "dst_type_out": "fib daddr . oif type",
    "pkttype": "meta pkttype",
    "tos": "tos",
    "mac": "ether saddr",
    "repl_src": "ct reply saddr",
    "repl_dst": "ct reply daddr",
    "repl_sport": "ct reply proto-src",
    "repl_dport": "ct reply proto-dst",
}
"""How nft writes a field."""
_NAMES: Mapping[Field, Mapping[int, str]] = {
    "proto": {number: name for name, number in reversed(list(PROTOCOLS.items()))} | {58: "icmpv6"},
    "family": {2: "ipv4", 3: "arp", 10: "ipv6"},
    "state": {bit: name.lower() for name, bit in STATES.items()},
    "status": {bit: name.lower() for name, bit in STATUSES.items()},
    "direction": {0: "original", 1: "reply"},
    "src_type": {number: name.lower() for name, number in ROUTE_TYPES.items()},
    "dst_type": {number: name.lower() for name, number in ROUTE_TYPES.items()},
    "reverse_path": {0: "missing", 1: "exists"},
}
"""How nft writes a value of a field, where it has a name."""
_MAX_LISTED = 4


def describe(
    conditions: tuple[Condition, ...],
    assigns: tuple[Assign, ...] = (),
    action: Action | None = None,
    comment: str | None = None,
) -> str:
    """One line: the conditions, the assignments, the action and the comment."""
    words = [_condition(condition) for condition in conditions]
    words += [f"{_KEYS[assign.field]} set {_assignment_text(assign)}" for assign in assigns]
    if action is not None:
        words.append(_action(action))
    if comment:
        words.append(f'comment "{comment}"')
    return " ".join(words) or "(no effect)"


def _assignment_text(assign: Assign) -> str:
    if assign.source is not None:
        return _KEYS[assign.source]
    return "?" if assign.value is None else str(assign.value)


def _condition(condition: Condition) -> str:
    """A condition in the syntax of nftables."""
    if isinstance(condition, Unread | Rare):
        return f"({condition.text})"
    if isinstance(condition, AnyOf):
        either = " or ".join(_condition(part) for part in condition.conditions)
        return f"not ({either})" if condition.negate else f"({either})"
    if condition.text:
        return condition.text
    shown = [_joined_values(condition, values) for values in condition.among[:_MAX_LISTED]]
    if len(condition.among) > _MAX_LISTED:
        shown.append(f"and {len(condition.among) - _MAX_LISTED} more")
    among = shown[0] if len(shown) == 1 else f"{{ {', '.join(shown)} }}"
    keys = " . ".join(_KEYS[name] for name in condition.fields)
    return f"{keys} != {among}" if condition.negate else f"{keys} {among}"


def _joined_values(condition: Match, values: Sequence[Value]) -> str:
    """The values of a concatenation of fields, joined as the fields are."""
    pairs = zip(condition.fields, values, strict=True)
    return " . ".join(_value(name, value) for name, value in pairs)


def _action(action: Action) -> str:
    """The action of a rule in the syntax of nftables."""
    match action:
        case Stop(outcome):
            return outcome
        case Enter(chain, back):
            return f"jump {chain}" if back else f"goto {chain}"
        case Leave():
            return "return"
        case Translate():
            return str(action)
        case Choose(fields, entries):
            return f"{' . '.join(_KEYS[name] for name in fields)} vmap of {len(entries)}"
        case Maybe(text):
            return f"({text})"
        case _:
            assert_never(action)


def _value(name: Field, value: Value) -> str:
    """A value in the syntax of nftables, by the field that it is compared with."""
    match value:
        case Name(text, prefix):
            return f'"{text}*"' if prefix else f'"{text}"'
        case Interval(low, high):
            if name in ("src", "dst", "orig_src", "orig_dst"):
                return _addresses(low, high)
            names = _NAMES.get(name, {})
            return names.get(low, str(low)) if low == high else f"{low}-{high}"
        case Masked(mask, wanted, any_bit):
            if any_bit:
                names = _NAMES.get(name, {})
                bits = [1 << shift for shift in range(mask.bit_length()) if mask >> shift & 1]
                return ",".join(names.get(bit, hex(bit)) for bit in bits)
            return f"{wanted:#x}/{mask:#x}"
        case Several(lows):
            return f"one of {len(lows)}"
        case _:
            assert_never(value)


def _addresses(low: int, high: int) -> str:
    """A range of addresses as nftables writes it: an address, a prefix, or both ends."""
    if 0xFFFF < high <= 0xFFFFFFFF:
        networks = list(summarize_address_range(IPv4Address(low), IPv4Address(high)))
        if len(networks) > 1:
            return f"{IPv4Address(low)}-{IPv4Address(high)}"
        return str(networks[0].network_address if low == high else networks[0])
    networks6 = list(summarize_address_range(IPv6Address(low), IPv6Address(high)))
    if len(networks6) > 1:
        return f"{IPv6Address(low)}-{IPv6Address(high)}"
    return str(networks6[0].network_address if low == high else networks6[0])
