"""How many DNS queries to one server are answered: several queries, a few milliseconds apart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from diagnose.live.network.dns import icmp_of, make_message, number_of, read_reply, replies
from diagnose.live.network.server_socket import resolver_socket

if TYPE_CHECKING:
    import socket

    from diagnose.live import Live
    from diagnose.questions.dns import SampleDns

FIRST = 8
MORE = 12
"""Queries that are sent at once, and how many follow where some of them were answered and some were
not. A server that loses half of its queries answers all of the first eight once in 256 times."""

GAP_S = 0.01
"""Between two queries, so that they are not a burst to a limit that counts packets."""

PATIENCE_S = 1.0
"""How long is waited for the replies after the last of the first queries."""

LAST_PATIENCE_S = 1.8
"""The same after the last query of all. A reply that a busy host delays is late, and not lost:
programs wait for five seconds."""


def sample(live: Live, question: SampleDns) -> dict[str, Any]:
    """How many queries for the root's name servers one server answers.

    Shape: `DnsSample`. An ICMP error ends the sending. Errors as of a single query.
    """
    with resolver_socket(live, question) as (address, kernel):
        return _Sample(kernel).taken_from(address)


class _Sample:
    """The queries of one sample that are sent, and what came back."""

    def __init__(self, kernel: socket.socket) -> None:
        self._kernel = kernel
        self._pending: dict[int | None, float] = {}
        self._sent = 0
        self._times: list[float] = []
        self._rcode: str | None = None

    def taken_from(self, address: tuple[Any, ...]) -> dict[str, Any]:
        """How many queries the server at this address answers; more are sent if some get lost."""
        icmp = None
        try:
            self._kernel.connect(address)
            self._send(FIRST, PATIENCE_S)
            if self._times and self._pending:
                self._send(MORE, LAST_PATIENCE_S)
        except OSError as error:
            icmp = icmp_of(error)
        return {
            "sent": self._sent,
            "answered": len(self._times),
            "rcode": self._rcode,
            "ms": round(max(self._times) * 1000, 1) if self._times else None,
            "icmp": icmp,
        }

    def _send(self, queries: int, patience_s: float) -> None:
        """Sends queries with a gap between them, and waits for the replies after the last one."""
        self._send_one()
        for _ in range(queries - 1):
            self._read_until(time.monotonic() + GAP_S)
            self._send_one()
        self._read_until(time.monotonic() + patience_s, stop_when_complete=True)

    def _send_one(self) -> None:
        """Sends a query whose number no pending query has."""
        number, wire = make_message(".", "NS")
        while number in self._pending:
            number, wire = make_message(".", "NS")
        self._pending[number] = time.monotonic()
        self._kernel.send(wire)
        self._sent += 1

    def _read_until(self, deadline: float, *, stop_when_complete: bool = False) -> None:
        """Takes the replies that come until then, or until no reply is missing."""
        arrived = replies(self._kernel, deadline) if self._pending else ()
        for reply in arrived:
            begun = self._pending.pop(number_of(reply), None)
            if begun is not None:
                self._times.append(time.monotonic() - begun)
                self._rcode = self._rcode or read_reply(reply, begun).get("rcode")
            if stop_when_complete and not self._pending:
                return
