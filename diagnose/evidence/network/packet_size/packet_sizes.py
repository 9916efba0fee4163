"""Packet sizes of networks against the largest packet of the host's uplink."""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.route_lookups import RouteLookups
from diagnose.evidence.network.routes import Routes
from diagnose.mappings import only
from diagnose.registry import evidence

MTU_OPTION = "com.docker.network.driver.mtu"
_USUAL_MTU = 1500
_VXLAN_OVERHEAD = 50
"""Bytes that an overlay network adds to each packet (libnetwork, drivers/overlay, `vxlanEncap`)."""


class OversizedNetwork(msgspec.Struct, frozen=True):
    """A network whose packets are larger than the uplink carries."""

    network: Network
    size: int
    """The largest packet in bytes that its containers send."""
    overhead: int
    """Bytes that the network adds to it on the uplink."""
    members: tuple[Container, ...]
    """The running containers of the network."""


class PacketSizes(msgspec.Struct, frozen=True):
    """The largest packet of the uplink, and the networks whose packets are larger."""

    uplink: str = ""
    """The interface by which packets leave over IPv4; "" on a host without one."""
    limit: int = 0
    """The bytes that it carries."""
    oversized: tuple[OversizedNetwork, ...] = ()

    def __iter__(self) -> Iterator[OversizedNetwork]:
        return iter(self.oversized)

    def __len__(self) -> int:
        return len(self.oversized)


@evidence
def packet_sizes(
    networks: Networks,
    containers: Containers,
    routes: Routes,
    links: Interfaces,
    namespaces: Namespaces | None,
    route_lookups: RouteLookups | None = None,
) -> PacketSizes:
    """The packet sizes of networks, as seen inside their containers, else by the network's option.

    Networks without running containers are left out.
    """
    uplink = _uplink(routes, links, route_lookups)
    if uplink is None or not uplink.mtu:
        return PacketSizes()
    route = routes.default
    is_default = route is not None and route.oif == uplink.index
    limit = min(uplink.mtu, route.mtu or uplink.mtu) if route and is_default else uplink.mtu
    oversized = []
    for network in networks:
        overhead = _VXLAN_OVERHEAD if network.is_overlay else 0
        members = containers.running_on(network.name)
        if network.driver not in ("bridge", "overlay") or network.internal or not members:
            continue
        size = _size(network, members, namespaces, overhead)
        if size + overhead > limit:
            oversized.append(OversizedNetwork(network, size, overhead, members))
    return PacketSizes(uplink.name, limit, tuple(oversized))


def _uplink(routes: Routes, links: Interfaces, lookups: RouteLookups | None) -> Interface | None:
    """The interface by which containers' packets leave.

    A VPN on the host takes them by two halves of a default route, or by a table of its own, and
    leaves the default route of the main table as it was. Where networks leave by several ways, the
    default route counts.
    """
    ways = {lookup.oif for lookup in lookups.out.values()} if lookups is not None else set()
    by_default = routes.default.oif if routes.default is not None else None
    for index in (only(ways), by_default):
        uplink = links.by_index.get(index or 0)
        if uplink is not None:
            return uplink
    return None


def _sizes_inside(
    network: Network, members: Iterable[Container], namespaces: Namespaces
) -> Iterator[int]:
    """The packet size of each container's own interface on the network."""
    for container in members:
        netns = namespaces.of(container)
        address = container.endpoints[network.name].ip_address
        link = netns.link_with(address) if netns is not None else None
        if link is not None:
            yield link.mtu


def _size(
    network: Network, members: tuple[Container, ...], namespaces: Namespaces | None, overhead: int
) -> int:
    """The largest packet in bytes that containers of the network send."""
    sizes_inside = (
        list(_sizes_inside(network, members, namespaces)) if namespaces is not None else []
    )
    if sizes_inside:
        return max(sizes_inside)
    option = network.option(MTU_OPTION, str(_USUAL_MTU))
    return (int(option) if option.isdigit() else _USUAL_MTU) - overhead
