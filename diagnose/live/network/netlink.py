"""Links, addresses, routes and rules of a network namespace, asked of the kernel by rtnetlink.

The few messages that count here are decoded by hand: `import pyroute2` costs 160 to 390 ms and its three
dumps 5 ms of CPU, which 200 container namespaces in a second do not leave room for. A test holds these
answers against pyroute2's. The numbers are those of the kernel's `uapi/linux/rtnetlink.h`, `if_link.h`,
`if_addr.h` and `fib_rules.h`.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.recording.questions import Question

Row = dict[str, Any]
Shape = Callable[[bytes], Iterator[Row]]

TIMEOUT_S = 1.5
"""Silence of the kernel after which a dump is given up: the deadline of the kind is 2 s."""

MAX_ROWS = 50_000
"""Rows of one dump. A router with the internet's table holds a million: reading them would take the whole
budget."""

ATTEMPTS = 3
"""A dump that another program's change interrupted is begun again this many times."""

_RECEIVE_BYTES = 1 << 16
_HEADER = struct.Struct("=HH")
_GETLINK, _GETADDR, _GETROUTE, _GETRULE = 18, 22, 26, 34
_REQUEST, _REQUEST_DUMP, _INTERRUPTED = 0x1, 0x301, 0x10
_ERROR, _DONE = 2, 3
_SOCK_DIAG_BY_FAMILY = 20
_LISTEN = 10  # TCP_LISTEN of the kernel's net/tcp_states.h
_EXT_MASK = 29
_SKIP_STATS = 1 << 3
_CLONED, _LOOKUP_TABLE = 0x200, 0x1000
_UP = 0x1

FAMILIES = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
_OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")
_ROUTE_TYPES = (
    "unspec",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
)
_OWN_ROUTES = frozenset(_ROUTE_TYPES.index(each) for each in ("local", "broadcast", "anycast", "multicast"))
_RULE_ACTIONS = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_PROTOCOLS = {0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}


def links(_live: Live, _question: Question) -> list[Row]:
    """Every interface of the tool's namespace.

    Shape: `{"index", "name", "up", "operstate", "mtu", "kind", "master", "link", "link_netnsid", "mac",
    "bridge_port_state"}`. `up` is the admin flag, `operstate` the carrier's word; `link` is the index of the
    peer or parent, in the namespace that `link_netnsid` numbers when that is not null; bytes of `mtu`.
    Errors: OSError, TimeoutError.
    """
    with connect() as kernel:
        return dump_links(kernel)


def addresses(_live: Live, _question: Question) -> list[Row]:
    """Every address: `{"index", "address", "prefix", "family", "scope"}`, index of its interface, family inet
    or inet6."""
    with connect() as kernel:
        return dump_addresses(kernel)


def routes(_live: Live, _question: Question) -> list[Row]:
    """Every route of all tables, one row per next hop.

    Shape: `{"table", "dst", "prefix", "gateway", "oif", "type", "scope", "proto", "metric", "mtu", "family",
    "src"}`; dst 0.0.0.0/0 or ::/0 is a default route, mtu the route's own metric in bytes. Errors:
    Refused("too large") above MAX_ROWS.
    """
    with connect() as kernel:
        return dump_routes(kernel)


def rules(_live: Live, _question: Question) -> list[Row]:
    """Every policy rule: `{"priority", "family", "src", "dst", "iif", "oif", "mark", "table", "action"}`,
    null matches all."""
    with connect() as kernel:
        return [row for family in FAMILIES for row in dump(kernel, _GETRULE, struct.pack("=B11x", family), _rule)]


def ways(_live: Live, question: Question) -> list[Row]:
    """Where the kernel sends packets, by all its rules and tables.

    Arguments: asked, a list of `{"dst", "src", "iif"}`, IPv4; src and iif (an index) are those of a packet that comes in there,
    or null for one of the host's own. Shape: a row for each, `{"type", "oif", "gateway", "table", "error"}`; error is the kernel's
    refusal (EINVAL: blackhole, EACCES: prohibit, EHOSTUNREACH, ENETUNREACH, EXDEV: forged source), and all else null then.
    """
    with connect() as kernel:
        return [_way(kernel, **each) for each in question.args["asked"]]


def _way(kernel: socket.socket, dst: str, src: str | None, iif: int | None) -> Row:
    wanted = [(1, socket.inet_aton(dst))]
    wanted += [(2, socket.inet_aton(src))] if src else []
    wanted += [(3, struct.pack("=I", iif))] if iif else []
    body = struct.pack("=BBB5xI", socket.AF_INET, 32, 32 if src else 0, _LOOKUP_TABLE)
    body += b"".join(struct.pack("=HH", 8, kind) + value for kind, value in wanted)
    kernel.send(struct.pack("=IHHII", 16 + len(body), _GETROUTE, _REQUEST, 1, 0) + body)
    received = kernel.recv(_RECEIVE_BYTES)
    length, answer = struct.unpack_from("=IH", received)
    row = dict.fromkeys(("type", "oif", "gateway", "table", "error"))
    if answer == _ERROR:
        code = -struct.unpack_from("=i", received, 16)[0]
        return row | {"error": errno.errorcode.get(code, str(code))}
    (route,) = _route(received[16:length])
    return row | {key: route[key] for key in row if key in route}


