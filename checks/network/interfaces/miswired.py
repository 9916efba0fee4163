"""Configurations of networks that cannot work, without any probe."""

import ipaddress
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from checks.network.helpers import calls_fail
from diagnose.error_signatures import FOUND_NOBODY, NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.gateways.silent_gateways import ArpTables
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.wiring.direct_neighbours import (
    callers_of,
    link_on,
    mac_of,
    unanswered_host,
)
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.phrases import agree, named
from diagnose.registry import check


@check("network.published-on-internal", severity=Severity.warning)
def published_on_internal(containers: Containers, networks: Networks) -> CheckResult:
    """A port is published, but the container is on internal networks only.

    The engine starts the container without an error and publishes nothing (seen on engines
    20.10.24, 26.1.5 and 28.5.2).
    """
    for container in containers.running:
        internal = networks.internal_of(container)
        if internal and container.wanted_ports and not container.published_ports:
            ports = [
                f"{binding.binding.host_port or 'any'} -> {binding.port}"
                for binding in container.wanted_ports
            ]
            names = names_of(internal)
            yield Finding.about(
                container,
                f"{container} publishes port {ports[0].partition(' ')[0]}, "
                f"but {named('network', names)} {agree(names, 'is', 'are')} internal: "
                "nothing is published",
                {
                    "HostConfig.PortBindings": ports,
                    "NetworkSettings.Ports": {},
                    **{f"Internal of {network.name}": True for network in internal},
                },
                touches=subjects_of(internal),
                recheck=(container.run,),
                variables={"network": names[0]},
            )


@check("network.mac-duplicate", severity=Severity.critical)
def mac_duplicate(
    containers: Containers, networks: Networks, namespaces: Namespaces | None
) -> CheckResult:
    """Two running containers on one network have the same MAC address.

    The bridge learns the address at one port at a time, so that packets for one container go to the
    other. It happens where `mac_address` is copied with a compose file or with scale. The address
    inside the container counts, if it is known.
    """
    for network in networks:
        if network.driver in ("host", "null", "ipvlan"):
            continue  # ipvlan gives all containers the parent's address by design
        members = containers.running_on(network.name)
        by_mac = by_key((mac_of(member, network, namespaces), member) for member in members)
        for mac, owners in by_mac.items():
            if mac and len(owners) > 1:
                yield _same_mac_finding(network, mac, owners, namespaces)


def _same_mac_finding(
    network: Network, mac: str, owners: list[Container], namespaces: Namespaces | None
) -> Finding:
    names = names_of(owners)
    last = owners[-1]
    address = last.endpoints[network.name].ip_address
    finding = Finding(
        subject=network.subject,
        summary=f"{network}: {named('container', names)} have the same MAC address {mac}",
        evidence={
            f"NetworkSettings.Networks.{network.name} of {owner.name}": [
                owner.endpoints[network.name].mac_address,
                owner.endpoints[network.name].ip_address,
            ]
            for owner in owners[:10]
        },
        variables={
            "network": network.name,
            "container": last.name,
            "alias": last.compose_service or last.name,
        },
        discriminator=mac,
        touches=subjects_of(owners),
        signs=FOUND_NOBODY,
        recheck=tuple(owner.run for owner in owners),
    )
    link = link_on(last, network, namespaces)
    if link is None or "." not in address:
        return finding
    live = {
        "inner": link.name,
        "address": address,
        "other_address": owners[0].endpoints[network.name].ip_address,
        "fresh_mac": _fresh_mac(address),
    }
    return finding.with_variables(live)


def _fresh_mac(address: str) -> str:
    """A locally administered MAC address that no other container of the network has.

    It contains the IPv4 address.
    """
    return "02:43:" + ipaddress.IPv4Address(address).packed.hex(":")


@check(
    "network.macvlan-host-unreachable",
    severity=Severity.warning,
    aloud=("cannot reach its own host", "cannot reach their own host"),
)
def macvlan_host_unreachable(
    containers: Containers,
    networks: Networks,
    neighbours: Neighbours | Unavailable,
    links: Interfaces | None,
    arp_tables: ArpTables | None,
    recent_logs: RecentLogs | None,
    unanswered_calls: UnansweredCalls | None,
) -> CheckResult:
    """A macvlan or ipvlan container and its own host cannot reach each other.

    The kernel does not allow it: by design the parent interface and its children cannot talk to
    each other, while other machines reach both. The finding stands only where one of them asked for
    the other's address and nobody answered. An interface of the host on the same parent (a shim)
    with a route to the container makes it work, and then the address answers. It is advice where
    only the container asked, and none of its calls is seen to fail: some programs ask for each
    address of their network.
    """
    direct = [network for network in networks if network.is_direct]
    if not direct:
        return None
    if isinstance(neighbours, Unavailable):
        return neighbours
    for network in direct:
        parent = network.option("parent")
        for container in containers.running_on(network.name):
            address = container.endpoints[network.name].ip_address
            entry = neighbours.unanswered(address) if address else None
            host = unanswered_host(container, arp_tables, links, parent)
            if entry is not None and parent in ("", entry.interface):
                callers = callers_of(container, address, containers, unanswered_calls)
                yield _unreached_peer_finding(container, network, entry, links, callers)
            elif host is not None and address:
                finding = _unreached_host_finding(container, network, host, links)
                is_missed = calls_fail(container, recent_logs, unanswered_calls)
                yield replace(finding, severity=None if is_missed else Severity.advice)


