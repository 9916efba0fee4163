"""Packet filter, routes and routing rules inside a container's own network namespace.

A VPN client in a container gives its namespace a tunnel, a default route by that tunnel and a kill
switch; fail2ban in a container writes rules there. Containers that share the namespace are subject
to all of that.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_interface
from typing import Literal

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.inner_stacks import changed_namespaces, inner_stacks
from diagnose.evidence.network.paths.walks import leads_out
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.sockets.half_open import UNCONFIRMED
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.model import Coverage, Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

MOST_PORTS = 20
"""Published ports whose waiting clients are looked for."""

Client = Literal["this host", "the local network", "other networks"]
"""The clients of a published port: the host and its docker-proxy, a neighbour of the host, or
others."""


class InnerInboundPath(msgspec.Struct, frozen=True):
    """A published port, as traced inside the container."""

    container: Container
    network: Network
    address: str
    port: str
    host_port: int
    lost: dict[Client, Trace]
    """The traces of the connections that certainly get no answer, by kind of client."""
    waiting: tuple[str, ...] = ()
    """Clients whose connections are half open."""

    @property
    def is_answered_elsewhere(self) -> bool:
        """Whether the container's own routes lead answers to clients beyond the host away.

        Where the host gets none either, and no route is left, its interface is down.
        """
        loss_on_this_host = self.lost.get("this host")
        if (
            loss_on_this_host is not None
            and loss_on_this_host.by is not None
            and not loss_on_this_host.by.chain
        ):
            return False
        beyond = [trace for client, trace in self.lost.items() if client != "this host"]
        obstacles = [trace.obstacle for trace in beyond if trace.obstacle is not None]
        return any(obstacle.is_routed_away for obstacle in obstacles)


class InnerOutboundPath(msgspec.Struct, frozen=True):
    """A wanted connection, traced in the namespace of the container that opens it."""

    owner: Container
    """The container whose network namespace it is."""
    path: WantedPath
    trace: Trace


class InnerArrival(msgspec.Struct, frozen=True):
    """A wanted connection, traced in the namespace of the container that is called."""

    owner: Container
    """The container whose network namespace it is."""
    path: WantedPath
    trace: Trace


class InnerPaths(msgspec.Struct, frozen=True):
    """The traces in namespaces of containers with rules or interfaces of their own."""

    inbound_paths: tuple[InnerInboundPath, ...] = ()
    outbound_paths: tuple[InnerOutboundPath, ...] = ()
    arrivals: tuple[InnerArrival, ...] = ()
    unread: tuple[Unexamined, ...] = ()
    """Containers whose namespace could not be read."""

    def __len__(self) -> int:
        return len(self.inbound_paths) + len(self.outbound_paths) + len(self.arrivals)

    @property
    def coverage(self) -> Coverage:
        """The number of connections traced inside containers, for the report."""
        traced = {"inside containers": len(self)} if len(self) else {}
        return Coverage(traced, frozenset({"ip"} if traced else ()), "")


@evidence
def inner_paths(
    host: Host,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    host_stack: HostStack,
    uplinks: Uplinks,
    wanted_paths: WantedPaths,
) -> InnerPaths:
    """The connections of containers through their own namespaces.

    The collector asks nothing about a namespace that no container may change and that has the
    engine's interfaces alone.
    """
    changed = changed_namespaces(namespaces, containers)
    inner = inner_stacks(host, changed)
    clients = _clients(host_stack.stack, uplinks)
    inbound_paths = [
        inbound
        for netns in changed
        if netns.container.id in inner.by_owner
        for inbound in _inbound_paths(netns, inner.by_owner[netns.container.id], networks, clients)
    ]
    outbound_paths = [
        outbound
        for path in wanted_paths
        for outbound in _outbound_paths(path, inner.by_owner, namespaces, containers)
    ]
    arrivals = [
        arrival
        for path in wanted_paths
        for arrival in _arrivals(path, inner.by_owner, namespaces, containers)
    ]
    waited = tuple(_with_waiting(host, inbound_paths))
    return InnerPaths(waited, tuple(outbound_paths), tuple(arrivals), unread=inner.unread)


def _clients(stack: NetworkStack, uplinks: Uplinks) -> dict[Client, str]:
    """An address for each kind of client but the host itself, whose address differs by network."""
    clients: dict[Client, str] = {}
    for uplink in uplinks:
        device = stack.by_name.get(uplink.name)
        addresses = device.addresses if device is not None else ()
        for text in addresses:
            own_interface = ip_interface(text)
            other_hosts = []
            if own_interface.version == 4:
                other_hosts = _first_hosts(str(own_interface.network), str(own_interface.ip))
            if other_hosts:
                clients.setdefault("the local network", other_hosts[0])
    clients["other networks"] = SOMEWHERE
    return clients


def _first_hosts(network: str, own_address: str) -> list[str]:
    """The first addresses of a network but one's own."""
    net = ip_interface(network).network
    return [
        str(net[number])
        for number in range(1, min(4, net.num_addresses - 1))
        if str(net[number]) != own_address
    ]


