"""From where packets meet the host to the other end: a container, the host, or beyond."""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.network.addresses import family_of, with_port
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.packet import Packet
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.mappings import first_of
from diagnose.model import HOST, Subject
from diagnose.path.ends import DEFAULT_PORT
from diagnose.path.leave import at_bridge, inside
from diagnose.path.listen import host_listens, listens
from diagnose.path.traced import show
from diagnose.path.walk import ANY, NO_IPV4, Leg, PathWalk, no_network, runs

_LEAVING = ("output", "forward", "postrouting")


class _PublishedPort(msgspec.Struct, frozen=True):
    """The container that publishes a port of the host, and its own port behind that."""

    container: Container
    port: int
    address: str
    """The address of the host on which it is published, "" for all."""


def to_container(walk: PathWalk, leg: Leg, end: Container) -> None:
    """To a container: over its bridge, through the host, or by a published port."""
    owner = walk.site.containers.owner_of(end)
    port = walk.wanted.port_of(end)
    if walk.begin.kind == "outside":
        _to_published(walk, leg, end, port)
        return
    name = _network_at(walk, leg, owner)
    by_name = walk.site.networks.by_name if walk.site.networks is not None else {}
    endpoint = owner.endpoints.get(name)
    network = by_name.get(name)
    if endpoint is None or network is None:
        walk.break_off("network", f"{end}", no_network(end), end.subject)
    if not endpoint.ip_address:
        walk.add("namespace", f"{end}", NO_IPV4, "unknown", end.subject)
        return
    _to_address_on_network(walk, leg, network, endpoint.ip_address, port)
    client = walk.begin.container or end
    shares_netns = leg.network is not None and owner.id == client.id
    if end.id != owner.id or not shares_netns:
        inside(walk, end, endpoint, needs_route=False)
    listens(walk, end, port, endpoint.ip_address)


def _to_address_on_network(
    walk: PathWalk, leg: Leg, network: Network, address: str, port: int
) -> None:
    """From where packets meet the host to a container's address on a network.

    On the bridge where both ends are on that network, through the host otherwise.
    """
    flow = Flow(Origin(leg.device, leg.address), address, walk.wanted.proto, port)
    is_bridged = leg.network is not None and leg.network.name == network.name
    if is_bridged:
        traced = trace_bridged(walk.stack, flow)
    else:
        at_bridge(walk, network)
        traced = trace(walk.stack, flow)
        _sent_to(walk, traced, network, address)
    show(walk, traced, network.subject)


def _network_at(walk: PathWalk, leg: Leg, owner: Container) -> str:
    """The name of the network by which the other container is reached."""
    for name, endpoint in owner.endpoints.items():
        if walk.end.address is not None and endpoint.ip_address == walk.end.address:
            return name
    if leg.network is not None:
        return leg.network.name
    return first_of(sorted(owner.endpoints), "")


def _to_published(walk: PathWalk, leg: Leg, end: Container, port: int) -> None:
    """From beyond the host only a published port leads to a container."""
    for published in end.published_by(walk.wanted.proto):
        if port in (published.number, published.host_port):
            _add_binding(walk, leg, end, published)
            return
    shown = ", ".join(map(str, end.published_ports)) or "none"
    text = f"port {port}/{walk.wanted.proto} is not published (published: {shown})"
    walk.break_off("listener", f"{end}", text, end.subject)


def _add_binding(walk: PathWalk, leg: Leg, end: Container, published: PortBinding) -> None:
    """Add the hops of a published port, from the address that the client calls."""
    address = published.host_ip
    host_port = published.host_port
    text = f"{address or '0.0.0.0'}:{host_port} leads to port {published.port}"  # noqa: S104 - in words
    walk.add("listener", f"{end}", text, "ok", end.subject)
    if address and ip_address(address).is_loopback:
        text = f"port {host_port} is published on {address} only: nobody beyond the host reaches it"
        walk.break_off("listener", "published port", text, end.subject)
    if address in ANY:
        address = walk.stack.address_on(leg.device, "ip") or ""
    _add_host_port(walk, leg, end=end, address=address, host_port=host_port, port=published.number)


def _add_host_port(
    walk: PathWalk, leg: Leg, end: Container, address: str, host_port: int, port: int
) -> None:
    """A published port: translated to the container, or taken by the engine's proxy."""
    flow = Flow(
        Origin(leg.device, leg.address),
        address,
        walk.wanted.proto,
        host_port,
        family_of(address),
        assumed=leg.device,
    )
    traced = trace(walk.stack, flow)
    _led_elsewhere(walk, traced, end, host_port)
    inner = (traced.nat.address if traced.nat is not None else None) or ""
    networks = tuple(_networks_at(walk, end, inner))
    for network in networks:
        _sent_to(walk, traced, network, inner)
    subjects = [network.subject for network in networks]
    show(walk, traced, end.subject, host_port=host_port, networks=subjects)
    if traced.nat is None:
        _add_proxy_hop(walk, end, address, host_port)
    listens(walk, end, port, inner)


