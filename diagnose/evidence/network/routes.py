"""The host's routes, of all tables."""

import functools
from ipaddress import ip_address, ip_network

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import MAIN_TABLE, ListRoutes, Route
from diagnose.registry import evidence

__all__ = ["MAIN_TABLE", "Route", "Routes", "routes"]


class Routes(Items[Route], frozen=True, dict=True):
    """All routes in the kernel's order."""

    @functools.cached_property
    def lead_out(self) -> bool:
        """Whether some route, of either family and any table, leads to more than named nets.

        A default one, or half of one.
        """
        return any(route.prefix <= 1 and route.leads_somewhere for route in self)

    def leads_to(self, address: str) -> bool:
        """Whether some route, of any table, leads to an address."""
        target = ip_address(address)
        family = "inet" if target.version == 4 else "inet6"
        return any(
            not route.prefix or target in ip_network(f"{route.dst}/{route.prefix}")
            for route in self
            if route.family == family and route.leads_somewhere
        )

    @functools.cached_property
    def default6(self) -> Route | None:
        """An IPv6 default route, of any table; None on a host without one."""
        return next(
            (
                route
                for route in self
                if route.family == "inet6" and not route.prefix and route.leads_somewhere
            ),
            None,
        )

    @functools.cached_property
    def default(self) -> Route | None:
        """The IPv4 default route of the main table that wins, None on a host without one."""
        routes = [route for route in self if route.family == "inet" and route.table == MAIN_TABLE]
        defaults = [route for route in routes if not route.prefix and route.leads_somewhere]
        return min(defaults, key=lambda route: route.metric, default=None)

    @property
    def router(self) -> str | None:
        """The gateway of that route; None where it has none."""
        return self.default.gateway if self.default is not None else None


@evidence
def routes(host: Host) -> Routes | Unavailable:
    """The routes of the host, by one netlink dump, which needs no privilege."""
    answer = host.require(ListRoutes())
    return Routes(tuple(answer))
