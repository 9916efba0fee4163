"""One DNS question to one resolver, from the host's or a container's network namespace.

dnslib makes and reads the messages (its import costs 5 ms, that of dnspython 32); the socket is
ours and connected, so that an ICMP error shows as what it is.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from diagnose.live import Refused
from diagnose.live.network.server_socket import resolver_socket, sending_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.live import Live
    from diagnose.questions.dns import QueryDns, QuerySizedDns, QueryUncheckedDns

PATIENCE_S = 1.0
"""How long a query is waited for before the next, a second later, and LAST_PATIENCE_S after the
last one: a late reply to the first still counts, so that a resolver has 1.6 seconds in all."""

LAST_PATIENCE_S = 0.6

TCP_PATIENCE_S = 0.3
"""How long a TCP server is waited for, in all. It is asked only where UDP was silent, and a run
with one silent resolver should stay under three seconds."""

QUERIES = 2
"""How often a question is sent at most."""

MOST_LATE = 32
"""Packets that are read after the deadline, where they were there before it."""

MAX_ANSWERS = 16
"""Records of an answer that are kept."""

_PADDING = 12
"""The number of EDNS's padding option (RFC 7830)."""

_HEADERS = 28
"""Bytes of the IPv4 and UDP headers before a query."""

_IP_MTU_DISCOVER = 10
_PROBE = 3
"""Socket option of linux/in.h: packets are not fragmented, and what is known of the path is
ignored."""

_ICMP = {
    errno.EMSGSIZE: "too large",
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EINVAL: "unreachable",  # a blackhole route
    errno.EPERM: "prohibited",
    errno.EACCES: "prohibited",
}
"""What became of a query, by the error that ICMP has left at the socket."""


def query(live: Live, question: QueryDns) -> dict[str, Any]:
    """The answer of one resolver.

    Shape: `DnsReply`. Errors: Refused("not allowed") after --no-probe, Refused("forbidden"),
    Refused("gone").
    """
    if not live.options.probe:
        raise Refused("not allowed", "probes are turned off by --no-probe")
    import dnslib  # noqa: F401 - before the clock runs, not in the middle of a query

    socket_request = {
        "server": question.server,
        "port": question.port,
        "transport": question.transport,
        "pid": question.pid,
        "start": question.start,
    }
    ask = _ask_tcp if question.transport == "tcp" else _ask_udp
    with sending_socket(live, question, socket_request) as (address, kernel):
        return ask(kernel, address, question.name, question.type)


def sized(live: Live, question: QuerySizedDns) -> dict[str, Any]:
    """The answer of one resolver to a query of `packet_bytes` bytes.

    The query fills an IPv4 packet and must not be fragmented. It is for the root's name servers and
    carries EDNS padding (RFC 7830). Shape and errors as of `query`; icmp is "too large" where a
    router, or the host itself, says that it cannot forward a packet of that size.
    """
    with resolver_socket(live, question) as (address, kernel):
        kernel.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PROBE)
        return _ask_udp(kernel, address, ".", "NS", question.packet_bytes)


def unchecked(live: Live, question: QueryUncheckedDns) -> dict[str, Any]:
    """The answer of one resolver without DNSSEC validation.

    Shape and errors as of `query`.
    """
    with resolver_socket(live, question) as (address, kernel):
        return _ask_udp(kernel, address, question.name, "A", is_unchecked=True)


def _ask_udp(
    kernel: socket.socket,
    address: tuple[Any, ...],
    name: str,
    kind: str,
    packet_bytes: int | None = None,
    *,
    is_unchecked: bool = False,
) -> dict[str, Any]:
    """The reply to a query that is repeated until its last patience ends."""
    answer = _no_reply()
    messages: dict[int | None, float] = {}
    try:
        kernel.connect(address)
        for patience in (*[PATIENCE_S] * (QUERIES - 1), LAST_PATIENCE_S):
            number, wire = make_message(name, kind, packet_bytes, is_unchecked=is_unchecked)
            begun = messages[number] = time.monotonic()
            kernel.send(wire)
            answer["sent"] += 1
            for reply in replies(kernel, begun + patience):
                if sent := messages.get(number_of(reply)):
                    return answer | read_reply(reply, sent)
    except OSError as error:
        return answer | {"icmp": icmp_of(error)}
    return answer


