"""From the program that asks to where its packets meet the host."""

from collections.abc import Iterable

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.addresses import family_of
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.trace import trace
from diagnose.model import Subject
from diagnose.path.walk import NO_IPV4, EndedError, Leg, PathWalk, no_network


def leave(walk: PathWalk, begin: Container | None, end: Container | None) -> Leg:
    """From the program that asks to where its packets meet the host."""
    if walk.begin.kind == "outside":
        uplinks = walk.site.uplinks
        if uplinks is None:
            unseen = f"this host's interfaces were not seen{walk.site.because(Uplinks)}"
            walk.add("uplink", "uplink", unseen, "unknown")
            raise EndedError
        uplink = uplinks.preferred
        if uplink is None:
            walk.break_off("uplink", "uplink", "no interface of this host leads to others")
        text = "packets come in through it"
        walk.add("uplink", uplink.name, text, "ok", Subject("interface", uplink.name))
        return Leg(uplink.name, walk.begin.address or SOMEWHERE)
    if begin is None or begin.shares_host_network:
        return Leg()
    owner = walk.site.containers.owner_of(begin)
    if owner.host_config.network_mode == "none" or not owner.endpoints:
        hint = f"docker network connect NETWORK {owner.name}"
        walk.break_off("network", "network", no_network(owner), begin.subject, hint=hint)
    network = _network_of(walk, owner, end)
    endpoint = owner.endpoints[network.name]
    if not endpoint.ip_address:
        place = f'namespace of "{begin.name}"'
        _has_an_interface(walk, begin)
        walk.add("namespace", place, NO_IPV4, "unknown", begin.subject)
        raise EndedError
    leaves = end is None or network.name not in walk.site.containers.owner_of(end).endpoints
    inside(walk, begin, endpoint, needs_route=leaves)
    at_bridge(walk, network, endpoint.gateway if leaves else "")
    return Leg(network.bridge, endpoint.ip_address, network)


def _has_an_interface(walk: PathWalk, begin: Container) -> None:
    """A namespace with nothing but `lo` sends nothing to anybody."""
    netns = walk.netns(begin)
    if netns is not None and [link.name for link in netns.links] == ["lo"]:
        hint = f"docker restart {begin.name}"
        place = f'namespace of "{begin.name}"'
        text = "has no interface but lo"
        walk.break_off("namespace", place, text, begin.subject, hint=hint)


def _network_of(walk: PathWalk, begin: Container, end: Container | None) -> Network:
    """The network by which packets leave.

    One that both ends are on, or else the one with the default route.
    """
    by_name = walk.site.networks.by_name if walk.site.networks is not None else {}
    mine = [by_name[name] for name in sorted(begin.endpoints) if name in by_name]
    if not mine:
        walk.add("network", "network", "its networks could not be read", "unknown")
        raise EndedError
    if end is not None and not end.shares_host_network:
        endpoints = walk.site.containers.owner_of(end).endpoints
        shared = [network for network in mine if network.name in endpoints]
        by_address = [
            network
            for network in shared
            if walk.end.address in (None, endpoints[network.name].ip_address)
        ]
        if by_address:
            _name(walk, end, by_address[0])
            return by_address[0]
        if not _may_pass(walk, begin, _leading_network(walk, begin, mine)):
            _without_common_network(walk, begin, end)
    return _leading_network(walk, begin, mine)


def _leading_network(walk: PathWalk, begin: Container, mine: list[Network]) -> Network:
    """The network with the container's default route."""
    leading = [network for network in mine if not network.internal]
    if not leading:
        text = f"its only {mine[0]} is internal: nothing leads out of it, on purpose"
        walk.break_off("network", f"{mine[0]}", text, mine[0].subject)
    return max(leading, key=lambda network: begin.endpoints[network.name].gw_priority)


def _may_pass(walk: PathWalk, begin: Container, network: Network) -> bool:
    """Whether the host's rules may let the packets pass to an address on another network.

    A rule of the user may, and not each bridge has the engine's rules.
    """
    address = walk.end.address
    source = begin.endpoints[network.name].ip_address
    if address is None or not source or walk.site.host_stack is None:
        return False
    port = walk.wanted.port_of(walk.end.container)
    origin = Origin(network.bridge, source)
    flow = Flow(origin, address, walk.wanted.proto, port, family_of(address))
    return not trace(walk.stack, flow).is_blocked


def _without_common_network(walk: PathWalk, begin: Container, end: Container) -> None:
    """The engine keeps containers on different networks apart, unless the port is published."""
    other_networks = sorted(walk.site.containers.owner_of(end).endpoints)
    if not other_networks:
        walk.break_off("network", f"{end}", no_network(end), end.subject)
    text = (
        f'no network in common: "{begin.name}" is on {_quoted_list(begin.endpoints)}, '
        f'"{end.name}" is on {_quoted_list(other_networks)}'
    )
    hint = f"docker network connect {other_networks[0]} {begin.name}"
    walk.break_off("network", "network", text, begin.subject, end.subject, hint=hint)


