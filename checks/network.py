"""Networks, published ports and what lies between a container and its peers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.info import Info, Ping
from diagnose.evidence.links import Link, Links
from diagnose.evidence.listeners import Listener, Listeners, overlap
from diagnose.evidence.networks import Network, Networks
from diagnose.evidence.resolvers import Resolvers
from diagnose.evidence.routes import Route, Routes
from diagnose.model import Finding, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check
from diagnose.signs import signs

_ALLOCATED = re.compile(r"Bind for (?P<address>\S+):(?P<port>\d+) failed: port is already allocated")
_BIND = re.compile(
    r"(?:listen (?P<old>tcp|udp|sctp)[46]? (?P<oldip>\S+):(?P<oldport>\d+): bind"
    r"|failed to bind host port (?:for )?(?P<ip>\S+?):(?P<port>\d+)(?::\S+)?/(?P<proto>tcp|udp|sctp)): (?P<why>.+)"
)
"""Engines up to 27, whose proxy binds, and newer ones, which bind themselves (28.5.2: `host port for
0.0.0.0:80:172.17.0.3:80/tcp`)."""


def _not_up(containers: Containers) -> Iterator[Container]:
    """Those whose last start failed: a good start clears the error, so that a running one never has an old
    one."""
    for each in containers:
        if not each.is_running and each.state.error:
            yield each


def _publishes(container: Container, proto: str, address: str, port: int) -> bool:
    return any(
        each.partition("/")[2] == proto and binding.host_port == str(port) and overlap(binding.host_ip, address)
        for each, binding in container.published_ports
    )


def _protocols(container: Container, port: int) -> set[str]:
    """The protocols in which this host port was asked for: the engine's message does not say."""
    wanted = {each.partition("/")[2] for each, binding in container.wanted_ports if binding.host_port == str(port)}
    return wanted or {"tcp"}


def _failed(container: Container, **more: object) -> dict[str, object]:
    return {
        "State.Status": container.state.status,
        "State.ExitCode": container.state.exit_code,
        "State.Error": container.state.error,
        **more,
    }


@check("network.port-allocated", severity=Severity.critical)
def port_allocated(containers: Containers) -> Iterable[Finding]:
    """A container did not start because another one has its host port.

    The engine's own allocator refuses, before the kernel is asked. An old error of a container that nobody
    means to run again looks the same: it is a warning once the port is free.
    """
    for container in _not_up(containers):
        said = _ALLOCATED.search(container.state.error)
        if said is None:
            continue
        address, port = said["address"], int(said["port"])
        holders = [
            each
            for each in containers.running
            if each.id != container.id
            and any(_publishes(each, proto, address, port) for proto in _protocols(container, port))
        ]
        by = f"{holders[0].short} has it" if holders else "no running container has it now"
        yield Finding(
            subject=container.subject,
            summary=f"{container.short} did not start: host port {port} was already allocated; {by}",
            evidence=_failed(
                container,
                **{
                    f"NetworkSettings.Ports of {each.short}": sorted(each.network_settings.ports or {})
                    for each in holders
                },
            ),
            variables={"container": container.short, "port": str(port)},
            discriminator=str(port),
            severity=Severity.critical if holders else Severity.warning,
            touches=tuple(each.subject for each in holders),
            signs=signs(container.state.error),
            service=container.service,
        )


def _bind_failures(containers: Containers, why: str) -> Iterator[tuple[Container, str, str, int]]:
    """Containers whose host port could not be bound for this reason: protocol, address, port."""
    for container in _not_up(containers):
        said = _BIND.search(container.state.error)
        if said is not None and why in said["why"]:
            address, port = said["ip"] or said["oldip"], said["port"] or said["oldport"]
            yield container, said["proto"] or said["old"], address.strip("[]"), int(port)


