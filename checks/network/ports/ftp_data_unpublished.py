"""network.ftp-data-unpublished: an FTP server offers a port for data that nobody reaches."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import numbered
from diagnose.registry import check

_CONTROL = 21
_LEAST = 10_001
"""Servers offer a port of the kernel's own range (from 32768) or of one that is configured; below
are ports of other programs, such as Webmin's 10000."""
_MOST_CLIENTS = 10
"""A port for data waits for one client: vsftpd, Pure-FTPd and ProFTPD let one or two queue there,
and pyftpdlib five. Programs beside the server in a container let 100 and more."""
_EPHEMERAL = 32_768
_OF_MYSQL = frozenset({33060, 33062})
"""MySQL's second protocol, and its port for administrators."""
_HELPER = "nf_nat_ftp"
"""The kernel's module that opens data ports by itself, where a rule hands connections to it."""


@check("network.ftp-data-unpublished", severity=Severity.warning)
def ftp_data_unpublished(
    containers: Containers, namespaces: Namespaces, modules: Modules | None
) -> CheckResult:
    """An FTP server waits for data at a port that is not published.

    A client of FTP logs in at port 21, and gets lists and files over a second connection, to a port
    that the server chooses (passive mode, RFC 959). In a container that port has to be published
    too. Seen while a client is being served: the server listens for it. A host whose kernel opens
    these ports by itself (nf_nat_ftp) is left out, and so is a client that chooses the port itself.
    """
    servers = [container for container in containers.running if _serves_ftp(container)]
    if not servers:
        return Skipped("no running container publishes port 21")
    if modules is not None and _HELPER in modules.names:
        return Skipped(f"the kernel opens data ports of FTP by itself ({_HELPER} is loaded)")
    for server in servers:
        netns = namespaces.of(server)
        if netns is not None and netns.serves_others("tcp", _CONTROL):
            waiting = _waiting_ports(server, netns)
            if waiting:
                yield _finding(server, waiting)
    subjects = {server.subject for server in servers}
    yield from (missed for missed in namespaces.unvisited if missed.subject in subjects)


def _serves_ftp(container: Container) -> bool:
    return any(port.number == _CONTROL for port in container.published_by("tcp"))


def _waiting_ports(server: Container, netns: ContainerNetns) -> list[int]:
    """The ports at which it may wait for a client's second connection, and that nobody reaches."""
    published = {port.number for port in server.published_by("tcp")}
    sockets = (socket for socket in netns.listeners if socket.protocol == "tcp")
    ports = {socket.port for socket in sockets if not socket.is_loopback and _may_be_data(socket)}
    return sorted(ports - published)


def _may_be_data(socket: Socket) -> bool:
    """Whether a socket may be for data: few may queue at it, or the kernel chose its port."""
    if socket.port < _LEAST or socket.port in _OF_MYSQL:
        return False
    has_short_queue = socket.backlog is None or socket.backlog <= _MOST_CLIENTS
    return has_short_queue or socket.port >= _EPHEMERAL


def _finding(server: Container, waiting: Sequence[int]) -> Finding:
    return Finding.about(
        server,
        f"{server} serves FTP at its published port 21 and waits for a client's data at "
        f"{numbered('port', waiting)}, which it does not publish: lists and transfers fail",
        {
            "TCP sockets inside": list(waiting[:5]),
            "NetworkSettings.Ports": server.published_names,
            "declared by the image (EXPOSE)": [*_declared_range(server, waiting[0])],
        },
        stable=(server.life,),
    ).with_variables(_cure(server, waiting[0]))


def _cure(server: Container, port: int) -> PageVariables:
    """The range that the image declares around the port, as an option; else the server's name."""
    declared = _declared_range(server, port)
    if not declared:
        return {"ftp": server.name}
    span = f"{declared[0]}-{declared[-1]}"
    return {"data_ports": f"{span}:{span}"}


def _declared_range(server: Container, port: int) -> list[int]:
    """The ports without a gap around this one that the image or its options declare."""
    declared = set(server.declared_tcp_ports)
    span = [port] if port in declared else []
    while span and span[0] - 1 in declared:
        span.insert(0, span[0] - 1)
    while span and span[-1] + 1 in declared:
        span.append(span[-1] + 1)
    return span
