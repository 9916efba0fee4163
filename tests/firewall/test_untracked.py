"""Rules that keep DNS queries from being tracked: diagnose/firewall/untracked.py."""

from __future__ import annotations

import pytest

from diagnose.firewall import iptables
from diagnose.firewall.untracked import untracked_dns

RULES = {
    "CT": ("PREROUTING -p udp --dport 53 -j CT --notrack", True),
    "NOTRACK": ("PREROUTING -p udp --dport 53 -j NOTRACK", True),
    "the host's own": ("OUTPUT -p udp --dport 53 -j CT --notrack", False),
    "another port": ("PREROUTING -p udp --dport 4789 -j CT --notrack", False),
    "multicast DNS": ("PREROUTING -p udp --dport 5353 -j CT --notrack", False),
    "every other port": ("PREROUTING -p udp ! --dport 53 -j CT --notrack", False),
    "a drop": ("PREROUTING -p udp --dport 53 -j DROP", False),
}


@pytest.mark.parametrize(("rule", "untracks"), RULES.values(), ids=RULES)
def test_queries(rule: str, untracks: bool) -> None:
    text = f"*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A {rule}\nCOMMIT\n"
    chains = iptables.chains(text, "nft", "ip", iptables.members({}))
    step = untracked_dns(chains)
    assert (step is not None) is untracks
