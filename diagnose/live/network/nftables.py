"""The nftables ruleset of this network namespace, read by netlink and never changed.

The messages are decoded here rather than by pyroute2: its 0.9.7 loses what a packet walk needs (the flags of
`fib` come out as one wrong name, an unknown operation as None, a `flags` of a set element as its bit number),
stops at the user data of an ebtables rule, and costs a quarter of a second to import. The attribute numbers
are those of the kernel's `uapi/linux/netfilter/nf_tables.h`.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.live.network.netlink import in_kernel

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.recording.questions import Question

TIMEOUT_S = 2.0
"""Silence of the kernel after which the question is given up: a dump of 10,000 rules takes 0.1 s."""

MAX_ELEMENTS = 20_000
"""Elements read of one set: block lists may hold a million, and a longer one is marked as cut."""

MAX_ELEMENTS_IN_ALL = 40_000
"""Elements read of all sets together, so that the dump stays within the question's deadline."""

ATTEMPTS = 3
"""A dump that another program's change interrupted is begun again this many times."""

_RECEIVE_BYTES = 1 << 18
_NETFILTER = 12  # NETLINK_NETFILTER, which the socket module does not name
_SUBSYSTEM = 10
_GETTABLE, _GETCHAIN, _GETRULE, _GETSET, _GETSETELEM, _GETGEN = 1, 4, 7, 10, 13, 16
_REQUEST, _DUMP, _DUMP_INTERRUPTED = 0x1, 0x300, 0x10
_ERROR, _DONE = 2, 3

_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}

_Decode = Callable[[bytes], Any]
_Layout = dict[int, tuple[str, _Decode]]


def nftables(live: Live, question: Question) -> dict[str, Any]:  # noqa: ARG001 - a hand's signature
    """Every table, chain, rule, set and element of all families, as the kernel holds them.

    Shape: `{"loaded", "byteorder", "generation", "consistent", "tables", "chains", "rules", "sets"}`; a
    rule's `expressions` are its netlink expressions in order, numbers as numbers, register data as
    hexadecimal text, `{"code", "chain"}` where it is a verdict. `loaded` is false, and the lists are empty,
    when nf_tables is not in the kernel: a look must not load it. `consistent` is false when the ruleset kept
    changing while it was read. Errors: Refused("forbidden") without CAP_NET_ADMIN, TimeoutError, OSError.
    """
    if not in_kernel("nf_tables"):
        return _answer(loaded=False, generation=0, consistent=True)
    answer = _answer(loaded=True, generation=0, consistent=False)
    for _ in range(ATTEMPTS):
        try:
            answer = _read()
        except InterruptedError:
            continue
        except PermissionError as error:
            raise Refused("forbidden", "the packet filter may be read by root only (CAP_NET_ADMIN)") from error
        if answer["consistent"]:
            break
    return answer


