"""firewall.overlay-lost: packets of an overlay network are lost between two nodes."""

from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.outgoing.lost_overlays import LostOverlay, LostOverlays
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.first_steps.network import rule_cures
from diagnose.mappings import evidence_of, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unavailable
from diagnose.phrases import sentence
from diagnose.registry import check

_SHORT = 10
"""Characters of a network's id in the name of its namespace."""


@check("firewall.overlay-lost", severity=Severity.critical, causes=["network.call-unanswered"])
def overlay_lost(
    networks: Networks, lost_overlays: LostOverlays | Unavailable, firewall: Firewall | None
) -> CheckResult:
    """Packets of an overlay network are lost between two nodes of the swarm.

    A container calls an address that the engine knows to be on another node, and nothing comes
    back, not even a refusal. Nodes send such packets to each other at UDP port 4789, and with
    encryption as ESP. A rule of this host that drops them is named; otherwise a firewall on the way
    or on the other node does, or a network card that spoils their checksums (VMware).
    """
    if not any(network.is_overlay for network in networks):
        return Skipped("there is no overlay network")
    if isinstance(lost_overlays, Unavailable):
        return lost_overlays
    for overlay in lost_overlays:
        yield _finding(overlay, firewall)


def _finding(overlay: LostOverlay, firewall: Firewall | None) -> Finding:
    traffic = f"UDP port {overlay.port}" + (
        " and ESP (IP protocol 50)" if overlay.is_encrypted else ""
    )
    if overlay.closed_by is not None:
        cause = f"this host's firewall drops what comes to {traffic}: {overlay.closed_by}"
    else:
        cause = f"usually a firewall on the way or on that node drops {traffic}"
    name = f'"{overlay.name}" ({overlay.place})' if overlay.name else overlay.place
    return Finding(
        subject=overlay.network.subject,
        summary=sentence(
            f"packets of overlay {overlay.network} are lost between this host and node {overlay.node}: "
            f"{overlay.container} gets no answer from {name} there",
            cause,
        ),
        evidence=present(
            {
                **evidence_of(overlay.closed_by),
                "node of the called address": overlay.node,
                "Options": overlay.network.options or None,
            }
        ),
        discriminator=overlay.node,
        touches=(overlay.container.subject,),
        recheck=(overlay.container.run,),
        variables={
            "node": overlay.node,
            "namespace": f"1-{overlay.network.id[:_SHORT]}",
            **_cure(overlay, firewall),
        },
    )


def _cure(overlay: LostOverlay, firewall: Firewall | None) -> PageVariables:
    """The page variables of the rule that opens the port on this node, or of the other node where
    no rule here closes it."""
    if overlay.closed_by is None:
        return {"far": overlay.node}
    cure = rule_cures.of_calls_to_host(
        firewall, overlay.closed_by, overlay.uplink, overlay.port, "udp"
    )
    if "zone_bridge" in cure:
        return {"zone_port": f"{overlay.port}/udp"}
    if "ufw_bridge" in cure:
        return {"ufw_port": f"{overlay.port}/udp"}
    cure.pop("bridge", None)
    return cure
