"""Bridges of networks: missing, down, without address or route, or left over."""

import ipaddress

from checks.network.helpers import running_members
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.wiring.interface_managers import InterfaceManager, InterfaceManagers
from diagnose.evidence.network.wiring.later_bridges import LaterBridges, spare_bridges
from diagnose.mappings import first_of, names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import agree, named, sentence
from diagnose.registry import check


@check("network.bridge-down", severity=Severity.critical)
def bridge_down(
    networks: Networks,
    links: Interfaces,
    containers: Containers | None,
    info: Info | None,
    ping: Ping | None,
    routes: Routes | None,
    later: LaterBridges | None,
    managers: InterfaceManagers | None,
) -> CheckResult:
    """The bridge of a network is missing, down, or has lost its address.

    Only the admin flag counts: a bridge without attached containers has no carrier and is DOWN by
    operstate, which is normal. Containers still start on a bridge that is down, without an error
    (engines 20.10.24 to 28.5.2). A bridge without a route to its containers cuts them off like one
    without an address. systemd-networkd takes the address away where one of its files matches the
    bridge, each time that the last container leaves it. What second lists do not show was a network
    that came or went.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman creates its bridges when the first container starts")
    if info is not None and info.is_rootless:
        return Skipped("the bridges of a rootless engine are in its own network namespace")
    for network in networks.bridges:
        members = running_members(network, containers)
        fault = _fault(network, links, members, routes)
        if fault and later is not None:
            is_there = later.has(network)
            fault = _fault(network, later.links, members, later.routes) if is_there else ""
        if fault:
            manager = managers.by_own_file(network.bridge) if managers is not None else None
            yield _broken_bridge_finding(network, links, members, fault, manager)


def _fault(
    network: Network, links: Interfaces, members: tuple[Container, ...], routes: Routes | None
) -> str:
    """The fault of the bridge or its routes, in words; "" where there is none."""
    link = links.by_name.get(network.bridge)
    own_fault = _own_fault(network, link, links, members)
    return own_fault or _missing_route(network, link, members, routes)


def _broken_bridge_finding(
    network: Network,
    links: Interfaces,
    members: tuple[Container, ...],
    fault: str,
    manager: InterfaceManager | None,
) -> Finding:
    link = links.by_name.get(network.bridge)
    names = names_of(members)
    state = {"up": link.up, "operstate": link.operstate} if link is not None else None
    addresses = list(links.addresses_of(link)) if link is not None else []
    gateways = {member.endpoints[network.name].gateway for member in members}
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"bridge {network.bridge} of {network} {fault}",
            f"{named('container', names)} {agree(names, 'is', 'are')} cut off" if names else "",
            f"{manager} also configures it" if manager is not None else "",
        ),
        evidence={
            f"link {network.bridge}": state,
            f"addresses of {network.bridge}": addresses,
            "IPAM.Config.Gateway": list(network.gateways),
            "Gateway of containers": sorted(gateways),
            "running containers": names,
        },
        variables=present(
            {
                "network": network.name,
                "bridge": network.bridge,
                "subnet": str(network.subnets[0]) if network.subnets else "none",
                "address": _address(network, members),
                "networkd": manager.name if manager is not None else "",
            }
        ),
        severity=Severity.critical if members else Severity.warning,
        touches=(Subject("interface", network.bridge), *subjects_of(members)),
    )


def _own_fault(
    network: Network, link: Interface | None, links: Interfaces, members: tuple[Container, ...]
) -> str:
    """The fault of the bridge itself, in words; "" where there is none."""
    if link is None:
        return "does not exist"
    if not link.up:
        return "is down"
    wanted_addresses = _gateways(network, members) if network.bridge_has_address else []
    if wanted_addresses and set(wanted_addresses).isdisjoint(links.addresses_of(link)):
        return f"has lost its address {wanted_addresses[0]}"
    return ""


def _gateways(network: Network, members: tuple[Container, ...]) -> list[str]:
    """The IPv4 addresses that the bridge should have, by the network and by its containers.

    Engine 20.10.24 names no gateway of the default network, 28.5.2 none that it chose itself: the
    containers know it.
    """
    gateways = [*network.gateways, *(member.endpoints[network.name].gateway for member in members)]
    return [gateway for gateway in gateways if "." in gateway]


def _missing_route(
    network: Network, link: Interface | None, members: tuple[Container, ...], routes: Routes | None
) -> str:
    """The clause about a container to which the host has no route by this bridge.

    "" where there is none.
    """
    if link is None or routes is None or not network.bridge_has_address:
        return ""
    by_bridge = [route.net for route in routes if route.oif == link.index and route.leads_somewhere]
    for member in members:
        address = member.endpoints[network.name].ip_address
        if address and not any(ipaddress.ip_address(address) in net for net in by_bridge):
            return f"has no route to {address}"
    return ""


def _address(network: Network, members: tuple[Container, ...]) -> str:
    """The address that the engine gives the bridge, with its prefix."""
    subnet = first_of(network.subnets4, None)
    if subnet is None:
        return "none"
    gateway = first_of(_gateways(network, members), str(subnet[1]))
    return f"{gateway}/{subnet.prefixlen}"


@check("network.bridge-leaked", severity=Severity.advice)
def bridge_leaked(
    networks: Networks,
    links: Interfaces,
    processes: Processes | None,
    ping: Ping | None,
    later: LaterBridges | None,
) -> CheckResult:
    """A bridge of the engine is left over from a network that no longer exists.

    Its subnet and its route stay taken. Seen on engine 20.10.24 after a network that could not be
    created. Only bridges with the engine's kind of name, without anything attached, and only where
    no second engine runs. A bridge that second lists explain was of a network that came or went.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman names its bridges differently")
    engines = [process for process in processes or () if process.comm == "dockerd"]
    if len(engines) > 1:
        return Skipped("a second engine runs on this host, and either may own the bridges")
    spare = spare_bridges(networks, links)
    if later is not None:
        still_spare = {link.name for link in spare_bridges(later.networks, later.links)}
        spare = [link for link in spare if link.name in still_spare]
    bridges = sorted({network.bridge for network in networks})
    for link in spare:
        yield _leaked_bridge_finding(link, list(links.addresses_of(link)), bridges)


def _leaked_bridge_finding(link: Interface, addresses: list[str], bridges: list[str]) -> Finding:
    return Finding(
        subject=link.subject,
        summary=(
            f"bridge {link.name} belongs to no network "
            f"and keeps {', '.join(addresses) or 'no address'}"
        ),
        evidence={
            f"link {link.name}": {"kind": link.kind, "operstate": link.operstate},
            f"addresses of {link.name}": addresses,
            "bridges of networks": bridges,
        },
        variables={"bridge": link.name},
    )
