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
        NetworkSettings={"Ports": now, "Networks": {"shop": {"NetworkID": "n1"}}},
    )


MAIL = server(tcp25="", tcp587="587")
CASES = {
    "mail": ([MAIL], (), [("warning", "mail")]),
    "over UDP": ([server(udp53="", tcp80="8080")], (), [("warning", "mail")]),
    "all are chosen": ([server(tcp25="", tcp587="")], (), []),
    "all are fixed": ([server(tcp25="25", tcp587="587")], (), []),
    "a port that callers ask for": ([server(tcp80="", tcp9000="9000")], (), []),
    "a program of the host has it": ([MAIL], (Listener("tcp", "0.0.0.0", 25, 7, "master"),), []),
    "of a program for tests, beside its client": (
        [server("smtp", tcp25="", tcp80="5000"), server("shop", tcp80="80")], (),
        [("advice", "smtp")],
    ),
    "mail beside a web server": ([MAIL, server("web", tcp80="80")], (), [("warning", "mail")]),
    "another container has it": ([MAIL, server("relay", tcp25="25")], (), []),
}  # fmt: skip


def test_a_port_with_a_second_place_on_the_host() -> None:
    places = {"25/tcp": [{"HostPort": ""}, {"HostPort": "2525"}], "587/tcp": [{"HostPort": "587"}]}
    mail = container(
        "mail",
        HostConfig={"PortBindings": places},
        NetworkSettings={"Ports": {"25/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}]}},
    )
    result = judge("network.port-left-to-engine", containers=of(mail), listeners=None)
    assert rows(result) == []


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
