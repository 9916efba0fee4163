"""The interfaces by which the host reaches the rest of the world."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

import msgspec

from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import (
    MAIN_TABLE,
    Address,
    Interface,
    ListAddresses,
    ListInterfaces,
    ListRoutes,
    Route,
)
from diagnose.registry import evidence

_OF_DOCKER = LazyPattern(r"docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7}")
"""The engine's names for its bridges and the host's ends of veth pairs: no route leads beyond them.
"""


class Uplink(msgspec.Struct, frozen=True):
    """An interface that leads to others, and the host's first global IPv4 address on it.

    The address is empty without one.
    """

    name: str
    address: str | None

    @property
    def is_public(self) -> bool:
        """Whether the address can be reached from anywhere on the internet."""
        return self.address is not None and ip_address(self.address).is_global


class Uplinks(Items[Uplink], frozen=True):
    """Interfaces with an IPv4 default route in the main table, the preferred one first.

    On a host without one, those to the nets that it is on itself. An interface of the engine never
    counts, whatever routes another program gave it.
    """

    interfaces: Mapping[int, str] = {}
    """The name of every interface by its index."""

    @property
    def preferred(self) -> Uplink | None:
        """The first one; None on a host without any."""
        return first_of(self.items, None)


def _first_addresses(addresses: Iterable[Address]) -> dict[int, str | None]:
    """The first global IPv4 address of each interface, by its index."""
    first: dict[int, str | None] = {}
    for address in addresses:
        if address.family == "inet" and address.scope == "global":
            first.setdefault(address.index, address.address)
    return first


@evidence
def uplinks(host: Host) -> Uplinks | Unavailable:
    """The uplinks of the host, by three netlink dumps, which need no privilege."""
    interfaces = host.require(ListInterfaces())
    addresses = host.require(ListAddresses())
    routes = host.require(ListRoutes())
    names = {interface.index: interface.name for interface in interfaces}
    first = _first_addresses(addresses)
    indices = _default_route_interfaces(routes, names)
    if not indices:
        on_a_net = (interface for interface in interfaces if interface.index in first)
        indices = [interface.index for interface in on_a_net if _leads_to_others(interface)]
    return Uplinks(tuple(Uplink(names[index], first.get(index)) for index in indices), names)


def _default_route_interfaces(routes: Iterable[Route], names: Mapping[int, str]) -> list[int]:
    """The indices of the interfaces of the main table's default routes, the preferred one first."""
    defaults = [
        (route.metric, route.oif)
        for route in routes
        if (route.family, route.table, route.prefix, route.type)
        == ("inet", MAIN_TABLE, 0, "unicast")
        if route.oif is not None
        and route.oif in names
        and not _OF_DOCKER.fullmatch(names[route.oif])
    ]
    return list(
        dict.fromkeys(index for _, index in sorted(defaults, key=lambda default: default[0]))
    )


def _leads_to_others(interface: Interface) -> bool:
    """Whether an interface leads to others.

    It is not the loopback, no bridge, and no end of a pair whose other end is in a container.
    """
    is_inner = (
        interface.name == "lo" or interface.kind == "bridge" or interface.link_netnsid is not None
    )
    return not is_inner and not _OF_DOCKER.fullmatch(interface.name)
