"""WireGuard interfaces whose packets, with the tunnel's header, are too large for their carrier."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.registry import evidence

_HEADER = 60
_HEADER6 = 80
"""Bytes that WireGuard adds to each packet over IPv4, and over IPv6, which wg-quick takes off."""
_LEAST = 1280
"""The smallest MTU with which IPv6 works."""


class TunnelSize(msgspec.Struct, frozen=True):
    """A tunnel that takes larger packets than its carrier has room for."""

    container: Container | None
    """The container of the network; None for the host's."""
    name: str
    mtu: int
    carrier: str
    """The interface by which the tunnel's own packets leave."""
    carrier_mtu: int

    @property
    def fitting(self) -> int:
        """The size that wg-quick would have chosen."""
        return max(self.carrier_mtu - _HEADER6, _LEAST)


class TunnelSizes(Items[TunnelSize], frozen=True):
    """The tunnels, those of the host first."""


@evidence
def tunnel_sizes(
    links: Interfaces, uplinks: Uplinks | None, namespaces: Namespaces | None
) -> TunnelSizes:
    """The tunnels with too large packets, by the kernel's kind of the interface.

    For a user-space program in its place, by the name that wg-quick gives.
    """
    uplink = uplinks.preferred if uplinks is not None else None
    carrier = links.by_name.get(uplink.name) if uplink is not None else None
    too_large = list(_too_large(None, list(links), carrier))
    for netns in namespaces or ():
        too_large += _too_large(netns.container, netns.links, _carrier_inside(netns))
    return TunnelSizes(tuple(too_large))


def _carrier_inside(netns: ContainerNetns) -> Interface | None:
    """The container's interface on the first network of the engine that it has one on."""
    ends = netns.container.endpoints.values()
    links_at_ends = (netns.link_with(end.ip_address) for end in ends if end.ip_address)
    return next((link for link in links_at_ends if link is not None), None)


def _too_large(
    container: Container | None, links: Sequence[Interface], carrier: Interface | None
) -> Iterator[TunnelSize]:
    if carrier is None or not carrier.mtu or _is_tunnel(carrier):
        return
    for link in links:
        if _is_tunnel(link) and link.up and link.mtu > carrier.mtu - _HEADER:
            yield TunnelSize(container, link.name, link.mtu, carrier.name, carrier.mtu)


def _is_tunnel(link: Interface) -> bool:
    """Whether an interface is WireGuard: the kernel's own, or a program's behind a tun device."""
    return link.kind == "wireguard" or (link.kind == "tun" and link.name.startswith("wg"))