def _inbound_paths(
    netns: ContainerNetns, stack: NetworkStack, networks: Networks, clients: dict[Client, str]
) -> Iterator[InnerInboundPath]:
    """The published ports of a container, with the clients that its own namespace stops.

    clients: an address of each. With several networks the way in is the engine's choice;
    network.replies-misrouted judges those by the host's own rules.
    """
    container = netns.container
    places = [
        (network, endpoint)
        for network, endpoint in networks.bridge_places_of(container)
        if _is_way_in(network, endpoint, netns)
    ]
    if len(places) != 1:
        return
    network, endpoint = places[0]
    link = netns.link_with(endpoint.ip_address)
    assert link is not None
    inner = endpoint.ip_address
    for published in (*container.published_by("tcp"), *container.published_by("udp")):
        callers: dict[Client, str] = {"this host": endpoint.gateway}
        if not published.is_for_host_alone:
            callers.update(clients)
        lost: dict[Client, Trace] = {}
        for client, address in callers.items():
            flow = Flow(Origin(link.name, address), inner, published.protocol, published.number)
            traced = trace(stack, flow) if address else None
            if traced is not None and traced.is_blocked:
                lost[client] = traced
        yield InnerInboundPath(
            container,
            network=network,
            address=inner,
            port=published.port,
            host_port=published.host_port,
            lost=lost,
        )


def _is_way_in(network: Network, endpoint: NetworkEndpoint, netns: ContainerNetns) -> bool:
    """Whether packets from outside may come in by this network."""
    return leads_out(network) and netns.link_with(endpoint.ip_address) is not None


def _with_waiting(
    host: Host, inbound_paths: Sequence[InnerInboundPath]
) -> Iterator[InnerInboundPath]:
    """The inbound paths, with the clients that wait for an answer of those that are lost."""
    ports = sorted({inbound.host_port for inbound in inbound_paths if inbound.lost})[:MOST_PORTS]
    waiting: dict[int, tuple[str, ...]] = {}
    for port, table in host.ask_about(
        ports, lambda port: ListConnections(protocol="tcp", dport=port)
    ):
        if not isinstance(table, Failed):
            waiting[port] = tuple(
                sorted({flow.src for flow in table.entries if flow.state in UNCONFIRMED})
            )
    for inbound in inbound_paths:
        yield msgspec.structs.replace(inbound, waiting=waiting.get(inbound.host_port, ()))


def _outbound_paths(
    path: WantedPath,
    stacks: dict[str, NetworkStack],
    namespaces: Namespaces,
    containers: Containers,
) -> Iterator[InnerOutboundPath]:
    """The trace of a wanted connection in the namespace of its opener; empty where not known."""
    owner = containers.namespace_owners.get(path.want.container.id, path.want.container)
    stack = stacks.get(owner.id)
    netns = namespaces.of(owner)
    endpoint = owner.endpoints.get(path.network.name)
    if stack is None or netns is None or endpoint is None:
        return
    if netns.link_with(endpoint.ip_address) is None:
        return
    yield InnerOutboundPath(
        owner, path, trace(stack, Flow(Origin(), path.address, "tcp", path.port))
    )


def _arrivals(
    path: WantedPath,
    stacks: dict[str, NetworkStack],
    namespaces: Namespaces,
    containers: Containers,
) -> Iterator[InnerArrival]:
    """The trace of a wanted connection in the called container's namespace; empty where not known.

    Between two containers of one bridge, where the source is the address of the caller.
    """
    if path.peer is None or not path.bridged:
        return
    caller = containers.namespace_owners.get(path.want.container.id, path.want.container)
    owner = containers.namespace_owners.get(path.peer.id, path.peer)
    stack = stacks.get(owner.id)
    netns = namespaces.of(owner)
    source = caller.endpoints.get(path.network.name)
    if caller.id == owner.id or stack is None:
        return
    if netns is None or source is None:
        return
    link = netns.link_with(path.address)
    if link is None or not source.ip_address:
        return
    flow = Flow(Origin(link.name, source.ip_address), path.address, "tcp", path.port)
    yield InnerArrival(owner, path, trace(stack, flow))