def replies(kernel: socket.socket, deadline: float) -> Iterator[bytes]:
    """The packets that arrive at a connected socket until a moment on the monotonic clock.

    What has arrived by then counts, also where a busy host kept this process from reading it.
    """
    number_late = 0
    while number_late < MOST_LATE:
        seconds_left = deadline - time.monotonic()
        number_late += seconds_left <= 0
        kernel.settimeout(max(seconds_left, 0.0))
        try:
            yield kernel.recv(65_535)
        except (TimeoutError, BlockingIOError):
            return


def number_of(reply: bytes) -> int | None:
    """The number of the question that a packet answers; None for one that is too short."""
    return int.from_bytes(reply[:2], "big") if len(reply) >= 2 else None


def _ask_tcp(
    kernel: socket.socket, address: tuple[Any, ...], name: str, kind: str
) -> dict[str, Any]:
    """The reply over TCP, where a length stands before each message."""
    answer = _no_reply()
    deadline = time.monotonic() + TCP_PATIENCE_S
    try:
        kernel.settimeout(TCP_PATIENCE_S)
        kernel.connect(address)
        _, wire = make_message(name, kind)
        begun = time.monotonic()
        kernel.sendall(struct.pack(">H", len(wire)) + wire)
        answer["sent"] = 1
        (length,) = struct.unpack(">H", _receive_exactly(kernel, 2, deadline))
        return answer | read_reply(_receive_exactly(kernel, length, deadline), begun)
    except (TimeoutError, EOFError):
        return answer
    except OSError as error:
        return answer | {"icmp": icmp_of(error)}


def _no_reply() -> dict[str, Any]:
    """The row of a query to which nothing came back."""
    return {
        "answered": False,
        "rcode": None,
        "answers": [],
        "ms": None,
        "sent": 0,
        "icmp": None,
        "truncated": False,
    }


def icmp_of(error: OSError) -> str:
    """The ICMP error behind a failed call; any other error is raised again."""
    if error.errno not in _ICMP:
        raise error
    return _ICMP[error.errno]


class DnsMessage(NamedTuple):
    """A question to a DNS server."""

    number: int
    """By which its answer is known."""
    wire: bytes


def make_message(
    name: str, kind: str, packet_bytes: int | None = None, *, is_unchecked: bool = False
) -> DnsMessage:
    """A question as it is sent."""
    import dnslib

    message = dnslib.DNSRecord.question(name, kind)
    message.header.set_cd(int(is_unchecked))
    if packet_bytes:
        message.add_ar(dnslib.EDNS0(udp_len=1232, opts=[dnslib.EDNSOption(_PADDING, b"")]))
        missing = packet_bytes - _HEADERS - len(message.pack())
        message.ar[0] = dnslib.EDNS0(
            udp_len=1232, opts=[dnslib.EDNSOption(_PADDING, bytes(max(0, missing)))]
        )
    return DnsMessage(message.header.id, message.pack())


def read_reply(reply: bytes, begun: float) -> dict[str, Any]:
    """An answered reply, as far as it can be read. begun: when its query was sent."""
    import dnslib

    answer: dict[str, Any] = {"answered": True, "ms": round((time.monotonic() - begun) * 1000, 1)}
    try:
        message = dnslib.DNSRecord.parse(reply)
        records = [record.rdata.toZone() for record in message.rr]
    except (dnslib.DNSError, AttributeError, ValueError):
        # AttributeError: of records whose data dnslib keeps as raw bytes
        return answer
    return answer | {
        "rcode": str(dnslib.RCODE.get(message.header.rcode)),
        "answers": sorted(records)[:MAX_ANSWERS],
        "truncated": bool(message.header.tc),
    }


def _receive_exactly(kernel: socket.socket, length: int, deadline: float) -> bytes:
    """So many bytes. TimeoutError at the deadline, EOFError where the other side closes."""
    received = b""
    while len(received) < length:
        seconds_left = deadline - time.monotonic()
        if seconds_left <= 0:
            raise TimeoutError
        kernel.settimeout(seconds_left)
        part = kernel.recv(length - len(received))
        if not part:
            raise EOFError
        received += part
    return received
