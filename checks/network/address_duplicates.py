"""network.address-duplicate: another machine has the address of a container."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check

_DIRECT = ("macvlan", "ipvlan")


@check("network.address-duplicate", severity=Severity.critical)
def address_duplicate(
    containers: Containers, networks: Networks, neighbours: Neighbours | Unavailable
) -> CheckResult:
    """Another machine has the address of a container on the host's own wire.

    The engine gives addresses of a macvlan or ipvlan network without asking the wire, and the DHCP
    server of the net does not know of them. A host hears its own macvlan containers never by the
    parent interface: who answers there for a container's address is another machine. The host knows
    of it only where the two have exchanged a packet.
    """
    direct = [network for network in networks if network.driver in _DIRECT]
    members = [
        (container, network)
        for network in direct
        for container in containers.running_on(network.name)
    ]
    if not members:
        return Skipped("no running container is on a macvlan or ipvlan network")
    if isinstance(neighbours, Unavailable):
        return neighbours
    for container, network in members:
        address = container.endpoints[network.name].ip_address
        for entry in neighbours:
            if address and entry.address == address and _is_another(entry, container, network):
                yield _duplicate(container, network, entry)
    return None


def _is_another(entry: Neighbour, container: Container, network: Network) -> bool:
    own = container.endpoints[network.name].mac_address.lower()
    is_on_wire = entry.interface == network.option("parent")
    return is_on_wire and bool(entry.mac) and entry.mac.lower() != own


def _duplicate(container: Container, network: Network, entry: Neighbour) -> Finding:
    endpoint = container.endpoints[network.name]
    return Finding.about(
        container,
        f"{container} has address {endpoint.ip_address} on {network.driver} {network}, and another "
        f"machine on interface {entry.interface} has it too ({entry.mac})",
        {
            f"ARP entry of the host on {entry.interface}": f"{entry.address}: {entry.mac}",
            f"hardware address of {container.name}": endpoint.mac_address or "not known",
            "IPAM.Config.IPRange": [
                pool.ip_range for pool in network.ipam.config or () if pool.ip_range
            ]
            or "none: the engine takes addresses of the whole subnet",
        },
        discriminator=endpoint.ip_address,
        touches=(network.subject, Subject("interface", entry.interface)),
        signs=frozenset({"timeout", "unreachable", "refused"}),
        stable=(container.life,),
        address=endpoint.ip_address,
        interface=entry.interface,
        network=network.name,
    )
