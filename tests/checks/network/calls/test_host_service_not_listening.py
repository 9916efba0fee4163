"""Containers that call their host where nothing listens, and parents of macvlan networks that are
down."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.wanted.wanted_paths import UnservedWant, WantedPaths
from diagnose.evidence.network.paths.wanted.wants import Want
from diagnose.evidence.network.sockets.listeners import Listener
from diagnose.model import Verdict
from tests.inspected import container, of
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
API = container("api")
LOOPING = container("api", RestartCount=3)
LOCAL = (Listener("tcp", "127.0.0.1", 5432, 700, "postgres"),)
GATEWAY = "172.17.0.1"

CASES = {
    "on loopback": (
        UnservedWant(Want(API, GATEWAY, 5432, "environment", "DB"), SHOP, GATEWAY, LOCAL),
        "warning",
    ),
    "on loopback, and the container loops": (
        UnservedWant(Want(LOOPING, GATEWAY, 5432, "environment", "DB"), SHOP, GATEWAY, LOCAL),
        "critical",
    ),
    "a log says that it failed": (
        UnservedWant(Want(API, GATEWAY, 5432, "log", "connection refused"), SHOP, GATEWAY, LOCAL),
        "critical",
    ),
    "nothing runs": (
        UnservedWant(Want(API, GATEWAY, 5432, "environment", "DB"), SHOP, GATEWAY),
        "advice",
    ),
    "nothing runs, and it failed": (
        UnservedWant(Want(API, GATEWAY, 5432, "log", "refused"), SHOP, GATEWAY),
        "warning",
    ),
    "an address that is gone": (
        UnservedWant(
            Want(API, "host", 5432, "environment", "DB"), SHOP, "192.0.2.99", (), has_address=False
        ),
        "warning",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_services_of_the_host_that_nobody_serves(name: str) -> None:
    lack, severity = CASES[name]
    result = judge(
        "network.host-service-not-listening", wanted_paths=WantedPaths((), unserved=(lack,))
    )
    assert rows(result) == [(severity, "api")]


@pytest.mark.parametrize(
    ("name", "runs"), [("on loopback", 1), ("on loopback, and the container loops", 0)]
)
def test_a_restart_does_not_take_the_finding_back(name: str, runs: int) -> None:
    lack, _ = CASES[name]
    result = judge(
        "network.host-service-not-listening", wanted_paths=WantedPaths((), unserved=(lack,))
    )
    assert [len(finding.recheck) for finding in result.findings] == [runs]


def test_the_cure_sends_the_port_to_loopback_only_where_a_program_listens_there() -> None:
    def cure(*elsewhere: Listener) -> bool:
        lack = UnservedWant(Want(API, GATEWAY, 5432, "environment", "DB"), SHOP, GATEWAY, elsewhere)
        result = judge(
            "network.host-service-not-listening", wanted_paths=WantedPaths((), unserved=(lack,))
        )
        return "setting" in result.findings[0].variables

    assert cure(*LOCAL)
    assert not cure(Listener("tcp", "192.0.2.10", 5432, 700, "postgres"))


def test_nobody_calls_the_host() -> None:
    assert (
        judge("network.host-service-not-listening", wanted_paths=WantedPaths(())).verdict
        is Verdict.SKIPPED
    )


LAN = msgspec.convert(
    {"Id": "b" * 64, "Name": "lan", "Driver": "macvlan", "Options": {"parent": "eth1"}}, Network
)
CAMERA = container("camera", NetworkSettings={"Networks": {"lan": {"IPAddress": "192.0.2.50"}}})
PARENTS = {
    "up": (Interface(3, "eth1", up=True, operstate="up"), []),
    "a driver that does not say": (Interface(3, "eth1", up=True, operstate="unknown"), []),
    "set down": (Interface(3, "eth1", up=False, operstate="down"), [("critical", "lan")]),
    "no cable": (Interface(3, "eth1", up=True, operstate="down"), [("critical", "lan")]),
    "a VLAN whose interface is down": (
        Interface(3, "eth1", up=True, operstate="lowerlayerdown"),
        [("critical", "lan")],
    ),
}


@pytest.mark.parametrize("name", PARENTS)
def test_the_parent_of_a_macvlan_network(name: str) -> None:
    parent, wanted = PARENTS[name]
    result = judge(
        "network.parent-down",
        containers=of(CAMERA),
        networks=Networks((LAN,)),
        interfaces=Interfaces((parent,)),
    )
    assert rows(result) == wanted


def test_a_network_without_containers_has_no_need_of_its_parent() -> None:
    down = Interfaces((Interface(3, "eth1", up=False),))
    result = judge(
        "network.parent-down", containers=of(), networks=Networks((LAN,)), interfaces=down
    )
    assert result.verdict is Verdict.SKIPPED
