"""Two packet filters in one kernel, and ports that are open past the host's own rules."""

from collections.abc import Sequence

from checks.firewall.helpers import first_names, with_bridges
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Table
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.mappings import names_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Unexamined
from diagnose.registry import check

_UNREAD = {"nft": "nftables", "legacy": "iptables-legacy ip"}
"""The name in a ruleset for a backend that could not be read."""


@check("firewall.backend-mixed", severity=Severity.warning)
def backend_mixed(firewall: Firewall, packet_paths: PacketPaths | None) -> CheckResult:
    """Both iptables backends have rules, and both are in force.

    A legacy table that a mere look created is empty and does not count.
    """
    used = {backend: _used_tables(firewall, backend) for backend in ("nft", "legacy")}
    docker = sorted(table.backend for table in firewall.docker_tables if table.family == "ip")
    if not docker:
        return Skipped("Docker has no chains here")
    if used["nft"] and used["legacy"]:
        yield _mixed_finding(used["nft"], used["legacy"], docker, packet_paths)
    elif any(used.values()):
        for backend, name in _UNREAD.items():
            if not used[backend] and name in firewall.ruleset.unread:
                yield Unexamined(HOST, f"{name} could not be read")


def _used_tables(firewall: Firewall, backend: str) -> list[Table]:
    """The iptables tables of a backend that have rules, or a policy that drops."""
    in_force = (chain for chain in firewall.chains if chain.rules or chain.policy == "drop")
    tables = {chain.table for chain in in_force}
    return sorted(table for table in tables if table.backend == backend and _is_iptables(table))


def _is_iptables(table: Table) -> bool:
    return table.family == "ip" and table.name in ("filter", "nat", "raw", "mangle")


def _mixed_finding(
    nft: Sequence[Table], legacy: Sequence[Table], docker: Sequence[str], paths: PacketPaths | None
) -> Finding:
    backends = sorted(set(docker))
    place_clause = f"Docker's rules are in {docker[0]}"
    if len(backends) == 2:
        place_clause = "Docker's rules are in both"
    networks = paths.networks.values() if paths is not None else ()
    return Finding(
        subject=HOST,
        summary=(
            f"two iptables are in force, nft ({first_names(names_of(nft))}) and legacy"
            f" ({first_names(names_of(legacy))}), and each can drop what the other accepts; {place_clause}"
        ),
        evidence={
            "nft tables in use": [str(table) for table in nft],
            "legacy tables in use": [str(table) for table in legacy],
            "Docker's chains": backends,
        },
        touches=with_bridges(networks),
    )


@check("firewall.bypassed-by-publish", severity=Severity.advice)
def bypassed_by_publish(packet_paths: PacketPaths) -> CheckResult:
    """A published port is open to everyone although the host's firewall closes it.

    The engine translates the port before the host's input rules are asked. It is a warning where
    the host has a public address, or where a rule closes this very port; advice where only a
    default does.
    """
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    if not packet_paths.inbound_paths:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    for inbound in packet_paths.inbound_paths:
        is_open = inbound.reach.outcome == "accept" and inbound.reach.nat is not None
        is_refused = inbound.refused.is_blocked and inbound.refused.by is not None
        if inbound.everywhere and is_open and is_refused:
            yield _bypassed_finding(inbound)


def _bypassed_finding(inbound: InboundPath) -> Finding:
    step = inbound.refused.by
    assert step is not None
    names_port = str(inbound.host_port) in step.rule.replace(",", " ").replace(":", " ").split()
    return Finding.about(
        inbound.container,
        f"{inbound.container}: published port {inbound.host_port} is open "
        f"to any address that reaches {inbound.host_address}, "
        f"although chain {step.chain} of the host's firewall closes it",
        {
            "host's own rule": str(step),
            "NetworkSettings.Ports": f"0.0.0.0:{inbound.host_port} -> {inbound.port}",
            "translation": str(inbound.reach.nat),
            "uplink": f"{inbound.uplink.name} {inbound.uplink.address}",
        },
        discriminator=f"{inbound.host_port}/{inbound.protocol}",
        severity=Severity.warning if names_port or inbound.uplink.is_public else None,
        touches=(inbound.network.subject,),
        variables={"host_port": str(inbound.host_port), "uplink": inbound.uplink.name},
    )
