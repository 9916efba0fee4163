"""Addresses at which a program could not listen, by its own lines. Pure."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.network.addresses import is_everywhere
from diagnose.lazy_pattern import LazyPattern

_ADDRESS = LazyPattern(
    r"(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5}))?(?![\w.])"
)
_NOT_OURS = LazyPattern(
    r"(?:bind|listen).{0,300}(?:assign requested address|address not available)", re.IGNORECASE
)
"""The error of bind(2) for an address that no interface of the namespace has (EADDRNOTAVAIL), in
the words of glibc and of musl."""


class RefusedAddress(msgspec.Struct, frozen=True):
    """The address at which a program could not listen, and the log line."""

    address: str
    port: str
    """Empty where the line does not name it."""
    line: str


def refused_address(tail: LogTail) -> RefusedAddress | None:
    """The address in the last such line of a log; None where all addresses were refused."""
    return refused_in((*tail.earlier, *tail.lines))


def refused_in(lines: Sequence[str]) -> RefusedAddress | None:
    """The address in the last such line; or None."""
    for line in reversed(lines):
        match = _ADDRESS.search(line) if _NOT_OURS.search(line) else None
        if match is not None and not is_everywhere(match["address"]):
            return RefusedAddress(match["address"], match["port"] or "", line)
    return None
