"""The state of an nftables rule that is read expression by expression: its registers, and its
meaning so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from diagnose.firewall.actions import Action, Assign
from diagnose.firewall.conditions import Condition
from diagnose.firewall.registers import Order, Part

Expression = Mapping[str, Any]
"""One step of a rule as netlink gives it: its name, its registers (`sreg`, `dreg`), its data."""


class RuleProgram(msgspec.Struct, eq=False):
    """A rule as it is read."""

    order: Order
    """The byte order of the machine."""
    family: int | None
    """That of the packets (2 or 10), None for a table of both."""
    sets: Mapping[str, Mapping[str, Any]]
    """The sets of the rule's table, by name."""
    interfaces: Mapping[int, str]
    """Names by index."""
    groups: Mapping[int, Sequence[str]] | None = None
    """The names of the interfaces of each group; None where they are not known."""
    parts: dict[int, Part] = msgspec.field(default_factory=dict)
    """What the bytes of the registers hold of the packet, by the address of their first byte."""
    constants: dict[int, bytes] = msgspec.field(default_factory=dict)
    """What a rule has put there, by the same addresses."""
    proto: int | None = None
    """The transport protocol that the rule is about."""
    conditions: list[Condition] = msgspec.field(default_factory=list)
    assigns: list[Assign] = msgspec.field(default_factory=list)
    action: Action | None = None

    def load(self, register: int, parts: Iterable[Part]) -> None:
        """Put parts side by side into a register.

        ValueError for a part without bytes: no kernel loads one, and who reads on would not end.
        """
        start = at = address_of(register)
        loaded = {}
        for part in parts:
            if part.width <= 0:
                raise ValueError("a load of no bytes")
            loaded[at] = part
            at += part.width
        for stale in [address for address in self.parts if start <= address < at]:
            del self.parts[stale]
        self.parts |= loaded

    def parts_in(self, register: int, length: int) -> list[Part] | None:
        """The parts that lie side by side from a register on.

        Of a number that is longer its head alone: nft compares the whole bytes of a prefix. None
        where they do not fill the length.
        """
        parts = self._loaded_in(register, length, lambda part: part.width)
        excess = sum(part.width for part in parts or ()) - length
        if parts and excess > 0 and (parts[-1].kind, parts[-1].order) == ("number", "big"):
            parts[-1] = replace(parts[-1], width=parts[-1].width - excess)
        return parts

    def concatenated_in(self, register: int, length: int) -> list[Part] | None:
        """The parts of a concatenation of that length, each of which begins at a quarter.

        None where they do not fill it.
        """
        return self._loaded_in(register, length, lambda part: padded(part.width))

    def _loaded_in(
        self, register: int, length: int, step: Callable[[Part], int]
    ) -> list[Part] | None:
        """The parts from a register on. step: how many bytes behind a part the next one begins."""
        at = address_of(register)
        end = address_of(register) + length
        parts = []
        while at < end:
            part = self.parts.get(at)
            if part is None:
                return None
            parts.append(part)
            at += step(part)
        return parts

    def constant(self, register: int) -> bytes | None:
        """The constant that the rule has put into a register."""
        return self.constants.get(address_of(register))


def padded(length: int) -> int:
    """The bytes of the quarters of a register that so many bytes take."""
    return length + 3 & ~3


def address_of(register: int) -> int:
    """The first byte of a register: 1 to 4 are 16 bytes wide, 8 to 23 name their quarters."""
    return (register - 8) * 4 if register >= 8 else (register - 1) * 16
