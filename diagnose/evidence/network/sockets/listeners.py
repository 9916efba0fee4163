"""Listening sockets of the host, and the processes that hold them."""

import functools

from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.sockets import Listener, ListListeners, overlap
from diagnose.registry import evidence

__all__ = ["Listener", "Listeners", "listeners", "overlap"]


class Listeners(Items[Listener], frozen=True, dict=True):
    """All listening TCP and unconnected UDP sockets of the host's namespace."""

    @functools.cached_property
    def _by_port(self) -> dict[int, list[Listener]]:
        return by_key((listener.port, listener) for listener in self)

    def on(self, proto: str, address: str, port: int) -> tuple[Listener, ...]:
        """The listeners that block this address and port: those with a known holder first."""
        listeners = [
            listener
            for listener in self._by_port.get(port, ())
            if listener.clashes(proto, address, port)
        ]
        return tuple(sorted(listeners, key=lambda listener: (listener.pid is None, listener.proto)))

    def program_on(self, proto: str, address: str, port: int) -> str:
        """The name of a program that listens there; empty where none is known."""
        return next((holder.comm for holder in self.on(proto, address, port) if holder.comm), "")


@evidence
def listeners(host: Host) -> Listeners | Unavailable:
    """All listening sockets, in one question.

    Only root sees the owner of another user's socket.
    """
    answer = host.require(ListListeners())
    return Listeners(tuple(answer))