def _networks_at(walk: PathWalk, end: Container, address: str) -> Iterator[Network]:
    """The networks on which the container has this address."""
    for network in walk.site.networks or ():
        endpoint = end.endpoints.get(network.name)
        if address and endpoint is not None and endpoint.ip_address == address:
            yield network


def _led_elsewhere(walk: PathWalk, traced: Trace, end: Container, host_port: int) -> None:
    """A rule may send the port to an address that is not the container's.

    The host's own address is right where docker-proxy listens for the container.
    """
    nat = traced.nat
    if nat is None or traced.nat_unknown:
        return
    addresses = {
        endpoint.ip_address for endpoint in walk.site.containers.owner_of(end).endpoints.values()
    }
    port = nat.port or host_port
    is_for_host = not nat.address or walk.stack.is_local(nat.address)
    published = {binding.host_port for binding in end.published_ports}
    if nat.address in addresses or (is_for_host and port in published):
        return
    target = f"port {port} of the host" if is_for_host else f"{nat.address}:{port}"
    text = f"port {host_port} is redirected to {target}, not to {end}"
    walk.break_off("translation", "PREROUTING", text, end.subject, HOST)


def _add_proxy_hop(walk: PathWalk, end: Container, address: str, port: int) -> None:
    """Without a translation the engine's proxy takes the connection, or nobody."""
    listeners = walk.site.listeners
    holders = listeners.on(walk.wanted.proto, address, port) if listeners is not None else ()
    proxy = next((holder for holder in holders if holder.comm == "docker-proxy"), None)
    if proxy is not None:
        text = f"no rule translates port {port}: docker-proxy passes it on"
        walk.add("translation", "docker-proxy", text)
    elif listeners is not None:
        text = f"no rule translates port {port} to the container, and no proxy listens on it"
        networks = [
            network.subject for network in walk.site.networks or () if network.name in end.endpoints
        ]
        walk.break_off("translation", "PREROUTING", text, end.subject, HOST, *networks)


def to_host(walk: PathWalk, leg: Leg, end: Container | None) -> None:
    """To a port of the host, or through it to the container that publishes it.

    end: a container that shares the host's network, None for the host itself.
    """
    port = walk.wanted.port_of(end)
    address = _host_address(walk, leg)
    publisher = _publisher(walk, port) if end is None else None
    if publisher is not None:
        text = f"is published by {publisher.container}"
        walk.add("listener", f"port {port} of the host", text, "ok", publisher.container.subject)
        runs(walk, publisher.container)
        _is_published_for(walk, publisher, address)
        _add_host_port(
            walk, leg, end=publisher.container, address=address, host_port=port, port=publisher.port
        )
        return
    flow = Flow(
        Origin(leg.device, leg.address), address, walk.wanted.proto, port, family_of(address)
    )
    client = walk.begin.container
    about = [client.subject] if client is not None else []
    if leg.network is not None:
        about.append(leg.network.subject)
    traced = trace(walk.stack, flow)
    show(walk, traced, *about)
    arrived = traced.packet
    if traced.nat is None or arrived is None:
        host_listens(walk, address, port, *about)
    else:
        _translated_to(walk, traced, arrived, *about)


def _translated_to(walk: PathWalk, traced: Trace, arrived: Packet, *about: Subject) -> None:
    """The end to which a rule leads a connection that was for another address or port.

    A redirected packet is for the address of the interface by which it came.
    """
    port = arrived.dport or walk.wanted.port or DEFAULT_PORT
    address = arrived.dst or walk.stack.address_on(arrived.iif or "", "ip") or ""
    if not traced.to:
        host_listens(walk, address, port, *about)
        return
    container = _running_at(walk, address)
    if container is None:
        place = with_port(address, port)
        text = f"the packet leaves through {traced.to} for {place}: what lies there is not seen"
        walk.add("uplink", traced.to, text, "ok", Subject("interface", traced.to))
        return
    network = next(_networks_at(walk, container, address), None)
    if network is not None:
        _sent_to(walk, traced, network, address)
    listens(walk, container, port, address)


def _running_at(walk: PathWalk, address: str) -> Container | None:
    """The running container that has this address on one of its networks."""
    for container in walk.site.containers.running:
        if any(endpoint.ip_address == address for endpoint in container.endpoints.values()):
            return container
    return None


def _is_published_for(walk: PathWalk, publisher: _PublishedPort, address: str) -> None:
    """A port that is published on the loopback is for the host alone."""
    if publisher.address in ANY or not ip_address(publisher.address).is_loopback:
        return
    if address and ip_address(address).is_loopback:
        return
    client = walk.begin.container
    about = (client.subject,) if client is not None else ()
    text = f"is published on {publisher.address} only: nobody reaches it at {address}"
    walk.break_off("listener", "published port", text, publisher.container.subject, *about)


