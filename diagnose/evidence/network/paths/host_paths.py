"""The way of packets that the host itself sends to its containers.

docker-proxy and local clients send them.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.firewall.flow import Flow, Obstacle, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.registry import evidence

__all__ = ["HostPath", "HostPaths", "Obstacle", "host_paths"]

_LOOPBACK = "127.0.0.1"


class HostPath(msgspec.Struct, frozen=True):
    """A connection of the host to a published port, at the container's own address."""

    container: Container
    network: Network
    address: str
    port: int
    trace: Trace


class HostPaths(Items[HostPath], frozen=True):
    """The traced connections from the host, one for each network with a published TCP port."""

    why_none: str = ""
    """The reason why no path was traced; "" if one was."""
    published: tuple[HostPath, ...] = ()
    """Likewise, to the published port at the host's own address."""
    loopback: tuple[HostPath, ...] = ()
    """Likewise, to 127.0.0.1."""


@evidence
def host_paths(
    host_stack: HostStack, containers: Containers, networks: Networks, walked: WalkedHost
) -> HostPaths:
    """The traced connections of the host to one container of each network.

    The rules for the host's own packets seldom distinguish containers of one network.
    """
    if walked.why_not_inside:
        return HostPaths((), why_none=walked.why_not_inside)
    preferred = walked.uplinks.preferred
    host_address = preferred.address if preferred is not None else None
    direct: list[HostPath] = []
    published: list[HostPath] = []
    loopback: list[HostPath] = []
    for walk in _walks(host_stack.stack, containers, networks):
        direct.append(walk.to(walk.address, walk.container.published_tcp_ports[0]))
        local_port = _published_locally(walk.container)
        if local_port:
            loopback.append(walk.to(_LOOPBACK, local_port))
        host_port = _published_everywhere(walk.container)
        if host_address is not None and host_port:
            published.append(walk.to(host_address, host_port))
    return HostPaths(tuple(direct), published=tuple(published), loopback=tuple(loopback))


class _HostConnections(msgspec.Struct, frozen=True):
    """Connections of the host that lead to one container."""

    stack: NetworkStack
    container: Container
    network: Network
    address: str
    """The container's address on that network."""

    def to(self, address: str, port: int) -> HostPath:
        traced = trace(self.stack, Flow(Origin(), address, "tcp", port))
        return HostPath(self.container, self.network, address, port, traced)


def _walks(
    stack: NetworkStack, containers: Containers, networks: Networks
) -> Iterator[_HostConnections]:
    """To the first container of each bridge network that publishes a TCP port."""
    seen: set[str] = set()
    for container in containers.running:
        if not container.published_tcp_ports:
            continue
        for network, endpoint in networks.bridge_places_of(container):
            if network.name not in seen:
                seen.add(network.name)
                yield _HostConnections(stack, container, network, endpoint.ip_address)


def _published_locally(container: Container) -> int:
    """A TCP port that the host reaches at 127.0.0.1, one for the host alone first; 0 if none."""
    published = list(container.published_by("tcp"))
    for_loopback = [port.host_port for port in published if port.host_ip == _LOOPBACK]
    everywhere = [port.host_port for port in published if port.host_ip in EVERYWHERE]
    return min(for_loopback or everywhere, default=0)


def _published_everywhere(container: Container) -> int:
    """A TCP port of the host that the container publishes on all addresses; 0 if there is none."""
    published = container.published_by("tcp")
    return min((port.host_port for port in published if port.host_ip in EVERYWHERE), default=0)
