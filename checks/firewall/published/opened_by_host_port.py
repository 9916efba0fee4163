"""Rules that should open a published port, and name it by the host's number."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.paths.published.inlets import Inlet
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
    if not packet_paths.inlets:
        return Skipped(packet_paths.why_none or "no running container publishes a port")
    closed = [
        inlet
        for inlet in packet_paths.inlets
        if inlet.sample.is_blocked
        and inlet.sample.hook == "forward"
        and inlet.host_port != inlet.container_port
    ]
    for inlet in closed:
        proto = inlet.protocol
        opening = firewall.openings.first(proto, inlet.host_port, inlet.family)
        if opening is not None and inlet.sample.by is not None:
            yield _finding(inlet, inlet.sample.by, opening)


def _finding(inlet: Inlet, step: Step, opening: Step) -> Finding:
    proto = inlet.protocol
    program = program_of(step)
    opens = {"program": program, "chain": step.chain, "host_port": str(inlet.host_port)}
    is_iptables = program in ("iptables", "iptables-legacy")
    return Finding.about(
        inlet.container,
        f"published port {inlet.host_port} of {inlet.container} is closed by {step}; the rule "
        f"that should open it matches port {inlet.host_port}, but Docker has changed the "
        f"destination to port {inlet.container_port} before the rule is read",
        {
            "rule that should open it": str(opening),
            "decided by": str(step),
            "NetworkSettings.Ports": f"{inlet.host_port} -> {inlet.port}",
        },
        discriminator=f"{inlet.host_port}/{proto}",
        touches=(inlet.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(inlet.container.run,),
        variables={**opens, "proto": proto, "uplink": inlet.uplink.name} if is_iptables else {},
    )
