"""The host's routes in words, and the subnets that they leave free. Pure."""

import functools
import ipaddress
from collections.abc import Iterable

import msgspec

from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.model import Subject

_CANDIDATES = ("10.201.0.0/16", "10.231.0.0/16", "172.31.0.0/16", "192.168.192.0/18")
"""Ranges that a page proposes a new subnet from, the first that is free."""


class DescribedRoutes(msgspec.Struct, frozen=True, dict=True):
    """The host's routes beside its interfaces and the networks of Docker."""

    routes: Routes
    links: Interfaces
    tunnels: Tunnels | None
    networks: Networks

    def describe(self, route: Route) -> str:
        """`10.0.0.0/8 via 192.0.2.1 (eth0)`; a tunnel with the process or unit that owns it."""
        link = self.links.by_index.get(route.oif or 0)
        if link is None:
            return str(route)
        device = link.name if self.tunnels is None else self.tunnels.described(link.name)
        return f"{route} ({device})"

    def devices(self, routes: Iterable[Route]) -> tuple[Subject, ...]:
        """The interfaces that these routes lead to."""
        by_index = self.links.by_index
        subjects = {by_index[route.oif].subject for route in routes if route.oif in by_index}
        return tuple(sorted(subjects))

    @functools.cached_property
    def free_subnet(self) -> str:
        """See `unused_subnet`."""
        return unused_subnet(self.routes, self.networks)

    @property
    def free_pool(self) -> str:
        """A range that the engine may cut subnets from: 256 of 254 addresses in most cases."""
        free = ipaddress.ip_network(self.free_subnet)
        return str(free.supernet(new_prefix=16)) if free.version == 4 else str(free)


def unused_subnet(routes: Routes, networks: Networks) -> str:
    """A subnet of 254 addresses that no route of the host and no network overlaps."""
    routed = [route.net for route in routes if route.prefix > 1 and route.family == "inet"]
    of_networks = [subnet for network in networks for subnet in network.subnets]
    used_nets = [net for net in (*routed, *of_networks) if net.version == 4]
    subnets = (
        subnet
        for pool in _CANDIDATES
        for subnet in ipaddress.ip_network(pool).subnets(new_prefix=24)
    )
    for subnet in subnets:
        is_taken = any(subnet.overlaps(net) for net in used_nets)
        if not is_taken:
            return str(subnet)
    return _CANDIDATES[0]
