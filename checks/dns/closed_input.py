"""The cure where the host's input rules drop what containers ask a resolver on the host."""

from __future__ import annotations

from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.rule_programs import place_of


def opening(by: Step, bridge: str) -> dict[str, str]:
    """The variables of the block that opens port 53 for one bridge. by: the rule that decides."""
    if not bridge or len(by.table.split()) < 2:
        return {}
    place = place_of(by)
    return {**place, "asking_bridge": bridge} if place else {"zone_bridge": bridge}
