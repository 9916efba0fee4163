"""Calls that a tunnel takes or a kill switch drops: checks/network/calls/tunnel_takes_call.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.calls.logged_failures import LoggedFailure
from diagnose.evidence.network.paths.inner_paths import InnerPaths
from diagnose.evidence.network.paths.outside_calls import OutsideCall, OutsideCalls
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.verdict import Step
from tests.inspected import container
from tests.judging import judge, rows

POLICY = Step("iptables ip filter", "OUTPUT", "policy DROP")
DROPPED = Trace("drop", obstacle=Obstacle("rule", POLICY, "request", "output"))
BY_TUNNEL = Trace("accept", to="tun0")
BY_ENGINE = Trace("accept", to="eth0")


def client(image: str = "vpn:1", *env: str) -> Container:
    return container("vpn", Config={"Image": image, "Env": list(env)})


def call(
    trace: Trace, address: str = "192.168.1.10", owner: Container | None = None
) -> OutsideCall:
    failure = LoggedFailure(
        container("torrents"), "timeout", address, 445, line="timed out", times=5, of=9, first=1.0
    )
    tunnel = "tun0" if trace.to == "tun0" else ""
    return OutsideCall(
        owner or client(),
        failure,
        trace,
        tunnel=tunnel,
        gateway="172.18.0.1",
        device="eth0",
        has_tunnel=bool(tunnel),
    )


TAKEN = {
    "a private address by the tunnel": (call(BY_TUNNEL), [("warning", "vpn")]),
    "an address of the internet": (call(BY_TUNNEL, "8.8.8.8"), []),
    "past the tunnel": (call(BY_ENGINE), []),
    "dropped": (call(DROPPED), []),
}


@pytest.mark.parametrize(("outside", "expected"), TAKEN.values(), ids=TAKEN)
def test_what_a_tunnel_takes(outside: OutsideCall, expected: list[tuple[str, str]]) -> None:
    result = judge("network.tunnel-takes-call", outside_calls=OutsideCalls((outside,)))
    assert rows(result) == expected


CURES: dict[str, tuple[Container, dict[str, str]]] = {
    "a route": (client(), {"address": "192.168.1.10", "gateway": "172.18.0.1", "device": "eth0"}),
    "Gluetun": (
        client("qmcgaw/gluetun:v3"),
        {"assignment": "FIREWALL_OUTBOUND_SUBNETS=192.168.1.10/32"},
    ),
    "Gluetun with a subnet": (
        client("qmcgaw/gluetun", "FIREWALL_OUTBOUND_SUBNETS=10.0.0.0/8"),
        {"assignment": "FIREWALL_OUTBOUND_SUBNETS=10.0.0.0/8,192.168.1.10/32"},
    ),
}


@pytest.mark.parametrize(("owner", "expected"), CURES.values(), ids=CURES)
def test_way_past_the_tunnel(owner: Container, expected: dict[str, Any]) -> None:
    calls = OutsideCalls((call(BY_TUNNEL, owner=owner),))
    (finding,) = judge("network.tunnel-takes-call", outside_calls=calls).findings
    assert {**finding.variables, "container": "vpn"} == {"container": "vpn", **expected}


@pytest.mark.parametrize(
    ("address", "variable"), [("192.168.1.10", "address"), ("8.8.8.8", "tunnelless")]
)
def test_no_way_past_the_kill_switch_to_the_internet(address: str, variable: str) -> None:
    result = judge(
        "firewall.dropped-inside-container",
        inner_paths=InnerPaths(),
        outside_calls=OutsideCalls((call(DROPPED, address),)),
    )
    (finding,) = result.findings
    assert {"address", "tunnelless"} & finding.variables.keys() == {variable}
