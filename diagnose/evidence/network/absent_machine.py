"""An address of a net that the host is in, for which nobody answers there. Pure."""

from __future__ import annotations

from ipaddress import ip_address

import msgspec

from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes

_WIRED = (None, "bond", "team", "vlan")
"""Kinds of interfaces that a bridge to other machines has among its ports; None is hardware."""


class AbsentMachine(msgspec.Struct, frozen=True):
    """The host has asked for the hardware address of this machine, without an answer."""

    address: str
    interface: str
    route: Route
    """What leads the packets there."""
    router: str
    """Where the packets would go without that route, if another program of the host made it."""

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
    address: str,
    routes: Routes | None,
    links: Interfaces | None,
    neighbours: Neighbours | None,
    networks: Networks | None,
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
    is_led_away = (
        default is not None
        and default.oif != route.oif
        and _is_inside(link, links)
        and (networks is None or networks.bridge_of(ip_address(address)) is None)
    )
    router = default.gateway or "" if default is not None and is_led_away else ""
    return AbsentMachine(address, link.name, route, router)


def _is_inside(link: Interface, links: Interfaces) -> bool:
    """Whether an interface is a bridge of this host alone, as of a Kubernetes node or libvirt.

    On any other one a machine may just be down.
    """
    return link.kind == "bridge" and all(port.kind not in _WIRED for port in links.ports(link))
