"""Subnets: overlapping what the host routes elsewhere, or used up."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from checks.network._words import DEFAULT_NETWORK, attached, not_up
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.docker_interfaces import DockerInterfaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks, Subnet
from diagnose.evidence.network.packet_paths import Forwarding
from diagnose.evidence.network.route_lookups import RouteLookups
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.evidence.network.swallowed_clients import SwallowedClient, SwallowedClients
from diagnose.evidence.network.tunnels import Tunnels
from diagnose.model import DAEMON, CheckResult, Count, Finding, Severity, Skipped, Subject
from diagnose.phrases import and_more, count, counted, named
from diagnose.registry import check

_NOWHERE = ("blackhole", "unreachable", "prohibit")
_REFUSALS = {
    "EINVAL": "blackhole, or a source that rp_filter takes for forged",
    "EXDEV": "a source that rp_filter takes for forged",
    "EACCES": "prohibit",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "no route",
}
_CANDIDATES = ("10.201.0.0/16", "10.231.0.0/16", "172.31.0.0/16", "192.168.192.0/18")
"""Ranges that a page proposes a new subnet from, the first that is free."""


class _Roads(msgspec.Struct, frozen=True):
    """The host's routes in words."""

    routes: Routes
    links: Interfaces
    tunnels: Tunnels | None

    def describe(self, route: Route) -> str:
        """`10.0.0.0/8 via 192.0.2.1 (eth0)`; a tunnel with the process or unit that owns it."""
        link = self.links.by_index.get(route.oif or 0)
        if link is None:
            return str(route)
        device = link.name if self.tunnels is None else self.tunnels.described(link.name)
        return f"{route} ({device})"

    def devices(self, routes: Iterable[Route]) -> tuple[Subject, ...]:
        found = {
            self.links.by_index[route.oif].subject
            for route in routes
            if route.oif in self.links.by_index
        }
        return tuple(sorted(found))

    def free_subnet(self, networks: Networks) -> str:
        """A subnet of 254 addresses that no route of the host and no network overlaps."""
        used = [route.net for route in self.routes if route.prefix > 1 and route.family == "inet"]
        used += [subnet for network in networks for subnet in network.subnets]
        for pool in _CANDIDATES:
            for subnet in ipaddress.ip_network(pool).subnets(new_prefix=24):
                if not any(subnet.overlaps(taken) for taken in used if taken.version == 4):
                    return str(subnet)
        return _CANDIDATES[0]


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
) -> CheckResult:
    """A network's subnet overlaps a route of the host that leads elsewhere.

    A route to the same or a smaller net takes packets away from containers. A larger one (a
    company's
    10.0.0.0/8) is often a plan, so that it is advice, unless a DNS server of the host lies in the
    subnet. Default routes, also in halves as VPNs set them, do not count. A more specific one that
    takes a running container's address is critical, also one that leads nowhere (blackhole,
    unreachable), and so is a routing rule that does. Critical is also a client on another machine
    that waits for an answer, and whose address lies in the subnet: no route of this host shows that
    the office has the same range. A bridge that also has the host's uplink as a
    port leads to the servers of its subnet.
    """
    roads = _Roads(routes, links, tunnels)
    servers = () if resolvers is None else resolvers.engine_view
    for network in networks.bridges:
        own = links.bridge(network.bridge, network.gateways)
        leads_out = own is not None and docker is not None and own.name not in docker.names
        members = attached(network, containers)
        reached = True
        for subnet in network.subnets:
            clashing = _clashing(routes, subnet, own.index if own else None)
            lost = [
                pair for pair in _captured(routes, clashing, network, subnet, members) if pair[1]
            ]
            reached = reached and not lost
            for route, captured in lost:
                yield _captures(network, subnet, route, captured, roads, networks)
            takers = {id(route) for route, _ in lost}
            others = [route for route in clashing if id(route) not in takers]
            shadowed = [server for server in servers if not leads_out and _within(server, subnet)]
            if others or shadowed:
                yield _overlap(network, subnet, others, shadowed, roads, members, networks)
        clients = () if swallowed_clients is None else swallowed_clients.of(network)
        if clients:
            yield _hides_clients(network, clients, roads, networks)
        if reached and ways is not None and forwarding is not None:
            yield from _by_policy(network, ways, forwarding, links, members)
    return None


