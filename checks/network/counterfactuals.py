"""Copies of evidence in which bridges and routes are in order: pure edits."""

import ipaddress

from msgspec.structs import replace

from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks, Subnet
from diagnose.evidence.network.routes import Routes
from diagnose.model import Edit, Finding
from diagnose.registry import without

NEW_INDEX = 1_000_000
"""The index of a bridge that is put back: higher than all that exist."""


@without("network.bridge-down")
def bridge_up(finding: Finding, interfaces: Interfaces, networks: Networks) -> Edit:
    """The bridges of the networks that the finding is about exist and are up."""
    touched = {finding.subject, *finding.touches}
    bridges = {network.bridge for network in networks.bridges if network.subject in touched}
    names = {interface.name for interface in interfaces}
    mended = [
        replace(interface, up=True) if interface.name in bridges else interface
        for interface in interfaces
    ]
    created = [
        Interface(NEW_INDEX + position, name=name, up=True, kind="bridge")
        for position, name in enumerate(sorted(bridges - names))
    ]
    return {Interfaces: replace(interfaces, items=(*mended, *created))}


_ANSWER = DnsReply(answered=True, rcode="NOERROR", ms=1.0)
"""The answer of a server that can be reached."""


@without("network.interface-taken")
def interface_left_alone(
    finding: Finding, routes: Routes, interfaces: Interfaces, lookups: Lookups | None
) -> Edit:
    """An interface without a default route, and DNS servers that answer the host although it is
    gone."""
    link = interfaces.by_name.get(finding.subject.name)
    other_routes = tuple(
        route for route in routes if route.prefix > 1 or link is None or route.oif != link.index
    )
    edit: Edit = {Routes: replace(routes, items=other_routes)}
    if lookups is None:
        return edit
    near_subnets = [route.net for route in routes if route.prefix > 1 and route.leads_somewhere]
    answers = {
        server: reply if reply.answered or _is_near(server, near_subnets) else _ANSWER
        for server, reply in lookups.host.items()
    }
    return {**edit, Lookups: replace(lookups, host=answers)}


@without("network.subnet-overlaps-route")
def servers_are_not_hidden(finding: Finding, networks: Networks, lookups: Lookups) -> Edit:
    """DNS servers whose address lies in the network's subnet answer the host."""
    subnets = [
        subnet
        for network in networks
        if network.subject == finding.subject
        for subnet in network.subnets
    ]
    answers = {
        server: _ANSWER if _is_near(server, subnets) else reply
        for server, reply in lookups.host.items()
    }
    return {Lookups: replace(lookups, host=answers)}


@without("network.local-net-diverted")
def servers_of_the_own_net_answer(finding: Finding, lookups: Lookups) -> Edit:
    """DNS servers on the host's own network answer the host."""
    net = ipaddress.ip_network(finding.variables["local_net"])
    answers = {
        server: _ANSWER if _is_near(server, [net]) else reply
        for server, reply in lookups.host.items()
    }
    return {Lookups: replace(lookups, host=answers)}


def _is_near(server: str, near_subnets: list[Subnet]) -> bool:
    """Whether a server is in one of these subnets; True where it has a name, and no address."""
    try:
        address = ipaddress.ip_address(server.partition("%")[0])
    except ValueError:
        return True
    return address.is_loopback or any(address in net for net in near_subnets)
