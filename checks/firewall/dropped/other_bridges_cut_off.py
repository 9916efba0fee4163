"""Bridges of other programs that Docker's forward policy cuts off."""

from diagnose.evidence.network.paths.bridge_paths import BridgePath, BridgePaths
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.published.relays import Relay, Relays
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unexamined
from diagnose.model.subjects import Subject
from diagnose.phrases import count
from diagnose.registry import check


@check(
    "firewall.other-bridges-cut-off",
    severity=Severity.critical,
    caused_by=["firewall.backend-mixed"],
)
def other_bridges_cut_off(
    bridge_paths: BridgePaths, relays: Relays | None, firewall: Firewall
) -> CheckResult:
    """Docker's forward policy drops the traffic of another program's bridge.

    The engine sets the policy of FORWARD to DROP when it turns forwarding on (of ip6tables too,
    from 27.0 on), and lets its own bridges through. Packets that LXC, libvirt or CNI forward are
    dropped unless rules of theirs accept them. A bridge whose addresses no rule translates, and one
    that a rule of its own program closes, is left out. Any other interface is left out too, unless
    a rule translates its net and no other: then the host is a router or a VPN server for that net.
    A port of this host that a rule of the administrator leads to another machine is dropped in the
    same way.
    """
    if not bridge_paths and not relays:
        return Skipped(
            "no other bridge or routed net "
            "of this host has anything behind it that has to leave the host"
        )
    for path in bridge_paths:
        obstacle = path.trace.obstacle
        if obstacle is None:
            continue
        if path.trace.outcome == "unknown":
            subject = Subject("interface", path.bridge)
            yield Unexamined(subject, f"the verdict depends on {obstacle.by}")
        elif path.trace.is_blocked and _is_by_policy(obstacle.by):
            yield _finding(path, obstacle.by, firewall)
    for relay in relays or ():
        in_the_way = relay.trace.rule_in_the_way
        if in_the_way is not None and _is_by_policy(in_the_way.by):
            yield _relay_finding(relay, in_the_way.by, firewall)


def _is_by_policy(step: Step) -> bool:
    """Whether only the policy of iptables' forward chain has decided.

    Then there is no rule about this bridge.
    """
    return step.rule.startswith("policy ") and step.chain == "FORWARD"


def _finding(path: BridgePath, step: Step, firewall: Firewall) -> Finding:
    version = " over IPv6" if path.family == "ip6" else ""
    uplink_clause = f" to {path.uplink}" if path.kind != "routed" else ""
    members = f"its net {path.subnet}" if path.kind == "behind" else count(len(path.guests), "port")
    return Finding(
        subject=Subject("interface", path.bridge),
        summary=(
            f'interface "{path.bridge}" with {members} is cut off{version}: '
            f"{step} drops what this host forwards for it{uplink_clause}"
        ),
        evidence={
            **step.evidence,
            "ports": list(path.guests[:5]),
            "subnet": path.subnet or None,
            "uplink": path.uplink,
            "Docker's tables": sorted(str(table) for table in firewall.docker_tables),
        },
        variables=_cure(path, step, firewall),
        discriminator=f"{path.kind} {path.family}",
        severity=Severity.warning if path.kind == "behind" else None,
        touches=(Subject("interface", path.uplink),),
    )


def _relay_finding(relay: Relay, step: Step, firewall: Firewall) -> Finding:
    port = str(relay.port) if relay.protocol == "tcp" else f"{relay.port}/udp"
    return Finding(
        subject=Subject("interface", relay.uplink),
        summary=(
            f'port {port} of interface "{relay.uplink}", which a rule leads to '
            f"{relay.address}:{relay.to_port}, is cut off: {step} drops its packets"
        ),
        evidence={**step.evidence, "translation": relay.rule},
        variables={
            **_place(step, firewall, "ip"),
            "relayed_to": relay.address,
            "relayed_port": str(relay.to_port),
            "proto": relay.protocol,
        },
        discriminator=f"relay {relay.port}/{relay.protocol}",
        severity=Severity.warning,
    )


def _place(step: Step, firewall: Firewall, family: str) -> PageVariables:
    """The chain that Docker leaves to other programs, or the chain that decides."""
    has_user_chain = any(
        chain.name == "DOCKER-USER" and str(chain.table) == step.table for chain in firewall.chains
    )
    chain = "DOCKER-USER" if has_user_chain else step.chain
    return {"program": program_of(step, family), "chain": chain}


def _cure(path: BridgePath, step: Step, firewall: Firewall) -> PageVariables:
    names = _place(step, firewall, path.family)
    if path.kind == "bridged":
        return {**names, "frames_of": path.bridge}
    return {**names, "bridge": path.bridge}
