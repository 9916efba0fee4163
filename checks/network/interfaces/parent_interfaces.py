"""Networks whose containers are machines of the parent interface's own net."""

import ipaddress
from collections.abc import Sequence

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.mappings import first_of, names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unexamined
from diagnose.model.subjects import Subject
from diagnose.phrases import and_more, named
from diagnose.registry import check


@check(
    "network.parent-subnet-foreign", severity=Severity.critical, causes=["dns.upstream-unreachable"]
)
def parent_subnet_foreign(
    containers: Containers,
    networks: Networks,
    interfaces: Interfaces,
    lookups: Lookups | None,
    routes: Routes | None,
) -> CheckResult:
    """A macvlan network's subnet does not match its parent interface's network.

    Its containers ask for a gateway that nobody on that wire has, and get no answer. A parent
    without an address of its own, and a second subnet on the same wire whose servers answer, are
    left out.
    """
    checked = 0
    for network in networks:
        members = containers.running_on(network.name)
        nets = interfaces.nets_of(network.option("parent")) if _is_on_wire(network) else []
        if not members or not nets or not network.subnet4:
            continue
        checked += 1
        if any(subnet.overlaps(net) for subnet in network.subnets4 for net in nets):
            continue
        reached = lookups.reached_from(network.name) if lookups is not None else None
        if reached is None:
            yield Unexamined(network.subject, "no query was sent from it")
        elif not reached:
            yield _foreign_subnet_finding(network, _fitting_network(nets[0], routes), nets, members)
    if not checked:
        return Skipped(
            "no running container is on a macvlan network of an interface with addresses"
        )


def _is_on_wire(network: Network) -> bool:
    """Whether a network's containers ask for addresses on the parent's own wire."""
    is_routed = network.option("ipvlan_mode") in ("l3", "l3s")
    return network.is_direct and not is_routed


def _fitting_network(net: ipaddress.IPv4Network, routes: Routes | None) -> PageVariables:
    """The subnet of the wire, its router, and the last sixteenth of the addresses as a range."""
    router = routes.router if routes is not None else None
    if router is None or ipaddress.ip_address(router) not in net or net.prefixlen > _LEAST_PREFIX:
        return {}
    last = list(net.subnets(prefixlen_diff=4))[-1]
    if ipaddress.ip_address(router) in last:
        last = first_of(net.subnets(prefixlen_diff=4))
    return {"subnet": str(net), "router": router, "free_range": str(last)}


_LEAST_PREFIX = 26
"""The smallest net of which a range may be taken: 64 addresses."""


def _foreign_subnet_finding(
    network: Network,
    fitting: dict[str, str],
    nets: Sequence[ipaddress.IPv4Network],
    members: Sequence[Container],
) -> Finding:
    """The finding about a network whose subnet is foreign to the wire.

    fitting: the options of a network that fits the wire; none where they are not known.
    """
    subnet = network.subnet4
    parent = network.option("parent")
    names = sorted(names_of(members))
    return Finding(
        subject=network.subject,
        summary=(
            f"{network} has subnet {subnet}, but its parent interface "
            f'"{parent}" is in {and_more(map(str, nets))}: {named("container", names)} '
            "cannot reach anything there"
        ),
        evidence={
            "driver": network.driver,
            "IPAM.Config.Subnet": subnet,
            "IPAM.Config.Gateway": network.gateway4 or None,
            f"nets of {parent}": [str(net) for net in nets],
            "DNS server asked from this network": "no answer",
            "containers": names,
        },
        variables={"network": network.name, "parent": parent, **fitting},
        touches=(Subject("interface", parent), *subjects_of(members)),
        signs=NO_WAY_OUT | {"dns"},
    )


_PORT_IS_BUSY = "port: device or resource busy"
"""The error of a start whose parent interface is taken (macvlan_common_newlink)."""


@check("network.parent-in-use", severity=Severity.critical, causes=["container.start-refused"])
def parent_in_use(
    containers: Containers, networks: Networks, interfaces: Interfaces
) -> CheckResult:
    """A macvlan network's parent interface is a port of a bridge or bond.

    Such an interface hands all that it receives to its master, and the kernel refuses a macvlan on
    it: "device or resource busy". The master can be the parent.
    """
    direct = [network for network in networks if network.is_direct]
    if not direct:
        return Skipped("there is no macvlan or ipvlan network")
    for network in direct:
        parent = interfaces.by_name.get(network.option("parent"))
        master = interfaces.by_index.get(parent.master or 0) if parent is not None else None
        if parent is not None and master is not None:
            yield _parent_in_use_finding(network, parent, master, containers)


def _parent_in_use_finding(
    network: Network, parent: Interface, master: Interface, containers: Containers
) -> Finding:
    refused = [
        container
        for container in containers
        if network.name in container.endpoints and _PORT_IS_BUSY in container.state.error
    ]
    names = sorted(names_of(refused))
    harm = f": {named('container', names)} did not start" if names else ""
    kind = master.kind or "interface"
    return Finding(
        subject=network.subject,
        summary=(
            f'{network} has parent interface "{parent.name}", which is a port of {kind} '
            f'"{master.name}" and takes no {network.driver}{harm}'
        ),
        evidence={
            "Options.parent": parent.name,
            f"master of {parent.name}": f"{master.name} ({kind})",
            **{f"State.Error of {owner.name}": owner.state.error for owner in refused[:3]},
        },
        variables=present(
            {
                "network": network.name,
                "parent": master.name,
                "refused": refused[0].name if refused else "",
            }
        ),
        severity=None if refused else Severity.advice,
        touches=(parent.subject, *subjects_of(refused)),
    )
