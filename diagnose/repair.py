"""The smallest repair of a host, computed from what is and what must be, as a shell script. Nothing here changes a host."""

from __future__ import annotations

from diagnose.evidence.network.lost_rules import LostRules
from diagnose.model import Unavailable
from diagnose.phrases import count

RULES = ("firewall.chains-missing", "firewall.dnat-missing", "firewall.masquerade-missing")
"""Checks whose findings the missing rules of the engine repair."""


class NoRepairError(Exception):
    """There is nothing to repair, or the repair is not known; one clear sentence."""


def rules_script(lost: LostRules | Unavailable) -> str:
    """A script that puts the engine's missing iptables rules back. NoRepairError where there is none.

    `iptables-restore --noflush` replaces only the chains of the engine that are incomplete, one table at a time, each at once; foreign
    rules stay, and no container is restarted.
    """
    if isinstance(lost, Unavailable):
        raise NoRepairError(f"no repair is known for this host: {lost.detail}")
    if lost.repair is None:
        raise NoRepairError("no rule of the engine is missing")
    program = "iptables-legacy-restore" if lost.flavour == "legacy" else "iptables-restore"
    summary = f"# {count(len(lost.repair.missing), 'rule')} of the Docker engine are missing; this puts them back."
    listed = [f"#   {rule}" for rule in lost.repair.missing]
    return "\n".join(
        [
            "#!/bin/sh",
            summary,
            "# No container is restarted, and no rule of anybody else is touched. Run as root.",
            *listed,
            f"{program} --noflush --wait <<'RULES'",
            lost.repair.text.rstrip("\n"),
            "RULES",
            "",
        ]
    )
