"""The host as a map.

Its networks with their containers, the way out of each, published ports, uplinks and DNS servers.

A picture is drawn from it. It judges nothing: whether a closed way is a fault, a finding says.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.outgoing.outbound_paths import SAMPLES
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.paths.walks import leads_out
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin, Reason, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.mappings import by_key, distinct
from diagnose.registry import evidence

WayState = Literal["open", "closed", "unknown", "none"]
"""none: there is no way to trace, for example out of an internal network."""


class MapWay(msgspec.Struct, frozen=True):
    """A way through the host, and its state."""

    state: WayState
    by: str = ""
    """The rule, route or setting that closes it, or that leaves it unknown."""
    reason: Reason | None = None


class MapPort(msgspec.Struct, frozen=True):
    """A published port on the map."""

    label: str
    """`8080 -> 80/tcp`."""
    way: MapWay


class MapContainer(msgspec.Struct, frozen=True):
    """A container in one network of the map."""

    name: str
    status: str
    is_running: bool
    address: str = ""
    """The container's address; empty where the container does not run."""
    ports: tuple[MapPort, ...] = ()


class MapNetwork(msgspec.Struct, frozen=True):
    """A network of the map, or a mode without one (`host`, `none`, another container's)."""

    name: str
    driver: str
    out: MapWay
    """From its first running container."""
    containers: tuple[MapContainer, ...] = ()
    subnets: tuple[str, ...] = ()
    bridge: str = ""
    is_internal: bool = False


class HostMap(msgspec.Struct, frozen=True):
    """The networks of this host, with their containers, ports and DNS servers."""

    networks: tuple[MapNetwork, ...]
    uplinks: tuple[tuple[str, str], ...] = ()
    """Interface and address."""
    servers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """DNS servers beyond the host, each with the containers that ask it."""
    forwarding: bool | None = None


@evidence
def host_map(
    containers: Containers,
    networks: Networks | None,
    uplinks: Uplinks | None,
    host_stack: HostStack | None,
    paths: PacketPaths | None,
    resolvers: Resolvers | None,
) -> HostMap:
    """The map of networks, containers and ports, as far as known.

    Networks without containers are left out, except for bridges of users.
    """
    stack = host_stack.stack if host_stack is not None else None
    return HostMap(
        tuple(_networks(containers, networks, stack, paths)),
        tuple((uplink.name, uplink.address or "") for uplink in uplinks or ()),
        _servers(containers, resolvers),
        _is_forwarding(stack, uplinks),
    )


def _is_forwarding(stack: NetworkStack | None, uplinks: Uplinks | None) -> bool | None:
    if stack is None or uplinks is None:
        return None
    settings = [stack.settings.forwarding.get(uplink.name) for uplink in uplinks]
    return None if None in settings or not settings else all(settings)


def _networks(
    containers: Containers,
    networks: Networks | None,
    stack: NetworkStack | None,
    paths: PacketPaths | None,
) -> Iterator[MapNetwork]:
    """The engine's networks in the order of their sizes, then the containers that are on none."""
    by_name = networks.by_name if networks is not None else {}
    members = by_key(
        (name, container)
        for container in containers
        for name in container.endpoints or (container.host_config.network_mode or "none",)
    )
    for name in sorted(members, key=lambda name: (-len(members[name]), name)):
        network = by_name.get(name)
        shown = tuple(_container(container, name, paths) for container in members[name])
        if network is None:
            driver = "host" if name == "host" else "none"
            yield MapNetwork(_without_network(name, containers), driver, MapWay("none"), shown)
        else:
            yield MapNetwork(
                name,
                driver=network.driver,
                out=_way_out(network, members[name], stack),
                containers=shown,
                subnets=tuple(str(subnet) for subnet in network.subnets),
                bridge=network.bridge if network.is_bridge else "",
                is_internal=network.internal,
            )


def _without_network(mode: str, containers: Containers) -> str:
    """The mode with the name of the container whose network is shared: the engine writes its id."""
    kind, _, id = mode.partition(":")
    if kind != "container":
        return mode
    owner = containers.by_id.get(id)
    name = owner.name if owner is not None else id[:12]
    return f"network of container {name}"


def _container(container: Container, network: str, paths: PacketPaths | None) -> MapContainer:
    """A container as the map shows it on one network."""
    endpoint = container.endpoints.get(network, NetworkEndpoint())
    ports = dict.fromkeys(_ports(container, network, paths))
    return MapContainer(
        container.name,
        container.state.status,
        container.is_running,
        endpoint.ip_address,
        tuple(ports),
    )


def _ports(container: Container, network: str, paths: PacketPaths | None) -> Iterator[MapPort]:
    """The published ports; with the way in where it was traced to this network."""
    walked: dict[tuple[str, str], InboundPath] = {}
    ports_elsewhere: set[tuple[str, str]] = set()
    inbound_paths = paths.inbound_paths if paths is not None else ()
    for inbound in inbound_paths:
        if inbound.container.id == container.id:
            key = (inbound.port, str(inbound.host_port))
            walked[key] = inbound
            if inbound.network.name != network:
                ports_elsewhere.add(key)
    for published in container.published_ports:
        key = (published.port, published.binding.host_port)
        if key not in ports_elsewhere:
            yield MapPort(str(published), _way_in(walked.get(key)))


def _way_in(inbound: InboundPath | None) -> MapWay:
    if inbound is None:
        return MapWay("none")
    verdict = inbound.sample
    if verdict.is_blocked:
        return MapWay("closed", str(verdict.by or ""), verdict.reason)
    return (
        MapWay("open") if verdict.outcome == "accept" else MapWay("unknown", str(verdict.by or ""))
    )


def _way_out(network: Network, members: list[Container], stack: NetworkStack | None) -> MapWay:
    """The way of a network's first running container to an ordinary address.

    Open where one of the samples gets through.
    """
    addresses = [
        container.endpoints[network.name].ip_address
        for container in members
        if container.is_running
    ]
    source = next(filter(None, addresses), None)
    if stack is None or source is None or not leads_out(network):
        return MapWay("none")
    closed: list[MapWay] = []
    for proto, port in SAMPLES:
        traced = trace(stack, Flow(Origin(network.bridge, source), SOMEWHERE, proto, port))
        if _is_unmasked(network, traced):
            why = f"no rule translates the source {source}: no answer finds its way back"
            return MapWay("closed", why, "untranslated")
        if traced.outcome == "accept":
            return MapWay("open")
        obstacle = traced.obstacle
        state: WayState = "closed" if traced.is_blocked else "unknown"
        closed.append(MapWay(state, str(traced.by or ""), obstacle.reason if obstacle else None))
    return min(closed, key=lambda way: way.state == "closed")


def _is_unmasked(network: Network, traced: Trace) -> bool:
    """Whether packets leave the host with a container's address, which the engine should hide."""
    obstacle = traced.obstacle
    is_out = obstacle is None or obstacle.part == "reply"
    if not network.masquerades or not traced.is_decided:
        return False
    return is_out and traced.snat is None and traced.to != network.bridge


def _servers(
    containers: Containers, resolvers: Resolvers | None
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The servers beyond the host that names are asked of, the most frequent first."""
    if resolvers is None:
        return ()
    askers = by_key(
        (upstream.server, container.name)
        for container in containers.running
        for upstream in resolvers.upstreams(container)
    )
    for server in resolvers.engine_view:
        askers.setdefault(server, [])
    ordered = sorted(askers, key=lambda server: -len(askers[server]))
    return tuple((server, distinct(askers[server])) for server in ordered)
