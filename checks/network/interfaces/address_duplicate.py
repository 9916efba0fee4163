"""network.address-duplicate: another machine has the address of a container."""

from diagnose.error_signatures import FOUND_NOBODY
from diagnose.evidence.network.subnets.address_duplicates import AddressDuplicate, AddressDuplicates
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.registry import check


@check("network.address-duplicate", severity=Severity.critical, causes=["dns.upstream-unreachable"])
def address_duplicate(address_duplicates: AddressDuplicates) -> CheckResult:
    """Another machine has the address of a container on the host's own wire.

    The engine gives addresses of a macvlan or ipvlan network without asking the wire, and the DHCP
    server of the net does not know of them. A host hears its own macvlan containers never by the
    parent interface: who answers there for a container's address is another machine. The host knows
    of it only where the two have exchanged a packet. It is advice where that was some time ago: the
    container may have taken over the address of a machine that is gone.
    """
    if not address_duplicates.members:
        return Skipped("no running container is on a macvlan or ipvlan network")
    for duplicate in address_duplicates:
        yield _finding(duplicate)


def _finding(duplicate: AddressDuplicate) -> Finding:
    container = duplicate.container
    network = duplicate.network
    entry = duplicate.entry
    endpoint = container.endpoints[network.name]
    ranges = [pool.ip_range for pool in network.ipam.config or () if pool.ip_range]
    if duplicate.answers:
        has = "has it too"
        severity = Severity.critical
        signs = FOUND_NOBODY
    else:
        has = "had it when this host last used that address"
        severity = Severity.advice
        signs = frozenset()
    return Finding.about(
        container,
        f"{container} has address {endpoint.ip_address} on {network.driver} {network}, and another "
        f"machine on interface {entry.interface} {has} ({entry.mac})",
        {
            f"ARP entry of the host on {entry.interface}": f"{entry.address}: {entry.mac}",
            f"hardware address of {container.name}": endpoint.mac_address or "not known",
            "IPAM.Config.IPRange": ranges or "none: the engine takes addresses of the whole subnet",
        },
        severity=severity,
        discriminator=endpoint.ip_address,
        touches=(network.subject, Subject("interface", entry.interface)),
        signs=signs,
        recheck=(container.run,),
        variables={
            "address": endpoint.ip_address,
            "interface": entry.interface,
            "network": network.name,
        },
    )
