"""Interfaces that belong to the engine, and what another program configured on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Subject
from diagnose.registry import evidence

_VETH = LazyPattern(r"veth[0-9a-f]{7}")
"""How the engine names the host's end of a veth pair (libnetwork, `netutils.GenerateIfaceName`):
20.10 to 29."""
_GATEWAY_BRIDGE = "docker_gwbridge"
_HALF = 1
"""Prefix length of half of the address space: VPNs replace a default route by two such routes."""


class TakenInterface(msgspec.Struct, frozen=True):
    """One of the engine's interfaces with addresses or default routes that the engine did not set.

    network: the network that the bridge belongs to; None for a bridge that no listed network owns.
    port_of: the bridge's name where the interface is the host's end of a veth pair.
    wins: whether the host sends what has no better route by this interface.
    """

    link: Interface
    network: Network | None
    port_of: str
    addresses: tuple[str, ...]
    defaults: tuple[Route, ...]
    wins: bool

    @property
    def subject(self) -> Subject:
        return self.link.subject


class DockerInterfaces(msgspec.Struct, frozen=True):
    """names: the engine's bridges and the host's ends of its veth pairs.

    taken: those that another program configured.
    """

    names: frozenset[str]
    taken: tuple[TakenInterface, ...] = ()

    def __iter__(self) -> Iterator[TakenInterface]:
        return iter(self.taken)

    def __len__(self) -> int:
        return len(self.taken)


@evidence
def docker_interfaces(links: Interfaces, routes: Routes, networks: Networks) -> DockerInterfaces:
    """Interfaces of the host that belong to an engine's networks.

    A bridge that also has a port of another kind may be the host's own uplink bridge, so it is
    left out.
    """
    by_bridge = {network.bridge: network for network in networks.bridges}
    owners: dict[int, Network | None] = {}
    ports: dict[int, str] = {}
    for link in links:
        is_ours = link.kind == "bridge" and (link.name in by_bridge or link.name == _GATEWAY_BRIDGE)
        attached = links.ports(link)
        if not is_ours or not all(_VETH.fullmatch(port.name) for port in attached):
            continue
        owners[link.index] = by_bridge.get(link.name)
        for port in attached:
            owners[port.index] = by_bridge.get(link.name)
            ports[port.index] = link.name
    winner = _winner(routes)
    taken = []
    for index, network in owners.items():
        link = links.by_index[index]
        foreign = tuple(
            f"{address.address}/{address.prefix}"
            for address in links.addresses
            if address.index == index and _is_foreign(address, network, is_port=index in ports)
        )
        defaults = tuple(route for route in routes if route.oif == index and _is_default(route))
        if foreign or defaults:
            wins = any(route is winner for route in defaults)
            taken.append(
                TakenInterface(link, network, ports.get(index, ""), foreign, defaults, wins)
            )
    return DockerInterfaces(frozenset(links.by_index[index].name for index in owners), tuple(taken))


def _is_default(route: Route) -> bool:
    return route.prefix <= _HALF and route.leads_somewhere and route.family == "inet"


def _winner(routes: Routes) -> Route | None:
    """The route that the host takes where no better one fits.

    Halves of the address space win over a default route.
    """
    candidates = [route for route in routes if _is_default(route)]
    return min(candidates, key=lambda route: (-route.prefix, route.metric), default=None)


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
