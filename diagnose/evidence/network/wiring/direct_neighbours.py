"""Containers on macvlan and ipvlan networks, and the hosts and containers that call them. Pure."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.gateways.silent_gateways import ArpTables
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.neighbours import Neighbour
from diagnose.evidence.network.networks import Network


def link_on(
    container: Container, network: Network, namespaces: Namespaces | None
) -> Interface | None:
    """The container's interface on a network; None where it is not known."""
    netns = None if namespaces is None else namespaces.of(container)
    endpoint = container.endpoints.get(network.name)
    return None if netns is None or endpoint is None else netns.link_with(endpoint.ip_address)


def mac_of(container: Container, network: Network, namespaces: Namespaces | None) -> str:
    """The container's MAC address on a network, in small letters; empty if it has none there."""
    link = link_on(container, network, namespaces)
    configured = container.endpoints[network.name].mac_address
    return (link.mac if link is not None and link.mac else configured).lower()


def unanswered_host(
    container: Container, arp_tables: ArpTables | None, links: Interfaces | None, parent: str
) -> Neighbour | None:
    """The container's ARP entry of an address of the parent interface that did not answer."""
    if arp_tables is None or links is None:
        return None
    table = arp_tables.of(container)
    link = links.by_name.get(parent)
    if table is None or link is None:
        return None
    addresses = set(links.addresses_of(link))
    return next((entry for entry in table.unanswered if entry.address in addresses), None)


def callers_of(
    container: Container, address: str, containers: Containers, calls: UnansweredCalls | None
) -> dict[str, str]:
    """The containers that call an address of a macvlan network from elsewhere, by their names, and
    the setting that names it or "its calls"."""
    waiting = {call.container.id for call in calls or () if call.address == address}
    callers = {}
    for other in containers.running:
        if other.shared_networks(container) or other.id == container.id:
            continue
        setting = where_named(address, other)
        if setting or other.id in waiting:
            callers[other.name] = setting or "its calls"
    return callers
