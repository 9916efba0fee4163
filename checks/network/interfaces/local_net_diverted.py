"""network.local-net-diverted: a routing rule leads the host's own net to another interface."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.subnets.diverted_nets import DivertedNet, DivertedNets
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.mappings import subjects_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.model.subjects import DAEMON, HOST
from diagnose.registry import check


@check("network.local-net-diverted", severity=Severity.critical)
def local_net_diverted(
    diverted_nets: DivertedNets,
    host_stack: HostStack,
    tunnels: Tunnels | None,
    containers: Containers | None,
) -> CheckResult:
    """A routing rule sends packets for the host's own network to another interface.

    The host has an address in the network, and its requests come in there. A routing rule asks
    another table before the main one, and this table has a route to the same network: often that of
    a VPN whose other end announces it (Tailscale with --accept-routes, WireGuard with that range in
    AllowedIPs). The host's answers, and its own calls to its neighbours, then leave through the
    tunnel. Rules that match only one source address or one mark do not count, nor does a route to a
    part of the network.
    """
    for diverted in diverted_nets:
        yield _finding(diverted, host_stack, tunnels, containers)


def _finding(
    diverted: DivertedNet,
    host_stack: HostStack,
    tunnels: Tunnels | None,
    containers: Containers | None,
) -> Finding:
    link = diverted.link
    net = diverted.net
    running = containers.running if containers is not None else ()
    return Finding(
        subject=link.subject,
        summary=f"{net} is the host's own network on {link.name}, but a routing rule {_harm(diverted, tunnels)}: "
        "machines there get no answer",
        evidence={
            "route to this network": diverted.decision.by,
            "routing rules": [str(rule) for rule in host_stack.rules][:6],
        },
        variables={
            "local_net": str(net),
            "family": "-6" if net.version == 6 else "-4",
            "table_number": str(diverted.decision.table),
        },
        discriminator=str(net),
        touches=(HOST, DAEMON, *_taking_interface(diverted), *subjects_of(running)),
        signs=NO_WAY_OUT,
    )


def _harm(diverted: DivertedNet, tunnels: Tunnels | None) -> str:
    """The predicate about what the rule does to packets for the network."""
    decision = diverted.decision
    if not decision.oif:
        return f"rejects packets for it (table {decision.table})"
    device = decision.oif if tunnels is None else tunnels.described(decision.oif)
    return f"sends packets for it to {device} (table {decision.table})"


def _taking_interface(diverted: DivertedNet) -> tuple[Subject, ...]:
    name = diverted.decision.oif
    return (Subject("interface", name),) if name else ()
