"""Rules that keep DNS queries out of connection tracking, and so out of translation."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.firewall.rules import Chain
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern

_TO_DNS = LazyPattern(r"(?<!! )--dport 53(?!\S)")


def untracked_dns(chains: Iterable[Chain]) -> Step | None:
    """The first rule of iptables that leaves queries from elsewhere untracked; None without one.

    Guides for busy DNS servers advise such rules (`-j CT --notrack`, once `-j NOTRACK`).
    """
    for chain in chains:
        if (chain.table.name, chain.name) != ("raw", "PREROUTING"):
            continue
        for rule in chain.rules:
            untracks = "--notrack" in rule.text or "-j NOTRACK" in rule.text
            if untracks and _TO_DNS.search(rule.text):
                return Step(chain.label, chain.name, rule.text)
    return None
