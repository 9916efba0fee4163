"""Clients of containers that have sent something and wait for the program to read or answer it.

Who looks at the host from outside sees a timeout; the kernel's list of connections says which
program does not do its part.
"""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.losses import owners_of
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.sockets import CountLosses, ListWaitingClients, LossCounters, WaitingClient
from diagnose.registry import evidence

MOST = 300
"""Namespaces whose connections are listed: one listing takes 1 ms, for the kernel walks its whole
table of connections."""
MOST_CONNECTIONS = 3000
"""A namespace with more is left out: each connection costs 0.07 ms."""


class WaitingAtPort(msgspec.Struct, frozen=True):
    """The clients that wait at one port of a container."""

    container: Container
    port: int
    clients: tuple[WaitingClient, ...]
    """The one that has waited longest comes first."""

    @property
    def accepts(self) -> bool:
        """Whether the program has accepted one of them."""
        return any(client.accepted for client in self.clients)

    def ignored(self, seconds: float) -> tuple[WaitingClient, ...]:
        """Those that have waited for so long, and whose request is not read or whose end is closed.

        A request that was read, and whose client still waits, may be long work.
        """
        return tuple(
            client
            for client in self.clients
            if client.seconds >= seconds and (client.unread or client.left)
        )


class WaitingClients(Items[WaitingAtPort], frozen=True):
    """By container and port; empty where everybody is served."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def waiting_clients(host: Host, namespaces: Namespaces) -> WaitingClients:
    """Connections are listed where a namespace has more sockets than those that listen."""
    owners = {owner.id: owner for owner in owners_of(namespaces).values()}
    served = [
        netns
        for netns in namespaces
        if netns.container.id in owners and any(map(_is_tcp, netns.listeners))
    ]
    pids = sorted(owner.state.pid for owner in owners.values())
    counters = host.require(CountLosses(pids)) if served else {}
    asked: list[ContainerNetns] = []
    left_out: list[ContainerNetns] = []
    for netns in sorted(served, key=_least_likely_last):
        counted = counters.get(str(netns.container.state.pid), LossCounters())
        if counted.connections <= sum(map(_is_tcp, netns.listeners)):
            continue
        if counted.connections > MOST_CONNECTIONS or len(asked) == MOST:
            left_out.append(netns)
        else:
            asked.append(netns)
    ports: list[WaitingAtPort] = []
    unexamined = [
        Unexamined(netns.container.subject, "it has too many connections") for netns in left_out
    ]
    for netns, rows in host.ask_about(
        asked, lambda netns: ListWaitingClients(netns.container.state.pid)
    ):
        if not isinstance(rows, Failed):
            ports += _by_port(netns.container, rows)
        elif rows.reason != "gone":
            unexamined.append(Unexamined(netns.container.subject, f"its connections: {rows}"))
    ports.sort(key=lambda waiting: (waiting.container.name, waiting.port))
    return WaitingClients(tuple(ports), tuple(sorted(unexamined, key=lambda row: row.subject)))


def _is_tcp(socket: Socket) -> bool:
    return socket.protocol == "tcp"


def _least_likely_last(netns: ContainerNetns) -> tuple[bool, bool, str]:
    """Where connections are not even accepted first, then where a port is published."""
    waiting = any(socket.waiting for socket in netns.listeners)
    return (not waiting, not netns.container.published_tcp_ports, netns.container.name)


def _by_port(container: Container, rows: list[WaitingClient]) -> list[WaitingAtPort]:
    by_port = by_key((row.port, row) for row in rows)
    return [WaitingAtPort(container, port, tuple(clients)) for port, clients in by_port.items()]
