"""The port of a container that nginx calls and nobody serves."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.proxies.pages.dead_upstreams import dead_upstream
from tests.checks.network.evidence import container

LINE = (
    "2026/12/01 06:36:54 [error] 7#7: *11 connect() failed (111: Connection refused) while connecting"
    ' to upstream, client: 192.0.2.1, server: a, request: "GET /hub HTTP/1.1", upstream:'
    ' "http://172.18.0.2:3012/hub?a=b", host: "a"'
)
PEER = container("vault", NetworkSettings={"Networks": {"n": {"IPAddress": "172.18.0.2"}}})


class _Netns:
    def __init__(self, *ports: int) -> None:
        self.served_ports = list(ports)

    def serves_others(self, _protocol: str, port: int) -> bool:
        return port in self.served_ports


class _Namespaces:
    def __init__(self, netns: _Netns | None) -> None:
        self._netns = netns

    def of(self, _container: object) -> _Netns | None:
        return self._netns


@pytest.mark.parametrize(
    ("line", "netns", "clause"),
    [
        (LINE, _Netns(80), 'port 3012 of container "vault", where nothing listens'),
        (LINE, _Netns(3012), ""),
        (LINE, _Netns(), ""),
        (LINE, None, ""),
        (LINE.replace("172.18.0.2", "172.18.0.9"), _Netns(80), ""),
        (LINE.replace("(111: Connection refused)", "(110: timed out)"), _Netns(80), ""),
    ],
)
def test_a_port_that_nobody_serves(line: str, netns: _Netns | None, clause: str) -> None:
    namespaces: Any = _Namespaces(netns)
    dead = dead_upstream([line], Containers((PEER,)), namespaces)
    assert (dead is not None) == bool(clause)
    assert dead is None or clause in dead.clause
