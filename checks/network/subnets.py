"""Subnets: overlapping what the host routes elsewhere, or used up."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from checks.network._words import attached as attached_to
from checks.network._words import count, names, not_up
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks, Subnet
from diagnose.evidence.network.packet_paths import Forwarding
from diagnose.evidence.network.route_lookups import RouteLookups
from diagnose.evidence.network.routes import MAIN_TABLE, Route, Routes
from diagnose.model import DAEMON, Count, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check


@check("network.subnet-overlaps-route", severity=Severity.warning)
def subnet_overlaps_route(
    networks: Networks,
    routes: Routes,
    links: Interfaces,
    containers: Containers | Unavailable,
    resolvers: Resolvers | Unavailable,
    ways: RouteLookups | Unavailable,
    forwarding: Forwarding | Unavailable,
) -> Iterable[Finding]:
    """A network's subnet overlaps a route of the host that leads elsewhere.

    A route to the same or a smaller net takes packets away from containers. A larger one (a company's
    10.0.0.0/8) is often a plan, so that it is advice, unless a DNS server of the host lies in the subnet.
    Default routes, also in halves as VPNs set them, do not count. A more specific one that takes a running container's address
    is critical, also one that leads nowhere (blackhole, unreachable), and so is a routing rule that does.
    """
    servers = resolvers.engine_view if isinstance(resolvers, Resolvers) else ()
    for network in networks.bridges:
        own, attached = links.bridge(network.bridge, network.gateways), attached_to(network, containers)
        reached = True
        for subnet in network.subnets:
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
            for route in [each for each in routes if each.type in _NOWHERE or each in clashing]:
                lost = _taken(route, network, subnet, attached)
                if lost:
                    reached = False
                    clashing = [each for each in clashing if each is not route]
                    yield _astray(network, str(subnet), route, lost, links)
            if clashing or (shadowed and network.is_bridge):
                yield _overlap(network, str(subnet), clashing, shadowed, links, attached)
        if reached and isinstance(ways, RouteLookups) and isinstance(forwarding, Forwarding):
            yield from _by_policy(network, ways, forwarding, links, attached)


_REFUSALS = {
    "EINVAL": "blackhole, or a source that rp_filter takes for forged",
    "EXDEV": "a source that rp_filter takes for forged",
    "EACCES": "prohibit",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "no route",
}


def _by_policy(
    network: Network, ways: RouteLookups, forwarding: Forwarding, links: Interfaces, attached: tuple[Container, ...]
) -> Iterable[Finding]:
    """Whether the host's routing rules take a network's packets elsewhere, or stop them; what the main table does is said above."""
    out, back = ways.out.get(network.name), ways.back.get(network.name)
    bridge = links.by_name.get(network.bridge)
    if out is None or back is None or bridge is None or not attached:
        return
    forwards = "0" not in (forwarding.everywhere, forwarding.by_interface.get(network.bridge))
    if back.oif != bridge.index and back.table != MAIN_TABLE:
        device = links.by_index.get(back.oif or 0)
        where = f"by {device.name}, table {back.table}" if device else f"nowhere ({_REFUSALS.get(back.error or '')})"
        what = f"sends what is for {names(attached)} {where}"
    elif back.oif == bridge.index and out.error in _REFUSALS and not ways.own.error and forwards:
        what = f"stops what {names(attached)} sends out: {_REFUSALS[out.error]}"
    else:
        return
    yield Finding(
        subject=network.subject,
        summary=f"the host's routing policy {what}",
        evidence={
            "routing rules": list(ways.rules),
            f"way from {network.bridge} to the outside": out.error or f"table {out.table}",
            f"way to {attached[0].name}": back.error or f"table {back.table}",
        },
        variables={"network": network.name, "subnet": str(network.subnets[0]) if network.subnets else "none"},
        discriminator="policy",
        severity=Severity.critical,
        touches=tuple(each.subject for each in attached),
    )


_NOWHERE = ("blackhole", "unreachable", "prohibit")


def _taken(route: Route, network: Network, subnet: Subnet, attached: tuple[Container, ...]) -> tuple[Container, ...]:
    """The containers whose address a more specific route takes from the network's own."""
    if route.table != MAIN_TABLE or route.prefix <= subnet.prefixlen:
        return ()
    return tuple(each for each in attached if _within(each.endpoints[network.name].ip_address, route.net))


