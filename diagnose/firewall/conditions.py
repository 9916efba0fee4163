"""Conditions of a rule, and whether a packet meets them."""

from bisect import bisect_left, bisect_right

import msgspec

from diagnose.firewall.kernel_numbers import TCP_FLAGS
from diagnose.firewall.packet import Field, Packet
from diagnose.firewall.values import Interval, Masked, Name, Several, Value


class Match(msgspec.Struct, frozen=True):
    """A condition: the packet's `fields` together are one of `among`.

    With `negate` they are none of them. `text` is what the rule itself says, where that differs
    from its fields.
    """

    fields: tuple[Field, ...]
    among: tuple[tuple[Value, ...], ...]
    negate: bool = False
    text: str = ""

    def holds(self, packet: Packet) -> bool | None:
        """True, false, or None where the packet leaves it open."""
        holds = holds_any(self.fields, self.among, packet)
        return holds if holds is None else holds != self.negate


class Unread(msgspec.Struct, frozen=True):
    """A condition or an effect that this model does not know: it may hold or not."""

    text: str


class Rare(msgspec.Struct, frozen=True):
    """A condition that a client's first packets never meet, with `negate` always.

    More connections, packets or hits than a limit allows (or no more), a text in the payload, a
    fragment.
    """

    text: str
    negate: bool = False

    def holds(self, _: Packet) -> bool:
        return self.negate


class AnyOf(msgspec.Struct, frozen=True):
    """A condition that holds where one of several does, or with `negate` where none does."""

    conditions: tuple[Match, ...]
    negate: bool = False

    def holds(self, packet: Packet) -> bool | None:
        """True, false, or None where the packet leaves it open."""
        answers = [condition.holds(packet) for condition in self.conditions]
        if True in answers:
            return not self.negate
        return None if None in answers else self.negate


Condition = Match | AnyOf | Unread | Rare

BY_A_PROCESS = Match(("uid",), ((Interval(0, (1 << 32) - 1),),))
"""What no forwarded packet meets: it is for the host itself, or a process of the host sends it."""


def with_flags(mask: int, set_flags: int) -> tuple[Value, ...]:
    """TCP flags under a mask as values of `syn`.

    Of a connection's first packet it is 1, of those that follow 0. ValueError where they hold
    for some of those.
    """
    syn = TCP_FLAGS["SYN"]
    ack = TCP_FLAGS["ACK"]
    first, *later = (flags & mask == set_flags for flags in (syn, syn | ack, ack))
    if later[0] != later[1]:
        raise ValueError("holds for some of the packets that follow")
    return tuple(Interval(value, value) for value, holds in ((1, first), (0, later[0])) if holds)


ADDRESSES = frozenset({"src", "dst", "orig_src", "orig_dst"})


def holds_any(
    fields: tuple[Field, ...], among: tuple[tuple[Value, ...], ...], packet: Packet
) -> bool | None:
    """Whether the packet's fields are one of the given tuples of values.

    None where it is not known.
    """
    unsure = False
    if len(fields) == 1:
        for (value,) in among:
            holds = _field_is(fields[0], value, packet)
            if holds:
                return True
            unsure = unsure or holds is None
        return None if unsure else False
    for values in among:
        answers = [
            _field_is(name, value, packet) for name, value in zip(fields, values, strict=True)
        ]
        if all(answers):
            return True
        unsure = unsure or False not in answers
    return None if unsure else False


def _field_is(name: Field, value: Value, packet: Packet) -> bool | None:
    if name == "status" and isinstance(value, Masked):
        return _status(value, packet)
    actual = packet.values[name]
    if actual is None:
        if name in packet.choices:
            return _among_choices(value, packet.choices[name])
        return False if _is_inner(name, value, packet) else None
    return _includes(value, actual)


def _among_choices(value: Value, choices: tuple[int, ...]) -> bool | None:
    """Whether the numbers that a field may have meet a condition.

    All, none (False) or some (None).
    """
    if isinstance(value, Interval):
        number_inside = bisect_right(choices, value.high) - bisect_left(choices, value.low)
    else:
        number_inside = sum(_includes(value, number) for number in choices)
    if not number_inside:
        return False
    return True if number_inside == len(choices) else None


def _is_inner(name: Field, value: Value, packet: Packet) -> bool:
    """Whether a condition asks for a network in which the packet's address certainly is not.

    An address that stands for any of the internet is in none of the host's own networks (`inner`).
    """
    return packet.inner is not None and name in ADDRESSES and packet.inner.covers(value)


def _includes(value: Value, actual: int | str) -> bool:
    """Whether a packet's value is the one that a condition compares it with."""
    match value:
        case Interval(low, high):
            return isinstance(actual, int) and low <= actual <= high
        case Masked(mask, wanted, any_bit):
            if not isinstance(actual, int):
                return False
            return bool(actual & mask) if any_bit else actual & mask == wanted
        case Several():
            return actual in value
        case Name(text, prefix):
            return isinstance(actual, str) and (
                actual.startswith(text) if prefix else actual == text
            )


def _status(value: Masked, packet: Packet) -> bool | None:
    """Whether a packet's connection has the wanted status; None where a bit is not known."""
    bits = [1 << shift for shift in range(value.mask.bit_length()) if value.mask >> shift & 1]
    if value.any_bit:
        return _any_true([packet.status_bit(bit) for bit in bits])
    differences = []
    for bit in bits:
        is_set = packet.status_bit(bit)
        differences.append(None if is_set is None else is_set != bool(value.value & bit))
    differs = _any_true(differences)
    return None if differs is None else not differs


def _any_true(answers: list[bool | None]) -> bool | None:
    """Whether one of these is true; None where that depends on an unknown one."""
    if True in answers:
        return True
    return None if None in answers else False
