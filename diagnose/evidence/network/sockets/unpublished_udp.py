"""Ports that are published for TCP alone, where a program in the container takes UDP too."""

import posixpath
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import distinct, first_of
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ConnectionTable, ListConnections, UdpFlow
from diagnose.registry import evidence

_MOST_PORTS = 10
"""Ports that are asked about: each is a walk over the kernel's table."""
_LEAST_STRANGERS = 3
"""Clients of the internet within the half minute that the kernel remembers."""
_HTTP3 = frozenset({80, 443, 8443})
"""Ports whose clients try UDP first and then use TCP, so that they need no UDP."""
_HTTP3_ALONE = frozenset({"caddy"})
"""Programs that take UDP at every port at which they serve HTTPS, and only for that."""


class UnpublishedUdp(msgspec.Struct, frozen=True):
    """A port at which a program takes UDP, and which is published for TCP only."""

    container: Container
    published: PortBinding
    """The port, as it is published for TCP."""
    clients: tuple[str, ...] = ()
    """Other machines whose packets over UDP got no answer."""
    strangers: bool = False
    """Whether all of them have addresses of the internet: then there are several, since a scanner
    sends a packet to each port."""


class UnpublishedUdpPorts(Items[UnpublishedUdp], frozen=True):
    """The UDP ports without a binding, in the order of the containers."""

    unread: tuple[Unexamined, ...] = ()
    """Containers whose network was not visited, or whose clients are not known."""


class _TcpPort(NamedTuple):
    """A port of a container that is published for TCP."""

    container: Container
    published: PortBinding


@evidence
def unpublished_udp_ports(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    links: Interfaces,
    listeners: Listeners | None,
) -> UnpublishedUdpPorts:
    """The UDP ports that programs serve and publish only for TCP, where nothing else takes them.

    The clients are known only for the first ones. A program of the host that listens at the same
    port serves it, and so does another container.
    """
    published_ports = set(containers.ports_published_by("udp"))
    candidates = [
        candidate
        for container in containers.running
        for candidate in _candidates(container, namespaces)
        if candidate.published.host_port not in published_ports
        and not _is_held(listeners, candidate)
    ]
    tables = _tables(host, candidates)
    publishing = {
        container.subject for container in containers.running if container.published_ports
    }
    unread = [unexamined for unexamined in namespaces.unvisited if unexamined.subject in publishing]
    items = []
    for container, published in candidates:
        table = tables.get(published.host_port)
        if isinstance(table, Failed):
            unread.append(Unexamined(container.subject, f"clients over UDP: {table}"))
        flows = table.entries if isinstance(table, ConnectionTable) else []
        items.append(
            _unpublished_port(container, published, list(_unanswered_machines(flows, links)))
        )
    return UnpublishedUdpPorts(tuple(items), tuple(unread))


def _tables(host: Host, candidates: Sequence[_TcpPort]) -> dict[int, ConnectionTable | Failed]:
    """The tracked UDP connections to the first ports of the host, by port."""
    ports = list(dict.fromkeys(candidate.published.host_port for candidate in candidates))
    answers = host.ask_about(
        ports[:_MOST_PORTS], lambda port: ListConnections(protocol="udp", dport=port)
    )
    return dict(answers)


def _unpublished_port(
    container: Container, published: PortBinding, senders: Sequence[str]
) -> UnpublishedUdp:
    """The port, with the senders that need it.

    senders: those without an answer. Strangers count where no neighbour is among them.
    """
    senders = distinct(senders)
    neighbours = tuple(sender for sender in senders if not ip_address(sender).is_global)
    if neighbours:
        return UnpublishedUdp(container, published, neighbours)
    if len(senders) >= _LEAST_STRANGERS:
        return UnpublishedUdp(container, published, senders, strangers=True)
    return UnpublishedUdp(container, published)


def _candidates(container: Container, namespaces: Namespaces) -> Iterator[_TcpPort]:
    """The ports of one container that are served over both protocols, and published for TCP."""
    netns = namespaces.of(container)
    program = posixpath.basename(first_of(container.command, ""))
    if netns is None or program in _HTTP3_ALONE:
        return
    over_udp = {published.number for published in container.published_by("udp")}
    for published in container.published_by("tcp"):
        port = published.number
        is_for_this_host = published.is_for_host_alone or published.is_ipv6
        if port in _HTTP3 or port in over_udp or is_for_this_host:
            continue
        if netns.serves_others("udp", port) and netns.serves_others("tcp", port):
            yield _TcpPort(container, published)


def _is_held(listeners: Listeners | None, candidate: _TcpPort) -> bool:
    """Whether a program of the host takes UDP at the same port."""
    published = candidate.published
    if listeners is None:
        return False
    return bool(listeners.on("udp", published.host_ip, published.host_port))


def _unanswered_machines(flows: list[UdpFlow], links: Interfaces) -> Iterator[str]:
    """The other machines that sent packets to an address of this host, without an answer."""
    for flow in flows:
        is_to_host = links.holds(flow.dst) and not links.holds(flow.src)
        if is_to_host and "seen_reply" not in flow.status:
            yield flow.src