def _astray(network: Network, subnet: str, route: Route, lost: tuple[Container, ...], links: Interfaces) -> Finding:
    kind = f"{route.type} route" if route.type in _NOWHERE else "route"
    return Finding(
        subject=network.subject,
        summary=f"{kind} {route}{_by(route, links)} of the host takes what is sent to {names(lost)} on network {network.name}",
        evidence={
            "IPAM.Config.Subnet": subnet,
            "routes": [f"{route.type} {route}{_by(route, links)}"],
            "addresses": {each.name: each.endpoints[network.name].ip_address for each in lost[:10]},
        },
        variables={"network": network.name, "subnet": subnet},
        discriminator=f"{route.type} {route}",
        severity=Severity.critical,
        touches=tuple(each.subject for each in lost),
    )


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
    links: Interfaces,
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
            "running containers": [each.name for each in attached],
        },
        variables={"network": network.name, "subnet": subnet},
        discriminator=subnet,
        severity=severity,
        touches=(*(Subject("interface", each) for each in sorted(devices)), *(each.subject for each in attached)),
    )


def _by(route: Route, links: Interfaces) -> str:
    link = links.by_index.get(route.oif or 0)
    return f" dev {link.name}" if link else ""


DEFAULT_POOLS = (*((f"172.{second}.0.0/16", 16) for second in range(17, 32)), ("192.168.0.0/16", 20))
"""What the engine cuts subnets from unless it is told otherwise: 31 of them (20.10.24, 26.1.5, 28.5.2)."""


@check(
    "network.address-pools-exhausted",
    severity=Severity.warning,
    caused_by=["network.bridge-leaked"],
)
def address_pools_exhausted(
    networks: Networks,
    routes: Routes,
    links: Interfaces,
    info: Info,
    containers: Containers | Unavailable,
    ping: Ping | Unavailable,
    *,
    warn_free: Count = Count(3),
) -> Iterable[Finding] | Skipped:
    """The engine has no subnets left for new networks, or hardly any.

    Subnets of networks count, and those that the host reaches on a link of its own; routes through a gateway do not (seen on 20.10.24,
    26.1.5 and 28.5.2). With one to three left it is advice.
    """
    if isinstance(ping, Ping) and ping.is_podman:
        return Skipped("Podman chooses subnets otherwise")
    pools = [(str(each.get("Base")), int(each.get("Size", 0))) for each in info.default_address_pools or ()]
    used: list[Subnet] = [subnet for each in networks for subnet in each.subnets]
    own = {links.by_name[each.bridge].index for each in networks.bridges if each.bridge in links.by_name}
    foreign = [each for each in routes if _on_link(each) and each.oif not in own]
    free, total = _free(pools or DEFAULT_POOLS, used, [each.net for each in foreign])
    if free > warn_free:
        return ()
    routed = _free(pools or DEFAULT_POOLS, used, [])[0] - free
    return (_few_left(free, total, routed, networks, foreign, links, containers),)


def _on_link(route: Route) -> bool:
    return (
        route.leads_somewhere
        and route.table == MAIN_TABLE
        and route.scope == "link"
        and route.family == "inet"
        and not ipaddress.ip_address(route.dst).is_unspecified
    )


def _free(pools: Iterable[tuple[str, int]], used: list[Subnet], routed: list[Subnet]) -> tuple[int, int]:
    """How many IPv4 subnets could still be given away, and how many there are in all."""
    free = total = 0
    for base, size in pools:
        try:
            pool = ipaddress.ip_network(base, strict=False)
        except ValueError:
            continue
        if pool.version != 4 or not pool.prefixlen <= size <= 30:
            continue
        total += 1 << (size - pool.prefixlen)
        near = [each for each in (*used, *routed) if each.version == 4 and each.overlaps(pool)]
        taken: set[int] = set()
        for each in near:
            width = 32 - size
            first = max(int(each.network_address), int(pool.network_address))
            last = min(int(each.broadcast_address), int(pool.broadcast_address))
            taken.update(range(first >> width, (last >> width) + 1))
        free += (1 << (size - pool.prefixlen)) - len(taken)
    return free, total


