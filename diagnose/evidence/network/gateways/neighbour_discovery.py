"""Neighbour discovery of IPv6: on networks whose containers use it, and on their uplink."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import SOMEWHERE6, leads_out
from diagnose.firewall.neighbours import (
    NeighbourPair,
    Undelivered,
    between_host_and_peer,
    between_peers,
)
from diagnose.firewall.network_stack import NetworkStack
from diagnose.model import Coverage
from diagnose.registry import evidence

Place = Literal["network", "containers", "uplink"]
"""Between the host and the containers of a network, between these containers, or between the host
and its router."""


class NeighbourLink(msgspec.Struct, frozen=True):
    """Two neighbours that need each other's hardware address, and the packets lost between them."""

    place: Place
    device: str
    network: Network | None
    """The network of the link; None for an uplink."""
    members: tuple[Container, ...]
    """The running containers that use IPv6 there, or by this uplink."""
    lost: tuple[Undelivered, ...]
    """In the order of the exchange; empty where nothing is lost."""


class NeighbourDiscovery(Items[NeighbourLink], frozen=True):
    """The links that were judged."""

    why_none: str = ""
    """The reason why no link was judged; "" if one was."""

    @property
    def coverage(self) -> Coverage:
        """The number of judged links, for the report."""
        traced = {"neighbour discovery": len(self)} if len(self) else {}
        return Coverage(traced, frozenset({"ip6"} if traced else ()), "")


@evidence
def neighbour_discovery(
    host_stack: HostStack, containers: Containers, networks: Networks, walked: WalkedHost
) -> NeighbourDiscovery:
    """The verdicts on neighbour discovery, of the first container of each network.

    Rules seldom distinguish neighbours of one network.
    """
    if walked.why_not_inside:
        return NeighbourDiscovery((), why_none=walked.why_not_inside)
    stack = host_stack.stack
    members = _members(containers, networks)
    links: list[NeighbourLink] = []
    leaving: list[Container] = []
    for name, attached in sorted(members.items()):
        network = networks.by_name[name]
        links += _links_on_network(stack, network, attached)
        if leads_out(network):
            leaving += [member.container for member in attached]
    if leaving:
        links += _links_on_uplink(stack, leaving)
    return NeighbourDiscovery(tuple(links))


class _Member(msgspec.Struct, frozen=True):
    """A running container on a bridge network with IPv6."""

    container: Container
    address: str


def _members(containers: Containers, networks: Networks) -> Mapping[str, list[_Member]]:
    """By the name of the network."""
    members: dict[str, list[_Member]] = {}
    for container in containers.running:
        for network, endpoint in networks.places_of(container):
            address = endpoint.global_ipv6_address
            if address and network.is_bridge:
                members.setdefault(network.name, []).append(_Member(container, address))
    return members


def _links_on_network(
    stack: NetworkStack, network: Network, attached: list[_Member]
) -> Iterator[NeighbourLink]:
    """The pairs of a network that have to find each other: host and container, two containers."""
    members = tuple(member.container for member in attached)
    first = attached[0].address
    host_address = stack.address_on(network.bridge, "ip6", first)
    if host_address is not None and not network.internal:
        lost = between_host_and_peer(stack, NeighbourPair(network.bridge, host_address, first))
        yield NeighbourLink("network", network.bridge, network, members, tuple(lost))
    keeps_apart = network.option("com.docker.network.bridge.enable_icc") == "false"
    if len(attached) > 1 and not keeps_apart:
        lost = between_peers(stack, NeighbourPair(network.bridge, first, attached[1].address))
        yield NeighbourLink("containers", network.bridge, network, members, tuple(lost))


def _links_on_uplink(stack: NetworkStack, leaving: list[Container]) -> Iterator[NeighbourLink]:
    """The host and its router; a default route without a gateway leads into a tunnel."""
    decision = stack.routing.look_up(SOMEWHERE6)
    host_address = stack.address_on(decision.oif, "ip6") if decision.kind == "unicast" else None
    if host_address is None or not decision.gateway:
        return
    lost = between_host_and_peer(stack, NeighbourPair(decision.oif, host_address, decision.gateway))
    members = {container.id: container for container in leaving}
    yield NeighbourLink("uplink", decision.oif, None, tuple(members.values()), tuple(lost))
