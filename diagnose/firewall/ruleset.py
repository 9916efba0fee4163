"""One ruleset from all packet filters of a host: nftables, iptables over nftables, and the legacy
tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.firewall import iptables, nft
from diagnose.firewall.rules import Ruleset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.firewall.packet import Family
    from diagnose.firewall.rules import Chain


def assemble(
    nftables: Mapping[str, Any] | None,
    iptables_nft: Mapping[Family, str] | None = None,
    iptables_legacy: Mapping[Family, str | None] | None = None,
    interfaces: Mapping[int, str] | None = None,
    sets: Mapping[str, Sequence[str]] | None = None,
    groups: Mapping[int, Sequence[str]] | None = None,
) -> Ruleset:
    """The ruleset of these parts, each table once.

    `nftables` is the answer of `live.nftables`, None where it could not be read. A table that
    `iptables_nft` shows is taken from there: iptables keeps its matches in the kernel as structures
    of its own. `iptables_legacy` has a text for each family with legacy tables, None for one that
    could not be read. `interfaces` gives names to interface indexes, `sets` their members to the
    sets that iptables rules name, `groups` the interfaces of each group.
    """
    texts = iptables_nft or {}
    members = iptables.members(sets or {})
    chains: list[Chain] = []
    unread: list[str] = []
    for family, text in texts.items():
        chains += iptables.chains(text, "nft", family, members)
    if nftables is None:
        unread.append("nftables")
    else:
        tables_of_iptables = {
            (family, table) for family, text in texts.items() for table in iptables.tables(text)
        }
        chains += [
            chain
            for chain in nft.chains(nftables, interfaces, groups)
            if (chain.table.family, chain.table.name) not in tables_of_iptables
        ]
    for family, legacy in (iptables_legacy or {}).items():
        if legacy is None:
            unread.append(f"iptables-legacy {family}")
        else:
            chains += iptables.chains(legacy, "legacy", family, members)
    return Ruleset(tuple(chains), tuple(unread))
