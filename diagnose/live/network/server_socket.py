"""Sockets for one server, in the network namespace that this process is in."""

from __future__ import annotations

import socket
from typing import Any

from diagnose.live import Refused
from diagnose.model import Json


def make_socket(wanted: Json) -> tuple[tuple[Any, ...], socket.socket]:
    """The address of a server as `socket.connect` takes it, and a socket of its family.

    The socket is not yet connected.

    wanted: server, a numeric host (an IPv6 host may name its interface: fe80::1%eth0); port;
    transport, tcp or udp. Raises Refused("malformed") for a name.
    """
    kind = socket.SOCK_STREAM if wanted["transport"] == "tcp" else socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(
            wanted["server"], wanted["port"], type=kind, flags=socket.AI_NUMERICHOST
        )
    except socket.gaierror as error:
        raise Refused("malformed", f"not an address: {error}") from error
    family, _, _, _, (host, *rest) = found[0]
    return (str(host).partition("%")[0], *rest), socket.socket(family, kind | socket.SOCK_CLOEXEC)