def _hides_clients(
    network: Network, clients: Sequence[SwallowedClient], roads: _Roads, networks: Networks
) -> Finding:
    first = clients[0]
    addresses = sorted({client.address for client in clients})
    ports = sorted({client.port for client in clients})
    subnet = next(
        subnet for subnet in network.subnets if ipaddress.ip_address(first.address) in subnet
    )
    noun = "port" if len(ports) == 1 else "ports"
    return Finding(
        subject=network.subject,
        summary=f'subnet {subnet} of network "{network.name}" holds '
        f"{counted('client', addresses, most=2)} on another machine: answers of {noun} "
        f"{and_more(map(str, ports), 4)} go to {network.bridge}",
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "clients without an answer": list(addresses[:10]),
        },
        variables={**_replacement(network, roads, networks), "subnet": str(subnet)},
        discriminator=f"clients {subnet}",
        severity=Severity.critical,
        signs=NO_WAY_OUT,
    )


def _clashing(routes: Routes, subnet: Subnet, own: int | None) -> list[Route]:
    """The routes in the subnet that lead elsewhere than to the network's bridge.

    Of the subnet's family, without default routes.
    """
    family = "inet" if subnet.version == 4 else "inet6"
    return [
        route
        for route in routes
        if route.leads_somewhere and route.prefix > 1 and route.family == family
        if route.oif != own and route.net.overlaps(subnet)
    ]


def _captured(
    routes: Routes,
    clashing: list[Route],
    network: Network,
    subnet: Subnet,
    members: tuple[Container, ...],
) -> Iterator[tuple[Route, tuple[Container, ...]]]:
    """The routes that are more specific than the network's own.

    Each with the containers whose address it takes.
    """
    for route in routes:
        leads_away = route.type in _NOWHERE or any(route is other for other in clashing)
        if leads_away and route.table == MAIN_TABLE and route.prefix > subnet.prefixlen:
            addresses = ((member, member.endpoints[network.name].ip_address) for member in members)
            yield (
                route,
                tuple(member for member, address in addresses if _within(address, route.net)),
            )


def _captures(
    network: Network,
    subnet: Subnet,
    route: Route,
    captured: tuple[Container, ...],
    roads: _Roads,
    networks: Networks,
) -> Finding:
    kind = f"{route.type} route" if route.type in _NOWHERE else "route"
    stopper = {"stopper": f"{route.type} {route.net}"} if route.type in _NOWHERE else {}
    return Finding(
        subject=network.subject,
        summary=f"host {kind} {roads.describe(route)} captures traffic for {named('container', _names(captured))}"
        f' on network "{network.name}"',
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "routes": [f"{route.type} {roads.describe(route)}"],
            "addresses": {
                member.name: member.endpoints[network.name].ip_address for member in captured[:10]
            },
        },
        variables={**_replacement(network, roads, networks), **stopper, "subnet": str(subnet)},
        discriminator=f"{route.type} {route}",
        severity=Severity.critical,
        touches=tuple(member.subject for member in captured),
    )


def _replacement(network: Network, roads: _Roads, networks: Networks) -> dict[str, str]:
    """What the page moves a network with.

    The default network cannot be removed, only configured by `bip`.
    """
    free = ipaddress.ip_network(roads.free_subnet(networks))
    if network.name == DEFAULT_NETWORK:
        return {"bip": f"{free[1]}/{free.prefixlen}"}
    return {"network": network.name, "free": str(free)}


def _names(containers: Iterable[Container]) -> list[str]:
    return [container.name for container in containers]


