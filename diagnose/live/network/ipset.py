"""A set of addresses that iptables rules name (`-m set --match-set NAME src`), read by netlink and never changed.

The numbers are those of the kernel's `uapi/linux/netfilter/ipset/ip_set.h`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.live.network import netlink

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.recording.questions import Question

MAX_MEMBERS = 20_000
"""Members of one set that are read: block lists may hold a million, and a longer one is not judged."""

KINDS = ("hash:ip", "hash:net", "bitmap:ip")
"""The kinds of sets whose members are addresses and nothing else."""

_NETFILTER = 12  # NETLINK_NETFILTER, which the socket module does not name
_LIST = 6 << 8 | 7  # IPSET_CMD_LIST of its subsystem ipset
_PROTOCOL, _NAME, _TYPE, _MEMBERS = 1, 2, 3, 8
_IP, _IP_TO, _PREFIX, _FLAGS = 1, 2, 3, 8
_EXCEPT = 1 << 2
"""Flag of a member that takes addresses out of what the others hold."""


def ipset(_live: Live, question: Question) -> dict[str, Any]:
    """One set. Arguments: name.

    Shape: `{"type", "members"}`; a member is `10.0.0.0/8`, `10.0.0.1` or `10.0.0.1-10.0.0.9`, and members is null for a set
    of other things than addresses. Errors: FileNotFoundError when there is no such set, Refused("too large"),
    PermissionError, OSError.
    """
    wanted = struct.pack("=HHB3x", 5, _PROTOCOL, 6) + _text(_NAME, question.args["name"])
    told: dict[str, str] = {}

    def shape(message: bytes) -> Iterator[dict[str, Any]]:
        found = netlink.attributes(message, 4)
        told.setdefault("type", found.get(_TYPE, b"").rstrip(b"\0").decode())
        if told["type"] in KINDS:
            yield from (_member(part) for _, part in netlink.pairs(found.get(_MEMBERS, b"")))

    with netlink.connect(_NETFILTER) as kernel:
        rows = netlink.dump(kernel, _LIST, struct.pack(">BBH", socket.AF_INET, 0, 0) + wanted, shape)
    if len(rows) > MAX_MEMBERS:
        raise Refused("too large", f"set {question.args['name']} has {len(rows)} members")
    plain = told.get("type") in KINDS and not any(row["except"] for row in rows)
    return {"type": told.get("type"), "members": [row["text"] for row in rows] if plain else None}


def _text(kind: int, text: str) -> bytes:
    value = text.encode() + b"\0"
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _member(data: bytes) -> dict[str, Any]:
    found = netlink.attributes(data)
    first, last = (_address(found[each]) if each in found else None for each in (_IP, _IP_TO))
    prefix = f"/{found[_PREFIX][0]}" if _PREFIX in found else ""
    return {
        "text": f"{first}-{last}" if last else f"{first}{prefix}",
        "except": bool(int.from_bytes(found.get(_FLAGS, b""), "big") & _EXCEPT),
    }


def _address(data: bytes) -> str:
    """An address is an attribute of its own inside: 1 an IPv4, 2 an IPv6 one."""
    ((_, value),) = netlink.pairs(data)
    return str(ip_address(value))