def _host_address(walk: PathWalk, leg: Leg) -> str:
    """The host's address as this end calls it.

    The one that was typed, else the gateway, the uplink's, or the loopback.
    """
    if walk.end.address is not None:
        return walk.end.address
    if leg.network is not None:
        return first_of(leg.network.gateways, "") or walk.stack.address_on(leg.device, "ip") or ""
    if leg.device:
        return walk.stack.address_on(leg.device, "ip") or ""
    return "127.0.0.1"


def _publisher(walk: PathWalk, port: int) -> _PublishedPort | None:
    """The running container that publishes this port of the host."""
    for container in walk.site.containers.running:
        for published in container.published_by(walk.wanted.proto):
            if published.host_port == port:
                return _PublishedPort(container, published.number, published.host_ip)
    return None


def to_outside(walk: PathWalk, leg: Leg) -> None:
    """To an address beyond the uplink."""
    address = walk.end.address or SOMEWHERE
    if walk.end.address is None and walk.end.called != "internet":
        text = f'"{walk.end.called}" is not looked up; an address anywhere stands for it'
        walk.add("name", "name", text)
    flow = Flow(
        Origin(leg.device, leg.address),
        address,
        walk.wanted.proto,
        walk.wanted.port or DEFAULT_PORT,
        family_of(address),
    )
    traced = trace(walk.stack, flow)
    about = (leg.network.subject,) if leg.network is not None else ()
    uplink = traced.to or ""
    arrived = traced.packet
    if traced.nat is not None and arrived is not None:
        show(walk, traced, *about)
        _translated_to(walk, traced, arrived, *about)
        return
    _leads_out(walk, uplink)
    _add_translation_hop(walk, traced, leg)
    show(walk, traced, *about)
    text = f"the packet leaves through {uplink}; what lies beyond is not seen from here"
    walk.add("uplink", uplink, text, "ok", Subject("interface", uplink))


def _leads_out(walk: PathWalk, uplink: str) -> None:
    """A route may send what is for others to a bridge of containers, or to a port of one.

    A bridge with a network card as a port leads out.
    """
    interfaces = walk.site.interfaces
    if interfaces is None:
        return
    used = interfaces.by_name.get(uplink)
    if used is None:
        return
    bridge = interfaces.by_index.get(used.master) if used.master else used
    bridges = {network.bridge for network in walk.site.networks or () if network.is_bridge}
    if bridge is None or bridge.name not in bridges:
        return
    if all(port.kind == "veth" for port in interfaces.ports(bridge)):
        text = f"packets for other hosts are sent to {uplink}, which leads to containers only"
        walk.break_off("route", "route", text, Subject("interface", uplink), HOST)


def _add_translation_hop(walk: PathWalk, traced: Trace, leg: Leg) -> None:
    """The source of what leaves should become an address that others can answer.

    No answer finds its way to an address that only this host knows, nor to one of the uplink's
    subnet that this host does not have.
    """
    network = leg.network
    snat = traced.snat
    is_stopped = traced.obstacle is not None and traced.obstacle.part == "request"
    is_unknown = traced.nat_unknown or traced.outcome == "unknown"
    if network is None or is_stopped or is_unknown:
        return
    if snat is not None and _is_foreign(walk, snat.address, traced.to or ""):
        text = (
            f"the source becomes {snat.address}, which is not an address of this host: "
            "no answer finds its way back"
        )
    elif snat is None and network.masquerades and traced.to != network.bridge:
        text = f"no rule translates the source {leg.address}: no answer finds its way back"
    else:
        return
    walk.break_off("translation", "POSTROUTING", text, network.subject, HOST)


def _is_foreign(walk: PathWalk, address: str | None, uplink: str) -> bool:
    """Whether an address is of the uplink's subnet and not of this host.

    Neighbours cannot resolve it by ARP. An address of another subnet may be routed to this host.
    """
    interfaces = walk.site.interfaces
    if not address or interfaces is None:
        return False
    return interfaces.is_on_link(address, uplink) and not interfaces.holds(address)


def _sent_to(walk: PathWalk, traced: Trace, network: Network, address: str) -> None:
    """Packets for a container have to leave through the bridge of its network.

    A route may lead elsewhere.
    """
    leaving = [
        stage.verdict.packet.oif
        for stage in traced.stages
        if stage.part == "request" and stage.hook in _LEAVING
    ]
    oif = next((device for device in reversed(leaving) if device), "")
    if oif and oif != network.bridge and network.is_bridge:
        text = f"packets for {address} are sent to {oif}, not to bridge {network.bridge}"
        walk.break_off(
            "route", "route", text, network.subject, Subject("interface", network.bridge)
        )