def connect(protocol: int = socket.NETLINK_ROUTE) -> socket.socket:
    """A netlink socket in the calling thread's network namespace."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    kernel.settimeout(TIMEOUT_S)
    kernel.bind((0, 0))
    return kernel


def dump_links(kernel: socket.socket) -> list[Row]:
    """The answer of `links` for the namespace in which this socket was made."""
    mask = struct.pack("=HHI", 8, _EXT_MASK, _SKIP_STATS)
    return dump(kernel, _GETLINK, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0) + mask, _link)


def dump_addresses(kernel: socket.socket) -> list[Row]:
    """The answer of `addresses` for the namespace in which this socket was made."""
    return dump(kernel, _GETADDR, struct.pack("=BBBBI", socket.AF_UNSPEC, 0, 0, 0, 0), _address)


def dump_routes(kernel: socket.socket, *, own: bool = True) -> list[Row]:
    """The answer of `routes` for the namespace in which this socket was made. own: with those to its own addresses."""
    shape = _listed_route if own else _foreign_route
    return [row for family in FAMILIES for row in dump(kernel, _GETROUTE, struct.pack("=B11x", family), shape)]


def dump_listening_tcp(kernel: socket.socket) -> list[Row]:
    """Listening TCP sockets as `{"protocol", "address", "port"}`, from a SOCK_DIAG socket.

    The kernel walks its table of listeners only; `/proc/net/tcp` makes it walk that of all connections, 2 to
    4 ms of CPU each time.
    """
    return [
        row
        for family in FAMILIES
        for row in dump(
            kernel,
            _SOCK_DIAG_BY_FAMILY,
            struct.pack("=BBxxI48x", family, socket.IPPROTO_TCP, 1 << _LISTEN),
            _listener,
        )
    ]


@functools.cache
def in_kernel(module: str) -> bool:
    """Whether this kernel module is loaded or built in: asking for what it answers would load it
    otherwise."""
    try:
        modules = Path("/proc/modules").read_text()
    except FileNotFoundError:
        return True  # a kernel without modules: nothing can be loaded by asking
    if any(line.startswith(f"{module} ") for line in modules.splitlines()):
        return True
    try:
        return f"/{module}.ko" in Path(f"/lib/modules/{os.uname().release}/modules.builtin").read_text()
    except FileNotFoundError:
        return False


def dump(kernel: socket.socket, kind: int, body: bytes, shape: Shape) -> list[Row]:
    """The rows of one dump, in the kernel's order. Errors: OSError of the kernel, TimeoutError, Refused("too
    large")."""
    for attempt in range(ATTEMPTS):
        try:
            return _dump(kernel, kind, body, shape, attempt + 1)
        except InterruptedError:
            continue
    raise Refused("refused", "the kernel's tables kept changing while they were read")


