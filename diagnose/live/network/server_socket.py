"""Sockets for one server, in the network namespace of this process or of another one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.model import Json

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions import AnyQuestion


def make_socket(wanted: Json) -> tuple[tuple[Any, ...], socket.socket]:
    """The address of a server as `socket.connect` takes it, and a socket of its family.

    The socket is not yet connected.

    wanted: server, a numeric host (an IPv6 host may name its interface: fe80::1%eth0); port;
    transport, tcp or udp. Raises Refused("malformed") for a name.
    """
    kind = socket.SOCK_STREAM if wanted["transport"] == "tcp" else socket.SOCK_DGRAM
    try:
        addresses = socket.getaddrinfo(
            wanted["server"].encode(),  # for text Python imports the rules of IDNA, 2 ms
            wanted["port"],
            type=kind,
            flags=socket.AI_NUMERICHOST,
        )
    except socket.gaierror as error:
        raise Refused("malformed", f"not an address: {error}") from error
    family, _, _, _, (host, *rest) = addresses[0]
    return (str(host).partition("%")[0], *rest), socket.socket(family, kind | socket.SOCK_CLOEXEC)


def make_socket_inside(
    live: Live, question: AnyQuestion, wanted: Json
) -> tuple[tuple[Any, ...], socket.socket]:
    """As `make_socket`, in the namespace of the process `pid`.

    The network process makes the socket, and hands it over to us.
    """
    from diagnose.live.helper import MARGIN_S

    deadline = live.deadline(question) - MARGIN_S
    address, kernel = (
        live.helper("network").submit(question.kind, wanted, deadline).result_with_socket()
    )
    if kernel is None:
        raise Refused("refused", "the network process handed no socket over")
    return tuple(address), kernel
