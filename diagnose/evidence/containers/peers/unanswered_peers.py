"""The containers that a failed container called without an answer, and their states. Pure."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.passing_failures import stays
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.called_peers import (
    called_peers,
    configured_port,
    named_peers,
    refused_port,
)
from diagnose.evidence.containers.peers.inner_engines import may_serve_plainly, serves_tls_instead
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.mappings import first_of, only, present
from diagnose.model import PageVariables
from diagnose.numbers import is_number
from diagnose.phrases import agree, named

_ENDS_OF_STOPPED = (0, 137, 143)
"""Exit codes after `docker stop`: of its own, by SIGKILL, by SIGTERM."""


WARM_UP_S = 600.0
"""Seconds that a server may need until it accepts calls: a database creates or restores its data.
"""


class Calls(msgspec.Struct, frozen=True):
    """The calls of a failed container that were not answered, and the states of its callees."""

    callees: tuple[Container, ...]
    port: int
    """The refused port, 0 if that is not known."""
    namespaces: Namespaces | None
    is_distrusted: bool
    is_beside: bool = False
    """Whether the container failed of something else, that no other start changes."""

    @property
    def are_back(self) -> bool:
        """Whether all that it called run now, and none is seen not to listen."""
        if not self.callees or self.is_distrusted or self.is_beside:
            return False
        return all(callee.is_running and not self.is_unserved(callee) for callee in self.callees)

    @property
    def are_deaf(self) -> bool:
        """Whether a callee runs and is seen not to listen."""
        return any(callee.is_running and self.is_unserved(callee) for callee in self.callees)

    @property
    def ready(self) -> tuple[Container, ...]:
        """All that it called, where each is seen to take calls at that port now."""
        if not self.are_back or not self.port or self.namespaces is None:
            return ()
        is_seen = all(self.namespaces.of(callee) is not None for callee in self.callees)
        return self.callees if is_seen else ()

    def early_for(self, caller: Container) -> tuple[Container, ...]:
        """The peers that serve by now, and were started shortly before the caller or after it."""
        began = caller.started_at
        if began is None:
            return ()
        return tuple(
            callee for callee in self.ready if (callee.started_at or 0.0) > began - WARM_UP_S
        )

    @property
    def variables(self) -> PageVariables:
        """The variables of a page about a peer that runs and does not listen, or is stopped."""
        deaf = [callee.name for callee in self.callees if self.is_unserved(callee)]
        down = [callee.name for callee in self.callees if _was_stopped(callee)]
        with_tls = [callee for callee in self.callees if self.serves_tls_instead(callee)]
        plain = [callee.name for callee in with_tls if may_serve_plainly(callee)]
        return present({"deaf": only(deaf), "down": only(down), "tls_engine": only(plain)})

    def _namespace_of(self, callee: Container) -> ContainerNetns | None:
        """The network namespace of a peer; None where it was not read."""
        return self.namespaces.of(callee) if self.namespaces is not None else None

    def is_unserved(self, callee: Container) -> bool:
        """Whether nothing inside a peer is seen to take calls at the port.

        Where no port is known, whether it listens for itself alone, at a port that it offers.
        """
        netns = self._namespace_of(callee)
        if netns is None:
            return False
        if not self.port:
            return not netns.served_ports and bool(self._inner_sockets(callee))
        return not netns.serves_others("tcp", self.port)

    def inner_socket(self, callee: Container) -> Socket | None:
        """The socket on loopback of a peer that serves nobody else; or None."""
        sockets = self._inner_sockets(callee) if self.is_unserved(callee) else ()
        return first_of(sockets, None)

    def _inner_sockets(self, callee: Container) -> tuple[Socket, ...]:
        """The sockets of a peer at the port; at those that it offers, where none is known."""
        netns = self._namespace_of(callee)
        if netns is None:
            return ()
        offered = (int(port) for port in callee.offered_ports if is_number(port))
        ports = (self.port,) if self.port else tuple(sorted(offered))
        return tuple(socket for port in ports for socket in netns.sockets("tcp", port))

    def served_ports(self, callee: Container) -> list[int]:
        """The TCP ports at which a peer is seen to listen for others."""
        netns = self._namespace_of(callee)
        return netns.served_ports if netns is not None else []

    def serves_tls_instead(self, callee: Container) -> bool:
        """Whether a peer is an engine that was called without TLS, and serves TLS alone."""
        netns = self._namespace_of(callee)
        return netns is not None and serves_tls_instead(callee, netns, self.port)


def called_too_early(peers: Sequence[Container]) -> str:
    """The clause about peers that serve now; "" for none."""
    if not peers:
        return ""
    names = named("container", [peer.name for peer in peers])
    return f"it called {names} too early: {agree(peers, 'it serves', 'they serve')} now"


def _was_stopped(container: Container) -> bool:
    """Whether a container was never started, or ended as after a stop by a person.

    A failed one has a finding of its own.
    """
    state = container.state
    if state.error or state.oom_killed:
        return False
    has_ended = state.status == "exited" and state.exit_code in _ENDS_OF_STOPPED
    return state.status == "created" or has_ended


def calls_of(
    container: Container, containers: Containers, tail: LogTail, namespaces: Namespaces | None
) -> Calls:
    """The calls of which its log complains: a database without a table was called too."""
    lacks_table = tail.failure_named("table-missing") is not None
    callees = called_peers(tail.lines, container, containers)
    if lacks_table and not callees:
        callees = named_peers((), container, containers)
    port = refused_port(tail.lines)
    only_callee = only(callees)
    if not port and only_callee is not None and tail.failure_named("some-peer-refused"):
        port = configured_port(container, only_callee)
    return Calls(
        callees,
        port,
        namespaces,
        is_distrusted="certificate" in tail.signs,
        is_beside=stays(tail.failure) and not lacks_table,
    )
