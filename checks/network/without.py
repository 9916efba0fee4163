"""What the host looks like with the bridges of its networks in order: pure edits of evidence."""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.model import Edit, Finding
from diagnose.registry import without

NEW_INDEX = 1_000_000
"""The index of a bridge that is put back: beyond those that exist."""


@without("network.bridge-down")
def bridge_up(finding: Finding, interfaces: Interfaces, networks: Networks) -> Edit:
    """The bridges of the networks that the finding is about exist and are up."""
    touched = {finding.subject, *finding.touches}
    bridges = {network.bridge for network in networks.bridges if network.subject in touched}
    known = {interface.name for interface in interfaces}
    mended = [replace(interface, up=True) if interface.name in bridges else interface for interface in interfaces]
    created = [
        Interface(NEW_INDEX + position, name=name, up=True, kind="bridge")
        for position, name in enumerate(sorted(bridges - known))
    ]
    return {Interfaces: replace(interfaces, items=(*mended, *created))}
