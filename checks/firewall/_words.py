"""What the checks of the packet filter share: what is left alone, and how things are counted and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.lost_rules import LostRules
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.packet_paths import ConnectionVerdict, Egress, Firewall, Ingress, PacketPaths
from diagnose.model import Finding, Json, Skipped, Subject, Unavailable, Unexamined

Judged = Iterable[Finding | Unexamined] | Skipped | Unavailable


ICC = "com.docker.network.bridge.enable_icc"


def left_alone(config: DaemonConfig | Unavailable) -> str | None:
    """Why the engine's rules are not to be looked for here, or None."""
    if isinstance(config, DaemonConfig) and config.value("iptables") is False:
        return f"the engine is configured to leave the packet filter alone (iptables, {config.where('iptables')})"
    return None


def subjects_of(networks: Iterable[Network]) -> tuple[Subject, ...]:
    found = [each for network in networks for each in (network.subject, Subject("interface", network.bridge))]
    return tuple(dict.fromkeys(found))


def container_subjects(outlets: Sequence[Egress], inlets: Sequence[Ingress]) -> tuple[Subject, ...]:
    found = [each.container.subject for each in outlets] + [each.container.subject for each in inlets]
    return tuple(dict.fromkeys(found))


def shortened(names: Iterable[str], most: int = 3) -> str:
    found = sorted(set(names))
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def unsure(crossings: PacketPaths) -> Iterable[Unexamined]:
    """Ways whose verdict hangs on a rule that is not understood, one of each network."""
    seen = set()
    for each in crossings.ways:
        if each.reach.outcome == each.sample.outcome == "unknown" and each.network.name not in seen:
            seen.add(each.network.name)
            yield Unexamined(each.network.subject, f"the verdict hangs on {each.sample.by}")


def base(firewall: Firewall, hook: str) -> dict[str, Json]:
    """The base chains that Docker's rules hang on, in numbers."""
    own = {table.name for table in firewall.docker_tables} | {"filter", "nat"}
    return {
        f"{chain.table} {chain.name}": f"policy {chain.policy}, {count(len(chain.rules), 'rule')}"
        for chain in firewall.chains
        if chain.hook == hook and chain.table.family == "ip" and chain.table.name in own
    }


def proxied(config: DaemonConfig | Unavailable) -> bool:
    """Whether docker-proxy stands behind each published port."""
    return not (isinstance(config, DaemonConfig) and config.value("userland-proxy") is False)


def is_lost(firewall: Firewall, reach: ConnectionVerdict) -> bool:
    return reach.is_blocked and reach.by is not None and firewall.is_lost(reach.by)


def port_list(inlets: Sequence[Ingress]) -> str:
    ports = sorted({each.host_port for each in inlets})
    shown = ", ".join(map(str, ports[:4])) + (f" and {len(ports) - 4} more" if len(ports) > 4 else "")
    return f"{'port' if len(ports) == 1 else 'ports'} {shown}"


def repair_of(lost_rules: LostRules | None, id: str) -> dict[str, str]:
    """The variable for the computed repair of a finding of this check; empty where none is known."""
    return {"repair": id} if lost_rules is not None and lost_rules.repair is not None else {}