def _few_left(
    free: int,
    total: int,
    routed: int,
    networks: Networks,
    foreign: list[Route],
    links: Interfaces,
    containers: Containers | Unavailable,
) -> Finding:
    inhabited = (
        {name for each in containers for name in each.endpoints} if isinstance(containers, Containers) else set()
    )
    empty = [each.name for each in networks.bridges if each.name not in inhabited and each.name != "bridge"]
    left = "no subnet is left" if not free else f"only {count(free, 'subnet')} of {total} left"
    devices = sorted({links.by_index[each.oif].name for each in foreign if each.oif in links.by_index})
    unused = {each.subject for each in links if each.kind == "bridge" and each.name in devices}
    return Finding(
        subject=DAEMON,
        summary=f"{left} for new networks: {count(len(networks.bridges), 'network')} have one"
        + (f", {len(empty)} of them without a container" if isinstance(containers, Containers) else "")
        + (f"; the host's own routes overlap {routed} more ({foreign[0]}{_by(foreign[0], links)})" if routed else ""),
        evidence={
            "subnets in the pools": total,
            "free": free,
            "overlapped by routes alone": routed,
            "networks without a container": empty[:20],
            "routes on a link that are in the way": [str(each) for each in foreign][:10],
        },
        severity=Severity.advice if free else Severity.warning,
        touches=tuple(sorted(unused)),
    )


_NO_ADDRESS = re.compile(r"no available IPv4 addresses on this network's address pools: (?P<network>\S+)")

_SMALL = 8
"""A subnet with fewer addresses is full on purpose: it was made for one or two containers."""


@check("network.subnet-exhausted", severity=Severity.critical)
def subnet_exhausted(containers: Containers, networks: Networks) -> Iterable[Finding]:
    """A network has no free address for another container.

    Certain where a container failed to start for want of one; a subnet that is merely full is a warning, and nothing is said of one
    that was cut for two containers.
    """
    refused: dict[str, list[Container]] = {}
    for each in not_up(containers):
        said = _NO_ADDRESS.search(each.state.error)
        if said:
            refused.setdefault(said["network"], []).append(each)
    for network in networks.bridges:
        failed = refused.get(network.name, [])
        used, room = _used(network, containers)
        if failed or (room >= _SMALL and used >= room):
            yield Finding(
                subject=network.subject,
                summary=f"network {network.name} has no free address ({used} of {room} in use)"
                + (f": {names(failed)} did not start" if failed else ""),
                evidence={
                    "IPAM.Config": [f"{each.subnet} {each.ip_range}".strip() for each in network.pools],
                    "addresses for containers": room,
                    "in use by running containers": used,
                    **{f"State.Error of {each.name}": each.state.error for each in failed[:5]},
                },
                variables={"network": network.name},
                severity=Severity.critical if failed else Severity.warning,
                touches=tuple(each.subject for each in failed),
            )


def _used(network: Network, containers: Containers) -> tuple[int, int]:
    """Addresses that running containers have on a network, and how many there are for containers."""
    addresses = {
        endpoint.ip_address
        for each in attached_to(network, containers)
        if (endpoint := each.endpoints[network.name]).ip_address
    }
    room = 0
    for pool in network.pools:
        try:
            span = ipaddress.ip_network(pool.ip_range or pool.subnet, strict=False)
        except ValueError:
            continue
        if span.version == 4 and span.num_addresses > 1:
            gateway = pool.gateway.partition("/")[0] or str(span[1])  # 28.5.2 does not name the one that it chose
            kept = {gateway, *(pool.auxiliary_addresses or {}).values()}
            room += max(0, span.num_addresses - 2 - sum(1 for each in kept if _within(each, span)))
    return len(addresses), room
