"""Published UDP ports without a listener, where the program serves another port."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.containers.port_binding import PortBinding, in_long_ranges
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Unexamined
from diagnose.questions import Host
from diagnose.registry import evidence

MOST = 10
"""Containers whose files are read."""
_SETTLED_S = 20.0
_OF_KERNEL = 32_768
"""The first port that the kernel gives to programs that ask for none: to each client."""
_OF_CLIENTS = frozenset({67, 68, 123, 546, 1900, 3702, 5351, 5353, 5355, 10001})
"""Ports at which clients of DHCP and NTP, and programs that look for devices, listen too."""
_FILES = LazyPattern(r"\.conf$")
_FOLDERS = LazyPattern(r"^/(?:etc/wireguard|etc/amnezia|config|wireguard)(?:/|$)")
_LISTENS = LazyPattern(r"(?im)^[ \t]*ListenPort[ \t]*=[ \t]*(\d{2,5})\b")
"""WireGuard's own setting."""


class MovedUdpPort(msgspec.Struct, frozen=True):
    """The only port at which a container takes UDP, and that it does not publish."""

    container: Container
    port: int
    published: tuple[PortBinding, ...]
    """Its published UDP ports; nothing listens at any of them."""
    named_by: str
    """The source of the port: the image, a variable, or a file of settings; "" for none."""


class MovedUdpPorts(Items[MovedUdpPort], frozen=True):
    """The moved UDP ports, in the order of the containers."""

    unread: tuple[Unexamined, ...] = ()
    """Containers whose network was not visited."""


@evidence
def moved_udp_ports(
    host: Host, containers: Containers, namespaces: Namespaces, clock: Clock
) -> MovedUdpPorts:
    """The UDP ports that containers serve instead of their published ones.

    Files are read only of containers none of whose published UDP ports is served. A range of many
    ports may be for calls, which open each one for a moment: it counts where the program's own file
    of settings names another port. A container whose network others use publishes their ports, and
    they may be off: a VPN client before a program.
    """
    owners = {containers.owner_of(guest).id for guest in containers if guest.shares_network}
    publishing = [own for own in containers.running if own.id not in owners and any(_ways(own))]
    suspects = []
    for container in publishing:
        netns = namespaces.of(container)
        if netns is not None and _is_deaf(container, netns, clock):
            suspects.append((container, netns))
    chosen = host.first(suspects, MOST, "containers that take no UDP where it is published")
    moved = [_moved_port(host, container, netns) for container, netns in chosen]
    subjects = {container.subject for container in publishing}
    unread = tuple(missed for missed in namespaces.unvisited if missed.subject in subjects)
    return MovedUdpPorts(
        tuple(moved_port for moved_port in moved if moved_port is not None), unread
    )


def _ways(container: Container) -> Iterator[PortBinding]:
    """The UDP ports that others reach over IPv4."""
    for way in container.published_by("udp"):
        if not (way.is_ipv6 or is_loopback(way.host_ip)):
            yield way


def _is_deaf(container: Container, netns: ContainerNetns, clock: Clock) -> bool:
    """Whether nothing listens at its published UDP ports, and something takes UDP elsewhere."""
    is_settled = clock.has_passed(container.started_at, _SETTLED_S)
    if container.has_own_kernel or container.shares_network or not is_settled:
        return False
    is_served = any(netns.sockets("udp", way.number) for way in _ways(container))
    return not is_served and bool(_open_ports(container, netns))


def _open_ports(container: Container, netns: ContainerNetns) -> frozenset[int]:
    """The ports at which a container takes UDP of others, without those published for TCP."""
    sockets = (socket for socket in netns.listeners if socket.protocol == "udp")
    ports = {socket.port for socket in sockets if not socket.is_loopback}
    return frozenset(ports - _OF_CLIENTS - set(container.published_tcp_ports))


def _moved_port(host: Host, container: Container, netns: ContainerNetns) -> MovedUdpPort | None:
    ports = _open_ports(container, netns)
    by_file = _named_by_files(host, container)
    names = {port: _named_by(container, port, by_file) for port in ports}
    port = only([port for port in ports if names[port] or port < _OF_KERNEL])
    if port is None:
        return None
    ways = tuple(_ways(container))
    is_range = bool(in_long_ranges(way.number for way in ways))
    if is_range and port not in by_file:
        return None
    return MovedUdpPort(container, port, ways, names[port])


def _named_by(container: Container, port: int, by_file: dict[int, str]) -> str:
    if port in by_file:
        return by_file[port]
    if f"{port}/udp" in (container.config.exposed_ports or {}):
        return "the image (EXPOSE)"
    for name, value in container.config.environment:
        if value == str(port):
            return f"variable {name}"
    return ""


def _named_by_files(host: Host, container: Container) -> dict[int, str]:
    """The ports that files of WireGuard name, and the file that names each."""
    mounted = mounted_settings(host, container, None, _FILES, _FOLDERS, with_volumes=True)
    return {int(match[1]): file.path for file in mounted for match in _LISTENS.finditer(file.text)}
