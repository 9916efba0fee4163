"""The actions of a matching rule: verdicts, jumps, translations, marks."""

from __future__ import annotations

from typing import Literal

import msgspec

from diagnose.firewall.packet import Field, Outcome, Packet
from diagnose.firewall.values import Value


class Stop(msgspec.Struct, frozen=True):
    """The packet's way through this base chain ends."""

    outcome: Outcome


class Enter(msgspec.Struct, frozen=True):
    """The packet goes through another chain of the table.

    With `back` it comes back after it (a jump; otherwise a goto).
    """

    chain: str
    back: bool = True


class Leave(msgspec.Struct, frozen=True):
    """The packet goes back to the calling chain; in a base chain, to its policy."""


class Translate(msgspec.Struct, frozen=True):
    """The connection's address or port is rewritten.

    None is what stays or is the kernel's choice.
    """

    kind: Literal["dnat", "snat", "masquerade", "redirect"]
    address: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        if self.address and ":" in self.address and self.port:
            host = f"[{self.address}]"
        else:
            host = self.address or ""
        place = f"{host}:{self.port}" if self.port else host
        return f"{self.kind} {place}".rstrip()


class Choose(msgspec.Struct, frozen=True):
    """A verdict map: the first entry that the packet's fields are in says what happens.

    None, and the rule does not match.
    """

    fields: tuple[Field, ...]
    entries: tuple[tuple[tuple[Value, ...], Action], ...]


class Maybe(msgspec.Struct, frozen=True):
    """An effect that this model does not know: it may end the packet's way or not."""

    text: str


Action = Stop | Enter | Leave | Translate | Choose | Maybe

_ALL_BITS = 0xFFFFFFFF


class Assign(msgspec.Struct, frozen=True):
    """A field of the packet is set, to None where the value is not known.

    With `source` the value is another mark's, cut to `source_mask`. `keep` are the bits of a mark
    that stay; the value is joined to them by exclusive or.
    """

    field: Literal["mark", "ctmark", "state"]
    value: int | str | None
    source: Literal["mark", "ctmark"] | None = None
    source_mask: int = _ALL_BITS
    keep: int = 0

    def of(self, packet: Packet) -> int | str | None:
        """The field's value after the assignment; None where it is not known."""
        value = self.value
        if self.source is not None:
            mark = packet.mark if self.source == "mark" else packet.ctmark
            value = None if mark is None else mark & self.source_mask
        if self.field == "state" or not self.keep or not isinstance(value, int):
            return value
        before = packet.mark if self.field == "mark" else packet.ctmark
        return None if before is None else (before & self.keep) ^ value
