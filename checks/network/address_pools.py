"""Address pools and subnets that are used up."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import msgspec

from checks.network._described_routes import DescribedRoutes
from checks.network._words import DEFAULT_NETWORK, attached, not_up
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks, Subnet, is_within
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.evidence.network.tunnels import Tunnels
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, subjects_of
from diagnose.model import DAEMON, CheckResult, Count, Finding, Severity, Skipped, Subject
from diagnose.phrases import count, named
from diagnose.registry import check

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
    a gateway do not (seen on 20.10.24, 26.1.5 and 28.5.2). With one to three left it is advice.
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
        yield _few_left(
            stock, networks, DescribedRoutes(routes, links, tunnels, networks), containers
        )
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
    pieces: set[int] = set()
    for net in taken:
        if net.version == 4 and net.overlaps(pool):
            first = max(int(net.network_address), int(pool.network_address))
            last = min(int(net.broadcast_address), int(pool.broadcast_address))
            pieces.update(range(first >> width, (last >> width) + 1))
    return pieces


def _few_left(
    stock: _Stock, networks: Networks, routes: DescribedRoutes, containers: Containers | None
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
        takers.insert(0, f"host route {routes.describe(blocking[0])}{more} {routed} of {total}")
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
                routes.describe(route) for route in blocking[:10]
            ],
        },
        variables=_ways_out(stock, routes, networks, empty),
        severity=Severity.advice if free else Severity.warning,
        touches=_leaked(blocking, routes.links),
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


def _ways_out(
    stock: _Stock, routes: DescribedRoutes, networks: Networks, empty: list[str]
) -> dict[str, str]:
    """Pruning helps where networks are unused; a pool outside the host's routes always does."""
    free = ipaddress.ip_network(routes.free_subnet)
    base = str(free.supernet(new_prefix=16)) if free.version == 4 else str(free)
    variables = {"pool": base}
    if empty and stock.routed < len(networks.bridges):
        variables["cleanup"] = "prune"
    return variables


def _leaked(blocking: Iterable[Route], links: Interfaces) -> tuple[Subject, ...]:
    """Bridges among the devices of these routes: one of them may be left over from a network."""
    devices = (links.by_index.get(route.oif or 0) for route in blocking)
    return tuple(
        sorted(
            {device.subject for device in devices if device is not None and device.kind == "bridge"}
        )
    )


_NO_ADDRESS = LazyPattern(
    r"no available IPv4 addresses on this network's address pools: (?P<network>\S+)"
)

_SMALL = 8
"""A subnet with fewer addresses is full on purpose: it was made for one or two containers."""


@check("network.subnet-exhausted", severity=Severity.critical)
def subnet_exhausted(containers: Containers, networks: Networks) -> CheckResult:
    """A network has no free address for another container.

    Certain where a container failed to start for lack of an address. A subnet that is merely full
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
    victims = f", so {named('container', names_of(failed))} did not start" if failed else ""
    return Finding(
        subject=network.subject,
        summary=f"{network} has no free address ({used} of {room} in use){victims}",
        evidence={
            "IPAM.Config": [f"{pool.subnet} {pool.ip_range}".strip() for pool in network.pools],
            "addresses for containers": room,
            "in use by running containers": used,
            **{
                f"State.Error of {container.name}": container.state.error
                for container in failed[:5]
            },
        },
        variables={"network": network.name, "waiting": "\n".join(names_of(failed))},
        severity=Severity.critical if failed else Severity.warning,
        touches=subjects_of(failed),
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
            # 28.5.2 does not name the gateway that it chose
            gateway = pool.gateway.partition("/")[0] or str(span[1])
            reserved = {gateway, *(pool.auxiliary_addresses or {}).values()}
            inside = [address for address in reserved if is_within(address, span)]
            room += max(0, span.num_addresses - 2 - len(inside))
    return room
