"""The way of packets that the host itself sends to its containers.

docker-proxy and local clients send them.
"""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.packet_paths import not_walked
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Obstacle, Origin, Trace
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
    """One connection for each network with a published TCP port."""

    why_none: str = ""
    """Why none was walked, if that is so."""
    published: tuple[HostPath, ...] = ()
    """Likewise, to the published port at the host's own address."""
    loopback: tuple[HostPath, ...] = ()
    """Likewise, to 127.0.0.1."""


@evidence
def host_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    ping: Ping | None,
    info: Info | None,
) -> HostPaths:
    """The rules for what the host sends seldom tell containers of one network apart.

    The first one stands for all.
    """
    why_none = not_walked(ping, info, uplinks)
    if why_none and len(uplinks):
        return HostPaths((), why_none=why_none)
    by_container: dict[str, HostPath] = {}
    published: dict[str, HostPath] = {}
    loopback: dict[str, HostPath] = {}
    own = uplinks.items[0].address if len(uplinks) else None
    for container in containers.running:
        ports = container.published_tcp_ports
        for name, endpoint in container.endpoints.items():
            network = networks.by_name.get(name)
            if (
                not ports
                or name in by_container
                or network is None
                or not network.is_bridge
                or not endpoint.ip_address
            ):
                continue
            traced = trace(host_stack.stack, Flow(Origin(), endpoint.ip_address, "tcp", ports[0]))
            by_container[name] = HostPath(container, network, endpoint.ip_address, ports[0], traced)
            local_port = _published_locally(container)
            if local_port:
                traced = trace(host_stack.stack, Flow(Origin(), _LOOPBACK, "tcp", local_port))
                loopback[name] = HostPath(container, network, _LOOPBACK, local_port, traced)
            host_port = _published_everywhere(container)
            if own is not None and host_port:
                traced = trace(host_stack.stack, Flow(Origin(), own, "tcp", host_port))
                published[name] = HostPath(container, network, own, host_port, traced)
    return HostPaths(
        tuple(by_container.values()),
        published=tuple(published.values()),
        loopback=tuple(loopback.values()),
    )


def _published_locally(container: Container) -> int:
    """A TCP port that the host reaches at 127.0.0.1, one for the host alone first; 0 if none."""
    published = list(container.published_by("tcp"))
    alone = [port for port, binding in published if binding.host_ip == _LOOPBACK]
    everywhere = [port for port, binding in published if binding.host_ip in EVERYWHERE]
    return min(alone or everywhere, default=0)


def _published_everywhere(container: Container) -> int:
    """A TCP port of the host that the container publishes on all addresses; 0 if there is none."""
    published = container.published_by("tcp")
    return min((port for port, binding in published if binding.host_ip in EVERYWHERE), default=0)