def _by_policy(
    network: Network,
    ways: RouteLookups,
    forwarding: Forwarding,
    links: Interfaces,
    members: tuple[Container, ...],
) -> Iterator[Finding]:
    """Whether the host's routing rules take a network's packets elsewhere, or stop them.

    The main table is judged above.
    """
    what = _policy_harm(network, ways, forwarding, links, members)
    if not what:
        return
    out, back = ways.out[network.name], ways.back[network.name]
    subnet = str(network.subnets[0]) if network.subnets else "none"
    yield Finding(
        subject=network.subject,
        summary=f'network "{network.name}": the host\'s routing policy {what}',
        evidence={
            "routing rules": list(ways.rules),
            f"way from {network.bridge} to the outside": out.error or f"table {out.table}",
            f"way to {members[0].name}": back.error or f"table {back.table}",
        },
        variables={"policy": subnet, "subnet": subnet},
        discriminator="policy",
        severity=Severity.critical,
        touches=tuple(member.subject for member in members),
    )


def _policy_harm(
    network: Network,
    ways: RouteLookups,
    forwarding: Forwarding,
    links: Interfaces,
    members: tuple[Container, ...],
) -> str:
    """What a routing rule does to the network's packets, in words; empty where it does no harm."""
    out, back = ways.out.get(network.name), ways.back.get(network.name)
    bridge = links.by_name.get(network.bridge)
    if out is None or back is None or bridge is None or not members:
        return ""
    who = named("container", _names(members))
    if back.oif != bridge.index and back.table != MAIN_TABLE:
        device = links.by_index.get(back.oif or 0)
        if device:
            where = f"to {device.name} (table {back.table})"
        else:
            where = f"nowhere ({_REFUSALS.get(back.error or '')})"
        return f"sends traffic for {who} {where}"
    forwards = "0" not in (forwarding.everywhere, forwarding.by_interface.get(network.bridge))
    if back.oif == bridge.index and out.error in _REFUSALS and not ways.own.error and forwards:
        return f"stops what {who} sends out ({_REFUSALS[out.error]})"
    return ""


def _within(address: str, subnet: Subnet) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in subnet
    except ValueError:
        return False


def _overlap(
    network: Network,
    subnet: Subnet,
    clashing: list[Route],
    shadowed: list[str],
    roads: _Roads,
    members: tuple[Container, ...],
    networks: Networks,
) -> Finding:
    taking = [route for route in clashing if route.prefix >= subnet.prefixlen]
    if shadowed:
        severity, what = Severity.critical, f"hides DNS server {shadowed[0]} of the host"
    elif taking:
        severity, what = Severity.warning, f"overlaps host route {roads.describe(taking[0])}"
    else:
        severity, what = Severity.advice, f"lies inside host route {roads.describe(clashing[0])}"
    return Finding(
        subject=network.subject,
        summary=f'subnet {subnet} of network "{network.name}" {what}',
        evidence={
            "IPAM.Config.Subnet": str(subnet),
            "routes": [roads.describe(route) for route in clashing[:10]],
            "DNS servers inside the subnet": shadowed,
            "running containers": _names(members),
        },
        variables={**_replacement(network, roads, networks), "subnet": str(subnet)},
        discriminator=str(subnet),
        severity=severity,
        touches=(*roads.devices(clashing), *(member.subject for member in members)),
    )


DEFAULT_POOLS = (
    *((f"172.{second}.0.0/16", 16) for second in range(17, 32)),
    ("192.168.0.0/16", 20),
)
"""What the engine cuts subnets from unless configured otherwise: 31 of them (20.10.24, 26.1.5,
28.5.2)."""

Pool = tuple[str, int]
"""A base range and the prefix length of the subnets that are cut from it."""


