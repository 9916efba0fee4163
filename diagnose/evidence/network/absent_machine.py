"""An address of a net of the host without an answer there. Pure."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.model import EvidenceGroup

_WIRED = (None, "bond", "team", "vlan")
"""Kinds of interfaces that a bridge to other machines has among its ports; None is hardware."""


class AbsentMachine(msgspec.Struct, frozen=True):
    """The host has asked for the hardware address of this machine, without an answer."""

    address: str
    interface: str
    route: Route
    """The route of the packets to it."""
    router: str
    """The router of the packets without that route, if another program of the host created the
    route."""

    def __str__(self) -> str:
        if not self.router:
            return f"nobody on {self.interface} answers to that address"
        return f"route {self.route.net} leads to {self.interface}, where nobody has that address"


def best_route(address: str, routes: Routes) -> Route | None:
    """The route to an IPv4 address, by the longest match in the main table."""
    target = ip_address(address)
    of_table = [route for route in routes if route.table == MAIN_TABLE and route.family == "inet"]
    fitting = [route for route in of_table if route.leads_somewhere and target in route.net]
    return max(fitting, key=lambda route: (route.prefix, -route.metric), default=None)


class HostLinks(EvidenceGroup, frozen=True):
    """The host's routes and interfaces to machines in its own nets, and the neighbours there."""

    routes: Routes | None
    links: Interfaces | None
    neighbours: Neighbours | None
    networks: Networks | None


def absent_machine(address: str, host: HostLinks) -> AbsentMachine | None:
    """The machine that does not answer ARP; None where one answers, or a router is between."""
    routes = host.routes
    links = host.links
    neighbours = host.neighbours
    if ":" in address or routes is None:
        return None
    if links is None or neighbours is None:
        return None
    route = best_route(address, routes)
    if route is None or route.gateway or not route.prefix:
        return None
    link = links.by_index.get(route.oif or 0)
    entry = neighbours.unanswered(address)
    if link is None or entry is None or link.name != entry.interface:
        return None
    networks = host.networks
    is_engines = networks is not None and networks.bridge_of(ip_address(address)) is not None
    is_led_away = _is_inside(link, links) and not is_engines
    router = _router_beside(route, routes) if is_led_away else ""
    return AbsentMachine(address, link.name, route, router)


def _router_beside(route: Route, routes: Routes) -> str:
    """The router of the default route, where that uses another interface; "" if there is none."""
    default = routes.default
    if default is None or default.oif == route.oif:
        return ""
    return default.gateway or ""


def _is_inside(link: Interface, links: Interfaces) -> bool:
    """Whether an interface is a bridge of this host alone, as of a Kubernetes node or libvirt.

    On any other one a machine may just be down.
    """
    return link.kind == "bridge" and all(port.kind not in _WIRED for port in links.ports(link))
