"""Answers over UDP that come to the host from another port than the called one.

The host's translation (NAT) takes an answer back to a container by both ports of the call. TFTP
answers from a new port, and a camera or a telephone sends pictures and sound to the port that the
call named: no program of the host listens there, while the container does.
"""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListConnections, UdpFlow
from diagnose.registry import evidence

_MOST = 4
"""Containers, and addresses of the host, that are looked at: each is a walk over a table."""
_WAITS = LazyPattern(
    r"(?i)\bno (?:answer|audio|frames|media|packets|reply|response|rtp|video)\b|not receive|no data from"
)
"""A line of a program that waits for missing UDP packets."""
_EPHEMERAL = 1024
_PROTOCOLS = ("udp", "tcp")


class UntranslatedAnswer(msgspec.Struct, frozen=True):
    """Packets of a server that a container has called."""

    container: Container
    server: str
    port: int
    """The port of the host, and of the container's socket, that the answer calls."""
    from_port: int
    called_port: int
    """The port of the server that the container called; 0 where that is not known any more."""
    protocol: str
    """The protocol of the call."""
    line: str


class UntranslatedAnswers(Items[UntranslatedAnswer], frozen=True):
    """The untranslated answers, at most one for each container."""


@evidence
def untranslated_answers(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    namespaces: Namespaces,
    links: Interfaces,
    uplinks: Uplinks,
    listeners: Listeners | None,
) -> UntranslatedAnswers:
    """The answers that the host does not translate back to containers.

    The containers are those that wait for UDP and whose log reports a missing answer.
    """
    waiting: list[tuple[Container, ContainerNetns, str]] = []
    for container in containers.running:
        netns = None if container.shares_network else namespaces.of(container)
        if netns is None or not _own_ports(container, netns):
            continue
        lines = recent_logs.repeated(container, _tells_of_waiting, clock)
        if lines:
            waiting.append((container, netns, lines[-1].text))
    if not waiting:
        return UntranslatedAnswers()
    published_ports = containers.ports_published_by("udp")
    flows = [
        flow
        for flow in _unanswered_packets(host, uplinks, links)
        if flow.dport not in published_ports and not _is_held(flow.dport, listeners)
    ]
    candidates = (
        _answer(host, container, _own_ports(container, netns), flows, line)
        for container, netns, line in waiting[:_MOST]
    )
    return UntranslatedAnswers(tuple(answers for answers in candidates if answers is not None))


def _tells_of_waiting(text: str) -> bool:
    return bool(signs(text) & {"timeout"}) or _WAITS.search(text) is not None


def _own_ports(container: Container, netns: ContainerNetns) -> frozenset[int]:
    """The unpublished ports at which it waits for UDP."""
    published = {port.number for port in container.published_by("udp")}
    return frozenset(
        socket.port
        for socket in netns.listeners
        if socket.protocol == "udp" and not socket.is_loopback and socket.port >= _EPHEMERAL
    ) - frozenset(published)


def _is_held(port: int, listeners: Listeners | None) -> bool:
    return listeners is not None and bool(listeners.on("udp", ANY, port))


def _unanswered_packets(host: Host, uplinks: Uplinks, links: Interfaces) -> Iterator[UdpFlow]:
    """The packets of other machines without an answer."""
    for address in [uplink.address for uplink in uplinks if uplink.address][:_MOST]:
        table = host.ask(ListConnections(protocol="udp", dst=address))
        for flow in [] if isinstance(table, Failed) else table.entries:
            if "seen_reply" not in flow.status and not links.holds(flow.src):
                yield flow


def _answer(
    host: Host, container: Container, ports: Collection[int], flows: Sequence[UdpFlow], line: str
) -> UntranslatedAnswer | None:
    """The first packet to one of its ports, from a server that it has called."""
    for flow in flows:
        if flow.dport not in ports:
            continue
        for protocol in _PROTOCOLS:
            call = _call(host, container, flow.src, protocol)
            if call is not None:
                return UntranslatedAnswer(
                    container,
                    flow.src,
                    port=flow.dport,
                    from_port=flow.sport,
                    called_port=call.dport,
                    protocol=protocol,
                    line=line,
                )
        if flow.src in line:
            return UntranslatedAnswer(
                container,
                flow.src,
                port=flow.dport,
                from_port=flow.sport,
                called_port=0,
                protocol="",
                line=line,
            )
    return None


def _call(host: Host, container: Container, server: str, protocol: str) -> UdpFlow | None:
    """A tracked call of the container to a server, by one of both protocols."""
    if protocol == "udp":
        table = host.ask(ListConnections(protocol="udp", dst=server))
    else:
        table = host.ask(ListConnections(protocol="tcp", dst=server))
    entries = [] if isinstance(table, Failed) else table.entries
    return next((flow for flow in entries if flow.src in container.ipv4_addresses), None)
