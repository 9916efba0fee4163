"""The checks in checks/network/packets/udp_flow_stale.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows
from diagnose.firewall import iptables
from diagnose.firewall.rules import Ruleset
from tests.checks.network.evidence import container, links, network
from tests.judging import judge, rows

NAT = """*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER -p udp -m udp --dport 514 -j DNAT --to-destination 172.18.0.2:514
COMMIT
"""


TRANSLATES = Firewall(Ruleset(iptables.chains(NAT, "nft", "ip")))


UDP_SERVER = container(
    "syslog",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"514/udp": [{"HostIp": "", "HostPort": "514"}]},
    },
)


SHOP = Networks((network("shop", "172.18.0.0/16"),))


def flow(answered_by: str, *, src: str = "192.0.2.99", dst: str = "192.0.2.10") -> UdpFlow:
    return UdpFlow(src, dst, 4444, 514, answered_by)


@pytest.mark.parametrize(
    ("seen", "holder", "expected"),
    [
        pytest.param(flow("172.18.0.2"), None, [], id="translated rightly"),
        pytest.param(flow("172.18.0.9"), None, [("warning", "syslog")], id="to an earlier address"),
        pytest.param(
            flow("172.18.0.9"),
            "docker-proxy",
            [("warning", "syslog")],
            id="to an earlier address, past a program of the host",
        ),
        pytest.param(
            flow("192.0.2.10"), "rsyslogd", [("warning", "syslog")], id="to a program of the host"
        ),
        pytest.param(flow("192.0.2.10"), None, [("warning", "syslog")], id="to nobody"),
        pytest.param(
            flow("192.0.2.10"),
            "dockerd",
            [("warning", "syslog")],
            id="the engine only holds the port",
        ),
        pytest.param(
            flow("192.0.2.10"),
            "docker-proxy",
            [("warning", "syslog")],
            id="to docker-proxy, past the rule",
        ),
        pytest.param(
            flow("192.0.2.10", src="172.18.0.7"),
            "docker-proxy",
            [],
            id="of a container, for whom no rule is",
        ),
        pytest.param(flow("192.0.2.44", dst="192.0.2.44"), None, [], id="to another machine"),
        pytest.param(flow("192.0.2.10", src="192.0.2.10"), None, [], id="of the host itself"),
    ],
)
def test_udp_flow_stale(seen: UdpFlow, holder: str | None, expected: list[tuple[str, str]]) -> None:
    held = (Listener("udp", "0.0.0.0", 514, 7, holder, None),) if holder else ()
    result = judge(
        "network.udp-flow-stale",
        containers=Containers((UDP_SERVER,)),
        flows=UdpFlows({514: (seen,)}),
        interfaces=links(),
        listeners=Listeners(held),
        firewall=TRANSLATES,
        networks=SHOP,
    )
    assert rows(result) == expected


def test_without_a_rule_of_its_own_port_docker_proxy_is_the_way() -> None:
    elsewhere = Firewall(Ruleset(iptables.chains(NAT.replace("514 ", "515 "), "nft", "ip")))
    result = judge(
        "network.udp-flow-stale",
        containers=Containers((UDP_SERVER,)),
        flows=UdpFlows({514: (flow("192.0.2.10"),)}),
        interfaces=links(),
        listeners=Listeners((Listener("udp", "0.0.0.0", 514, 7, "docker-proxy", None),)),
        firewall=elsewhere,
        networks=SHOP,
    )
    assert not result.findings
