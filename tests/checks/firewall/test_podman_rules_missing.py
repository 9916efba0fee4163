"""The check in checks/firewall/podman_rules_missing.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.rules import Chain, Rule, Ruleset, Table
from tests.checks.network.evidence import container, network
from tests.judging import judge, rows

NAT = Table("nft", "ip", "nat")
PUBLISHED = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
AT = {"podman": {"IPAddress": "10.88.0.2"}}
WEB = container("web", NetworkSettings={"Networks": AT, "Ports": PUBLISHED})
HOME = network("bridge", "10.88.0.0/16", "10.88.0.1")
PODMAN = Ping("1.41", "4.3.1", "4.3.1")
GONE = [("critical", "host")]
CASES = {
    "flushed": ([], HOME, PODMAN, GONE),
    "another program's rules": ([Chain(NAT, "INPUT")], HOME, PODMAN, GONE),
    "netavark by iptables": ([Chain(NAT, "NETAVARK-HOSTPORT-DNAT")], HOME, PODMAN, []),
    "netavark by nftables": (
        [Chain(Table("nft", "inet", "netavark"), "POSTROUTING")],
        HOME,
        PODMAN,
        [],
    ),
    "CNI": ([Chain(NAT, "CNI-DN-7a3c")], HOME, PODMAN, []),
    "the host translates by itself": (
        [Chain(NAT, "POSTROUTING", (Rule("-s 10.88.0.0/16 -j MASQUERADE"),))],
        HOME,
        PODMAN,
        [],
    ),
    "an internal network": (
        [],
        network("bridge", "10.88.0.0/16", "10.88.0.1", Internal=True),
        PODMAN,
        [],
    ),
    "Docker": ([], HOME, Ping("1.51", "28.5.2", ""), []),
}


@pytest.mark.parametrize(("chains", "home", "ping", "wanted"), CASES.values(), ids=CASES)
def test_rules_of_podman(
    chains: list[Chain], home: object, ping: Ping, wanted: list[tuple[str, str]]
) -> None:
    result = judge(
        "firewall.podman-rules-missing",
        firewall=Firewall(Ruleset(tuple(chains))),
        containers=Containers((WEB,)),
        networks=Networks((home,)),  # type: ignore[arg-type]
        ping=ping,
    )
    assert rows(result) == wanted
    if wanted:
        assert "port 8080 gets no answer" in result.findings[0].summary
