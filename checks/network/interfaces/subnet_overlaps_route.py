"""Subnets that overlap what the host routes elsewhere."""

from collections.abc import Iterator, Sequence

from checks.network.helpers import running_members
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks, Subnet
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.route_lookups import RouteLookup, RouteLookups
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.evidence.network.subnets.described_routes import DescribedRoutes
from diagnose.evidence.network.subnets.route_overlaps import (
    NOWHERE,
    Capture,
    NetworkBesideRoutes,
    calls_into,
)
from diagnose.evidence.network.subnets.swallowed_clients import SwallowedClient, SwallowedClients
from diagnose.evidence.network.wiring.docker_interfaces import DockerInterfaces
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, Severity
from diagnose.phrases import counted, named, numbered
from diagnose.registry import check

_REFUSALS = {
    "EINVAL": "blackhole, or a source that rp_filter takes for forged",
    "EXDEV": "a source that rp_filter takes for forged",
    "EACCES": "prohibit",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "no route",
}
"""The route or the check that refuses a packet, by the error of the kernel's route lookup."""


class InterfaceOwners(EvidenceGroup, frozen=True):
    """Evidence of the programs and networks that own the host's interfaces."""

    tunnels: Tunnels | None
    docker: DockerInterfaces | None


class RoutingPolicy(EvidenceGroup, frozen=True):
    """Evidence of the routing rules of the host for the packets of networks."""

    ways: RouteLookups | None
    forwarding: Forwarding | None


class MachinesOutside(EvidenceGroup, frozen=True):
    """Evidence that another machine has an address of a network."""

    swallowed_clients: SwallowedClients | None
    failing_calls: FailingCalls | None
    namespaces: Namespaces | None = None


_UNREACHABLE = "machines there that have such addresses cannot be reached"


@check(
    "network.subnet-overlaps-route",
    severity=Severity.warning,
    caused_by=["network.interface-taken"],
)
def subnet_overlaps_route(
    networks: Networks,
    routes: Routes,
    links: Interfaces,
    containers: Containers | None,
    resolvers: Resolvers | None,
    policy: RoutingPolicy,
    owners: InterfaceOwners,
    outside: MachinesOutside,
) -> CheckResult:
    """A network's subnet overlaps a route of the host that leads elsewhere.

    A route to the same or a smaller net takes packets away from containers. A larger one (a
    company's 10.0.0.0/8) is often a plan, so that it is advice, unless a DNS server of the host
    lies in the subnet, where a container that takes no queries may even have its address. Default
    routes, also in halves as VPNs set them, do not count.

    A more specific one that takes a running container's address is critical, also one that leads
    nowhere (blackhole, unreachable), and so is a routing rule that does. A client on another
    machine that waits for an answer, and whose address lies in the subnet, is critical too: no
    route of this host shows that the office has the same range.

    A call of a container on another network to an address in the subnet that no container has
    counts too, where its log repeats it, and the network is empty; otherwise it may be a former
    address of a container, which is a warning. No container had it before where the engine, which
    gives the lowest free address, has not come so far: then a call from the network itself counts
    too.

    A bridge that also has the host's uplink as a port leads to the servers of its subnet.
    """
    described = DescribedRoutes(routes, links, owners.tunnels, networks)
    docker = owners.docker
    servers = () if resolvers is None else resolvers.engine_view
    for network in networks.bridges:
        bridge = links.bridge(network.bridge, network.gateways)
        leads_out = bridge is not None and docker is not None and bridge.name not in docker.names
        members = running_members(network, containers)
        case = NetworkBesideRoutes(network, members, bridge, leads_out, described)
        captures = list(case.all_captures())
        taking_table = None
        if not captures and policy.ways is not None and policy.forwarding is not None:
            yield from _policy_findings(case, policy.ways, policy.forwarding)
            way_elsewhere = _way_elsewhere(case, policy.ways)
            taking_table = way_elsewhere.table if way_elsewhere is not None else None
        yield from _route_findings(case, captures, taking_table, servers, outside.namespaces)
        calls = calls_into(network, outside.failing_calls, containers)
        yield from _strange_interface_findings(case, outside.swallowed_clients, calls)


