"""The way of packets that the host itself sends to its containers, as docker-proxy and local clients do."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.packet_paths import not_walked
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.trace import Flow, Origin, Trace, trace
from diagnose.registry import evidence


class HostPath(msgspec.Struct, frozen=True):
    """A connection of the host to a port that a container publishes, at the container's own address."""

    container: Container
    network: Network
    address: str
    port: int
    trace: Trace


class HostPaths(msgspec.Struct, frozen=True):
    """One connection for each network with a published TCP port; why_none: why none was walked, if that is so."""

    items: tuple[HostPath, ...] = ()
    why_none: str = ""

    def __iter__(self) -> Iterator[HostPath]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def host_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    ping: Ping | None,
    info: Info | None,
) -> HostPaths:
    """The rules for what the host sends seldom tell containers of one network apart: the first one stands for all."""
    why_none = not_walked(ping, info, uplinks)
    if why_none and len(uplinks):
        return HostPaths(why_none=why_none)
    found: dict[str, HostPath] = {}
    for container in containers.running:
        ports = [int(port.partition("/")[0]) for port, _ in container.published_ports if port.endswith("/tcp")]
        for name, endpoint in container.endpoints.items():
            network = networks.by_name.get(name)
            if not ports or name in found or network is None or not network.is_bridge or not endpoint.ip_address:
                continue
            traced = trace(host_stack.stack, Flow(Origin(), endpoint.ip_address, "tcp", ports[0]))
            found[name] = HostPath(container, network, endpoint.ip_address, ports[0], traced)
    return HostPaths(tuple(found.values()))
