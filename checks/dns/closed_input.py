"""The cure where the host's input rules drop what containers ask a resolver on the host."""

from __future__ import annotations

from diagnose.evidence.network.packet_paths import Step
from diagnose.evidence.network.rule_programs import program_of


def opening(rule: str, bridge: str) -> dict[str, str]:
    """The variables of the block that opens port 53 for one bridge.

    rule: `ip filter INPUT: policy drop`, as reports show the rule that decides.
    """
    by = Step.read(rule)
    *_, family, table = ("", "", *by.table.split())
    if not family or not bridge:
        return {}
    program = program_of(by)
    if program == "firewall-cmd":
        return {"zone_bridge": bridge}
    where = {"program": program, "table": table, "chain": by.chain}
    if program == "nft":
        where = {"nft_family": family, "nft_table": table, "nft_chain": by.chain}
    return {**where, "asking_bridge": bridge}
