"""The free subnets for new networks, and the free addresses in one. Pure."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks, Subnet, is_within
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.model import Json


class SubnetPool(NamedTuple):
    """A range of addresses from which the engine cuts subnets."""

    base: str
    size: int
    """The prefix length of these subnets."""


DEFAULT_POOLS = (
    *(SubnetPool(f"172.{second}.0.0/16", 16) for second in range(17, 32)),
    SubnetPool("192.168.0.0/16", 20),
)
"""Pools from which the engine cuts subnets unless configured otherwise: 31 of them (20.10.24,
26.1.5, 28.5.2)."""


def subnet_stock(info: Info, networks: Networks, routes: Routes, links: Interfaces) -> SubnetStock:
    """The engine's pools, with its own networks and the routes of other links that take them."""
    bridges = (links.by_name.get(network.bridge) for network in networks.bridges)
    own_bridges = {bridge.index for bridge in bridges if bridge is not None}
    foreign_routes = [
        route for route in routes if _is_on_link(route) and route.oif not in own_bridges
    ]
    used_subnets = [subnet for network in networks for subnet in network.subnets]
    return SubnetStock(engine_pools(info), tuple(used_subnets), tuple(foreign_routes))


def engine_pools(info: Info) -> tuple[SubnetPool, ...]:
    """The pools of a running engine."""
    pools = [SubnetPool(pool.base, pool.size) for pool in info.default_address_pools or ()]
    return tuple(pools) or DEFAULT_POOLS


def pools_of(configured: Json) -> tuple[SubnetPool, ...]:
    """The pools of `default-address-pools` of daemon.json, or those of an engine without it."""
    pools_listed = configured if isinstance(configured, list) else []
    pools = [pool for pool in pools_listed if isinstance(pool, dict)]
    bases_and_sizes = ((str(pool.get("base")), pool.get("size")) for pool in pools)
    sized = (SubnetPool(base, size) for base, size in bases_and_sizes if isinstance(size, int))
    return tuple(sized) or DEFAULT_POOLS


def stock_before_networks(pools: tuple[SubnetPool, ...], routes: Routes) -> SubnetStock:
    """The pools of an engine without a network, with the routes of the host that take them."""
    return SubnetStock(pools, (), tuple(route for route in routes if _is_on_link(route)))


def _is_on_link(route: Route) -> bool:
    if (route.table, route.scope, route.family) != (MAIN_TABLE, "link", "inet"):
        return False
    return route.leads_somewhere and not ipaddress.ip_address(route.dst).is_unspecified


class SubnetStock(msgspec.Struct, frozen=True, dict=True):
    """The pools from which the engine cuts subnets, and the taken subnets.

    Subnets of networks, routes of the host.
    """

    pools: tuple[SubnetPool, ...]
    used: tuple[Subnet, ...]
    routes: tuple[Route, ...]

    @functools.cached_property
    def free(self) -> int:
        return _count_free(self.pools, [*self.used, *(route.net for route in self.routes)])

    @functools.cached_property
    def total(self) -> int:
        return _count_free(self.pools, [])

    @functools.cached_property
    def routed(self) -> int:
        """The number of subnets that only routes of the host occupy."""
        return _count_free(self.pools, list(self.used)) - self.free

    @functools.cached_property
    def blocking(self) -> list[Route]:
        """The routes that take subnets, the largest share first."""
        unrouted = _count_free(self.pools, list(self.used))
        lost_subnets = {
            id(route): unrouted - _count_free(self.pools, [*self.used, route.net])
            for route in self.routes
        }
        return sorted(
            (route for route in self.routes if lost_subnets[id(route)]),
            key=lambda route: -lost_subnets[id(route)],
        )


def _count_free(pools: Iterable[SubnetPool], taken_subnets: list[Subnet]) -> int:
    """The number of IPv4 subnets of the pools that no taken subnet overlaps."""
    free = 0
    for base, size in pools:
        try:
            pool = ipaddress.ip_network(base, strict=False)
        except ValueError:
            continue
        if pool.version == 4 and pool.prefixlen <= size <= 30:
            free += (1 << (size - pool.prefixlen)) - len(
                _overlapped_pieces(pool, size, taken_subnets)
            )
    return free


def _overlapped_pieces(pool: Subnet, size: int, taken_subnets: Iterable[Subnet]) -> set[int]:
    """The numbers of the pool's pieces of this prefix length that are overlapped."""
    width = 32 - size
    pieces: set[int] = set()
    for net in taken_subnets:
        if net.version == 4 and net.overlaps(pool):
            first = max(int(net.network_address), int(pool.network_address))
            last = min(int(net.broadcast_address), int(pool.broadcast_address))
            pieces.update(range(first >> width, (last >> width) + 1))
    return pieces


def addresses_in_use(network: Network, containers: Containers) -> int:
    """The number of addresses that running containers have on a network."""
    endpoints = (
        container.endpoints[network.name] for container in containers.running_on(network.name)
    )
    return len({endpoint.ip_address for endpoint in endpoints if endpoint.ip_address})


def addresses_in(network: Network) -> int:
    """The number of IPv4 addresses for containers, without gateway and reserved addresses."""
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
