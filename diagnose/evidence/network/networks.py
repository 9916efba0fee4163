"""The engine's networks: subnets, bridges, options."""

import functools
import ipaddress

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.images import ListNetworks, Network
from diagnose.questions.network import Subnet
from diagnose.registry import evidence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
__all__ = [
    "DEFAULT_NETWORK",
    "GATEWAY_BRIDGE",
    "Address",
    "Network",
    "Networks",
    "Subnet",
    "is_within",
    "networks",
]

DEFAULT_NETWORK = "bridge"
"""The network that the engine creates itself: it cannot be removed, and resolves no names."""
GATEWAY_BRIDGE = "docker_gwbridge"
"""The network by which containers of overlay networks reach the outside. No container lists it."""


def is_within(address: str, subnet: Subnet) -> bool:
    """Whether a subnet holds an address; false for a text that is none, such as ""."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in subnet
    except ValueError:
        return False


class Networks(Items[Network], frozen=True, dict=True):
    """All networks of the engine."""

    @functools.cached_property
    def by_name(self) -> dict[str, Network]:
        return {network.name: network for network in self.items}

    @property
    def bridges(self) -> tuple[Network, ...]:
        return tuple(network for network in self.items if network.is_bridge)

    def of(self, container: Container) -> list[Network]:
        """The networks of a container that the engine lists, by name."""
        by_name = self.by_name
        return [by_name[name] for name in sorted(container.endpoints) if name in by_name]

    def places_of(self, container: Container) -> list[tuple[Network, NetworkEndpoint]]:
        """The networks of a container that the engine lists, each with the container's end."""
        by_name = self.by_name
        endpoints = container.endpoints
        return [(by_name[name], end) for name, end in endpoints.items() if name in by_name]

    def bridge_places_of(self, container: Container) -> list[tuple[Network, NetworkEndpoint]]:
        """The bridge networks on which a container has an IPv4 address."""
        places = self.places_of(container)
        return [(network, end) for network, end in places if network.is_bridge and end.ip_address]

    def internal_of(self, container: Container) -> tuple[Network, ...]:
        """The networks of a container that is on internal ones only; none of any other."""
        attached = [self.by_name.get(name) for name in container.endpoints]
        internal = tuple(
            network for network in attached if network is not None and network.internal
        )
        return internal if len(internal) == len(attached) else ()

    def bridge_of(self, address: Address) -> Network | None:
        """The bridge network whose subnet holds an address."""
        for network in self.bridges:
            if any(address in subnet for subnet in network.subnets):
                return network
        return None


@evidence
def networks(host: Host) -> Networks | Unavailable:
    """The networks of the engine, without containers, which the containers' own inspect names."""
    answer = host.require(ListNetworks())
    return Networks(tuple(sorted(answer, key=lambda network: network.name)))
