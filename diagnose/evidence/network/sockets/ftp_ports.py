"""The ports at which a server of FTP waits for second connections."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns, Socket
from diagnose.model import PageVariables

CONTROL = 21
_LEAST = 10_001
"""Servers offer a port of the kernel's own range (from 32768) or of one that is configured; below
are ports of other programs, such as Webmin's 10000."""
_MOST_CLIENTS = 10
"""Maximum queue of a port for data, which waits for one client: vsftpd, Pure-FTPd and ProFTPD let
one or two queue there, and pyftpdlib five. Programs beside the server in a container let 100 and
more."""
_EPHEMERAL = 32_768
_OF_MYSQL = frozenset({33060, 33062})
"""MySQL's second protocol, and its port for administrators."""


def serves_ftp(container: Container) -> bool:
    """Whether a container publishes the port at which FTP is spoken."""
    return any(port.number == CONTROL for port in container.published_by("tcp"))


def waiting_ports(server: Container, netns: ContainerNetns) -> list[int]:
    """The ports at which it may wait for a client's second connection, and that are unreachable."""
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


def data_port_steps(server: Container, port: int) -> PageVariables:
    """The range that the image declares around the port, as an option; else the server's name."""
    declared = declared_range(server, port)
    if not declared:
        return {"ftp": server.name}
    span = f"{declared[0]}-{declared[-1]}"
    return {"data_ports": f"{span}:{span}"}


def declared_range(server: Container, port: int) -> list[int]:
    """The ports without a gap around this one that the image or its options declare."""
    declared = set(server.declared_tcp_ports)
    span = [port] if port in declared else []
    while span and span[0] - 1 in declared:
        span.insert(0, span[0] - 1)
    while span and span[-1] + 1 in declared:
        span.append(span[-1] + 1)
    return span
