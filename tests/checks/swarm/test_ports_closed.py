"""Ports of the swarm that rules of this host close to the other nodes."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.outgoing.closed_swarm_ports import closed_swarm_ports
from diagnose.evidence.swarm.swarm import Node, Swarm
from diagnose.firewall.network_stack import Device, NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.model import Verdict
from tests.checks.network.evidence import network
from tests.judging import judge

OVERLAY = network("mesh", "10.0.4.0/24", "10.0.4.1", Driver="overlay", Scope="swarm")
NETWORKS = Networks((network("shop", "172.20.0.0/16", "172.20.0.1"), OVERLAY))
LINKS = {1: "lo", 2: "eth0"}
FILTER = "*filter\n:INPUT {} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{}\nCOMMIT\n"
TCP = "-A INPUT -p tcp -m tcp --dport {} -j ACCEPT"
UDP = "-A INPUT -p udp -m udp --dport {} -j ACCEPT"
RULES = {
    "all closed": ("DROP", "", "2377/tcp, 7946/tcp, 7946/udp and 4789/udp"),
    "the data port alone": (
        "DROP",
        "\n".join([TCP.format(2377), TCP.format(7946), UDP.format(7946)]),
        "port 4789/udp",
    ),
    "all open": ("ACCEPT", "", ""),
    "open to one of two nodes": ("DROP", "-A INPUT -s 192.0.2.12/32 -j ACCEPT", ""),
}


def _swarm(*addresses: str) -> Swarm:
    rows = [
        {
            "ID": f"n{number}",
            "Description": {"Hostname": f"n{number}"},
            "Status": {"State": "ready", "Addr": address},
        }
        for number, address in enumerate(addresses)
    ]
    nodes = tuple(msgspec.convert(row, Node) for row in rows)
    return Swarm("active", manager=True, node_address="192.0.2.10", nodes=nodes)


def _stack(policy: str, rules: str) -> HostStack:
    nothing = {"tables": [], "chains": [], "rules": [], "sets": [], "elements": []}
    ruleset = assemble(nothing, {"ip": FILTER.format(policy, rules)}, {}, LINKS)
    return HostStack(
        NetworkStack(
            ruleset,
            Routing(routes=[], rules=None, interfaces=LINKS),
            (Device("eth0", ("192.0.2.10/24",)),),
        )
    )


@pytest.mark.parametrize(("policy", "rules", "words"), RULES.values(), ids=RULES)
def test_the_ports_of_the_swarm(policy: str, rules: str, words: str) -> None:
    swarm = _swarm("192.0.2.10", "192.0.2.11", "192.0.2.12")
    ports = closed_swarm_ports(swarm, _stack(policy, rules), Info())
    result = judge("swarm.ports-closed", swarm=swarm, closed_swarm_ports=ports, networks=NETWORKS)
    assert len(result.findings) == bool(words)
    for finding in result.findings:
        assert words in finding.summary
        assert {subject for subject in finding.touches if subject.kind == "network"} == {
            OVERLAY.subject
        }


def test_a_swarm_of_one_node_has_no_callers() -> None:
    swarm = _swarm("192.0.2.10", "0.0.0.0")
    ports = closed_swarm_ports(swarm, _stack("DROP", ""), Info())
    result = judge("swarm.ports-closed", swarm=swarm, closed_swarm_ports=ports, networks=NETWORKS)
    assert result.verdict == Verdict.SKIPPED
