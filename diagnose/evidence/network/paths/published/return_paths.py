"""Paths of the answers of published ports.

Back by the interface of the client, or by another one.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.registry import evidence

StrayWay = Literal["wrong bridge", "another uplink", "tunnel", ""]


class ReturnPath(msgspec.Struct, frozen=True):
    """A published port as a client beyond one interface calls it, and the path of the answers."""

    container: Container
    network: Network
    uplink: Uplink
    host_port: int
    port: str
    trace: Trace
    host_answers_by: str = ""
    """The interface by which a program of the host itself would answer that client."""
    answers_by: str = ""
    """The bridge of the container's own answers, where its routes lead elsewhere than to the
    request's."""

    @property
    def is_lost(self) -> bool:
        """Whether the answers certainly do not get back to the client by the way that it came."""
        lost = self.trace.lost_answer
        return lost is not None and lost.reason != "rule"

    @property
    def stray_way(self) -> StrayWay:
        """The kind of wrong way that the answers take; "" where they get back, or have no way."""
        obstacle = self.trace.obstacle
        if not self.is_lost or obstacle is None:
            return ""
        if obstacle.reason == "reverse path" and self.answers_by:
            return "wrong bridge"
        if obstacle.reason != "elsewhere":
            return ""
        if self.host_answers_by == self.uplink.name:
            return "another uplink"
        return "tunnel" if obstacle.by.chain == self.host_answers_by else ""


class ReturnPaths(Items[ReturnPath], frozen=True):
    """The way back of answers.

    It has one published port of each network and uplink, and each port of containers with several
    networks.
    """


@evidence
def return_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    walked: WalkedHost,
    namespaces: Namespaces | None,
) -> ReturnPaths:
    """The paths of answers, by calls of an ordinary client behind each outer interface."""
    if walked.why_not:
        return ReturnPaths(())
    stack = host_stack.stack
    bridges = {network.bridge for network in networks.bridges}
    outer = [
        uplink for uplink in _outer_interfaces(stack, walked.uplinks) if uplink.name not in bridges
    ]
    return ReturnPaths(tuple(_walked_paths(stack, containers, networks, outer, namespaces)))


def _outer_interfaces(stack: NetworkStack, uplinks: Uplinks) -> Iterator[Uplink]:
    """The uplinks, and each other interface by which the host answers calls to its address.

    A bridge is left out: the clients beyond it are containers.
    """
    yield from uplinks
    uplink_names = {uplink.name for uplink in uplinks}
    for device in stack.devices:
        if device.name in uplink_names or device.kind == "bridge":
            continue
        address = stack.address_on(device.name, "ip")
        if address is None or ip_address(address).is_loopback:
            continue
        answer_route = stack.routing.look_up(SOMEWHERE, address)
        if answer_route.oif == device.name:
            yield Uplink(device.name, address)


class _PublishedCall(msgspec.Struct, frozen=True):
    """The call of an ordinary client behind an interface to a published port of the host."""

    container: Container
    port: str
    """The container's port, with its protocol."""
    host_port: int
    uplink: Uplink
    address: str

    @property
    def flow(self) -> Flow:
        proto = self.port.partition("/")[2]
        return Flow(Origin(self.uplink.name, SOMEWHERE), self.address, proto, self.host_port)


def _walked_paths(
    stack: NetworkStack,
    containers: Containers,
    networks: Networks,
    outer: list[Uplink],
    namespaces: Namespaces | None,
) -> Iterator[ReturnPath]:
    """The traced paths, one for each network and interface.

    Containers with several networks have one for each port: their own routes may lead answers
    elsewhere.
    """
    walked: set[tuple[str, str]] = set()
    """The network and the interface of each path so far, by their names."""
    for container in containers.running:
        networks_by_address = _networks_by_address(container, networks)
        if not networks_by_address:
            continue
        netns = None
        if namespaces is not None and len(networks_by_address) > 1:
            netns = namespaces.of(container)
        for call in _calls(container, outer):
            interface = call.uplink.name
            pairs = {(network.name, interface) for network in networks_by_address.values()}
            if netns is None and pairs <= walked:
                continue
            path = _path(stack, call, networks_by_address, netns)
            if path is None:
                continue
            pair = (path.network.name, interface)
            if netns is not None or pair not in walked:
                walked.add(pair)
                yield path


def _path(
    stack: NetworkStack,
    call: _PublishedCall,
    networks_by_address: dict[str, Network],
    netns: ContainerNetns | None,
) -> ReturnPath | None:
    """The path of a call and of its answer; None where it does not lead to one of the networks."""
    walk = trace(stack, call.flow)
    network = networks_by_address.get(walk.nat.address or "") if walk.nat is not None else None
    if network is None:
        return None
    answers_by = _leaves_by(netns, networks_by_address) or ""
    if answers_by and answers_by != network.bridge:
        walk = trace(stack, msgspec.structs.replace(call.flow, answers_by=answers_by))
    return ReturnPath(
        container=call.container,
        network=network,
        uplink=call.uplink,
        host_port=call.host_port,
        port=call.port,
        trace=walk,
        host_answers_by=stack.routing.look_up(SOMEWHERE, call.address).oif,
        answers_by=answers_by,
    )


def _networks_by_address(container: Container, networks: Networks) -> dict[str, Network]:
    """The bridge networks of a container, by its address there."""
    places = networks.bridge_places_of(container)
    return {endpoint.ip_address: network for network, endpoint in places}


def _calls(container: Container, outer: list[Uplink]) -> Iterator[_PublishedCall]:
    """The published ports of a container, as clients behind each interface call them."""
    for published in container.published_ports:
        if not published.host_port or published.protocol not in ("tcp", "udp"):
            continue
        for uplink in outer:
            address = uplink.address
            if address is not None and published.host_ip in (*EVERYWHERE, address):
                yield _PublishedCall(
                    container, published.port, published.host_port, uplink, address
                )


def _leaves_by(netns: ContainerNetns | None, networks_by_address: dict[str, Network]) -> str | None:
    """The bridge of the network by which a container's own default route leads.

    None where that is not known.
    """
    if netns is None:
        return None
    defaults = [
        route
        for route in netns.routes
        if route.family == "inet" and not route.prefix and route.leads_somewhere
    ]
    best = min(defaults, key=lambda route: route.metric, default=None)
    if best is None:
        return None
    for address in netns.addresses:
        if address.index == best.oif and address.address in networks_by_address:
            return networks_by_address[address.address].bridge
    return None
