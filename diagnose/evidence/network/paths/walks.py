"""Starting points of traces for containers' packets, and a trace as the packet filter's verdict.

Routes are judged elsewhere.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.connection_verdict import ConnectionVerdict
from diagnose.firewall.flow import Part, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.packet import Family

SOMEWHERE6 = "2600:1f18::1"
"""The IPv6 peer of no particular kind."""


class Attached(NamedTuple):
    """A container with a network that it is on, and its place there."""

    container: Container
    network: Network
    endpoint: NetworkEndpoint


def leads_out(network: Network) -> bool:
    """Whether a network's traffic should cross the host.

    A bridge that is neither internal nor cut off by its own options.
    """
    mode = network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat")
    return network.is_bridge and not network.internal and mode != "isolated"


def places(containers: Containers, networks: Networks, family: Family) -> list[Attached]:
    """The places of running containers on networks that lead out, with an address of the family.

    On a network where all containers are between two runs, a container has the address that it may
    get: what keeps them from the outside may be why they end.
    """
    attached = [
        Attached(container, network, endpoint)
        for container in containers.running
        for network, endpoint in networks.places_of(container)
        if address_of(endpoint, family) and leads_out(network)
    ]
    return attached + (_between_runs(containers, networks, attached) if family == "ip" else [])


def _between_runs(
    containers: Containers, networks: Networks, attached: Sequence[Attached]
) -> list[Attached]:
    """The places of containers that are about to be restarted, on networks without another one."""
    networks_seen = {place.network.name for place in attached}
    places: list[Attached] = []
    for container in containers:
        if container.state.status != "restarting":
            continue
        for network, endpoint in networks.places_of(container):
            is_taken = network.name in networks_seen
            if not is_taken and leads_out(network) and _has_room(network):
                address = str(network.subnets[0][-2])
                expected = replace(endpoint, ip_address=address)
                places.append(Attached(container, network, expected))
    return places


_FEW = 4
"""Addresses of a subnet that has room for a gateway and one container."""


def _has_room(network: Network) -> bool:
    """Whether the first subnet of a network has an IPv4 address for one more container."""
    if not network.subnets:
        return False
    subnet = network.subnets[0]
    return subnet.version == 4 and subnet.num_addresses > _FEW


def address_of(endpoint: NetworkEndpoint, family: Family) -> str:
    """A container's address on one network; empty without one of the family."""
    return endpoint.ip_address if family == "ip" else endpoint.global_ipv6_address


def ordinary_peer(family: Family) -> str:
    """The address of a peer of no particular kind."""
    return SOMEWHERE if family == "ip" else SOMEWHERE6


class Walks:
    """The network stack and the uplink of all traces."""

    def __init__(self, stack: NetworkStack, uplink: Uplink) -> None:
        self.stack = stack
        self.uplink = uplink

    def leads_out(self, family: Family) -> bool:
        """Whether the host itself has a way to an ordinary peer."""
        return self.stack.routing.look_up(ordinary_peer(family)).kind == "unicast"

    def outward(self, network: Network, address: str, family: Family) -> Uplink:
        """The interface by which the kernel sends a network's packets to an ordinary peer.

        The uplink where no route is known, or none exists.
        """
        peer = ordinary_peer(family)
        decision = self.stack.routing.look_up(peer, address, network.bridge)
        name = decision.oif if decision.kind == "unicast" else ""
        if not name or name == self.uplink.name:
            return self.uplink
        return Uplink(name, self.stack.address_on(name, family))


def is_decided(verdict: ConnectionVerdict) -> bool:
    """Whether the verdict and the translation depend on nothing unknown."""
    return verdict.outcome != "unknown" and not verdict.nat_unknown


def leaves_by_another_interface(traced: Trace, part: Part, bridges: Collection[str]) -> bool:
    """Whether a route led a container's packets to another interface than its bridge.

    Docker's rules are about the bridge, so that the policy drops these packets; the route is to
    blame.
    """
    obstacle = traced.obstacle
    if obstacle is None or obstacle.part != part or obstacle.hook != "forward":
        return False
    interfaces = [
        stage.verdict.packet.oif
        for stage in traced.stages
        if stage.part == part and stage.hook == "forward"
    ]
    return bool(interfaces) and interfaces[-1] not in bridges


def verdict_of(traced: Trace, *, nat: bool = False) -> ConnectionVerdict:
    """A trace as the packet filter's verdict.

    nat: with the translation of the source, not that of the destination.
    """
    translation = traced.snat if nat else traced.nat
    obstacle = traced.obstacle
    if obstacle is None:
        return ConnectionVerdict(
            traced.outcome, translation, traced.nat_unknown, nat_by=traced.nat_by
        )
    return ConnectionVerdict(
        traced.outcome,
        nat=translation,
        nat_unknown=traced.nat_unknown,
        by=obstacle.by,
        hook=obstacle.hook,
        part=obstacle.part,
        reason=obstacle.reason,
    )
