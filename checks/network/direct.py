"""Networks whose containers are machines of the parent interface's own net."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject, Unexamined
from diagnose.phrases import and_more, counted
from diagnose.registry import check

_DIRECT = ("macvlan", "ipvlan")


@check(
    "network.parent-subnet-foreign",
    severity=Severity.critical,
    causes=["dns.upstream-unreachable"],
)
def parent_subnet_foreign(
    containers: Containers, networks: Networks, interfaces: Interfaces, lookups: Lookups | None
) -> CheckResult:
    """A macvlan network has a subnet that its parent interface's net does not know.

    Its containers ask for a gateway that nobody on that wire has, and get no answer. A parent
    without an address of its own, and a second subnet on the same wire whose servers answer, are
    left alone.
    """
    used = [
        network
        for network in networks
        if network.driver in _DIRECT and network.option("ipvlan_mode") not in ("l3", "l3s")
    ]
    checked = 0
    for network in used:
        members = containers.running_on(network.name)
        parent = network.option("parent")
        nets = _nets(interfaces, parent)
        own = [subnet for subnet in network.subnets if subnet.version == 4]
        if not members or not nets or not own:
            continue
        checked += 1
        if any(subnet.overlaps(net) for subnet in own for net in nets):
            continue
        reached = _is_reached(network, lookups)
        if reached is None:
            yield Unexamined(network.subject, "no query was sent from it")
        elif not reached:
            yield _foreign(network, parent, nets, members)
    if not checked:
        return Skipped(
            "no running container is on a macvlan network of an interface with addresses"
        )
    return None


def _nets(interfaces: Interfaces, parent: str) -> list[ipaddress.IPv4Network]:
    link = interfaces.by_name.get(parent)
    if link is None:
        return []
    return [
        ipaddress.IPv4Network(f"{address.address}/{address.prefix}", strict=False)
        for address in interfaces.addresses
        if address.index == link.index and address.family == "inet" and address.address
    ]


def _is_reached(network: Network, lookups: Lookups | None) -> bool | None:
    """Whether some DNS server answers queries that leave by this network alone."""
    paths = (*lookups.ways, *lookups.probes) if lookups is not None else ()
    tried = [path for path in paths if path.networks == (network.name,) and path.asked]
    if not tried:
        return None
    return any(not path.fails for path in tried)


def _foreign(
    network: Network,
    parent: str,
    nets: Sequence[ipaddress.IPv4Network],
    members: Sequence[Container],
) -> Finding:
    subnet = next(str(subnet) for subnet in network.subnets if subnet.version == 4)
    names = sorted(container.name for container in members)
    gateway = next((gateway for gateway in network.gateways if "." in gateway), "")
    return Finding(
        subject=network.subject,
        summary=(
            f"{network} has subnet {subnet}, but its parent interface "
            f'"{parent}" is in {and_more(map(str, nets))}: {counted("container", names)} '
            "cannot reach anybody there"
        ),
        evidence={
            "driver": network.driver,
            "IPAM.Config.Subnet": subnet,
            "IPAM.Config.Gateway": gateway or None,
            f"nets of {parent}": [str(net) for net in nets],
            "DNS server asked from this network": "no answer",
            "containers": names,
        },
        variables={"network": network.name, "parent": parent},
        touches=(
            Subject("interface", parent),
            *(container.subject for container in members),
        ),
        signs=NO_WAY_OUT | {"dns"},
    )
