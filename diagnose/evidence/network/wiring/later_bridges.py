"""Networks and their bridges once more, where the first lists do not fit together."""

import msgspec

from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.images import ListNetworks
from diagnose.questions.network import ListAddresses, ListInterfaces, ListRoutes
from diagnose.registry import evidence

_OF_ENGINE = LazyPattern(r"br-[0-9a-f]{12}")
"""The name of a bridge that the engine has named."""


class LaterBridges(msgspec.Struct, frozen=True):
    """Second lists of the first ones' sources, while a network came or went."""

    links: Interfaces
    routes: Routes
    networks: Networks
    """The networks, read last: one of both lists existed all the time between them."""

    def has(self, network: Network) -> bool:
        """Whether this very network is still there."""
        return any(network.id == other.id for other in self.networks)


@evidence
def later_bridges(
    host: Host,
    networks: Networks,
    links: Interfaces,
    routes: Routes | None,
    ping: Ping | None,
    info: Info | None,
) -> LaterBridges | Unavailable:
    """The second lists of networks and bridges, where the first ones do not fit together.

    Four more lists. Podman and rootless engines have their bridges elsewhere.
    """
    is_podman = ping is not None and ping.is_podman
    is_rootless = info is not None and info.is_rootless
    if is_podman or is_rootless or _are_consistent(networks, links, routes):
        return Unavailable("missing", "networks and bridges were listed once: they fit together")
    if spare_bridges(networks, links):
        # the engine creates a bridge before it lists the network, and removes it afterwards
        host.ask(ListNetworks(round="settled"))
    later_links = host.require(ListInterfaces(round="later"))
    addresses = host.require(ListAddresses(round="later"))
    later_routes = host.require(ListRoutes(round="later"))
    later_networks = host.require(ListNetworks(round="later"))
    return LaterBridges(
        Interfaces(tuple(later_links), tuple(addresses)),
        Routes(tuple(later_routes)),
        Networks(tuple(later_networks)),
    )


def _are_consistent(networks: Networks, links: Interfaces, routes: Routes | None) -> bool:
    are_whole = all(_is_whole(network, links, routes) for network in networks.bridges)
    return are_whole and not spare_bridges(networks, links)


def spare_bridges(networks: Networks, links: Interfaces) -> list[Interface]:
    """The engine's bridges that no network has and that nothing is attached to.

    Those of a second engine have its containers.
    """
    bridges = {network.bridge for network in networks}
    unknown = [link for link in links if link.kind == "bridge" and link.name not in bridges]
    return [link for link in unknown if _OF_ENGINE.fullmatch(link.name) and not links.ports(link)]


def _is_whole(network: Network, links: Interfaces, routes: Routes | None) -> bool:
    """Whether a network's bridge is up, and has its addresses and the routes to its subnets."""
    link = links.by_name.get(network.bridge)
    if link is None or not link.up:
        return False
    if not network.bridge_has_address:
        return True
    led = {route.net for route in routes or () if route.oif == link.index}
    has_routes = routes is None or led.issuperset(network.subnets4)
    return bool(links.addresses_of(link)) and has_routes
