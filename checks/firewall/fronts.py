"""Two packet filters in one kernel, and ports that are open past the host's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checks.firewall._words import Judged, shortened, subjects_of
from diagnose.evidence.network.packet_paths import Firewall, PacketPaths, Table
from diagnose.model import HOST, Finding, Severity, Skipped, Unavailable, Unexamined
from diagnose.registry import check

_UNREAD = {"nft": "nftables", "legacy": "iptables-legacy ip"}
"""What a ruleset calls each backend where it could not be read."""


@check("firewall.backend-mixed", severity=Severity.warning)
def backend_mixed(firewall: Firewall, crossings: PacketPaths | Unavailable) -> Judged:
    """Rules stand in both iptables backends at once, and both are in force.

    A legacy table that a mere look created is empty and does not count.
    """
    used = {backend: _used(firewall, backend) for backend in ("nft", "legacy")}
    docker = sorted(table.backend for table in firewall.docker_tables if table.family == "ip")
    if not docker:
        return Skipped("Docker has no chains here")
    if not used["nft"] or not used["legacy"]:
        unread = [name for backend, name in _UNREAD.items() if not used[backend] and name in firewall.ruleset.unread]
        return [Unexamined(HOST, f"{name} could not be read") for name in unread if any(used.values())]
    return [_mixed(used["nft"], used["legacy"], docker, crossings)]


def _used(firewall: Firewall, backend: str) -> list[Table]:
    """The iptables tables of a backend that have rules, or a policy that drops."""
    found = {
        chain.table
        for chain in firewall.chains
        if chain.table.backend == backend
        and chain.table.family == "ip"
        and chain.table.name in ("filter", "nat", "raw", "mangle")
        and (chain.rules or chain.policy == "drop")
    }
    return sorted(found)


def _mixed(
    nft: Sequence[Table], legacy: Sequence[Table], docker: Sequence[str], crossings: PacketPaths | Unavailable
) -> Finding:
    both = len(set(docker)) == 2
    what = "Docker has chains in both" if both else f"Docker's chains are in the {docker[0]} backend"
    networks = crossings.networks.values() if isinstance(crossings, PacketPaths) else ()
    return Finding(
        subject=HOST,
        summary=f"iptables rules in both backends, nft ({shortened(table.name for table in nft)}) and legacy"
        f" ({shortened(table.name for table in legacy)}); {what}",
        evidence={
            "nft tables in use": [str(table) for table in nft],
            "legacy tables in use": [str(table) for table in legacy],
            "Docker's chains": sorted(set(docker)),
        },
        touches=subjects_of(networks),
    )


@check("firewall.bypassed-by-publish", severity=Severity.advice)
def bypassed_by_publish(crossings: PacketPaths) -> Judged:
    """A published port is open to everyone although the host's firewall closes it.

    The engine translates the port before the host's input rules are asked. It is a warning where the host has
    a public address, advice elsewhere.
    """
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not crossings.inlets:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    return _bypassed(crossings)


def _bypassed(crossings: PacketPaths) -> Iterable[Finding]:
    for inlet in crossings.inlets:
        if not (inlet.everywhere and inlet.refused.is_blocked and inlet.refused.by):
            continue
        if inlet.reach.outcome != "accept" or inlet.reach.nat is None:
            continue
        yield Finding(
            subject=inlet.container.subject,
            summary=f"{inlet.container.name}: port {inlet.host_port} is open to any address that reaches"
            f" {inlet.host_address}, although {inlet.refused.by.chain} closes it",
            evidence={
                "host's own rule": str(inlet.refused.by),
                "NetworkSettings.Ports": f"0.0.0.0:{inlet.host_port} -> {inlet.port}",
                "translation": str(inlet.reach.nat),
                "uplink": f"{inlet.uplink.name} {inlet.uplink.address}",
            },
            variables={
                "container": inlet.container.name,
                "host_port": str(inlet.host_port),
                "uplink": inlet.uplink.name,
            },
            discriminator=f"{inlet.host_port}/{inlet.port.partition('/')[2]}",
            severity=Severity.warning if inlet.uplink.is_public else None,
            touches=(inlet.network.subject,),
            service=inlet.container.service,
        )
