"""UDP packets of other machines to ports that a container serves, and does not publish."""

from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.mappings import by_key, distinct
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ConnectionTable, ListConnections, UdpFlow
from diagnose.registry import evidence

_MOST_ADDRESSES = 4
"""Addresses of the host that are asked about: each is a walk over the kernel's table."""


class MissedDatagrams(msgspec.Struct, frozen=True):
    """Packets to one port of the host that a container serves inside."""

    container: Container
    port: int
    clients: tuple[str, ...]
    span: tuple[int, int]
    """The ports around it without a gap at which the container takes UDP, first and last."""

    @property
    def is_near(self) -> bool:
        """Whether a client is not a stranger of the internet, where scanners try every port."""
        return any(not ip_address(client).is_global for client in self.clients)


class AllMissedDatagrams(Items[MissedDatagrams], frozen=True):
    """The first port of each container that clients try."""

    asked: int = 0
    """How many containers publish some of the UDP ports that they serve, and not all."""
    unread: tuple[Unexamined, ...] = ()
    """Containers whose clients are not known."""


@evidence
def all_missed_datagrams(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    links: Interfaces,
    uplinks: Uplinks,
    listeners: Listeners | None,
) -> AllMissedDatagrams:
    """The UDP ports that containers serve and do not publish, with packets of other machines.

    The containers publish another UDP port. The kernel remembers a packet for half a minute. A
    call by SIP or WebRTC begins at the published port, and its sound goes to others.
    """
    servers = list(_servers(containers, namespaces))
    if not servers:
        return AllMissedDatagrams()
    flows: list[UdpFlow] = []
    unread: list[Unexamined] = []
    for address in [uplink.address for uplink in uplinks if uplink.address][:_MOST_ADDRESSES]:
        table = host.ask(ListConnections(protocol="udp", dst=address))
        if isinstance(table, ConnectionTable):
            flows += _unanswered_flows(table, links)
        elif isinstance(table, Failed):
            reason = f"clients over UDP: {table}"
            unread += [Unexamined(server.container.subject, reason) for server in servers]
    published = containers.ports_published_by("udp")
    open_flows = [flow for flow in flows if not _is_taken(flow.dport, published, listeners)]
    missed = (_first_missed(server, open_flows) for server in servers)
    return AllMissedDatagrams(tuple(filter(None, missed)), len(servers), tuple(unread))


class _Server(msgspec.Struct, frozen=True):
    """A container, and the UDP ports that it serves and does not publish."""

    container: Container
    ports: frozenset[int]


def _servers(containers: Containers, namespaces: Namespaces) -> Iterator[_Server]:
    """The containers that publish some UDP ports, and not all."""
    for container in containers.running:
        if container.shares_network or not any(container.published_by("udp")):
            continue
        netns = namespaces.of(container)
        ports = _unpublished_ports(container, netns) if netns is not None else None
        if ports:
            yield _Server(container, ports)


def _is_taken(port: int | None, published: Collection[int], listeners: Listeners | None) -> bool:
    """Whether a container or a program of the host takes packets to a UDP port of the host."""
    is_held = listeners is not None and port is not None and bool(listeners.on("udp", ANY, port))
    return is_held or port in published


def _first_missed(server: _Server, flows: Sequence[UdpFlow]) -> MissedDatagrams | None:
    """The first port that a container serves inside, and that clients try at the host."""
    clients_of = by_key((flow.dport, flow.src) for flow in flows if flow.dport in server.ports)
    if not clients_of:
        return None
    port = min(clients_of)
    span = _span_of(port, server.ports)
    return MissedDatagrams(server.container, port, distinct(clients_of[port]), span)


def _unpublished_ports(container: Container, netns: ContainerNetns) -> frozenset[int]:
    """The UDP ports at which a container takes packets of others, and that it does not publish."""
    published = {port.number for port in container.published_by("udp")}
    open_ports = {
        socket.port
        for socket in netns.listeners
        if socket.protocol == "udp" and not socket.is_loopback
    }
    return frozenset(open_ports - published)


def _unanswered_flows(table: ConnectionTable, links: Interfaces) -> Iterator[UdpFlow]:
    """The packets of other machines without an answer."""
    for flow in table.entries:
        if not links.holds(flow.src) and "seen_reply" not in flow.status:
            yield flow


def _span_of(port: int, ports: frozenset[int]) -> tuple[int, int]:
    first = last = port
    while first - 1 in ports:
        first -= 1
    while last + 1 in ports:
        last += 1
    return first, last
