"""Networks that only a container on this host reaches, through a tunnel of its own. Pure."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_address

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.mappings import only

_WIDEST = 8
"""The prefix of a route from which on it does not lead to the whole internet."""


class WayThroughContainer(msgspec.Struct, frozen=True):
    """A route inside a container that leads to an address through the container's tunnel."""

    container: Container
    subnet: str
    """The network behind the tunnel: 192.168.254.0/24."""
    tunnel: str

    def address_for(self, caller: Container) -> str:
        """The container's address by which the caller's packets get to it; "" for none known.

        The host itself reaches each of its addresses, and a container those of a common network.
        """
        ends = self.container.endpoints
        names = ends if caller.shares_host_network else caller.shared_networks(self.container)
        addresses = [ends[name].ip_address for name in sorted(names) if ends[name].ip_address]
        return addresses[0] if addresses else ""


def way_through_container(
    address: str, caller: Container, namespaces: Iterable[ContainerNetns]
) -> WayThroughContainer | None:
    """The only container whose tunnel leads to an address; None for none, several, or the
    caller itself. namespaces: those with a tunnel."""
    called = ip_address(address)
    if not isinstance(called, IPv4Address):
        return None
    others = (netns for netns in namespaces if netns.container.id != caller.id)
    return only([way for netns in others for way in _ways(netns, called)])


def _ways(netns: ContainerNetns, called: IPv4Address) -> Iterator[WayThroughContainer]:
    """The narrowest route of a namespace to the address, if it leads into a tunnel."""
    tunnels = {tunnel.index: tunnel.name for tunnel in netns.tunnels}
    leading = [
        route
        for route in netns.routes
        if route.prefix >= _WIDEST and route.leads_somewhere and called in route.net
    ]
    narrowest = max(leading, key=lambda route: route.prefix, default=None)
    if narrowest is not None and narrowest.oif in tunnels:
        subnet = f"{narrowest.dst}/{narrowest.prefix}"
        yield WayThroughContainer(netns.container, subnet, tunnels[narrowest.oif])
