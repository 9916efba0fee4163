"""One packet to one address, and what became of it.

It leaves the host's or a container's network namespace. `diagnose path --probe` asks for it, and
evidence of calls for an address of a container of this host.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.live.network.server_socket import sending_socket
from diagnose.questions.probes import ProbeOutcome

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.probes import ProbeServer

PATIENCE_S = 2.5
"""How long an answer is waited for. The kernel sends a SYN at 0 s and again after 1 s, so that one
lost packet is not silence."""

LINGER_S = 0.3
"""How long a fresh connection is watched: docker-proxy accepts first, and closes as soon as the
container refuses."""

QUESTION = bytes.fromhex("2a2a01000001000000000000") + bytes.fromhex("0000020001")
"""A DNS query for the root's name servers: what is sent to port 53 over UDP. Any reply counts."""

_OUTCOMES: dict[int, ProbeOutcome] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EINVAL: "unreachable",  # a blackhole route
    errno.EMSGSIZE: "unreachable",
    errno.ETIMEDOUT: "silent",
    errno.EPERM: "prohibited",
    errno.EACCES: "prohibited",
}
"""What became of a probe, by the error of the socket."""


def probe(live: Live, question: ProbeServer) -> dict[str, Any]:
    """The outcome of one TCP connect without data, or of one UDP datagram.

    The datagram is empty; to port 53 it is a DNS query. Shape: `ProbeReply`. Errors: Refused("not
    allowed") unless the user wants packets to be sent, or a container is near and probes are on;
    Refused("forbidden"), Refused("gone"), Refused("malformed") for no address.
    """
    is_for_neighbour = question.is_near and live.options.probe
    if not live.options.send and not is_for_neighbour:
        raise Refused("not allowed", "no packet is sent without --probe")
    socket_request = {
        "server": question.server,
        "port": question.port,
        "transport": question.transport,
        "pid": question.pid,
        "start": None,
    }
    attempt = _connect if question.transport == "tcp" else _datagram
    begun = time.monotonic()
    with sending_socket(live, question, socket_request) as (address, kernel):
        kernel.settimeout(PATIENCE_S)
        try:
            outcome = attempt(kernel, address)
        except TimeoutError:
            outcome = "silent"
        except OSError as error:
            if error.errno not in _OUTCOMES:
                raise
            outcome = _OUTCOMES[error.errno]
    return {"outcome": outcome, "ms": round((time.monotonic() - begun) * 1000, 1)}


def _connect(kernel: socket.socket, address: tuple[Any, ...]) -> ProbeOutcome:
    """Connect, and send nothing."""
    kernel.connect(address)
    kernel.settimeout(LINGER_S)
    try:
        return "accepted" if kernel.recv(1) else "closed"
    except TimeoutError:
        return "accepted"
    except ConnectionResetError:
        return "closed"


def _datagram(kernel: socket.socket, address: tuple[Any, ...]) -> ProbeOutcome:
    kernel.connect(address)
    kernel.send(QUESTION if address[1] == 53 else b"")
    kernel.recv(1)
    return "answered"