def _route_findings(
    case: NetworkBesideRoutes,
    captures: Sequence[Capture],
    taking_table: int | None,
    servers: Sequence[str],
    namespaces: Namespaces | None,
) -> Iterator[Finding]:
    """Findings about routes that take addresses of containers, routes that overlap, and servers
    that are hidden.

    taking_table: the table to which a routing rule leads packets for the network's containers; the
    finding about that rule covers its routes too.
    """
    for capture in captures:
        yield _taken_addresses_finding(case, capture)
    for subnet, overlapping in case.overlaps(captures):
        clashing = [route for route in overlapping if route.table != taking_table]
        hidden = case.hidden_servers(subnet, servers, namespaces)
        if clashing or hidden:
            yield _overlap_finding(case, subnet, clashing, hidden)


def _strange_interface_findings(
    case: NetworkBesideRoutes,
    swallowed_clients: SwallowedClients | None,
    calls: Sequence[FailingCall],
) -> Iterator[Finding]:
    """Findings about machines outside whose addresses lie in the network, by clients and
    by calls."""
    clients = () if swallowed_clients is None else swallowed_clients.of(case.network)
    if clients:
        yield _hidden_clients_finding(case, clients)
    if calls and not case.leads_out:
        yield _hidden_servers_finding(case, calls)


def _taken_addresses_finding(case: NetworkBesideRoutes, capture: Capture) -> Finding:
    network = case.network
    route = capture.route
    victims = capture.victims
    leads_nowhere = route.type in NOWHERE
    kind = f"{route.type} route" if leads_nowhere else "route"
    stopper = {"nowhere": str(route.type), "stopper": str(route.net)} if leads_nowhere else {}
    described = case.routes.describe(route)
    victim_names = named("container", names_of(victims))
    return Finding(
        subject=network.subject,
        summary=f"host {kind} {described} captures traffic for {victim_names} on {network}",
        evidence={
            "IPAM.Config.Subnet": str(capture.subnet),
            "routes": [f"{route.type} {described}"],
            "addresses": {member.name: case.address(member) for member in victims[:10]},
        },
        variables={**case.replacement_of(capture.subnet), **stopper, "subnet": str(capture.subnet)},
        discriminator=f"{route.type} {route}",
        severity=Severity.critical,
        touches=subjects_of(victims),
    )


def _overlap_finding(
    case: NetworkBesideRoutes, subnet: Subnet, clashing: list[Route], hidden: list[str]
) -> Finding:
    taking = [route for route in clashing if route.prefix >= subnet.prefixlen]
    describe = case.routes.describe
    if hidden:
        severity = Severity.critical
        harm = f"hides DNS server {hidden[0]} of the host"
    elif taking:
        severity = Severity.warning
        harm = f"overlaps host route {describe(taking[0])}: {_UNREACHABLE}"
    else:
        severity = Severity.advice
        harm = f"lies inside host route {describe(clashing[0])}: {_UNREACHABLE}"
    return Finding(
        subject=case.network.subject,
        summary=f"subnet {subnet} of {case.network} {harm}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "routes": [describe(route) for route in clashing[:10]],
            "DNS servers inside the subnet": hidden,
            "running containers": names_of(case.members),
        },
        variables={**case.replacement_of(subnet), "subnet": str(subnet)},
        discriminator=str(subnet),
        severity=severity,
        touches=(*case.routes.devices(clashing), *subjects_of(case.members)),
    )


def _hidden_clients_finding(
    case: NetworkBesideRoutes, clients: Sequence[SwallowedClient]
) -> Finding:
    network = case.network
    addresses = sorted({client.address for client in clients})
    ports = sorted({client.port for client in clients})
    subnet = case.subnet_of(clients[0].address)
    return Finding(
        subject=network.subject,
        summary=f"subnet {subnet} of {network} holds "
        f"{counted('client', addresses, most=2)} on another machine: answers of "
        f"{numbered('port', ports)} go to {network.bridge}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "clients without an answer": list(addresses[:10]),
        },
        variables={**case.replacement_of(subnet), "subnet": str(subnet)},
        discriminator=f"clients {subnet}",
        severity=Severity.critical,
        signs=NO_WAY_OUT,
    )