def _dump(kernel: socket.socket, kind: int, body: bytes, shape: Shape, sequence: int) -> list[Row]:
    kernel.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST_DUMP, sequence, 0) + body)
    rows: list[Row] = []
    interrupted = False
    while True:
        received = kernel.recv(_RECEIVE_BYTES)
        offset = 0
        while offset + 16 <= len(received):
            length, answer, flags = struct.unpack_from("=IHH", received, offset)
            if length < 16 or offset + length > len(received):
                raise ValueError(f"a netlink message of {length} bytes does not fit its datagram")
            interrupted |= bool(flags & _INTERRUPTED)
            if answer == _DONE:
                if interrupted:
                    raise InterruptedError
                return rows
            if answer == _ERROR:
                code = -struct.unpack_from("=i", received, offset + 16)[0]
                raise OSError(code, os.strerror(code))
            rows += shape(received[offset + 16 : offset + length])
            if len(rows) > MAX_ROWS:
                raise Refused("too large", f"more than {MAX_ROWS} rows")
            offset += length + 3 & ~3


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of a message from this offset on, by number without its flag bits."""
    found = {}
    end = len(data)
    while offset + 4 <= end:
        length, kind = _HEADER.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += length + 3 & ~3
    return found


def pairs(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The attributes in their order, those of a list among them."""
    while offset + 4 <= len(data):
        length, kind = _HEADER.unpack_from(data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += length + 3 & ~3


def _number(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, sys.byteorder)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _host(family: int, value: bytes | None) -> str | None:
    return None if value is None else socket.inet_ntop(family, value)


def _named(names: tuple[str, ...], number: int | None) -> str | None:
    if number is None:
        return None
    return names[number] if number < len(names) else str(number)


def _link(data: bytes) -> Iterator[Row]:
    index, flags = struct.unpack_from("=4xiI", data)
    found = attributes(data, 16)
    info = attributes(found.get(18, b""))
    port = attributes(info[5]) if _text(info.get(4)) == "bridge" and 5 in info else {}
    mac = found.get(1)
    netnsid = found.get(37)
    yield {
        "index": index,
        "name": _text(found.get(3)),
        "up": bool(flags & _UP),
        "operstate": _named(_OPERSTATES, _number(found.get(16))),
        "mtu": _number(found.get(4)),
        "kind": _text(info.get(1)),
        "master": _number(found.get(10)),
        "link": _number(found.get(5)),
        "link_netnsid": None if netnsid is None else int.from_bytes(netnsid, sys.byteorder, signed=True),
        "mac": mac.hex(":") if mac else None,
        "bridge_port_state": _named(_PORT_STATES, _number(port.get(1))),
    }


def _listener(data: bytes) -> Iterator[Row]:
    family, port, source = struct.unpack_from(">B3xH2x16s", data)
    address = socket.inet_ntop(family, source[: 4 if family == socket.AF_INET else 16])
    yield {"protocol": "tcp", "address": address, "port": port}


def _address(data: bytes) -> Iterator[Row]:
    family, prefix, scope, index = struct.unpack_from("=BBxBI", data)
    found = attributes(data, 8)
    # On a point-to-point link the first attribute is the peer's address and the second the interface's own.
    yield {
        "index": index,
        "address": _host(family, found.get(2, found.get(1))),
        "prefix": prefix,
        "family": FAMILIES[family],
        "scope": _SCOPES.get(scope, str(scope)),
    }


def _listed_route(data: bytes) -> Iterator[Row]:
    """A route of a dump; what the kernel only remembers of a look-up is left out."""
    if not struct.unpack_from("=8xI", data)[0] & _CLONED:
        yield from _route(data)


def _foreign_route(data: bytes) -> Iterator[Row]:
    """The same, without what leads to the namespace's own addresses: half of a container's routes."""
    if data[7] not in _OWN_ROUTES:
        yield from _listed_route(data)


def _route(data: bytes) -> Iterator[Row]:
    family, prefix, table, proto, scope, kind = struct.unpack_from("=BBxxBBBB", data)
    found = attributes(data, 12)
    metrics = attributes(found.get(8, b""))
    row: Row = {
        "table": _number(found.get(15)) or table,
        "dst": _host(family, found.get(1)) or ("0.0.0.0" if family == socket.AF_INET else "::"),  # noqa: S104
        "prefix": prefix,
        "gateway": _gateway(family, found),
        "oif": _number(found.get(4)),
        "type": _named(_ROUTE_TYPES, kind),
        "scope": _SCOPES.get(scope, str(scope)),
        "proto": _PROTOCOLS.get(proto, str(proto)),
        "metric": _number(found.get(6)) or 0,
        "mtu": _number(metrics.get(2)),
        "family": FAMILIES[family],
        "src": _host(family, found.get(7)),
    }
    hops = found.get(9)
    if hops is None:
        yield row
        return
    offset = 0
    while offset + 8 <= len(hops):
        length, index = struct.unpack_from("=HxxI", hops, offset)
        if length < 8:
            return
        hop = attributes(hops[offset : offset + length], 8)
        yield row | {"oif": index, "gateway": _gateway(family, hop)}
        offset += length + 3 & ~3


def _gateway(family: int, found: dict[int, bytes]) -> str | None:
    """The next hop: of the route's own family, or of the other one in RTA_VIA (its family first)."""
    via = found.get(18)
    if via is not None:
        return _host(struct.unpack_from("=H", via)[0], via[2:])
    return _host(family, found.get(5))


def _rule(data: bytes) -> Iterator[Row]:
    family, dst_bits, src_bits, table, action = struct.unpack_from("=BBBxBxxB", data)
    found = attributes(data, 12)
    src, dst = _host(family, found.get(2)), _host(family, found.get(1))
    yield {
        "priority": _number(found.get(6)) or 0,
        "family": FAMILIES.get(family, str(family)),
        "src": f"{src}/{src_bits}" if src else None,
        "dst": f"{dst}/{dst_bits}" if dst else None,
        "iif": _text(found.get(3)),
        "oif": _text(found.get(17)),
        "mark": _number(found.get(10)),
        "table": _number(found.get(15)) or table,
        "action": _RULE_ACTIONS.get(action, str(action)),
    }
