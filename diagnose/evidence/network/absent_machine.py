"""An address of a net that the host is in, for which nobody answers there. Pure."""

from __future__ import annotations

from ipaddress import ip_address

import msgspec

from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes


class AbsentMachine(msgspec.Struct, frozen=True):
    """The host has asked for the hardware address of this machine, without an answer."""

    address: str
    interface: str
    route: Route
    """What leads the packets there."""
    router: str
    """Where the packets would go without that route; "" where it is the way out itself."""

    def __str__(self) -> str:
        if not self.router:
            return f"nobody on {self.interface} answers to that address"
        return f"route {self.route.net} leads to {self.interface}, where nobody has that address"


def best_route(address: str, routes: Routes) -> Route | None:
    """What leads to an IPv4 address, by the longest match in the main table."""
    target = ip_address(address)
    fitting = [
        route
        for route in routes
        if route.table == MAIN_TABLE
        and route.family == "inet"
        and route.leads_somewhere
        and target in route.net
    ]
    return max(fitting, key=lambda route: (route.prefix, -route.metric), default=None)


def absent_machine(
    address: str, routes: Routes | None, links: Interfaces | None, neighbours: Neighbours | None
) -> AbsentMachine | None:
    """None where somebody answers, or a router stands between."""
    if routes is None or links is None or neighbours is None or ":" in address:
        return None
    entry = neighbours.unanswered(address)
    route = best_route(address, routes)
    link = links.by_index.get(route.oif or 0) if route is not None else None
    if entry is None or route is None or link is None or link.name != entry.interface:
        return None
    if route.gateway or not route.prefix:
        return None
    default = routes.default
    is_way_out = default is None or default.oif == route.oif
    router = "" if is_way_out or default is None else default.gateway or ""
    return AbsentMachine(address, link.name, route, router)