@check(
    "network.address-pools-exhausted",
    severity=Severity.warning,
    caused_by=["network.bridge-leaked"],
)
def address_pools_exhausted(
    networks: Networks,
    routes: Routes,
    links: Interfaces,
    info: Info,
    containers: Containers | None,
    ping: Ping | None,
    tunnels: Tunnels | None,
    *,
    warn_free: Count = Count(3),
) -> CheckResult:
    """The engine has no subnets left for new networks, or hardly any.

    Subnets of networks count, and those that the host reaches on a link of its own; routes through
    a gateway do not (seen on 20.10.24,
    26.1.5 and 28.5.2). With one to three left it is advice.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman chooses subnets otherwise")
    pools = [
        (str(pool.get("Base")), int(pool.get("Size", 0)))
        for pool in info.default_address_pools or ()
    ]
    own = {
        links.by_name[network.bridge].index
        for network in networks.bridges
        if network.bridge in links.by_name
    }
    foreign = [route for route in routes if _on_link(route) and route.oif not in own]
    used = [subnet for network in networks for subnet in network.subnets]
    stock = _Stock(tuple(pools or DEFAULT_POOLS), tuple(used), tuple(foreign))
    if stock.free <= warn_free:
        yield _few_left(stock, networks, _Roads(routes, links, tunnels), containers)
    return None


def _on_link(route: Route) -> bool:
    is_on_link = (
        route.leads_somewhere
        and route.table == MAIN_TABLE
        and route.scope == "link"
        and route.family == "inet"
    )
    return is_on_link and not ipaddress.ip_address(route.dst).is_unspecified


class _Stock(msgspec.Struct, frozen=True, dict=True):
    """The pools that the engine cuts subnets from, and what takes them.

    Subnets of networks, routes of the host.
    """

    pools: tuple[Pool, ...]
    used: tuple[Subnet, ...]
    routes: tuple[Route, ...]

    @property
    def free(self) -> int:
        return _free(self.pools, [*self.used, *(route.net for route in self.routes)])

    @property
    def total(self) -> int:
        return _free(self.pools, [])

    @property
    def routed(self) -> int:
        """How many subnets are taken by routes of the host alone."""
        return _free(self.pools, list(self.used)) - self.free

    def blocking(self) -> list[Route]:
        """The routes that take subnets, the one that takes most first."""
        unrouted = _free(self.pools, list(self.used))
        taken = {
            id(route): unrouted - _free(self.pools, [*self.used, route.net])
            for route in self.routes
        }
        return sorted(
            (route for route in self.routes if taken[id(route)]),
            key=lambda route: -taken[id(route)],
        )


def _free(pools: Iterable[Pool], taken: list[Subnet]) -> int:
    """How many IPv4 subnets of the pools none of these overlaps."""
    free = 0
    for base, size in pools:
        try:
            pool = ipaddress.ip_network(base, strict=False)
        except ValueError:
            continue
        if pool.version == 4 and pool.prefixlen <= size <= 30:
            free += (1 << (size - pool.prefixlen)) - len(_pieces(pool, size, taken))
    return free


def _pieces(pool: Subnet, size: int, taken: Iterable[Subnet]) -> set[int]:
    """The numbers of the pool's pieces of this prefix length that are overlapped."""
    width = 32 - size
    found: set[int] = set()
    for net in taken:
        if net.version == 4 and net.overlaps(pool):
            first = max(int(net.network_address), int(pool.network_address))
            last = min(int(net.broadcast_address), int(pool.broadcast_address))
            found.update(range(first >> width, (last >> width) + 1))
    return found


def _few_left(
    stock: _Stock, networks: Networks, roads: _Roads, containers: Containers | None
) -> Finding:
    free, total, routed = stock.free, stock.total, stock.routed
    blocking = stock.blocking()
    empty = _without_container(networks, containers)
    if not free:
        left = "no subnet is left for new networks"
    else:
        left = f"{count(free, 'subnet')} of {total} left for new networks"
    takers = [f"{count(len(networks.bridges), 'network')} of Docker"]
    if empty:
        takers[0] += f" ({len(empty)} without a container)"
    if routed:
        more = " covers"
        if len(blocking) > 1:
            more = f" and {count(len(blocking) - 1, 'more route')} cover"
        takers.insert(0, f"host route {roads.describe(blocking[0])}{more} {routed} of {total}")
    # the route comes first where removing it helps more than removing networks does
    ordered = takers if routed >= len(networks.bridges) else takers[::-1]
    return Finding(
        subject=DAEMON,
        summary=f"{left}: {', '.join(ordered)}",
        evidence={
            "subnets in the pools": total,
            "free": free,
            "overlapped by routes alone": routed,
            "networks without a container": empty[:20],
            "routes on a link that are in the way": [
                roads.describe(route) for route in blocking[:10]
            ],
        },
        variables=_ways_out(stock, roads, networks, empty),
        severity=Severity.advice if free else Severity.warning,
        touches=_leaked(blocking, roads.links),
    )


