"""A network beside the routes of the host: which of them overlap it, and take addresses. Pure."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Subnet, is_within
from diagnose.evidence.network.routes import MAIN_TABLE, Route
from diagnose.evidence.network.subnets.described_routes import DescribedRoutes
from diagnose.model import PageVariables

NOWHERE = ("blackhole", "unreachable", "prohibit")
"""Types of routes that reject or drop packets on purpose."""
_LEAST_CALLS = 2
_DNS = 53


class NetworkBesideRoutes(msgspec.Struct, frozen=True, dict=True):
    """A network with its running containers, beside the routes of the host."""

    network: Network
    members: tuple[Container, ...]
    bridge: Interface | None
    """The network's bridge; None where the interface is not known."""
    leads_out: bool
    """Whether the host's uplink is a port of the bridge."""
    routes: DescribedRoutes

    @functools.cached_property
    def clashing(self) -> dict[Subnet, list[Route]]:
        """The routes in each subnet that lead elsewhere than to the network's bridge, by subnet.

        Only routes of the subnet's family, without default routes.
        """
        return {subnet: self._clashing_routes(subnet) for subnet in self.network.subnets}

    def _clashing_routes(self, subnet: Subnet) -> list[Route]:
        family = "inet" if subnet.version == 4 else "inet6"
        own_bridge = None if self.bridge is None else self.bridge.index
        away = (
            route for route in self.routes.routes if _leads_on(route) and route.oif != own_bridge
        )
        return [route for route in away if route.family == family and route.net.overlaps(subnet)]

    def all_captures(self) -> Iterator[Capture]:
        """The captures of all subnets of the network."""
        for subnet in self.network.subnets:
            yield from self.captures(subnet)

    def captures(self, subnet: Subnet) -> Iterator[Capture]:
        """The routes that are more specific than the network's own, and take a container's address.

        Also those that lead nowhere.
        """
        clashing = {id(route) for route in self.clashing[subnet]}
        for route in self.routes.routes:
            if route.table != MAIN_TABLE or route.prefix <= subnet.prefixlen:
                continue
            leads_away = route.type in NOWHERE or id(route) in clashing
            victims = self.members_in(route.net) if leads_away else []
            if victims:
                yield Capture(subnet, route, victims)

    def members_in(self, subnet: Subnet) -> list[Container]:
        """The containers whose address on the network lies in a subnet."""
        return [member for member in self.members if is_within(self.address(member), subnet)]

    def overlaps(self, captures: Sequence[Capture]) -> Iterator[tuple[Subnet, list[Route]]]:
        """Each subnet with the routes that overlap it without capturing an address."""
        capturing = {id(capture.route) for capture in captures}
        for subnet, clashing in self.clashing.items():
            yield subnet, [route for route in clashing if id(route) not in capturing]

    def hidden_servers(
        self, subnet: Subnet, servers: Sequence[str], namespaces: Namespaces | None
    ) -> list[str]:
        """The servers in a subnet, to which the host has no way but the bridge.

        One that is a container of the network is where it belongs, unless that container certainly
        takes no queries: then it was given the address of a server outside.
        """
        if self.leads_out:
            return []
        own_addresses = {
            self.address(member) for member in self.members if _may_be_asked(member, namespaces)
        }
        return [
            server
            for server in servers
            if is_within(server, subnet) and server not in own_addresses
        ]

    def subnet_of(self, address: str) -> Subnet:
        """The subnet of the network that holds an address."""
        return next(subnet for subnet in self.network.subnets if is_within(address, subnet))

    def address(self, member: Container) -> str:
        """The address that a container has on the network."""
        return member.endpoints[self.network.name].ip_address

    def replacement_of(self, subnet: Subnet) -> PageVariables:
        """The free subnet to which the page moves this network, as page variables.

        The default network cannot be removed, only configured by `bip` and `fixed-cidr-v6`. Private
        IPv6 addresses begin with digits that nobody else has chosen (RFC 4193): those of the
        network's own id.
        """
        if subnet.version == 4:
            free = ipaddress.ip_network(self.routes.free_subnet)
            default = {"bip": f"{free[1]}/{free.prefixlen}"}
        else:
            digits = self.network.id[:10].ljust(10, "0")
            free = ipaddress.ip_network(f"fd{digits[:2]}:{digits[2:6]}:{digits[6:]}::/64")
            default = {"prefix": str(free)}
        if self.network.name == DEFAULT_NETWORK:
            return default
        return {"network": self.network.name, "free": str(free)}


def _may_be_asked(member: Container, namespaces: Namespaces | None) -> bool:
    netns = namespaces.of(member) if namespaces is not None else None
    return netns is None or bool(netns.sockets("udp", _DNS))


def _leads_on(route: Route) -> bool:
    """Whether a route leads somewhere, and is neither a default route nor half of one."""
    return route.leads_somewhere and route.prefix > 1


class Capture(msgspec.Struct, frozen=True):
    """A route that takes the packets for containers of a subnet."""

    subnet: Subnet
    route: Route
    victims: list[Container]


def calls_into(
    network: Network, failing_calls: FailingCalls | None, containers: Containers | None
) -> list[FailingCall]:
    """Calls to addresses of a subnet that no container has, and no gateway.

    Calls from the network itself count where the address was given to no container before.
    """
    if failing_calls is None or containers is None:
        return []
    name = network.name
    lost = [call for call in failing_calls if call.network.name == name and not call.refused]
    astray = [call for call in lost if call.is_outside or name not in call.container.endpoints]
    return [
        call
        for call in astray
        if call.times >= _LEAST_CALLS and (name, call.address) not in containers.by_place
    ]