def _unreached_host_finding(
    container: Container, network: Network, host: Neighbour, links: Interfaces | None
) -> Finding:
    parent = network.option("parent")
    address = container.endpoints[network.name].ip_address
    finding = Finding.about(
        container,
        f"{container} cannot reach the host at {host.address}: its {network.driver} {network} "
        f"carries no traffic between containers and interface {parent} of the host itself",
        {
            f"NetworkSettings.Networks.{network.name}.IPAddress": address,
            f"ARP entry inside {container.name}": f"{host.address}: no answer",
            "Options.parent": parent,
        },
        touches=(network.subject,),
        signs=frozenset({"timeout", "unreachable"}),
        recheck=(container.run,),
        variables={"address": address, "parent": parent, "network": network.name},
    )
    host_address = _own_address(links, parent) if network.driver == "macvlan" else ""
    return finding.with_variables({"own": host_address}) if host_address else finding


def _unreached_peer_finding(
    container: Container,
    network: Network,
    entry: Neighbour,
    links: Interfaces | None,
    callers: Mapping[str, str],
) -> Finding:
    """The finding about a container that the host and its bridges do not reach.

    callers: where each container behind a bridge has the address.
    """
    address = container.endpoints[network.name].ip_address
    others = f", nor can {named('container', sorted(callers))}" if callers else ""
    finding = Finding.about(
        container,
        f"the host cannot reach {container} at {address}{others}: "
        f"its {network.driver} {network} carries no traffic between containers "
        f"and interface {entry.interface} of the host itself",
        {
            f"NetworkSettings.Networks.{network.name}.IPAddress": address,
            "ARP entry of the host": f"{entry.address} on {entry.interface}: no answer",
            "Options.parent": network.option("parent") or None,
            **present({"called by": dict(callers)}),
        },
        touches=(network.subject, *(Subject("container", name) for name in sorted(callers))),
        signs=frozenset({"timeout", "unreachable"}),
        recheck=(container.run,),
        variables={"address": address, "parent": entry.interface, "network": network.name},
    )
    host_address = _own_address(links, entry.interface) if network.driver == "macvlan" else ""
    return finding.with_variables({"own": host_address}) if host_address else finding


def _own_address(links: Interfaces | None, name: str) -> str:
    """The host's first IPv4 address on an interface; empty if there is none."""
    if links is None:
        return ""
    link = links.by_name.get(name)
    if link is None:
        return ""
    return next((address for address in links.addresses_of(link) if "." in address), "")


@check("network.parent-down", severity=Severity.critical)
def parent_down(containers: Containers, networks: Networks, interfaces: Interfaces) -> CheckResult:
    """The parent interface of a macvlan or ipvlan network is down.

    Containers of such a network send by the parent: while it is down, or has no carrier, they reach
    nobody outside, and the engine shows them as running. A network without a parent of its own is
    internal.
    """
    used = [
        network
        for network in networks
        if network.is_direct and network.option("parent")
        if containers.running_on(network.name)
    ]
    if not used:
        return Skipped(
            "no running container is on a macvlan or ipvlan network with a parent interface"
        )
    for network in used:
        parent = interfaces.by_name.get(network.option("parent"))
        if parent is not None and not _has_carrier(parent):
            yield _cut_off_finding(network, parent, containers.running_on(network.name))


def _has_carrier(link: Interface) -> bool:
    return link.up and not link.lacks_carrier


def _cut_off_finding(network: Network, parent: Interface, members: Sequence[Container]) -> Finding:
    state = "has no link (no carrier)" if parent.up else "is down"
    names = names_of(members)
    return Finding(
        subject=network.subject,
        summary=f'the parent interface "{parent.name}" of {network} {state}:'
        f" {named('container', names)} cannot reach the outside",
        evidence={
            "driver": network.driver,
            "Options parent": parent.name,
            "interface": state,
            "containers": sorted(names),
        },
        variables={"parent": parent.name} | ({} if parent.up else {"down_parent": parent.name}),
        touches=(parent.subject, *subjects_of(members)),
        signs=NO_WAY_OUT,
    )