def _answer(*, loaded: bool, generation: int, consistent: bool, **lists: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {"tables": [], "chains": [], "rules": [], "sets": []}
    return {
        "loaded": loaded,
        "byteorder": sys.byteorder,
        "generation": generation,
        "consistent": consistent,
    } | (empty | lists)


def _read() -> dict[str, Any]:
    before = _generation()
    tables = list(_dump(_GETTABLE, _TABLE))
    chains = list(_dump(_GETCHAIN, _CHAIN))
    rules = list(_dump(_GETRULE, _RULE))
    sets = list(_dump(_GETSET, _SET))
    left = MAX_ELEMENTS_IN_ALL
    for each in sets:
        each["elements"], each["cut"] = _elements(each, min(MAX_ELEMENTS, left))
        left -= len(each["elements"])
    after = _generation()
    return _answer(
        loaded=True,
        generation=after,
        consistent=before == after,
        tables=tables,
        chains=chains,
        rules=rules,
        sets=sets,
    )


def _generation() -> int:
    for answer in _ask(_GETGEN, 0, _REQUEST, b""):
        return int(_decode(answer[4:], {1: ("id", _number)}).get("id", 0))
    return 0


def _dump(kind: int, layout: _Layout) -> Iterator[dict[str, Any]]:
    for answer in _ask(kind, 0, _REQUEST | _DUMP, b""):
        yield {"family": _FAMILIES.get(answer[0], str(answer[0]))} | _decode(answer[4:], layout)


def _elements(owner: dict[str, Any], most: int) -> tuple[list[dict[str, Any]], bool]:
    family = next((number for number, name in _FAMILIES.items() if name == owner["family"]), 0)
    wanted = _attribute(1, owner["table"].encode() + b"\0") + _attribute(2, owner["name"].encode() + b"\0")
    elements: list[dict[str, Any]] = []
    for answer in _ask(_GETSETELEM, family, _REQUEST | _DUMP, wanted):
        elements += _decode(answer[4:], _ELEMENTS).get("elements", [])
        if len(elements) > most:
            return elements[:most], True
    return elements, False


def _ask(kind: int, family: int, flags: int, attributes: bytes) -> Iterator[bytes]:
    """The payloads of the answers to one request, on a socket of its own so that a dump can be left half
    read.
    """
    body = struct.pack(">BBH", family, 0, 0) + attributes
    header = struct.pack("=IHHII", 16 + len(body), _SUBSYSTEM << 8 | kind, flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as kernel:
        kernel.settimeout(TIMEOUT_S)
        kernel.bind((0, 0))
        kernel.sendto(header + body, (0, 0))
        while True:
            for message_kind, message_flags, payload in _messages(kernel.recv(_RECEIVE_BYTES)):
                if message_flags & _DUMP_INTERRUPTED:
                    raise InterruptedError("the ruleset changed while it was read")
                if message_kind == _ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return
                if message_kind == _DONE:
                    return
                yield payload
            if not flags & _DUMP:
                return


def _messages(received: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    while offset + 16 <= len(received):
        length, kind, flags = struct.unpack_from("=IHH", received, offset)
        if length < 16 or offset + length > len(received):
            raise OSError(f"a netlink message of {length} bytes does not fit its datagram")
        yield kind, flags, received[offset + 16 : offset + length]
        offset += length + 3 & ~3


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += length + 3 & ~3


def _decode(data: bytes, layout: _Layout) -> dict[str, Any]:
    decoded = {}
    for kind, value in _attributes(data):
        if kind in layout:
            name, decode = layout[kind]
            decoded[name] = decode(value)
    return decoded


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _hexadecimal(value: bytes) -> str:
    """In groups of two bytes: a long run of hexadecimal digits would be taken for a token and redacted."""
    return value.hex(" ", -2)


def _data(value: bytes) -> str | dict[str, Any] | None:
    """Register contents: a value as hexadecimal text, or a verdict."""
    for kind, content in _attributes(value):
        if kind == 1:
            return _hexadecimal(content)
        if kind == 2:
            return _decode(content, {1: ("code", _signed), 2: ("chain", _text)})
    return None


def _comment(value: bytes) -> str | None:
    """The comment among a rule's user data: a list of type, length, value, one byte each for the first
    two.
    """
    offset = 0
    while offset + 2 <= len(value):
        kind, length = value[offset], value[offset + 1]
        if kind == 0:
            return _text(value[offset + 2 : offset + 2 + length])
        offset += 2 + length
    return None


def _expression(value: bytes) -> dict[str, Any]:
    name, content = "", b""
    for kind, part in _attributes(value):
        if kind == 1:
            name = _text(part)
        elif kind == 2:
            content = part
    if name not in _EXPRESSIONS:
        return {"name": name, "raw": _hexadecimal(content)}
    return {"name": name} | _decode(content, _EXPRESSIONS[name])


def _expressions(value: bytes) -> list[dict[str, Any]]:
    return [_expression(part) for _, part in _attributes(value)]


def _only(value: bytes) -> list[dict[str, Any]]:
    return [_expression(value)]


def _hook(value: bytes) -> dict[str, Any]:
    return _decode(
        value,
        {1: ("number", _number), 2: ("priority", _signed), 3: ("device", _text), 4: ("devices", _names)},
    )


def _names(value: bytes) -> list[str]:
    return [_text(part) for _, part in _attributes(value)]


def _element_list(value: bytes) -> list[dict[str, Any]]:
    return [_decode(part, _ELEMENT) for _, part in _attributes(value)]


def _fields(value: bytes) -> list[int]:
    """The lengths in bytes of the fields of a concatenated key."""
    lengths = []
    for kind, part in _attributes(value):
        if kind == 2:
            for _, field in _attributes(part):
                lengths += [_number(length) for number, length in _attributes(field) if number == 1]
    return lengths


_TABLE: _Layout = {1: ("name", _text), 2: ("flags", _number)}
_CHAIN: _Layout = {
    1: ("table", _text),
    3: ("name", _text),
    4: ("hook", _hook),
    5: ("policy", _number),
    7: ("type", _text),
}
_RULE: _Layout = {
    1: ("table", _text),
    2: ("chain", _text),
    3: ("handle", _number),
    4: ("expressions", _expressions),
    7: ("comment", _comment),
}
_SET: _Layout = {
    1: ("table", _text),
    2: ("name", _text),
    3: ("flags", _number),
    4: ("key_type", _number),
    5: ("key_bytes", _number),
    6: ("data_type", _number),
    9: ("fields", _fields),
}
_ELEMENT: _Layout = {1: ("value", _data), 2: ("data", _data), 3: ("flags", _number), 10: ("value_end", _data)}
_ELEMENTS: _Layout = {3: ("elements", _element_list)}

_EXPRESSIONS: dict[str, _Layout] = {
    "immediate": {1: ("dreg", _number), 2: ("data", _data)},
    "cmp": {1: ("sreg", _number), 2: ("op", _number), 3: ("data", _data)},
    "range": {1: ("sreg", _number), 2: ("op", _number), 3: ("from", _data), 4: ("to", _data)},
    "bitwise": {
        1: ("sreg", _number),
        2: ("dreg", _number),
        3: ("len", _number),
        4: ("mask", _data),
        5: ("xor", _data),
        6: ("op", _number),
    },
    "byteorder": {
        1: ("sreg", _number),
        2: ("dreg", _number),
        3: ("op", _number),
        4: ("len", _number),
        5: ("size", _number),
    },
    "lookup": {1: ("set", _text), 2: ("sreg", _number), 3: ("dreg", _number), 5: ("flags", _number)},
    "meta": {1: ("dreg", _number), 2: ("key", _number), 3: ("sreg", _number)},
    "payload": {
        1: ("dreg", _number),
        2: ("base", _number),
        3: ("offset", _number),
        4: ("len", _number),
        5: ("sreg", _number),
    },
    "ct": {1: ("dreg", _number), 2: ("key", _number), 3: ("direction", _number), 4: ("sreg", _number)},
    "fib": {1: ("dreg", _number), 2: ("result", _number), 3: ("flags", _number)},
    "nat": {
        1: ("type", _number),
        2: ("family", _number),
        3: ("address", _number),
        4: ("address_end", _number),
        5: ("port", _number),
        6: ("port_end", _number),
        7: ("flags", _number),
    },
    "masq": {1: ("flags", _number)},
    "redir": {1: ("port", _number)},
    "reject": {1: ("type", _number), 2: ("code", _number)},
    "counter": {1: ("bytes", _number), 2: ("packets", _number)},
    "log": {2: ("prefix", _text)},
    "limit": {1: ("rate", _number), 5: ("flags", _number)},
    "connlimit": {1: ("count", _number), 2: ("flags", _number)},
    "dynset": {1: ("set", _text), 7: ("expressions", _only), 9: ("flags", _number), 10: ("expressions", _expressions)},
    "queue": {1: ("number", _number)},
    "notrack": {},
    "objref": {1: ("type", _number), 2: ("object", _text)},
    "match": {1: ("match", _text), 2: ("revision", _number), 3: ("info", _hexadecimal)},
    "target": {1: ("target", _text), 2: ("revision", _number), 3: ("info", _hexadecimal)},
}
