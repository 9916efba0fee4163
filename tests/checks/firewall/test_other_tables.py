"""firewall.other-tables, on lines of iptables in containers."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.rules.other_tables import all_other_tables
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.rules import Backend, Chain, Ruleset, Table
from tests.inspected import container, of
from tests.judging import judge, rows

ON_HOST = container("bouncer", HostConfig={"NetworkMode": "host"})
LEGACY = "iptables v1.8.9 (legacy): Couldn't load target `DOCKER':No such file or directory"
NFT = "iptables v1.8.10 (nf_tables): Chain 'DOCKER' does not exist"
FOUND = [("critical", "bouncer")]
LINES: dict[str, tuple[str, Backend, list[tuple[str, str]]]] = {
    "legacy on a host of nftables": (LEGACY, "nft", FOUND),
    "nftables on a host of legacy": (NFT, "legacy", FOUND),
    "the host has it there too": (LEGACY, "legacy", []),
    "a chain that nobody has": (LEGACY.replace("DOCKER", "SHOP"), "nft", []),
    "another complaint": ("iptables v1.8.9 (legacy): Permission denied", "nft", []),
}


@pytest.mark.parametrize("name", LINES)
def test_chains_that_a_container_misses(name: str) -> None:
    line, backend, expected = LINES[name]
    firewall = Firewall(Ruleset((Chain(Table(backend, "ip", "nat"), "DOCKER"),)))
    logs = RecentLogs({ON_HOST.id: (RecentLine(1.0, line),)})
    found = all_other_tables(of(ON_HOST), firewall, None, logs)
    assert rows(judge("firewall.other-tables", all_other_tables=found)) == expected