def _hidden_servers_finding(case: NetworkBesideRoutes, calls: Sequence[FailingCall]) -> Finding:
    network = case.network
    first = calls[0]
    subnet = case.subnet_of(first.address)
    callers = list({call.container.id: call.container for call in calls}.values())
    is_certain = not case.members or first.is_outside
    has = "ever had" if first.is_outside else "has"
    return Finding(
        subject=network.subject,
        summary=f"subnet {subnet} of {network} holds {first.address}, which "
        f"{named('container', names_of(callers))} calls at port {first.port}: no container "
        f"{has} that address, and packets for a machine outside go to {network.bridge}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            first.seen_in: first.line,
            "running containers": names_of(case.members),
        },
        variables={**case.replacement_of(subnet), "subnet": str(subnet)},
        discriminator=f"calls {first.address}",
        severity=Severity.critical if is_certain else None,
        touches=subjects_of(callers),
        signs=NO_WAY_OUT,
    )


def _policy_findings(
    case: NetworkBesideRoutes, ways: RouteLookups, forwarding: Forwarding
) -> Iterator[Finding]:
    """Findings about routing rules of the host that take a network's packets elsewhere, or stop
    them.

    The main table is judged above.
    """
    harm = _policy_harm(case, ways, forwarding)
    if not harm:
        return
    network = case.network
    first = case.members[0]
    out = ways.out[network.name]
    back = ways.back[network.name]
    subnet = str(network.subnets[0]) if network.subnets else "none"
    yield Finding(
        subject=network.subject,
        summary=f"{network}: the host's routing policy {harm}",
        evidence={
            "routing rules": list(ways.rules),
            f"way from {network.bridge} to the outside": out.error or f"table {out.table}",
            f"way to {first.name}": back.error or f"table {back.table}",
        },
        variables={"policy": subnet, "subnet": subnet},
        discriminator="policy",
        severity=Severity.critical,
        touches=subjects_of(case.members),
    )


def _way_elsewhere(case: NetworkBesideRoutes, ways: RouteLookups) -> RouteLookup | None:
    """The route that a routing rule gives to packets for the network's containers.

    None where that is the network's own route, or that of the main table.
    """
    back = ways.back.get(case.network.name)
    bridge = case.routes.links.by_name.get(case.network.bridge)
    if not case.members or back is None or bridge is None:
        return None
    return back if back.oif != bridge.index and back.table != MAIN_TABLE else None


def _policy_harm(case: NetworkBesideRoutes, ways: RouteLookups, forwarding: Forwarding) -> str:
    """The predicate about a routing rule that harms the network's packets; "" where it does no
    harm."""
    network = case.network
    links = case.routes.links
    out = ways.out.get(network.name)
    back = ways.back.get(network.name)
    bridge = links.by_name.get(network.bridge)
    if not case.members or out is None or back is None:
        return ""
    if bridge is None:
        return ""
    members = named("container", names_of(case.members))
    if back.oif != bridge.index:
        way_elsewhere = _way_elsewhere(case, ways)
        return _backward_harm(members, way_elsewhere, links) if way_elsewhere is not None else ""
    is_refused = out.error in _REFUSALS and not ways.own.error
    if is_refused and forwarding.forwards_from(network.bridge):
        return f"stops what {members} sends out ({_REFUSALS[out.error or '']})"
    return ""


def _backward_harm(members: str, back: RouteLookup, links: Interfaces) -> str:
    """The predicate about a routing rule that leads traffic for the containers elsewhere, or
    drops it."""
    device = links.by_index.get(back.oif or 0)
    if device is not None:
        return f"sends traffic for {members} to {device.name} (table {back.table})"
    return f"drops traffic for {members} ({_REFUSALS.get(back.error or '')})"
