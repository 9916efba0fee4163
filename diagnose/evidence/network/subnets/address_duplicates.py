"""Other machines on the host's wire that have, or had, the address of a container."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import ListNeighbours
from diagnose.registry import evidence

_ANSWERS = ("delay", "permanent", "probe", "reachable")
"""States of an entry that the kernel considers valid. It keeps a stale one for months, where the
table has few: that machine may have gone, and left its address to the container."""


class AddressDuplicate(msgspec.Struct, frozen=True):
    """A container of a macvlan or ipvlan network, and the other machine with its address by ARP."""

    container: Container
    network: Network
    entry: Neighbour
    answers: bool = False
    """Whether the other machine has answered within the last moments."""


class AddressDuplicates(Items[AddressDuplicate], frozen=True):
    """Addresses of containers that another machine on the wire has."""

    members: int = 0
    """How many running containers are on networks where this can happen."""


@evidence
def address_duplicates(
    host: Host,
    containers: Containers,
    networks: Networks,
    neighbours: Neighbours | Unavailable,
    interfaces: Interfaces | None,
) -> AddressDuplicates | Unavailable:
    """The addresses that another machine has too, by the host's ARP table.

    The age of an entry is asked only where there is one.
    """
    members = [
        (container, network)
        for network in networks
        if network.is_direct
        for container in containers.running_on(network.name)
    ]
    if not members:
        return AddressDuplicates()
    if isinstance(neighbours, Unavailable):
        return neighbours
    suspects = [
        suspect
        for container, network in members
        for suspect in _suspects(container, network, neighbours)
    ]
    if not suspects:
        return AddressDuplicates((), len(members))
    table = host.require(ListNeighbours())
    names = {interface.index: interface.name for interface in interfaces or ()}
    fresh = {(row.address, names.get(row.index)) for row in table if row.state in _ANSWERS}
    addresses = [
        replace(suspect, answers=(suspect.entry.address, suspect.entry.interface) in fresh)
        for suspect in suspects
    ]
    return AddressDuplicates(tuple(addresses), len(members))


def _suspects(
    container: Container, network: Network, neighbours: Neighbours
) -> Iterator[AddressDuplicate]:
    """Entries of the neighbour table with a container's address and another's hardware address."""
    endpoint = container.endpoints[network.name]
    # containers of ipvlan have the hardware address of the parent, and none in the inspect
    has_known_mac = bool(endpoint.mac_address) or network.driver == "ipvlan"
    if not has_known_mac or not endpoint.ip_address:
        return
    place = (endpoint.ip_address, network.option("parent"))
    for entry in neighbours:
        is_another = bool(entry.mac) and entry.mac.lower() != endpoint.mac_address.lower()
        if is_another and (entry.address, entry.interface) == place:
            yield AddressDuplicate(container, network, entry)
