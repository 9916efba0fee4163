"""The checks in checks/network/interfaces/miswired.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.gateways.silent_gateways import ArpTable, ArpTables
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.questions.network import Address, Interface
from tests.checks.network.evidence import ENDED, container, links, network
from tests.judging import judge, rows


def on(name: str, networks: dict[str, dict[str, str]], **fields: Any) -> Container:
    return container(
        name, NetworkSettings={"Networks": networks, **fields.pop("Settings", {})}, **fields
    )


VAULT = network("vault", Internal=True)


PUBLISHES = {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}}


AT = {"IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02"}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        pytest.param(on("a", {"vault": AT}, **PUBLISHES), [("warning", "a")], id="internal alone"),
        pytest.param(on("a", {"vault": AT, "shop": AT}, **PUBLISHES), [], id="another network too"),
        pytest.param(on("a", {"vault": AT}), [], id="publishes nothing"),
        pytest.param(on("a", {"shop": AT}, **PUBLISHES), [], id="an ordinary network"),
    ],
)
def test_published_on_internal(who: Container, expected: list[tuple[str, str]]) -> None:
    nets = Networks((network(), VAULT))
    assert (
        rows(judge("network.published-on-internal", containers=Containers((who,)), networks=nets))
        == expected
    )


OTHER_MAC = {"IPAddress": "172.18.0.3", "MacAddress": "02:42:ac:12:00:03"}


SAME_MAC = {"IPAddress": "172.18.0.3", "MacAddress": "02:42:AC:12:00:02"}


@pytest.mark.parametrize(
    ("second", "driver", "expected"),
    [
        pytest.param(on("b", {"shop": SAME_MAC}), "bridge", [("critical", "shop")], id="equal"),
        pytest.param(on("b", {"shop": OTHER_MAC}), "bridge", [], id="different"),
        pytest.param(on("b", {"vault": SAME_MAC}), "bridge", [], id="on another network"),
        pytest.param(on("b", {"shop": SAME_MAC}), "ipvlan", [], id="ipvlan: by design"),
        pytest.param(on("b", {"shop": SAME_MAC}, State=ENDED), "bridge", [], id="it does not run"),
    ],
)
def test_mac_duplicate(second: Container, driver: str, expected: list[tuple[str, str]]) -> None:
    listed = Containers((on("a", {"shop": AT}), second))
    nets = Networks((network(Driver=driver), VAULT))
    assert rows(judge("network.mac-duplicate", containers=listed, networks=nets)) == expected


@pytest.mark.parametrize(
    ("entry", "driver", "expected"),
    [
        pytest.param(
            Neighbour("172.18.0.2", "eth0", ""), "macvlan", [("warning", "a")], id="no answer"
        ),
        pytest.param(
            Neighbour("172.18.0.2", "eth0", ""), "ipvlan", [("warning", "a")], id="ipvlan"
        ),
        pytest.param(
            Neighbour("172.18.0.2", "eth0", "02:42:ac:12:00:02"), "macvlan", [], id="by a shim"
        ),
        pytest.param(Neighbour("172.18.0.9", "eth0", ""), "macvlan", [], id="somebody else"),
        pytest.param(Neighbour("172.18.0.2", "eth0", ""), "bridge", [], id="a bridge network"),
    ],
)
def test_macvlan_host_unreachable(
    entry: Neighbour, driver: str, expected: list[tuple[str, str]]
) -> None:
    nets = Networks((network(Driver=driver, Options={"parent": "eth0"}),))
    known = {"containers": Containers((on("a", {"shop": AT}),)), "networks": nets, "links": links()}
    assert (
        rows(judge("network.macvlan-host-unreachable", **known, neighbours=Neighbours((entry,))))
        == expected
    )


CALLERS = {
    "by a variable": ({"Config": {"Env": ["PIHOLE_URL=http://172.18.0.2/admin"]}}, "vault", ["b"]),
    "another address": ({"Config": {"Env": ["PIHOLE_URL=http://172.18.0.20/admin"]}}, "vault", []),
    "from the same network": ({"Config": {"Env": ["PIHOLE_URL=http://172.18.0.2/"]}}, "shop", []),
}


@pytest.mark.parametrize(("fields", "seat", "callers"), CALLERS.values(), ids=CALLERS)
def test_who_is_cut_off_from_a_macvlan(
    fields: dict[str, Any], seat: str, callers: list[str]
) -> None:
    lan = network(Driver="macvlan", Options={"parent": "eth0"})
    known = Containers((on("a", {"shop": AT}), on("b", {seat: OTHER_MAC}, **fields)))
    (finding,) = judge(
        "network.macvlan-host-unreachable",
        containers=known,
        networks=Networks((lan, VAULT)),
        links=links(),
        neighbours=Neighbours((Neighbour("172.18.0.2", "eth0", ""),)),
    ).findings
    assert [subject.name for subject in finding.touches[1:]] == callers
    assert (f'nor can container "{"".join(callers)}"' in finding.summary) is bool(callers)


HOST = ("192.0.2.10",)
SCAN = (*HOST, *(f"192.0.2.{n}" for n in range(100, 130)))
LOST = "wget: can't connect to remote host (192.0.2.10): No route to host"
HOST_SIDE = {
    "the host": (HOST, "macvlan", LOST, [("warning", "a")]),
    "the host of an ipvlan": (HOST, "ipvlan", LOST, [("warning", "a")]),
    "the host, asked in passing": (HOST, "macvlan", "found 3 lamps", [("advice", "a")]),
    "another machine": (("192.0.2.44",), "macvlan", LOST, []),
    "the whole network": (SCAN, "macvlan", LOST, []),
}


@pytest.mark.parametrize(
    ("silent", "driver", "line", "expected"), HOST_SIDE.values(), ids=HOST_SIDE
)
def test_a_container_that_calls_its_own_host(
    silent: tuple[str, ...], driver: str, line: str, expected: list[tuple[str, str]]
) -> None:
    lan = network(Driver=driver, Options={"parent": "eth0"})
    caller = on("a", {"shop": AT})
    entries = tuple(Neighbour(address, "eth0", "") for address in silent)
    tables = ArpTables((ArpTable(caller, lan, frozenset(), entries),))
    said = RecentLine(caller.started_at + 1, line)
    found = judge(
        "network.macvlan-host-unreachable",
        containers=Containers((caller,)),
        networks=Networks((lan,)),
        neighbours=Neighbours(()),
        links=Interfaces(
            (Interface(index=2, name="eth0", up=True),),
            (Address(index=2, address="192.0.2.10", prefix=24),),
        ),
        arp_tables=tables,
        recent_logs=RecentLogs({caller.id: (said,)}, {}),
    )
    assert rows(found) == expected
