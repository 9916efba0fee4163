"""Rules that keep DNS queries from being tracked: diagnose/firewall/untracked.py."""

from __future__ import annotations

import pytest

from diagnose.firewall import iptables
from diagnose.firewall.packet import Packet
from diagnose.firewall.untracked import untracked, untracked_dns

RULES = {
    "CT": ("PREROUTING -p udp --dport 53 -j CT --notrack", True),
    "NOTRACK": ("PREROUTING -p udp --dport 53 -j NOTRACK", True),
    "the host's own": ("OUTPUT -p udp --dport 53 -j CT --notrack", False),
    "another port": ("PREROUTING -p udp --dport 4789 -j CT --notrack", False),
    "several ports": ("PREROUTING -p udp -m multiport --dports 853,53 -j CT --notrack", True),
    "a port that begins alike": ("PREROUTING -p udp --dport 5353 -j CT --notrack", False),
    "the bridge": ("PREROUTING -i docker0 -p udp --dport 53 -j CT --notrack", True),
    "bridges": ("PREROUTING -i docker+ -p udp --dport 53 -j CT --notrack", True),
    "the uplink": ("PREROUTING -i eth0 -p udp --dport 53 -j CT --notrack", False),
    "all but the bridge": ("PREROUTING ! -i docker0 -p udp --dport 53 -j CT --notrack", False),
    "all but the uplink": ("PREROUTING ! -i eth0 -p udp --dport 53 -j CT --notrack", True),
    "every other port": ("PREROUTING -p udp ! --dport 53 -j CT --notrack", False),
    "a drop": ("PREROUTING -p udp --dport 53 -j DROP", False),
}


@pytest.mark.parametrize(("rule", "untracks"), RULES.values(), ids=RULES)
def test_rules_that_leave_dns_queries_untracked(rule: str, untracks: bool) -> None:
    text = f"*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A {rule}\nCOMMIT\n"
    chains = iptables.chains(text, "nft", "ip", iptables.members({}))
    step = untracked_dns(chains, "docker0")
    assert (step is not None) is untracks


PORTS = {
    "the port": ("PREROUTING -p tcp --dport 8080 -j CT --notrack", True),
    "all ports": ("PREROUTING -p tcp -j CT --notrack", True),
    "another interface": ("PREROUTING -i lo -p tcp --dport 8080 -j CT --notrack", False),
    "another protocol": ("PREROUTING -p udp --dport 8080 -j CT --notrack", False),
    "one client's": ("PREROUTING -s 203.0.113.9/32 -p tcp --dport 8080 -j CT --notrack", True),
}


@pytest.mark.parametrize(("rule", "untracks"), PORTS.values(), ids=PORTS)
def test_published_ports(rule: str, untracks: bool) -> None:
    text = f"*raw\n:PREROUTING ACCEPT [0:0]\n-A {rule}\nCOMMIT\n"
    chains = iptables.chains(text, "nft", "ip", iptables.members({}))
    packet = Packet(
        "eth0", oif="", src=None, dst=None, proto="tcp", dport=8080, dst_local=True, src_local=False
    )
    assert (untracked(chains, packet) is not None) is untracks


def test_a_rule_that_certainly_takes_the_packet_comes_first() -> None:
    rules = [f"-A PREROUTING -p tcp --{port} 8080 -j CT --notrack" for port in ("sport", "dport")]
    text = "\n".join(["*raw", ":PREROUTING ACCEPT [0:0]", *rules, "COMMIT", ""])
    chains = iptables.chains(text, "nft", "ip", iptables.members({}))
    packet = Packet(
        "eth0", oif="", src=None, dst=None, proto="tcp", dport=8080, dst_local=True, src_local=False
    )
    step = untracked(chains, packet)
    assert step is not None
    assert "--dport 8080" in step.rule


def test_queries_over_ipv6_are_other_ones() -> None:
    text = f"*raw\n:PREROUTING ACCEPT [0:0]\n-A {RULES['CT'][0]}\nCOMMIT\n"
    assert untracked_dns(iptables.chains(text, "nft", "ip6", iptables.members({})), "br-1") is None
