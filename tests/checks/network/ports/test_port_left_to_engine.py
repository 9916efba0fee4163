"""Well-known ports whose place on the host the engine chose."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from tests.inspected import container, of
from tests.judging import judge, rows


def server(name: str = "mail", **ports: str) -> Container:
    """ports: by the container's port, as `tcp25`, the host's port; "" where none was given."""
    wanted, now = {}, {}
    for place, host in ports.items():
        port = f"{place[3:]}/{place[:3]}"
        wanted[port] = [{"HostIp": "", "HostPort": host}]
        now[port] = [{"HostIp": "0.0.0.0", "HostPort": host or "32768"}]
    return container(
        name,
        HostConfig={"PortBindings": wanted},
        NetworkSettings={"Ports": now, "Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
    )


MAIL = server(tcp25="", tcp587="587")
CASES = {
    "mail": ([MAIL], (), [("warning", "mail")]),
    "over UDP": ([server(udp53="", tcp80="8080")], (), [("warning", "mail")]),
    "all are chosen": ([server(tcp25="", tcp587="")], (), []),
    "all are fixed": ([server(tcp25="25", tcp587="587")], (), []),
    "a port that callers ask for": ([server(tcp80="", tcp9000="9000")], (), []),
    "a program of the host has it": ([MAIL], (Listener("tcp", "0.0.0.0", 25, 7, "master"),), []),
    "another container has it": ([MAIL, server("relay", tcp25="25")], (), []),
}


@pytest.mark.parametrize(("servers", "sockets", "expected"), CASES.values(), ids=CASES)
def test_port_left_to_engine(
    servers: list[Container], sockets: tuple[Listener, ...], expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "network.port-left-to-engine", containers=of(*servers), listeners=Listeners(sockets)
    )
    assert rows(result) == expected


def test_the_same_number_on_the_host() -> None:
    (finding,) = judge("network.port-left-to-engine", containers=of(MAIL), listeners=None).findings
    assert finding.variables["narrow"] == ":25/tcp"
    assert finding.variables["publish"] == "25:25/tcp"
