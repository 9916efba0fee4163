"""Clients that speak TLS to a port at which a server speaks plain HTTP. Pure."""

from collections.abc import Iterable, Sequence, Set

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import first_address
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.programs.callers import is_of_the_internet
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of requests of one client that count: a browser tries HTTPS first, and then does
without it."""
_HELLO = LazyPattern(
    r"\\x16\\x03[\\\"']?|\x16\x03|0x160x03|Illegal character (?:CNTL=)?0x16\b"
    r"|over HTTPS, but it only supports HTTP\b|SSL connection to a non-SSL\b"
)
"""The first bytes of a TLS handshake (record 22, version 3) in logs of servers: nginx, Apache and
servers of Python, Tomcat, Jetty, Django, Puma."""
_HTTPS = (443, 8443)
"""Ports of the host that clients call by https://."""


class TlsClients(msgspec.Struct, frozen=True):
    """Clients of one container whose requests it cannot read."""

    container: Container
    lines: tuple[str, ...]
    clients: tuple[str, ...]
    """Their addresses; empty where the lines do not have them."""
    published: PortBinding | None
    """The published port that they call, as far as it is known; None for a neighbour."""
    callers: tuple[Container, ...] = ()
    """The clients that are containers."""


class AllTlsClients(Items[TlsClients], frozen=True):
    """The unreadable clients, at most one for each container."""


@evidence
def all_tls_clients(containers: Containers, recent_logs: RecentLogs, clock: Clock) -> AllTlsClients:
    """The clients that use TLS at a plain port or the other way, by logs of running containers.

    The last lines of access and error logs are read. Scanners of the internet try TLS at every
    port. They count only where the host's port is one of HTTPS and no client has got an answer
    there.
    """
    servers = []
    for container in containers.running:
        hellos = recent_logs.repeated(container, _says_hello, clock, least=LEAST)
        if not hellos:
            continue
        clients = _tls_clients(container, hellos, recent_logs, containers)
        if clients is not None:
            servers.append(clients)
    return AllTlsClients(tuple(servers))


def _says_hello(text: str) -> bool:
    return _HELLO.search(text) is not None


def _tls_clients(
    container: Container,
    hellos: Sequence[RecentLine],
    recent_logs: RecentLogs,
    containers: Containers,
) -> TlsClients | None:
    """The clients of a container without an answer; None where all are strangers or were answered.

    The site of a port of HTTPS that has answered nobody is meant for strangers too.
    """
    answered = {
        request.address for request in recent_logs.requests_of(container) if not request.failed
    }
    lost = _unanswered_hellos(container, hellos, answered)
    ports = list(container.published_by("tcp"))
    https_ports = [port for port in ports if port.host_port in _HTTPS]
    is_meant_for_strangers = bool(https_ports) and not answered
    if not lost or (all(map(is_of_the_internet, lost)) and not is_meant_for_strangers):
        return None
    callers = _callers(container, lost, containers)
    return TlsClients(
        container,
        lines=tuple(line.text for lines in lost.values() for line in lines),
        clients=tuple(sorted(filter(None, lost))),
        published=None if callers else _only_port(https_ports or ports),
        callers=callers,
    )


def _unanswered_hellos(
    container: Container, hellos: Sequence[RecentLine], answered: Set[str]
) -> dict[str, list[RecentLine]]:
    """The handshakes of each client, "" for lines without an address.

    A client that is answered otherwise has found the scheme. This tool itself asks from the
    container's own address.
    """
    by_client = by_key((first_address(line.text), line) for line in hellos)
    satisfied = {*answered, *container.addresses} - {""}
    return {
        client: lines
        for client, lines in by_client.items()
        if len(lines) >= LEAST and client not in satisfied
    }


def _callers(
    container: Container, clients: Iterable[str], containers: Containers
) -> tuple[Container, ...]:
    """The containers that have these addresses on networks of a container."""
    places = [(network, client) for client in clients for network in container.endpoints]
    return tuple(containers.by_place[place] for place in places if place in containers.by_place)


def _only_port(ports: Iterable[PortBinding]) -> PortBinding | None:
    """The one port among these; one port has a binding of IPv4 and one of IPv6."""
    return only(list({port.host_port: port for port in ports}.values()))
