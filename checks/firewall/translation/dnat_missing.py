"""The rules of published ports, on the way in."""

import msgspec

from checks.firewall.helpers import (
    has_proxy,
    left_alone,
    nat_gone,
    repair_of,
    simulation,
    with_bridges,
)
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.paths.flushed_rules import is_lost
from diagnose.evidence.network.paths.host_paths import HostPaths
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import place_of, program_of
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped, Unexamined
from diagnose.phrases import named, sentence
from diagnose.registry import check


@check("firewall.dnat-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def dnat_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    simulated_repair: SimulatedRepair | None,
    host_paths: HostPaths | None,
) -> CheckResult:
    """A published port has no rule that leads to its container.

    Where docker-proxy listens, it still serves the port, and the container sees the bridge's
    address for every client: seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = left_alone(config) or nat_gone(firewall, packet_paths)
    if why_not:
        return Skipped(why_not)
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    if not packet_paths.inbound_paths:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    for subject in packet_paths.unwalked:
        yield Unexamined(subject, "more published ports than one run can follow through the rules")
    for inbound in packet_paths.inbound_paths:
        problem = _fault_of_rules(firewall, inbound)
        if problem:
            served = has_proxy(config) and inbound.is_served_by_host
            untracked = _untracking_step(firewall, inbound)
            cause = _PortFault(problem, served, inbound.led_by, untracked)
            yield _missing_rule_finding(
                inbound, cause, simulated_repair if untracked is None else None
            )
        elif inbound.reach.nat_unknown:
            yield Unexamined(
                inbound.container.subject, f"its translation depends on {inbound.reach.by}"
            )
    if not has_proxy(config) and host_paths is not None:
        yield from _host_port_findings(packet_paths, host_paths, simulated_repair)


class _PortFault(msgspec.Struct, frozen=True):
    """The fault of a published port, in words, and the rules that cause it."""

    problem: str
    is_served: bool
    """Whether docker-proxy serves the port although the rule is missing."""
    led_by: Step | None
    """The rule of another program that leads the port elsewhere."""
    untracked: Step | None
    """The rule that keeps the port's packets out of connection tracking."""

    def __str__(self) -> str:
        by_proxy = "only docker-proxy serves the port, and hides the clients' addresses"
        untracked = "exempts its packets from connection tracking, so they are not translated"
        return sentence(
            self.problem,
            f"a rule of another program sends it there: {self.led_by}" if self.led_by else "",
            f"{self.untracked} {untracked}" if self.untracked else "",
            by_proxy if self.is_served else "",
        )


def _variables(container: Container, port: int, repair: SimulatedRepair | None) -> PageVariables:
    mended = repair_of(repair, "firewall.dnat-missing")
    return {"container": container.name, "host_port": str(port), **mended}


def _host_port_findings(
    paths: PacketPaths, host_paths: HostPaths, repair: SimulatedRepair | None
) -> CheckResult:
    """Findings about published ports that are translated for others and not for the host itself.

    No docker-proxy takes the connection either.
    """
    translated = {
        (inbound.container.id, inbound.host_port)
        for inbound in paths.inbound_paths
        if inbound.reach.nat is not None
    }
    refused = [
        path
        for path in host_paths.published
        if (path.container.id, path.port) in translated
        and path.trace.nat is None
        and not path.trace.nat_unknown
    ]
    if refused:
        first = refused[0]
        yield Finding(
            subject=HOST,
            summary=f"this host itself cannot reach published port {first.port} of"
            f" {named('container', [path.container.name for path in refused])}: chain OUTPUT of table nat "
            "does not lead to Docker's rules",
            evidence={
                "this host to": f"{first.address}:{first.port}",
                "translation": "none",
                "userland-proxy": False,
                **simulation(repair),
            },
            variables=_variables(first.container, first.port, repair),
            discriminator="from this host",
            severity=Severity.warning,
            touches=with_bridges([path.network for path in refused]),
        )


