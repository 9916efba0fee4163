"""Interfaces that belong to the engine, and settings of other programs on them."""

import ipaddress
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import GATEWAY_BRIDGE, Network, Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Subject
from diagnose.registry import evidence

_VETH = LazyPattern(r"veth[0-9a-f]{7}")
"""The engine's names for the host's end of a veth pair (libnetwork, `netutils.GenerateIfaceName`):
20.10 to 29."""
_HALF = 1
"""Prefix length of half of the address space: VPNs replace a default route by two such routes."""


class DockerInterface(msgspec.Struct, frozen=True):
    """An interface of the host that belongs to a network of the engine."""

    link: Interface
    network: Network | None
    """None for a bridge that no listed network owns."""
    port_of: str = ""
    """The bridge's name where the interface is the host's end of a veth pair."""
    addresses: tuple[str, ...] = ()
    """Those that the engine did not set, with their prefixes."""
    defaults: tuple[Route, ...] = ()
    """The default routes by this interface, of which the engine sets none."""
    wins: bool = False
    """Whether the host sends what has no better route by this interface."""

    @property
    def subject(self) -> Subject:
        return self.link.subject

    @property
    def is_taken(self) -> bool:
        """Whether another program configured it."""
        return bool(self.addresses or self.defaults)


class DockerInterfaces(msgspec.Struct, frozen=True):
    """Interfaces of the host that belong to the engine's networks."""

    names: frozenset[str]
    """The engine's bridges and the host's ends of its veth pairs."""
    taken: tuple[DockerInterface, ...] = ()
    """The interfaces of the engine that another program configured."""

    def __iter__(self) -> Iterator[DockerInterface]:
        return iter(self.taken)

    def __len__(self) -> int:
        return len(self.taken)


@evidence
def docker_interfaces(links: Interfaces, routes: Routes, networks: Networks) -> DockerInterfaces:
    """Interfaces of the host that belong to an engine's networks.

    A bridge that also has a port of another kind may be the host's own uplink bridge, so it is
    left out.
    """
    defaults = [route for route in routes if _is_default(route)]
    winner = _winner(defaults)
    ours = []
    for interface in _interfaces_of_networks(links, networks):
        own_defaults = tuple(route for route in defaults if route.oif == interface.link.index)
        set_by_others = tuple(_foreign_addresses(interface, links))
        wins = any(route is winner for route in own_defaults)
        ours.append(replace(interface, addresses=set_by_others, defaults=own_defaults, wins=wins))
    names = frozenset(interface.link.name for interface in ours)
    return DockerInterfaces(names, tuple(interface for interface in ours if interface.is_taken))


def _foreign_addresses(interface: DockerInterface, links: Interfaces) -> Iterator[str]:
    """The addresses that the engine did not set, with their prefixes."""
    for address in links.addresses:
        is_own = address.index == interface.link.index
        is_port = bool(interface.port_of)
        if is_own and _is_foreign(address, interface.network, is_port=is_port):
            yield f"{address.address}/{address.prefix}"


def _interfaces_of_networks(links: Interfaces, networks: Networks) -> Iterator[DockerInterface]:
    """The bridges that have veth ports alone, and these ports."""
    by_bridge = {network.bridge: network for network in networks.bridges}
    for link in links:
        is_ours = link.name in by_bridge or link.name == GATEWAY_BRIDGE
        if link.kind != "bridge" or not is_ours:
            continue
        ports = links.ports(link)
        if all(_VETH.fullmatch(port.name) for port in ports):
            network = by_bridge.get(link.name)
            yield DockerInterface(link, network)
            yield from (DockerInterface(port, network, link.name) for port in ports)


def _is_default(route: Route) -> bool:
    return route.prefix <= _HALF and route.leads_somewhere and route.family == "inet"


def _winner(defaults: Sequence[Route]) -> Route | None:
    """The route that the host takes where no better one fits.

    Halves of the address space win over a default route.
    """
    return min(defaults, key=lambda route: (-route.prefix, route.metric), default=None)


def _is_foreign(address: Address, network: Network | None, *, is_port: bool) -> bool:
    """Whether the engine did not set this IPv4 address.

    It sets none on a port, and one of its subnets on a bridge.
    """
    if address.family != "inet" or not address.address:
        return False
    if is_port:
        return True
    if network is None or not network.subnets:
        return False
    return not any(ipaddress.ip_address(address.address) in subnet for subnet in network.subnets)
