"""Packets and rules with the verdict that the kernel comes to: the table of the walk's tests."""

from __future__ import annotations

from typing import Any

from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble

NO_NFTABLES = {
    "loaded": False,
    "byteorder": "little",
    "consistent": True,
    "tables": [],
    "chains": [],
    "rules": [],
    "sets": [],
}


def iptables(
    *rules: str, policy: str = "ACCEPT", chains: tuple[str, ...] = ("MINE", "OTHER")
) -> str:
    declared = "".join(f":{name} - [0:0]\n" for name in chains)
    return (
        f"*filter\n:FORWARD {policy} [0:0]\n{declared}"
        + "".join(f"-A {rule}\n" for rule in rules)
        + "COMMIT\n"
    )


def ruleset(text: str, legacy: str | None = "") -> Ruleset:
    return assemble(NO_NFTABLES, {"ip": text}, {} if legacy == "" else {"ip": legacy})


def packet(**changes: Any) -> Packet:
    given: dict[str, Any] = {
        "iif": "docker0",
        "oif": "eth0",
        "src": "172.17.0.2",
        "dst": "198.51.100.1",
        "sport": 40000,
        "dport": 443,
    }
    return Packet(**(given | changes))


OUTCOMES: dict[str, tuple[list[str], str, dict[str, Any], str]] = {
    "policy drop": (["FORWARD -i eth1 -j ACCEPT"], "DROP", {}, "drop"),
    "policy accept": (["FORWARD -i eth1 -j DROP"], "ACCEPT", {}, "accept"),
    "first match wins": (["FORWARD -j ACCEPT", "FORWARD -j DROP"], "DROP", {}, "accept"),
    "interface prefix": (["FORWARD -i dock+ -j DROP"], "ACCEPT", {}, "drop"),
    "interface prefix of another": (["FORWARD -i br-+ -j DROP"], "ACCEPT", {}, "accept"),
    "negated interface": (["FORWARD ! -i docker0 -j DROP"], "ACCEPT", {}, "accept"),
    "return from a jump goes on": (
        ["FORWARD -j MINE", "FORWARD -j ACCEPT", "MINE -j RETURN"],
        "DROP",
        {},
        "accept",
    ),
    "return in a base chain is its policy": (
        ["FORWARD -j RETURN", "FORWARD -j ACCEPT"],
        "DROP",
        {},
        "drop",
    ),
    "goto does not come back": (
        ["FORWARD -g MINE", "FORWARD -j ACCEPT", "MINE -i eth1 -j DROP"],
        "DROP",
        {},
        "drop",
    ),
    "goto in a jump comes back to the jump": (
        ["FORWARD -j MINE", "FORWARD -j ACCEPT", "MINE -g OTHER", "MINE -j DROP"],
        "DROP",
        {},
        "accept",
    ),
    "reject": (["FORWARD -j REJECT --reject-with icmp-port-unreachable"], "ACCEPT", {}, "reject"),
    "a log does not end": (
        ['FORWARD -j LOG --log-prefix "-j DROP "', "FORWARD -j ACCEPT"],
        "DROP",
        {},
        "accept",
    ),
    "a comment says nothing": (
        ['FORWARD -m comment --comment "no -j DROP \\" here" -j ACCEPT'],
        "DROP",
        {},
        "accept",
    ),
    "source network": (["FORWARD -s 172.17.0.0/16 -j DROP"], "ACCEPT", {}, "drop"),
    "netmask with holes": (["FORWARD -s 172.0.0.2/255.0.0.255 -j DROP"], "ACCEPT", {}, "drop"),
    "port range": (["FORWARD -p tcp -m tcp --dport 400:500 -j DROP"], "ACCEPT", {}, "drop"),
    "port list": (
        ["FORWARD -p tcp -m multiport --dports 80,443,8000:8100 -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "another protocol": (["FORWARD -p udp -j DROP"], "ACCEPT", {}, "accept"),
    "an ICMP match on a TCP packet": (
        ["FORWARD -p icmp -m icmp --icmp-type 8 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a chain that does not exist": (["FORWARD -j GONE"], "ACCEPT", {}, "unknown"),
    "chains in a circle": (
        ["FORWARD -j MINE", "MINE -j OTHER", "OTHER -j MINE"],
        "ACCEPT",
        {},
        "unknown",
    ),
}