def _without_container(networks: Networks, containers: Containers | None) -> list[str]:
    if containers is None:
        return []
    inhabited = {name for container in containers for name in container.endpoints}
    return [
        network.name
        for network in networks.bridges
        if network.name not in inhabited and network.name != DEFAULT_NETWORK
    ]


def _ways_out(stock: _Stock, roads: _Roads, networks: Networks, empty: list[str]) -> dict[str, str]:
    """Pruning helps where networks are unused; a pool outside the host's routes always does."""
    free = ipaddress.ip_network(roads.free_subnet(networks))
    base = str(free.supernet(new_prefix=16)) if free.version == 4 else str(free)
    found = {"pool": base}
    if empty and stock.routed < len(networks.bridges):
        found["cleanup"] = "prune"
    return found


def _leaked(blocking: Iterable[Route], links: Interfaces) -> tuple[Subject, ...]:
    """Bridges among the devices of these routes: one of them may be left over from a network."""
    devices = (links.by_index.get(route.oif or 0) for route in blocking)
    return tuple(
        sorted(
            {device.subject for device in devices if device is not None and device.kind == "bridge"}
        )
    )


_NO_ADDRESS = re.compile(
    r"no available IPv4 addresses on this network's address pools: (?P<network>\S+)"
)

_SMALL = 8
"""A subnet with fewer addresses is full on purpose: it was made for one or two containers."""


@check("network.subnet-exhausted", severity=Severity.critical)
def subnet_exhausted(containers: Containers, networks: Networks) -> CheckResult:
    """A network has no free address for another container.

    Certain where a container failed to start for want of an address. A subnet that is merely full
    is a warning. A subnet that was cut for two containers is full on purpose.
    """
    refused: dict[str, list[Container]] = {}
    for container in not_up(containers):
        error = _NO_ADDRESS.search(container.state.error)
        if error:
            refused.setdefault(error["network"], []).append(container)
    for network in networks.bridges:
        failed = refused.get(network.name, [])
        used, room = _used(network, containers), _room(network)
        if failed or (room >= _SMALL and used >= room):
            yield _full(network, failed, used, room)
    return None


def _full(network: Network, failed: list[Container], used: int, room: int) -> Finding:
    victims = f", so {named('container', _names(failed))} did not start" if failed else ""
    return Finding(
        subject=network.subject,
        summary=f'network "{network.name}" has no free address ({used} of {room} in use){victims}',
        evidence={
            "IPAM.Config": [f"{pool.subnet} {pool.ip_range}".strip() for pool in network.pools],
            "addresses for containers": room,
            "in use by running containers": used,
            **{
                f"State.Error of {container.name}": container.state.error
                for container in failed[:5]
            },
        },
        variables={"network": network.name, "waiting": "\n".join(_names(failed))},
        severity=Severity.critical if failed else Severity.warning,
        touches=tuple(container.subject for container in failed),
    )


def _used(network: Network, containers: Containers) -> int:
    """How many addresses running containers have on a network."""
    endpoints = (container.endpoints[network.name] for container in attached(network, containers))
    return len({endpoint.ip_address for endpoint in endpoints if endpoint.ip_address})


def _room(network: Network) -> int:
    """How many IPv4 addresses the network has for containers.

    Without the gateway and reserved addresses.
    """
    room = 0
    for pool in network.pools:
        try:
            span = ipaddress.ip_network(pool.ip_range or pool.subnet, strict=False)
        except ValueError:
            continue
        if span.version == 4 and span.num_addresses > 1:
            gateway = pool.gateway.partition("/")[0] or str(
                span[1]
            )  # 28.5.2 does not name the one that it chose
            kept = {gateway, *(pool.auxiliary_addresses or {}).values()}
            room += max(
                0, span.num_addresses - 2 - sum(1 for address in kept if _within(address, span))
            )
    return room
