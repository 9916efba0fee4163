"""The check in checks/network/ports/listed_port_differs.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from tests.checks.network.evidence import container
from tests.inspected import of
from tests.judging import judge, rows

STEAM = "SteamPlatformSystem - Server connected to Steam, listing as 203.0.113.7:9876"
VALVE = "Connection to Steam servers successful."


def ports(*pairs: str, address: str = "0.0.0.0") -> dict[str, Any]:
    """host:inner of UDP."""
    split = [pair.split(":") for pair in pairs]
    return {f"{inner}/udp": [{"HostIp": address, "HostPort": host}] for host, inner in split}


BOTH = {"9877/udp": [{"HostIp": "", "HostPort": port} for port in ("9877", "27016")]}
SERVERS: dict[str, tuple[dict[str, Any], list[str], str, bool]] = {
    # ports, variables, a line of the log -> whether it is found
    "another port of the host": (ports("27016:9877"), [], STEAM, True),
    "a server of Valve": (ports("27016:27015"), [], VALVE, True),
    "a setting": (ports("27016:9877"), ["VR_QUERY_PORT=9877"], "ready", True),
    "a setting of the outer port": (ports("27016:9877"), ["QUERY_PORT=27016"], "ready", False),
    "the same port": (ports("9877:9877"), [], STEAM, False),
    "both ports": (ports("9877:9876", "9876:9877"), [], STEAM, False),
    "the same port beside another": (BOTH, [], STEAM, False),
    "this host alone": (ports("27016:9877", address="127.0.0.1"), [], STEAM, False),
    "a DNS server": (ports("5353:53"), ["QUERY_LOG=53"], "server connected, 9877 clients", False),
    "a tunnel": (ports("51821:51820"), ["SERVERPORT=51820"], "peer connected", False),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_lists_itself(name: str) -> None:
    published, variables, line, is_found = SERVERS[name]
    game = container(
        "game", Config={"Image": "game:1", "Env": variables}, NetworkSettings={"Ports": published}
    )
    logs = RecentLogs({game.id: (RecentLine((game.started_at or 0.0) + 5, line),)})
    result = judge("network.listed-port-differs", containers=of(game), recent_logs=logs)
    assert rows(result) == ([("advice", "game")] if is_found else [])


def test_one_port_can_be_published_once_more() -> None:
    cures = []
    for pairs in (("27016:9877",), ("27016:9877", "27015:9876")):
        game = container("game", NetworkSettings={"Ports": ports(*pairs)})
        logs = RecentLogs({game.id: (RecentLine((game.started_at or 0.0) + 5, STEAM),)})
        result = judge("network.listed-port-differs", containers=of(game), recent_logs=logs)
        cures.append(result.findings[0].variables.get("same_port", ""))
    assert cures == ["9877:9877/udp", ""]
