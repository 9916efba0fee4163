"""The cure where the host's input rules drop what containers ask a resolver on the host."""

from __future__ import annotations

_TABLES = ("filter", "nat", "mangle", "raw", "security")


def opening(rule: str, bridge: str) -> dict[str, str]:
    """The variables of the block that opens port 53 for one bridge.

    rule: `ip filter INPUT: policy drop`, as reports show the rule that decides.
    """
    place, _, text = rule.partition(": ")
    *tables, chain = place.split()
    if len(tables) < 2 or not bridge:
        return {}
    *backend, family, table = tables
    if table == "firewalld":
        return {"zone_bridge": bridge}
    is_written = text.startswith(("-", "! -")) or (text.startswith("policy ") and chain.isupper())
    if backend or (table in _TABLES and is_written):
        program = "iptables-legacy" if backend else "iptables"
        return {"program": program, "table": table, "chain": chain, "asking_bridge": bridge}
    return {"nft_family": family, "nft_table": table, "nft_chain": chain, "asking_bridge": bridge}
