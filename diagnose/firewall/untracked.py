"""Rules that keep DNS queries out of connection tracking, and so out of translation."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.firewall.rules import Chain
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern

_UNTRACKS = LazyPattern(r"-j NOTRACK\b|--notrack\b")
_TO_DNS = LazyPattern(r"(?<!! )--dports? (?:[\d:]+,)*53(?:,| |$)")
_FROM = LazyPattern(r"(?P<negated>! )?-i (?P<interface>\S+)")
"""The interface by which packets come to which a rule applies; `br-+` means all that begin so."""


def untracked_dns(chains: Iterable[Chain], bridge: str) -> Step | None:
    """The first rule of iptables that leaves IPv4 queries from a bridge untracked.

    None where there is none.

    Guides for busy DNS servers advise such rules (`-j CT --notrack`, once `-j NOTRACK`).
    """
    for chain in chains:
        if (chain.table.family, chain.table.name, chain.name) != ("ip", "raw", "PREROUTING"):
            continue
        for rule in chain.rules:
            is_about_dns = _UNTRACKS.search(rule.text) and _TO_DNS.search(rule.text)
            if is_about_dns and _takes_from(bridge, rule.text):
                return Step(chain.label, chain.name, rule.text)
    return None


def _takes_from(bridge: str, rule: str) -> bool:
    """Whether a rule applies to packets that come from this bridge, as far as it says."""
    origin = _FROM.search(rule)
    if origin is None:
        return True
    name = origin["interface"]
    is_bridge = bridge.startswith(name[:-1]) if name.endswith("+") else bridge == name
    return is_bridge is not bool(origin["negated"])
