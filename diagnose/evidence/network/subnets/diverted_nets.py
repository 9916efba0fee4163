"""Nets that the host is on itself, and that a routing rule leads to another interface. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks, Subnet
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.firewall.routing import RouteDecision, Routing
from diagnose.mappings import first_of
from diagnose.registry import evidence

_LEAST_MACHINES = 4
"""From this number of addresses on a net has other machines; tunnels have nets of one or two."""
_LINK_LOCAL = "fe80:"
_NOT_SENT = frozenset({"local", "broadcast"})
"""Kinds of routes to the host's own address and to the address of all machines of a net."""


class DivertedNet(msgspec.Struct, frozen=True):
    """A net of the host's own whose packets leave by an interface that is not on it."""

    link: Interface
    """The interface that is on the net."""
    net: Subnet
    decision: RouteDecision
    """The kernel's route to the machines of the net."""


class DivertedNets(Items[DivertedNet], frozen=True):
    """The nets that a routing rule takes away from their own interface."""


@evidence
def diverted_nets(
    host_stack: HostStack, routes: Routes, links: Interfaces, networks: Networks, tunnels: Tunnels
) -> DivertedNets:
    """The nets of the host's own interfaces, as the kernel routes packets to them.

    Docker's networks and the nets of tunnels are left out. The main table never takes a net away
    from its interface: two interfaces on one net share it.
    """
    if not host_stack.rules:
        return DivertedNets(())
    inner = {network.bridge for network in networks.bridges}
    diverted: dict[tuple[str, Subnet], DivertedNet] = {}
    for route in routes:
        link = links.by_index.get(route.oif or 0)
        if link is None or link.name in inner or link.name in tunnels.names:
            continue
        if _is_on_link(route):
            decision = _way_elsewhere(host_stack.stack.routing, route.net, link.name)
            if decision is not None:
                diverted[link.name, route.net] = DivertedNet(link, route.net, decision)
    return DivertedNets(tuple(diverted.values()))


def _is_on_link(route: Route) -> bool:
    """Whether a route leads to neighbours, which the host asks for by ARP."""
    has_no_gateway = route.leads_somewhere and not route.gateway and route.prefix > 0
    has_others = route.net.num_addresses >= _LEAST_MACHINES
    if route.dst.startswith(_LINK_LOCAL):
        return False
    return route.table == MAIN_TABLE and has_no_gateway and has_others


def _way_elsewhere(routing: Routing, net: Subnet, name: str) -> RouteDecision | None:
    """The route to the whole net, where a rule leads it to another interface or nowhere."""
    decisions = [routing.look_up(address) for address in _samples(net)]
    to_others = [decision for decision in decisions if decision.kind not in _NOT_SENT]
    first = first_of(to_others, None)
    if first is None or not all(_leads_away(decision, name) for decision in to_others):
        return None
    return first


def _leads_away(decision: RouteDecision, name: str) -> bool:
    if decision.table in (None, MAIN_TABLE):
        return False
    return decision.is_refused or (decision.kind == "unicast" and decision.oif != name)


def _samples(net: Subnet) -> Iterator[str]:
    """Addresses in each quarter of the net."""
    quarter = net.num_addresses // 4
    for position in (1, quarter + 1, 2 * quarter + 1, net.num_addresses - 2):
        yield str(net[position])
