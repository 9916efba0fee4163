"""Subnets that overlap what the host routes elsewhere."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Sequence

import msgspec

from checks.network._described_routes import DescribedRoutes
from checks.network._words import DEFAULT_NETWORK, attached
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.docker_interfaces import DockerInterfaces
from diagnose.evidence.network.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks, Subnet, is_within
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.route_lookups import RouteLookups
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.evidence.network.swallowed_clients import SwallowedClient, SwallowedClients
from diagnose.evidence.network.tunnels import Tunnels
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, and_more, counted, named
from diagnose.registry import check

_LEAST_CALLS = 2
_NOWHERE = ("blackhole", "unreachable", "prohibit")
_REFUSALS = {
    "EINVAL": "blackhole, or a source that rp_filter takes for forged",
    "EXDEV": "a source that rp_filter takes for forged",
    "EACCES": "prohibit",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "no route",
}


class _Case(msgspec.Struct, frozen=True, dict=True):
    """A network with its running containers, beside the routes of the host.

    bridge: None where the interface is not known. leads_out: whether the host's uplink is a port
    of the bridge.
    """

    network: Network
    members: tuple[Container, ...]
    bridge: Interface | None
    leads_out: bool
    routes: DescribedRoutes

    @functools.cached_property
    def clashing(self) -> dict[Subnet, list[Route]]:
        """By subnet the routes in it that lead elsewhere than to the network's bridge.

        Of the subnet's family, without default routes.
        """
        return {subnet: self._clashing(subnet) for subnet in self.network.subnets}

    def _clashing(self, subnet: Subnet) -> list[Route]:
        family = "inet" if subnet.version == 4 else "inet6"
        own = None if self.bridge is None else self.bridge.index
        return [
            route
            for route in self.routes.routes
            if route.leads_somewhere and route.prefix > 1 and route.family == family
            if route.oif != own and route.net.overlaps(subnet)
        ]

    def captures(self, subnet: Subnet) -> Iterator[_Capture]:
        """The routes that are more specific than the network's own, and take a container's address.

        Also those that lead nowhere.
        """
        clashing = self.clashing[subnet]
        for route in self.routes.routes:
            leads_away = route.type in _NOWHERE or any(route is other for other in clashing)
            if leads_away and route.table == MAIN_TABLE and route.prefix > subnet.prefixlen:
                victims = [
                    member for member in self.members if is_within(self.address(member), route.net)
                ]
                if victims:
                    yield _Capture(subnet, route, victims)

    def address(self, member: Container) -> str:
        """The address that a container has on the network."""
        return member.endpoints[self.network.name].ip_address

    @property
    def replacement(self) -> dict[str, str]:
        """What the page moves a network with.

        The default network cannot be removed, only configured by `bip`.
        """
        free = ipaddress.ip_network(self.routes.free_subnet)
        if self.network.name == DEFAULT_NETWORK:
            return {"bip": f"{free[1]}/{free.prefixlen}"}
        return {"network": self.network.name, "free": str(free)}


class _Capture(msgspec.Struct, frozen=True):
    """A route that takes the packets for containers of a subnet."""

    subnet: Subnet
    route: Route
    victims: list[Container]


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
    ways: RouteLookups | None,
    forwarding: Forwarding | None,
    tunnels: Tunnels | None,
    docker: DockerInterfaces | None,
    swallowed_clients: SwallowedClients | None,
    failing_calls: FailingCalls | None,
) -> CheckResult:
    """A network's subnet overlaps a route of the host that leads elsewhere.

    A route to the same or a smaller net takes packets away from containers. A larger one (a
    company's 10.0.0.0/8) is often a plan, so that it is advice, unless a DNS server of the host
    lies in the subnet. Default routes, also in halves as VPNs set them, do not count. A more
    specific one that takes a running container's address is critical, also one that leads nowhere
    (blackhole, unreachable), and so is a routing rule that does. A client on another machine that
    waits for an answer, and whose address lies in the subnet, is critical too: no route of this
    host shows that the office has the same range. So is a call of a container on another network to
    an address in the subnet that no container has, where its log says so repeatedly, and the
    network is empty; otherwise it may be a former address of a container, which is a warning. A
    bridge that also has the host's uplink as a port leads to the servers of its subnet.
    """
    described = DescribedRoutes(routes, links, tunnels, networks)
    servers = () if resolvers is None else resolvers.engine_view
    for network in networks.bridges:
        bridge = links.bridge(network.bridge, network.gateways)
        leads_out = bridge is not None and docker is not None and bridge.name not in docker.names
        case = _Case(network, attached(network, containers), bridge, leads_out, described)
        captures = [capture for subnet in network.subnets for capture in case.captures(subnet)]
        for capture in captures:
            yield _takes_addresses(case, capture)
        yield from _overlaps(case, captures, servers)
        clients = () if swallowed_clients is None else swallowed_clients.of(network)
        if clients:
            yield _hides_clients(case, clients)
        calls = _hidden_calls(network, failing_calls, containers)
        if calls and not leads_out:
            yield _hides_servers(case, calls)
        if not captures and ways is not None and forwarding is not None:
            yield from _by_policy(case, ways, forwarding)
    return None


def _takes_addresses(case: _Case, capture: _Capture) -> Finding:
    network, route, victims = case.network, capture.route, capture.victims
    leads_nowhere = route.type in _NOWHERE
    kind = f"{route.type} route" if leads_nowhere else "route"
    stopper = {"nowhere": str(route.type), "stopper": str(route.net)} if leads_nowhere else {}
    described = case.routes.describe(route)
    who = named("container", names_of(victims))
    return Finding(
        subject=network.subject,
        summary=f"host {kind} {described} captures traffic for {who} on {network}",
        evidence={
            "IPAM.Config.Subnet": str(capture.subnet),
            "routes": [f"{route.type} {described}"],
            "addresses": {member.name: case.address(member) for member in victims[:10]},
        },
        variables={**case.replacement, **stopper, "subnet": str(capture.subnet)},
        discriminator=f"{route.type} {route}",
        severity=Severity.critical,
        touches=subjects_of(victims),
    )


def _overlaps(
    case: _Case, captures: Sequence[_Capture], servers: Sequence[str]
) -> Iterator[Finding]:
    """Routes that overlap a subnet without taking an address, and DNS servers inside it."""
    for subnet in case.network.subnets:
        clashing = [
            route
            for route in case.clashing[subnet]
            if not any(route is capture.route for capture in captures)
        ]
        hidden = [server for server in servers if not case.leads_out and is_within(server, subnet)]
        if clashing or hidden:
            yield _overlap(case, subnet, clashing, hidden)


def _overlap(case: _Case, subnet: Subnet, clashing: list[Route], hidden: list[str]) -> Finding:
    taking = [route for route in clashing if route.prefix >= subnet.prefixlen]
    describe = case.routes.describe
    if hidden:
        severity, what = Severity.critical, f"hides DNS server {hidden[0]} of the host"
    elif taking:
        severity, what = Severity.warning, f"overlaps host route {describe(taking[0])}"
    else:
        severity, what = Severity.advice, f"lies inside host route {describe(clashing[0])}"
    return Finding(
        subject=case.network.subject,
        summary=f"subnet {subnet} of {case.network} {what}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "routes": [describe(route) for route in clashing[:10]],
            "DNS servers inside the subnet": hidden,
            "running containers": names_of(case.members),
        },
        variables={**case.replacement, "subnet": str(subnet)},
        discriminator=str(subnet),
        severity=severity,
        touches=(
            *case.routes.devices(clashing),
            *subjects_of(case.members),
        ),
    )


def _hides_clients(case: _Case, clients: Sequence[SwallowedClient]) -> Finding:
    network = case.network
    addresses = sorted({client.address for client in clients})
    ports = sorted({client.port for client in clients})
    noun = agree(ports, "port", "ports")
    subnet = next(subnet for subnet in network.subnets if is_within(clients[0].address, subnet))
    return Finding(
        subject=network.subject,
        summary=f"subnet {subnet} of {network} holds "
        f"{counted('client', addresses, most=2)} on another machine: answers of {noun} "
        f"{and_more(map(str, ports), 4)} go to {network.bridge}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "clients without an answer": list(addresses[:10]),
        },
        variables={**case.replacement, "subnet": str(subnet)},
        discriminator=f"clients {subnet}",
        severity=Severity.critical,
        signs=NO_WAY_OUT,
    )


def _hidden_calls(
    network: Network, failing_calls: FailingCalls | None, containers: Containers | None
) -> list[FailingCall]:
    """Calls from other networks to addresses of a subnet that no container has, and no gateway."""
    if failing_calls is None or containers is None:
        return []
    return [
        call
        for call in failing_calls.items
        if call.network.name == network.name
        and network.name not in call.container.endpoints
        and not call.refused
        and call.times >= _LEAST_CALLS
        and (network.name, call.address) not in containers.by_place
    ]


def _hides_servers(case: _Case, calls: Sequence[FailingCall]) -> Finding:
    network, first = case.network, calls[0]
    subnet = next(subnet for subnet in network.subnets if is_within(first.address, subnet))
    callers = list({call.container.id: call.container for call in calls}.values())
    return Finding(
        subject=network.subject,
        summary=f"subnet {subnet} of {network} holds {first.address}, which "
        f"{named('container', names_of(callers))} calls at port {first.port}: no container has "
        f"that address, and packets for a machine outside go to {network.bridge}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            first.seen_in: first.line,
            "running containers": names_of(case.members),
        },
        variables={**case.replacement, "subnet": str(subnet)},
        discriminator=f"calls {first.address}",
        severity=None if case.members else Severity.critical,
        touches=subjects_of(callers),
        signs=NO_WAY_OUT,
    )


def _by_policy(case: _Case, ways: RouteLookups, forwarding: Forwarding) -> Iterator[Finding]:
    """Whether the host's routing rules take a network's packets elsewhere, or stop them.

    The main table is judged above.
    """
    what = _policy_harm(case, ways, forwarding)
    if not what:
        return
    network, first = case.network, case.members[0]
    out, back = ways.out[network.name], ways.back[network.name]
    subnet = str(network.subnets[0]) if network.subnets else "none"
    yield Finding(
        subject=network.subject,
        summary=f"{network}: the host's routing policy {what}",
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


def _policy_harm(case: _Case, ways: RouteLookups, forwarding: Forwarding) -> str:
    """What a routing rule does to the network's packets, in words; empty where it does no harm."""
    network, links = case.network, case.routes.links
    out, back = ways.out.get(network.name), ways.back.get(network.name)
    bridge = links.by_name.get(network.bridge)
    if out is None or back is None or bridge is None or not case.members:
        return ""
    who = named("container", names_of(case.members))
    comes_back = back.oif == bridge.index
    if not comes_back and back.table != MAIN_TABLE:
        device = links.by_index.get(back.oif or 0)
        if device:
            return f"sends traffic for {who} to {device.name} (table {back.table})"
        return f"drops traffic for {who} ({_REFUSALS.get(back.error or '')})"
    forwards = "0" not in (forwarding.everywhere, forwarding.by_interface.get(network.bridge))
    if comes_back and out.error in _REFUSALS and not ways.own.error and forwards:
        return f"stops what {who} sends out ({_REFUSALS[out.error]})"
    return ""
