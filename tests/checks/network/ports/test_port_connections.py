"""What the check says of a host port that a connection has."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import State
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.port_connections import PortConnection, PortConnections
from tests.judging import judge

ERROR = "failed to bind host port for 0.0.0.0:35300:172.17.0.3:9000/tcp: address already in use"
MINIO = Container("1" * 64, "/minio", state=State(status="created", exit_code=128, error=ERROR))
NEAR_END = PortConnection("192.0.2.80:443", "ESTABLISHED", 812, "backup")

CASES: dict[str, tuple[PortConnections, str, set[str]]] = {
    "a connection has it": (
        PortConnections({35300: (NEAR_END,)}),
        "critical",
        {"container", "near_end"},
    ),
    "another port": (
        PortConnections({1: (NEAR_END,)}),
        "warning",
        {"container", "port", "proto", "waiting"},
    ),
    "free": (PortConnections(), "warning", {"container", "port", "proto", "waiting"}),
}


@pytest.mark.parametrize("name", CASES)
def test_ports_of_connections(name: str) -> None:
    connections, severity, variables = CASES[name]
    result = judge(
        "network.port-held-by-process",
        containers=Containers((MINIO,)),
        listeners=Listeners(()),
        port_connections=connections,
    )
    finding = result.findings[0]
    assert (str(finding.severity), set(finding.variables)) == (severity, variables)
