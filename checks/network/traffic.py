"""What the host does to packets on their way: how large they may be, how many connections it can remember."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.network._words import attached as attached_to
from checks.network._words import names
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.network.conntrack import Conntrack
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.path_mtu import PathMtu
from diagnose.evidence.network.routes import Routes
from diagnose.model import HOST, Finding, Percent, Seconds, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check

MTU_OPTION = "com.docker.network.driver.mtu"


@check("network.mtu-mismatch", severity=Severity.advice)
def mtu_mismatch(
    networks: Networks,
    containers: Containers,
    routes: Routes,
    links: Interfaces,
    namespaces: Namespaces | Unavailable,
    path_mtu: PathMtu | Unavailable,
) -> Iterable[Finding] | Skipped:
    """Containers send larger packets than the host's uplink carries.

    The host says so by ICMP and most connections adapt, so that it is advice; it is a warning where the host's own packet filter
    keeps that message from the containers: large answers and TLS then hang. What filters beyond the host do cannot be seen.
    """
    route = routes.default
    uplink = links.by_index.get(route.oif or 0) if route else None
    if route is None or uplink is None or not uplink.mtu:
        return Skipped("the host has no IPv4 default route")
    if isinstance(path_mtu, PathMtu) and path_mtu.clamped:
        return Skipped(f"connections are made to fit by the packet filter: {path_mtu.clamped}")
    limit = min(uplink.mtu, route.mtu or uplink.mtu)
    return (
        _too_large(network, size, limit, uplink.name, inhabitants, path_mtu)
        for network in networks.bridges
        if not network.internal and (inhabitants := attached_to(network, containers))
        if (size := _sends(network, inhabitants, namespaces)) > limit
    )


def _sends(network: Network, inhabitants: Iterable[Container], namespaces: Namespaces | Unavailable) -> int:
    """The largest packet in bytes that containers of a network send: as seen inside, else as the network's option says."""
    seen = [
        link.mtu
        for each in inhabitants
        if isinstance(namespaces, Namespaces)
        and (inside := namespaces.of(each))
        and (link := inside.link_with(each.endpoints[network.name].ip_address))
    ]
    option = network.option(MTU_OPTION, "1500")
    return max(seen) if seen else int(option) if option.isdigit() else 1500


def _too_large(
    network: Network,
    size: int,
    limit: int,
    uplink: str,
    inhabitants: tuple[Container, ...],
    path_mtu: PathMtu | Unavailable,
) -> Finding:
    blocked = path_mtu.blocked.get(network.bridge) if isinstance(path_mtu, PathMtu) else None
    return Finding(
        subject=network.subject,
        summary=f"containers on network {network.name} send packets of {size} bytes, but {uplink} carries {limit}"
        + (f", and {blocked} drops the message that says so" if blocked else ""),
        evidence={
            f"MTU of {names(inhabitants)}": size,
            f"MTU of {uplink}": limit,
            f"Options.{MTU_OPTION}": network.option(MTU_OPTION) or None,
            "ICMP fragmentation needed, host to container": f"dropped by {blocked}" if blocked else "not dropped here",
        },
        variables={"network": network.name, "uplink": uplink, "mtu": str(limit), "container": inhabitants[0].name},
        severity=Severity.warning if blocked else Severity.advice,
        touches=tuple(each.subject for each in inhabitants),
        signs=frozenset({"timeout"}),
    )


_FULL = re.compile(r"nf_conntrack: (?:nf_conntrack: )?table full, dropping packet")


@check("network.conntrack-full", severity=Severity.warning)
def conntrack_full(
    conntrack: Conntrack,
    networks: Networks | Unavailable,
    kernel_log: KernelLog | Unavailable,
    clock: Clock,
    *,
    warn_pct: Percent = Percent(80),
    critical_pct: Percent = Percent(95),
    recent: Seconds = Seconds(3600),
) -> Iterable[Finding] | Skipped:
    """The host's connection tracking table is full, or nearly so.

    New connections are dropped at random once it is full, DNS among them. Critical where the kernel said so within the last hour.
    """
    if conntrack.limit is None or conntrack.count is None:
        return Skipped("connection tracking is not in use on this host")
    said = [
        record
        for record, _ in (kernel_log.matching(_FULL) if isinstance(kernel_log, KernelLog) else ())
        if (clock.age(record.at) or 0) <= recent
    ]
    used = 100 * conntrack.count / conntrack.limit if conntrack.limit else 0.0
    if used < warn_pct and not said:
        return ()
    dropped = f"; the kernel dropped packets {len(said)} times within the last hour" if said else ""
    return (
        Finding(
            subject=HOST,
            summary=f"{conntrack.count} of {conntrack.limit} tracked connections in use ({used:.0f} %){dropped}",
            evidence={
                "net.netfilter.nf_conntrack_count": conntrack.count,
                "net.netfilter.nf_conntrack_max": conntrack.limit,
                "kernel log": [record.text for record in said[-3:]],
            },
            severity=Severity.critical if used >= critical_pct or said else Severity.warning,
            touches=_bridges(networks),
            onset=said[0].at if said else None,
        ),
    )


def _bridges(networks: Networks | Unavailable) -> tuple[Subject, ...]:
    return tuple(each.subject for each in networks.bridges) if isinstance(networks, Networks) else ()