@check("network.port-held-by-process", severity=Severity.critical)
def port_held_by_process(containers: Containers, listeners: Listeners | Unavailable) -> Iterable[Finding]:
    """A container did not start because a process of the host listens on its port.

    Without root the process cannot be named. Where nobody listens any more the finding is a warning: the next
    start may succeed.
    """
    for container, proto, address, port in _bind_failures(containers, "address already in use"):
        known = isinstance(listeners, Listeners)
        held = listeners.on(proto, address, port) if isinstance(listeners, Listeners) else ()
        yield Finding(
            subject=container.subject,
            summary=f"{container.short} did not start: {proto} port {port} of the host "
            + (_held_by(held[0], containers) if held else "was in use" + (", nothing holds it now" if known else "")),
            evidence=_failed(
                container, **{f"listener {each.proto} {each.address}:{each.port}": each.holder for each in held}
            ),
            variables={"container": container.short, "port": str(port), "proto": proto},
            discriminator=f"{port}/{proto}",
            severity=Severity.warning if known and not held else Severity.critical,
            touches=tuple(_owner(each, containers) for each in held if each.container in containers.by_id),
            signs=signs(container.state.error),
            service=container.service,
        )


def _owner(listener: Listener, containers: Containers) -> Subject:
    return containers.by_id[listener.container or ""].subject


def _held_by(listener: Listener, containers: Containers) -> str:
    inside = containers.by_id.get(listener.container or "")
    if inside is not None:
        return f"is held by {listener.holder} of container {inside.short}"
    return f"is held by {listener.holder}"


@check("network.bind-address-missing", severity=Severity.critical)
def bind_address_missing(containers: Containers, links: Links | Unavailable) -> Iterable[Finding]:
    """A container is to be published on an address that the host lacks.

    A floating address or a VPN that comes up after the engine: once the host has the address the finding is a
    warning.
    """
    for container, proto, address, port in _bind_failures(containers, "cannot assign requested address"):
        there = isinstance(links, Links) and links.holds(address)
        yield Finding(
            subject=container.subject,
            summary=f"{container.short} did not start: the host had no address {address} to publish port {port} on"
            + (", it has it now" if there else ""),
            evidence=_failed(
                container,
                **{
                    "addresses of the host": [each.address for each in links.addresses]
                    if isinstance(links, Links)
                    else str(links)
                },
            ),
            variables={"container": container.short, "address": address, "port": str(port)},
            discriminator=f"{address}:{port}/{proto}",
            severity=Severity.warning if there else Severity.critical,
            signs=signs(container.state.error),
            service=container.service,
        )


def _attached(network: Network, containers: Containers | Unavailable) -> tuple[Container, ...]:
    """The running containers on a network."""
    if isinstance(containers, Unavailable):
        return ()
    return tuple(each for each in containers.running if network.name in each.endpoints)


def _names(containers: Iterable[Container], most: int = 3) -> str:
    """A few names, and how many more there are."""
    listed = [each.short for each in containers]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


@check("network.bridge-down", severity=Severity.critical)
def bridge_down(
    networks: Networks,
    links: Links,
    containers: Containers | Unavailable,
    info: Info | Unavailable,
    ping: Ping | Unavailable,
) -> Iterable[Finding] | Skipped:
    """The bridge of a network is missing, switched off, or has lost its address.

    Only the admin flag counts: a bridge without attached containers has no carrier and is DOWN by operstate,
    which is normal. Containers still start on a bridge that is down, without an error (engines 20.10.24 to
    28.5.2).
    """
    if isinstance(ping, Ping) and ping.is_podman:
        return Skipped("Podman makes its bridges when the first container starts")
    if isinstance(info, Info) and info.is_rootless:
        return Skipped("a rootless engine's bridges are in a namespace of its own")
    return _broken_bridges(networks, links, containers)


