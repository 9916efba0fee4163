"""swarm.ports-closed: the host's own rules close ports that the other nodes of the swarm call."""

from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.outgoing.closed_swarm_ports import (
    ClosedSwarmPort,
    ClosedSwarmPorts,
)
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.first_steps.network import rule_cures
from diagnose.mappings import only, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.model.subjects import DAEMON, Subject
from diagnose.phrases import agree, joined
from diagnose.registry import check


@check(
    "swarm.ports-closed",
    severity=Severity.warning,
    causes=["swarm.node-down", "swarm.quorum-lost", "firewall.overlay-lost"],
)
def ports_closed(
    swarm: Swarm,
    closed_swarm_ports: ClosedSwarmPorts,
    networks: Networks,
    firewall: Firewall | None,
) -> CheckResult:
    """The host's own rules close ports that the other nodes of the swarm call.

    Managers take calls at TCP port 2377, and all nodes tell each other at port 7946 (TCP and UDP)
    which task is where. Packets of overlay networks come to UDP port 4789. A node whose rules close
    them joins, and is lost after its next start; or its containers do not find those of others.
    The check says nothing where a port is open to one of the other nodes.
    """
    if not swarm.is_used or not closed_swarm_ports.nodes:
        return Skipped("this host is in no swarm with other nodes")
    closed = list(closed_swarm_ports)
    if closed:
        yield _finding(swarm, closed, closed_swarm_ports.nodes, networks, firewall)


def _finding(
    swarm: Swarm,
    closed: list[ClosedSwarmPort],
    nodes: tuple[str, ...],
    networks: Networks,
    firewall: Firewall | None,
) -> Finding:
    first = closed[0]
    ports = joined([str(port) for port in closed])
    others = f"node {nodes[0]}" if len(nodes) == 1 else f"all {len(nodes)} other nodes"
    names = [node.name for node in swarm.known_nodes if node.status.addr in nodes]
    noun = agree(closed, "port", "ports")
    overlays = [network for network in networks if network.is_overlay]
    cut_off = overlays if any(port.is_of_overlays for port in closed) else []
    return Finding(
        subject=DAEMON,
        summary=f"this host closes {noun} {ports} of the swarm to {others}: {first.rule}",
        evidence={**first.rule.evidence, "other nodes": list(nodes[:5])},
        touches=(*(Subject("host", name) for name in names), *subjects_of(cut_off)),
        variables=_cure(closed, nodes, firewall),
    )


def _cure(
    closed: list[ClosedSwarmPort], nodes: tuple[str, ...], firewall: Firewall | None
) -> PageVariables:
    """The page variables that open the ports: to the only other node, or else in words."""
    first = closed[0]
    ports = {"ports": joined([str(port) for port in closed]), "nodes": joined(nodes[:5])}
    node = only(nodes)
    cure = rule_cures.of_calls_to_host(
        firewall, first.rule, first.interface, first.number, first.protocol
    )
    if node is None:
        return ports
    if "ufw_bridge" in cure:
        return {**ports, "ufw_node": node}
    if "chain" not in cure:
        return ports
    place = {name: cure[name] for name in ("program", "table", "chain")}
    return {**ports, **place, "node": node}
