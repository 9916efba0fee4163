"""Rules that should open a published port, and name it by the host's number."""

from __future__ import annotations

from checks.firewall import cures
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.packet_paths import Ingress, PacketPaths, Step
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.actions import Leave, Stop
from diagnose.firewall.conditions import Match, Unread
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Rule
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
        opening = _opening(firewall, inlet)
        if opening is not None and inlet.sample.by is not None:
            yield _never_matches(inlet, inlet.sample.by, opening)
    return None


def _opening(firewall: Firewall, inlet: Ingress) -> Step | None:
    """The first rule that would let the client in, if the packet still had the host's port."""
    untranslated = Packet(
        iif=None,
        oif=None,
        src=None,
        dst=None,
        proto=inlet.port.partition("/")[2],
        dport=inlet.host_port,
        family=inlet.family,
        dnat=None,
        mark=None,
        ctmark=None,
    )
    for chain in firewall.chains:
        for rule in chain.rules:
            if _lets_in(rule) and _names_port(rule, untranslated):
                return Step(str(chain.table), chain.name, rule.text)
    return None


def _lets_in(rule: Rule) -> bool:
    action = rule.action
    return isinstance(action, Leave) or (isinstance(action, Stop) and action.outcome == "accept")


def _names_port(rule: Rule, packet: Packet) -> bool:
    """Whether a condition of the rule asks for the packet's port, and no other one refuses it."""
    asks = any(
        isinstance(condition, Match)
        and "dport" in condition.fields
        and not condition.negate
        and condition.holds(packet)
        for condition in rule.conditions
    )
    refuses = any(
        not isinstance(condition, Unread) and condition.holds(packet) is False
        for condition in rule.conditions
    )
    return asks and not refuses


def _never_matches(inlet: Ingress, by: Step, opening: Step) -> Finding:
    proto = inlet.port.partition("/")[2]
    program = cures.program_of(by)
    opens = {"program": program, "chain": by.chain, "host_port": str(inlet.host_port)}
    is_iptables = program in ("iptables", "iptables-legacy")
    return Finding.about(
        inlet.container,
        f"published port {inlet.host_port} of {inlet.container} is closed by {by}; the rule "
        f"that should open it names port {inlet.host_port}, and the packet goes to "
        f"{inlet.container_port} there",
        {
            "rule that should open it": str(opening),
            "decided by": str(by),
            "NetworkSettings.Ports": f"{inlet.host_port} -> {inlet.port}",
        },
        discriminator=f"{inlet.host_port}/{proto}",
        touches=(inlet.network.subject,),
        signs=NO_WAY_OUT,
        stable=(inlet.container.life,),
    ).with_variables({**opens, "proto": proto, "uplink": inlet.uplink.name} if is_iptables else {})
