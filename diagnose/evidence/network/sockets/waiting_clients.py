"""Clients of containers that have sent something and wait for the program to read or answer it.

Who looks at the host from outside sees a timeout; the kernel's list of connections says which
program does not do its part.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.losses import owners_of
from diagnose.mappings import by_key, first_of
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.sockets import CountLosses, ListWaitingClients, LossCounters, WaitingClient
from diagnose.registry import evidence

MOST = 300
"""Namespaces whose connections are listed: one listing takes 1 ms, for the kernel walks its whole
table of connections."""
MOST_CONNECTIONS = 3000
"""A namespace with more is left out: each connection costs 0.07 ms."""


_TOO_MANY = f"only {MOST} networks with at most {MOST_CONNECTIONS} connections each are looked at"


class WaitingAtPort(msgspec.Struct, frozen=True):
    """The clients that wait at one port of a container."""

    container: Container
    port: int
    clients: tuple[WaitingClient, ...]
    """The clients; the one that has waited longest comes first."""
    sharers: tuple[str, ...] = ()
    """The names of the containers that share its network: the program may be in one of them."""

    @property
    def accepts(self) -> bool:
        """Whether the program has accepted one of them."""
        return any(client.accepted for client in self.clients)

    def is_quiet(self, seconds: float) -> bool:
        """Whether the program has sent nothing to any client for so long.

        One that serves some may leave others on purpose: BitTorrent does not read from peers that
        are too fast.
        """
        sent = self.clients[0].port_sent if self.clients else None
        return sent is None or sent >= seconds

    def ignored(self, seconds: float) -> tuple[WaitingClient, ...]:
        """The clients that have waited so long with an unread request or a closed end.

        A request that was read, and whose client still waits, may be long work.
        """
        return tuple(
            client
            for client in self.clients
            if client.seconds >= seconds and (client.unread or client.left)
        )

    def queued(self, seconds: float) -> tuple[WaitingClient, ...]:
        """The ignored clients whose connection the program has not even accepted."""
        ignored = self.ignored(seconds)
        return tuple(client for client in ignored if client.unread and not client.accepted)

    def leaves_clients(self, patience: float, least: int) -> bool:
        """Whether the program leaves clients without an answer: this many, or one for very long."""
        queued = self.queued(patience)
        is_late = any(client.seconds >= 3 * patience for client in queued)
        is_stuck = len(self.ignored(patience)) >= least and self.is_quiet(patience)
        return is_stuck or len(queued) > 1 or is_late


class WaitingClients(Items[WaitingAtPort], frozen=True):
    """The waiting clients by container and port; empty where all are served."""

    unexamined: tuple[Unexamined, ...] = ()


class _ListeningNetns(msgspec.Struct, frozen=True):
    """A network namespace in which programs of containers listen."""

    container: Container
    """A container in the namespace."""
    listening: int
    """How many TCP sockets listen."""
    is_queueing: bool = False
    """Whether some connections wait to be accepted."""
    sharers: tuple[str, ...] = ()
    by_port: Mapping[int, Container] | None = None
    """The container that listens at each port; None where all ports are those of the container."""

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """The order of findings: connections that wait first, then published ports."""
        is_published = bool(self.container.published_tcp_ports)
        return (not self.is_queueing, not is_published, self.container.name)

    def waiting(self, rows: Iterable[WaitingClient]) -> Iterator[WaitingAtPort]:
        for port, clients in by_key((row.port, row) for row in rows).items():
            container = self.container if self.by_port is None else self.by_port.get(port)
            if container is not None:
                yield WaitingAtPort(container, port, tuple(clients), self.sharers)


@evidence
def waiting_clients(
    host: Host, namespaces: Namespaces, containers: Containers, listeners: Listeners | None
) -> WaitingClients:
    """The clients that wait for programs, in namespaces with more sockets than listening ones."""
    listening_containers = list(_containers_listening(namespaces))
    shared = list(_host_listening(containers, listeners))
    # The first question is the one that `network_losses` asks.
    counters = _counters(host, owners_of(namespaces).values())
    counters |= _counters(host, [place.container for place in shared])
    listening: list[_ListeningNetns] = []
    unexamined: list[Unexamined] = []
    for place in sorted([*listening_containers, *shared], key=lambda place: place.rank):
        counted = counters.get(str(place.container.state.pid), LossCounters())
        if counted.connections <= place.listening:
            continue
        if counted.connections > MOST_CONNECTIONS or len(listening) == MOST:
            unexamined.append(Unexamined(place.container.subject, _TOO_MANY))
        else:
            listening.append(place)
    ports: list[WaitingAtPort] = []
    for place, rows in host.ask_about(
        listening, lambda place: ListWaitingClients(place.container.state.pid)
    ):
        if not isinstance(rows, Failed):
            ports += place.waiting(rows)
        elif rows.reason != "gone":
            unexamined.append(Unexamined(place.container.subject, f"its connections: {rows}"))
    ports.sort(key=lambda waiting: (waiting.container.name, waiting.port))
    return WaitingClients(tuple(ports), tuple(sorted(unexamined, key=lambda row: row.subject)))


def _counters(host: Host, containers: Iterable[Container]) -> dict[str, LossCounters]:
    """By pid."""
    pids = sorted(container.state.pid for container in containers)
    if not pids:
        return {}
    return host.require(CountLosses(pids))


def _containers_listening(namespaces: Namespaces) -> Iterator[_ListeningNetns]:
    """The network namespaces with TCP listeners, each once, with the containers that share it."""
    owners = owners_of(namespaces)
    names = by_key((netns.inode, netns.container.name) for netns in namespaces)
    for netns in namespaces:
        owner = owners[netns.inode]
        sockets = [socket for socket in netns.listeners if socket.protocol == "tcp"]
        if owner.id == netns.container.id and sockets:
            sharers = tuple(name for name in names[netns.inode] if name != owner.name)
            is_queueing = any(socket.waiting for socket in sockets)
            yield _ListeningNetns(owner, len(sockets), is_queueing, sharers)


def _host_listening(
    containers: Containers, listeners: Listeners | None
) -> Iterator[_ListeningNetns]:
    """The host's own namespace, where a container that shares it listens."""
    sharing = {
        container.id: container for container in containers.running if container.shares_host_network
    }
    sockets = [socket for socket in listeners or () if socket.proto.startswith("tcp")]
    by_port = {
        socket.port: sharing[socket.container] for socket in sockets if socket.container in sharing
    }
    if by_port:
        yield _ListeningNetns(first_of(by_port.values()), len(sockets), by_port=by_port)
