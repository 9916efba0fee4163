"""What the host looks like without a cause in the packet filter or in forwarding: pure edits of evidence."""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.evidence.network.packet_paths import ConnectionVerdict, Egress, Forwarding, PacketPaths
from diagnose.model import Edit, Finding
from diagnose.registry import without

PASSES = ConnectionVerdict("accept", nat_unknown=True)
"""What becomes of a connection where Docker's rules are as the engine writes them."""


@without("firewall.forwarding-off")
def forwarding_on(forwarding: Forwarding) -> Edit:
    """All forwarding settings are 1."""
    on = {name: "1" if value == "0" else value for name, value in forwarding.by_interface.items()}
    everywhere6 = "1" if forwarding.everywhere6 == "0" else forwarding.everywhere6
    return {Forwarding: replace(forwarding, everywhere="1", by_interface=on, everywhere6=everywhere6)}


@without("firewall.chains-missing", "firewall.masquerade-missing", "firewall.forward-dropped")
def paths_open(finding: Finding, packet_paths: PacketPaths) -> Edit:
    """What leaves the networks that the finding touches gets through, with the host's address."""
    touched = {finding.subject, *finding.touches}

    def opened(egress: Egress) -> Egress:
        return replace(egress, reach=PASSES, sample=PASSES) if egress.network.subject in touched else egress

    return {PacketPaths: replace(packet_paths, outlets=tuple(opened(egress) for egress in packet_paths.outlets))}