def _untracking_step(firewall: Firewall, inbound: InboundPath) -> Step | None:
    """The rule that exempts packets to a port from connection tracking, and so from translation."""
    if inbound.reach.nat is not None or inbound.family != "ip":
        return None
    protocol = inbound.protocol
    return firewall.untracked_port(inbound.uplink.name, protocol, inbound.host_port)


def _missing_rule_finding(
    inbound: InboundPath, cause: _PortFault, repair: SimulatedRepair | None
) -> Finding:
    reach = inbound.reach
    is_led_off = reach.nat is not None and reach.nat.kind == "redirect"
    return Finding(
        subject=inbound.container.subject,
        summary=f"{inbound.container}: published port {inbound.host_port} {cause}",
        evidence=present(
            {
                "NetworkSettings.Ports": f"{inbound.host_address}:{inbound.host_port} -> {inbound.port}",
                "container addresses": sorted(inbound.addresses),
                "translation": str(reach.nat or "none"),
                "translated by": str(reach.nat_by or ""),
                "decided by": str(reach.by or ""),
                **(simulation(repair) if cause.led_by is None else {}),
            }
        ),
        variables=_cure(inbound, cause, repair),
        discriminator=f"{inbound.host_address}:{inbound.host_port}/{inbound.protocol}",
        severity=Severity.warning if cause.is_served or is_led_off else None,
        touches=(inbound.network.subject,),
        recheck=(inbound.container.run,),
        service=inbound.container.service,
    )


def _cure(inbound: InboundPath, cause: _PortFault, repair: SimulatedRepair | None) -> PageVariables:
    if cause.led_by is not None and program_of(cause.led_by) == "iptables":
        return _port_rule_variables(inbound)
    if cause.untracked is not None:
        return _tracking_variables(inbound, cause.untracked)
    return _variables(inbound.container, inbound.host_port, repair)


def _tracking_variables(inbound: InboundPath, step: Step) -> PageVariables:
    """The page variables of the rules about the port, in raw of iptables or in a chain of
    nftables."""
    port = {"container": inbound.container.name, "host_port": str(inbound.host_port)}
    place = place_of(step)
    if "program" in place:
        return {**port, "untracked_port": str(inbound.host_port)}
    return {**port, **place, "nft_proto": inbound.protocol}


def _port_rule_variables(inbound: InboundPath) -> PageVariables:
    """The page variables that let the engine's own rule decide about a port before another
    program's."""
    return {
        "host_port": str(inbound.host_port),
        "led_port": str(inbound.host_port),
        "led_proto": inbound.protocol,
    }


def _fault_of_rules(firewall: Firewall, inbound: InboundPath) -> str:
    """The certain fault in the rules of a published port, in words.

    "" if there is none.
    """
    reach = inbound.reach
    if reach.nat_unknown:
        return ""
    if reach.nat is None:
        is_dropped_before = reach.is_blocked and reach.hook in ("ingress", "prerouting")
        is_unclear = is_dropped_before or reach.outcome == "unknown"
        return "" if is_unclear else "has no rule that leads to the container"
    wrong_target = _wrong_target(inbound)
    if wrong_target:
        return wrong_target
    leads_to_container = reach.nat.kind == "dnat" and reach.nat.address is not None
    is_stopped_later = reach.hook == "forward" and is_lost(firewall, reach)
    names_bridge = firewall.names_bridge(inbound.network.bridge)
    if leads_to_container and is_stopped_later and names_bridge:
        return f"is translated to the container, and then dropped ({reach.by})"
    return ""


def _wrong_target(inbound: InboundPath) -> str:
    """The wrong place to which a port is sent, in words; "" where it is the port's own
    container."""
    nat = inbound.reach.nat
    if nat is None:
        return ""
    if nat.kind == "redirect" and nat.port not in (None, inbound.host_port):
        return f"is sent to port {nat.port} of this host instead of the container"
    if nat.kind != "dnat" or nat.address is None:
        return ""
    if nat.address in inbound.addresses and nat.port in (None, inbound.container_port):
        return ""
    wanted_target = f"{min(inbound.addresses)}:{inbound.container_port}"
    return f"is sent to {nat.address}:{nat.port or inbound.host_port}, but the container is at {wanted_target}"