def _broken_bridges(networks: Networks, links: Links, containers: Containers | Unavailable) -> Iterator[Finding]:
    for network in networks.bridges:
        link = links.by_name.get(network.bridge)
        wrong = _what_is_wrong(network, link, links)
        if not wrong:
            continue
        attached = _attached(network, containers)
        cut = f": {_names(attached)} cut off" if attached else ""
        yield Finding(
            subject=network.subject,
            summary=f"bridge {network.bridge} of network {network.name} {wrong}{cut}",
            evidence={
                f"link {network.bridge}": None if link is None else {"up": link.up, "operstate": link.operstate},
                f"addresses of {network.bridge}": [] if link is None else list(links.addresses_of(link)),
                "IPAM.Config.Gateway": list(network.gateways),
                "running containers": [each.short for each in attached],
            },
            variables={"network": network.name, "bridge": network.bridge},
            severity=Severity.critical if attached else Severity.warning,
            touches=(Subject("interface", network.bridge), *(each.subject for each in attached)),
        )


def _what_is_wrong(network: Network, link: Link | None, links: Links) -> str:
    if link is None:
        return "does not exist"
    if not link.up:
        return "is switched off"
    wanted = [each for each in network.gateways if "." in each]
    if not network.bridge_has_address or not wanted:
        return ""
    if not set(wanted) & set(links.addresses_of(link)):
        return f"has lost its address {wanted[0]}"
    return ""


@check("network.subnet-overlaps-route", severity=Severity.warning)
def subnet_overlaps_route(
    networks: Networks,
    routes: Routes,
    links: Links,
    containers: Containers | Unavailable,
    resolvers: Resolvers | Unavailable,
) -> Iterable[Finding]:
    """A network's subnet overlaps a route of the host that leads elsewhere.

    A route to the same or a smaller net takes packets away from containers. A larger one (a company's
    10.0.0.0/8) is often a plan, so that it is advice, unless a DNS server of the host lies in the subnet.
    Default routes, also in halves as VPNs set them, do not count.
    """
    servers = resolvers.engine_view if isinstance(resolvers, Resolvers) else ()
    for network in networks.bridges:
        for subnet in network.subnets:
            own = links.by_name.get(network.bridge)
            clashing = [
                each
                for each in routes
                if each.leads_somewhere
                and each.prefix > 1
                and each.family == ("inet" if subnet.version == 4 else "inet6")
                and each.oif != (own.index if own else None)
                and each.net.overlaps(subnet)
            ]
            shadowed = [each for each in servers if _within(each, subnet)]
            if clashing or (shadowed and network.is_bridge):
                yield _overlap(network, str(subnet), clashing, shadowed, links, _attached(network, containers))


def _within(address: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in subnet
    except ValueError:
        return False


def _overlap(
    network: Network,
    subnet: str,
    clashing: list[Route],
    shadowed: list[str],
    links: Links,
    attached: tuple[Container, ...],
) -> Finding:
    taken = [each for each in clashing if each.prefix >= ipaddress.ip_network(subnet).prefixlen]
    if shadowed:
        severity, what = Severity.critical, f"hides the DNS server {shadowed[0]}"
    elif taken:
        severity, what = Severity.warning, f"overlaps the host's route {taken[0]}{_by(taken[0], links)}"
    else:
        severity, what = Severity.advice, f"lies inside the host's route {clashing[0]}{_by(clashing[0], links)}"
    devices = {links.by_index[each.oif].name for each in clashing if each.oif in links.by_index}
    return Finding(
        subject=network.subject,
        summary=f"subnet {subnet} of network {network.name} {what}",
        evidence={
            "IPAM.Config.Subnet": subnet,
            "routes": [f"{each}{_by(each, links)}" for each in clashing[:10]],
            "DNS servers inside the subnet": shadowed,
            "running containers": [each.short for each in attached],
        },
        variables={"network": network.name, "subnet": subnet},
        discriminator=subnet,
        severity=severity,
        touches=(*(Subject("interface", each) for each in sorted(devices)), *(each.subject for each in attached)),
    )


def _by(route: Route, links: Links) -> str:
    link = links.by_index.get(route.oif or 0)
    return f" dev {link.name}" if link else ""
