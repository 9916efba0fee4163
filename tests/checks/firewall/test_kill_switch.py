"""The check in checks/firewall/kill_switch.py, on rules that iptables-save would show."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.host_paths import HostPath, HostPaths
from diagnose.evidence.network.rules.kill_switch import kill_switch
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.verdict import Step
from tests.inspected import container
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
BY = Step("ip filter", "OUTPUT", "policy drop")
SHUT = Trace("drop", obstacle=Obstacle("rule", BY, "request", "output"))
LO = "-A OUTPUT -o lo -j ACCEPT"
OPEN = "-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
TUNNEL = "-A OUTPUT -o tun0 -j ACCEPT"
SERVER = "-A OUTPUT -d 198.51.100.7/32 -p udp -m udp --dport 1194 -j ACCEPT"


def _rules(*rules: str, policy: str = "DROP") -> Firewall:
    text = f"*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT {policy} [0:0]\n"
    nothing = {"tables": [], "chains": [], "rules": [], "sets": [], "elements": []}
    saved = text + "\n".join(rules) + "\nCOMMIT\n"
    return Firewall(assemble(nothing, iptables_nft={"ip": saved}))


HOSTS = {
    "a script of a guide": (_rules(LO, OPEN, TUNNEL, SERVER), True, [("warning", "host")]),
    "a tunnel that is down": (_rules(LO, TUNNEL), False, [("warning", "host")]),
    "an open policy": (_rules(LO, TUNNEL, policy="ACCEPT"), True, []),
    "another port is open": (_rules(LO, TUNNEL, "-A OUTPUT -p tcp --dport 443 -j ACCEPT"), True, []),
    "the uplink is open": (_rules(LO, TUNNEL, "-A OUTPUT -o eth0 -j ACCEPT"), True, []),
    "chains of ufw": (_rules(LO, TUNNEL, "-A OUTPUT -j ufw-before-output"), True, []),
    "no tunnel": (_rules(LO, OPEN), True, []),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "up", "wanted"), HOSTS.values(), ids=HOSTS)
def test_a_host_whose_packets_leave_by_a_tunnel_alone(
    rules: Firewall, up: bool, wanted: list[tuple[str, str]]
) -> None:
    links = Interfaces((Interface(index=9, name="tun0", up=up, kind="tun"),))
    for traced, expected in ((SHUT, wanted), (Trace("accept"), [])):
        paths = HostPaths((HostPath(container("web"), SHOP, "172.18.0.2", 80, traced),))
        switch = kill_switch(rules, links)
        result = judge("firewall.kill-switch", kill_switch=switch, host_paths=paths)
        assert rows(result) == expected
        assert all(("is not up" in found.summary) is not up for found in result.findings)
        assert all("keeps this host itself" in found.summary for found in result.findings)
