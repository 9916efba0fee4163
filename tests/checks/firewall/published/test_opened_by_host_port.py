"""The check in checks/firewall/published/opened_by_host_port.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.ruleset import assemble
from diagnose.model import Result
from tests.checks.network.evidence import container, network
from tests.firewall.walk_cases import NO_NFTABLES
from tests.judging import judge, rows

CLOSED = ConnectionVerdict(
    "drop", by=Step("ip filter", "DOCKER-USER", "-i eth0 -j DROP"), hook="forward"
)
OPEN = ConnectionVerdict("accept")
FOUND = [("warning", "cloud")]
CASES = {
    "by the host's port": ("-p tcp -m tcp --dport 8443 -j ACCEPT", "443/tcp", CLOSED, FOUND),
    "by ufw": ("-p tcp -m multiport --dports 80,8443 -j RETURN", "443/tcp", CLOSED, FOUND),
    "by its range": ("-p tcp -m tcp --dport 8000:9000 -j ACCEPT", "443/tcp", CLOSED, FOUND),
    "for some clients": ("-s 10.0.0.0/8 -p tcp --dport 8443 -j ACCEPT", "443/tcp", CLOSED, FOUND),
    "all but the port": ("-p tcp -m tcp ! --dport 8443 -j ACCEPT", "443/tcp", CLOSED, []),
    "without a port": ("-p tcp -j ACCEPT", "443/tcp", CLOSED, []),
    "by the container's port": ("-p tcp -m tcp --dport 443 -j ACCEPT", "443/tcp", CLOSED, []),
    "the port is the same": ("-p tcp -m tcp --dport 8443 -j ACCEPT", "8443/tcp", CLOSED, []),
    "another protocol": ("-p udp -m udp --dport 8443 -j ACCEPT", "443/tcp", CLOSED, []),
    "it closes the port": ("-p tcp -m tcp --dport 8443 -j DROP", "443/tcp", CLOSED, []),
    "a longer number": ("-p tcp -m tcp --dport 18443 -j ACCEPT", "443/tcp", CLOSED, []),
    "the port is open": ("-p tcp -m tcp --dport 8443 -j ACCEPT", "443/tcp", OPEN, []),
}


@pytest.mark.parametrize(("rule", "port", "reach", "wanted"), CASES.values(), ids=CASES)
def test_opened_by_the_hosts_port(
    rule: str, port: str, reach: ConnectionVerdict, wanted: list[tuple[str, str]]
) -> None:
    result = _judged("DOCKER-USER", rule, port, reach)
    assert rows(result) == wanted
    for finding in result.findings:
        assert finding.variables["uplink"] == "eth0"


def test_dockers_rule_for_another_container_opens_nothing_here() -> None:
    """It names the port of that container, which is the host's port of this one."""
    other = "-d 172.18.0.7/32 ! -i br-1 -o br-1 -p tcp -m tcp --dport 8443 -j ACCEPT"
    assert rows(_judged("DOCKER", other, "443/tcp", CLOSED)) == []


def _judged(chain: str, rule: str, port: str, reach: ConnectionVerdict) -> Result:
    text = f"*filter\n:{chain} - [0:0]\n-A {chain} {rule}\nCOMMIT\n"
    ruleset = assemble(NO_NFTABLES, {"ip": text}, {})
    inbound = InboundPath(
        container("cloud"), network(), frozenset({"172.18.0.2"}), port, "0.0.0.0", 8443, True,
        Uplink("eth0", "192.0.2.10"), reach, reach, OPEN,
    )  # fmt: skip
    return judge(
        "firewall.opened-by-host-port",
        packet_paths=PacketPaths(inbound_paths=(inbound,)),
        firewall=Firewall(ruleset),
    )
