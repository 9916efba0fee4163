"""Sockets for one server, in the network namespace of this process or of another one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from diagnose.live import Refused
from diagnose.live.kernel.proc_files import start_time
from diagnose.model import Json

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions import AnyQuestion
    from diagnose.questions.dns import QuerySizedDns, QueryUncheckedDns, SampleDns


class ServerSocket(NamedTuple):
    """A socket for one server, not yet connected."""

    address: tuple[Any, ...]
    """As `socket.connect` takes it."""
    kernel: socket.socket


def make_socket(socket_request: Json) -> ServerSocket:
    """A socket of the family of a server's address.

    socket_request: server, a numeric host (an IPv6 host may name its interface: fe80::1%eth0);
    port; transport, tcp or udp. Raises Refused("malformed") for a name.
    """
    kind = socket.SOCK_STREAM if socket_request["transport"] == "tcp" else socket.SOCK_DGRAM
    try:
        addresses = socket.getaddrinfo(
            socket_request["server"].encode(),  # for text Python imports the rules of IDNA, 2 ms
            socket_request["port"],
            type=kind,
            flags=socket.AI_NUMERICHOST,
        )
    except socket.gaierror as error:
        raise Refused("malformed", f"not an address: {error}") from error
    family, _, _, _, (host, *rest) = addresses[0]
    address = (str(host).partition("%")[0], *rest)
    return ServerSocket(address, socket.socket(family, kind | socket.SOCK_CLOEXEC))


@contextmanager
def sending_socket(
    live: Live, question: AnyQuestion, socket_request: Json
) -> Iterator[ServerSocket]:
    """A socket for a server, closed at the end.

    socket_request: as for `make_socket`; pid, whose network namespace the socket is in, or None for
    this one; start, that process's start time in clock ticks, or None. Raises Refused("gone") for a
    process that has ended, also if it ends meanwhile: its interfaces go with it, so that a reply
    that is missing says nothing.
    """
    pid = socket_request["pid"]
    if pid is None:
        new_socket = make_socket(socket_request)
        with new_socket.kernel:
            yield new_socket
        return
    began = _start_of(pid)
    new_socket = _make_socket_inside(live, question, socket_request)
    with new_socket.kernel:
        yield new_socket
    if _start_of(pid) != began:
        raise Refused("gone", f"process {pid} is another one now")


@contextmanager
def resolver_socket(
    live: Live, question: QuerySizedDns | QueryUncheckedDns | SampleDns
) -> Iterator[ServerSocket]:
    """A socket for queries to a resolver over UDP.

    Refused("not allowed") after --no-probe.
    """
    if not live.options.probe:
        raise Refused("not allowed", "probes are turned off by --no-probe")
    import dnslib  # noqa: F401 - before the clock runs, not in the middle of a query

    socket_request = {
        "server": question.server,
        "port": 53,
        "transport": "udp",
        "pid": question.pid,
        "start": None,
    }
    with sending_socket(live, question, socket_request) as new_socket:
        yield new_socket


def _start_of(pid: int) -> int:
    try:
        return start_time(pid)
    except OSError as error:
        raise Refused("gone", f"process {pid} has ended") from error


def _make_socket_inside(live: Live, question: AnyQuestion, socket_request: Json) -> ServerSocket:
    """A socket for `make_socket` from the namespace of the process `pid`.

    The network process makes the socket, and hands it over to us.
    """
    from diagnose.live.helper import MARGIN_S

    deadline = live.deadline(question) - MARGIN_S
    address, kernel = (
        live.helper("network").submit(question.kind, socket_request, deadline).result_with_socket()
    )
    if kernel is None:
        raise Refused("refused", "the network process handed no socket over")
    return ServerSocket(tuple(address), kernel)
