"""The engine's rules that are missing or left over, as a script that mends them. Pure."""

from diagnose.evidence.network.rules.lost_rules import RuleRepair

RULES = (
    "firewall.chains-missing",
    "firewall.dnat-missing",
    "firewall.dnat-stale",
    "firewall.masquerade-missing",
)
"""Checks whose findings the repair of the engine's rules ends."""


def rules_script(repair: RuleRepair, verdict: str) -> str:
    """A script that mends the engine's rules.

    verdict: what the simulation has shown.

    `iptables-restore --noflush` replaces only the chains of the engine that are incomplete, one
    table at a time, each at once; `nft -f` replaces the engine's own tables in one step. Foreign
    rules stay, and no container is restarted.
    """
    missing = repair.missing
    stale = repair.stale
    summary = []
    if missing:
        summary = [
            f"# Rules of the Docker engine that are missing, and are put back: {len(missing)}."
        ]
    summary += [f"#   {rule}" for rule in missing]
    if stale:
        summary.append(
            f"# Rules that lead to containers which are gone, and are deleted: {len(stale)}."
        )
    summary += [f"#   {rule}" for rule in stale]
    return "\n".join(
        [
            "#!/bin/sh",
            *summary,
            "# No container is restarted, and no rule of anybody else is touched. Run as root.",
            f"# Simulated: {verdict}",
            f"{repair.command} <<'RULES'",
            repair.text.rstrip("\n"),
            "RULES",
            "",
        ]
    )
