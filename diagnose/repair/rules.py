"""The engine's iptables rules that are missing or left over, as a script that mends them."""

from __future__ import annotations

from diagnose.evidence.network.lost_rules import LostRules
from diagnose.model import Unavailable
from diagnose.repair.differences import NoRepairError

RULES = (
    "firewall.chains-missing",
    "firewall.dnat-missing",
    "firewall.dnat-stale",
    "firewall.masquerade-missing",
)
"""Checks whose findings the repair of the engine's rules ends."""


def rules_script(lost: LostRules | Unavailable) -> str:
    """A script that mends the engine's iptables rules.

    NoRepairError where there is nothing to mend.

    `iptables-restore --noflush` replaces only the chains of the engine that are incomplete, one
    table at a time, each at once; foreign rules stay, and no container is restarted.
    """
    if isinstance(lost, Unavailable):
        raise NoRepairError(f"no repair is known for this host: {lost.detail}")
    if lost.repair is None:
        raise NoRepairError("no rule of the engine is missing, and none is left over")
    program = "iptables-legacy-restore" if lost.flavour == "legacy" else "iptables-restore"
    missing, stale = lost.repair.missing, lost.repair.stale
    summary = (
        [f"# Rules of the Docker engine that are missing, and are put back: {len(missing)}."]
        if missing
        else []
    )
    summary += [f"#   {rule}" for rule in missing]
    summary += (
        [f"# Rules that lead to containers which are gone, and are deleted: {len(stale)}."]
        if stale
        else []
    )
    summary += [f"#   {rule}" for rule in stale]
    return "\n".join(
        [
            "#!/bin/sh",
            *summary,
            "# No container is restarted, and no rule of anybody else is touched. Run as root.",
            f"{program} --noflush --wait <<'RULES'",
            lost.repair.text.rstrip("\n"),
            "RULES",
            "",
        ]
    )