def _name(walk: PathWalk, end: Container, network: Network) -> None:
    """Add to the walk whether the name that was typed leads to the other container from here."""
    called = walk.end.called
    if walk.end.address is not None:
        return
    endpoint = walk.site.containers.owner_of(end).endpoints[network.name]
    if network.name == "bridge":
        text = (
            'containers on network "bridge" have no names for each other: '
            f"use {endpoint.ip_address}, or a network of your own"
        )
        walk.add("name", "name", text, "ok", network.subject)
    elif called in end.dns_names or called in (endpoint.dns_names or ()):
        text = f'"{called}" is {endpoint.ip_address} on {network}'
        walk.add("name", "name", text, "ok", network.subject)


def inside(
    walk: PathWalk, container: Container, endpoint: NetworkEndpoint, *, needs_route: bool
) -> None:
    """The container's end.

    Its interface, its address, and its default route where packets leave the subnet.
    """
    place = f'namespace of "{container.name}"'
    netns = walk.netns(container)
    if netns is None:
        text = f"could not be looked into{walk.site.because(Namespaces)}"
        walk.add("namespace", place, text, "unknown", container.subject)
        return
    link = netns.link_with(endpoint.ip_address)
    hint = f"docker restart {container.name}"
    if link is None:
        text = f"no interface has the address {endpoint.ip_address}"
        walk.break_off("namespace", place, text, container.subject, hint=hint)
    if not link.up:
        walk.break_off("namespace", place, f"{link.name} is down", container.subject, hint=hint)
    trouble = _route_trouble(walk, container, netns) if needs_route else ""
    if trouble:
        walk.break_off("namespace", place, trouble, container.subject, hint=hint)
    _port_of_bridge(walk, container, link.link)
    text = f"{link.name} is up with {endpoint.ip_address}"
    walk.add("namespace", place, text, "ok", container.subject)


def _route_trouble(walk: PathWalk, container: Container, netns: ContainerNetns) -> str:
    """The fault that keeps packets from leaving the container's subnets, as a predicate.

    Empty where a route leads to a gateway that exists.
    """
    if not netns.has_default_route:
        return "has no default route: nothing leaves its subnet"
    sentences = {
        endpoint.gateway for endpoint in walk.site.containers.owner_of(container).endpoints.values()
    } - {""}
    others = {
        endpoint.ip_address
        for other in walk.site.containers
        for endpoint in other.endpoints.values()
    }
    gateways = [
        route.gateway
        for route in netns.routes
        if not route.prefix and route.family == "inet" and route.gateway
    ]
    known_sentences = sentences | others
    if sentences and gateways and known_sentences.isdisjoint(gateways):
        return (
            f"its default route leads to {gateways[0]}, which no interface has: "
            f"the gateway is {min(sentences)}"
        )
    return ""


def _port_of_bridge(walk: PathWalk, container: Container, peer: int | None) -> None:
    """The host's end of the pair: it has to be up, and on a bridge."""
    interfaces = walk.site.interfaces
    veth = interfaces.by_index.get(peer) if interfaces is not None and peer is not None else None
    if veth is None:
        return
    hint = f"docker restart {container.name}"
    if not veth.up:
        text = "the host's end of the pair is down"
        walk.break_off("bridge", veth.name, text, container.subject, veth.subject, hint=hint)
    if veth.master is None:
        text = "the host's end of the pair is on no bridge"
        walk.break_off("bridge", veth.name, text, container.subject, veth.subject, hint=hint)


def at_bridge(walk: PathWalk, network: Network, gateway: str = "") -> None:
    """The network's bridge.

    gateway: the address that it has to have, where packets leave the subnet.
    """
    place = str(network)
    about = (network.subject, Subject("interface", network.bridge))
    if not network.is_bridge:
        text = f"its driver is {network.driver}, whose ways are not followed"
        walk.add("bridge", place, text, "unknown", *about)
        raise EndedError
    interfaces = walk.site.interfaces
    bridge = interfaces.bridge(network.bridge, network.gateways) if interfaces is not None else None
    if interfaces is None:
        reason = walk.site.because(Interfaces)
        text = f"bridge {network.bridge} could not be looked at{reason}"
        walk.add("bridge", place, text, "unknown", *about)
    elif bridge is None:
        walk.break_off("bridge", place, f"bridge {network.bridge} is gone", *about)
    elif not bridge.up:
        hint = f"ip link set {bridge.name} up"
        walk.break_off("bridge", place, f"bridge {bridge.name} is down", *about, hint=hint)
    elif gateway and network.bridge_has_address and gateway not in interfaces.addresses_of(bridge):
        text = f"bridge {bridge.name} does not have the address of the gateway {gateway}"
        walk.break_off("bridge", place, text, *about)
    else:
        walk.add("bridge", place, f"bridge {bridge.name} is up", "ok", *about)


def _quoted_list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "none"
