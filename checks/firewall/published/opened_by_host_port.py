"""Rules that should open a published port, and name it by the host's number."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("firewall.opened-by-host-port", severity=Severity.warning)
def opened_by_host_port(packet_paths: PacketPaths, firewall: Firewall) -> CheckResult:
    """A rule for a published port names the host's port, and never matches.

    The engine translates the port before the rules for forwarded packets are asked: there the
    packet goes to the container's port, and a rule for the host's port never matches. Another rule
    then drops the clients. `ufw allow` writes such a rule too, into the rules for the host itself.
    """
    if not packet_paths.inbound_paths:
        return Skipped(packet_paths.why_none or "no running container publishes a port")
    closed = [
        inbound
        for inbound in packet_paths.inbound_paths
        if inbound.sample.is_blocked
        and inbound.sample.hook == "forward"
        and inbound.host_port != inbound.container_port
    ]
    for inbound in closed:
        proto = inbound.protocol
        opening = firewall.openings.first(proto, inbound.host_port, inbound.family)
        if opening is not None and inbound.sample.by is not None:
            yield _finding(inbound, inbound.sample.by, opening)


def _finding(inbound: InboundPath, step: Step, opening: Step) -> Finding:
    proto = inbound.protocol
    program = program_of(step)
    opens = {"program": program, "chain": step.chain, "host_port": str(inbound.host_port)}
    is_iptables = program in ("iptables", "iptables-legacy")
    return Finding.about(
        inbound.container,
        f"published port {inbound.host_port} of {inbound.container} is closed by {step}; the rule "
        f"that should open it matches port {inbound.host_port}, but Docker has changed the "
        f"destination to port {inbound.container_port} before the rule is read",
        {
            "rule that should open it": str(opening),
            "decided by": str(step),
            "NetworkSettings.Ports": f"{inbound.host_port} -> {inbound.port}",
        },
        discriminator=f"{inbound.host_port}/{proto}",
        touches=(inbound.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(inbound.container.run,),
        variables={**opens, "proto": proto, "uplink": inbound.uplink.name} if is_iptables else {},
    )
