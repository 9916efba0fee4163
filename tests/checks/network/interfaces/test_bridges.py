"""The checks in checks/network/interfaces/bridges.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.wiring.interface_managers import InterfaceManager, InterfaceManagers
from diagnose.evidence.network.wiring.later_bridges import LaterBridges, later_bridges
from diagnose.model import Severity, Unavailable, Verdict
from tests.checks.network.evidence import (
    BRIDGE,
    UPLINK,
    VETH,
    container,
    links,
    network,
    subjects_and_severities,
    with_fields,
)
from tests.hosts import Made
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("net", "seen", "listed", "expected"),
    [
        pytest.param(network(), links(), [container("a")], [], id="as it should be"),
        pytest.param(
            network(),
            links(with_fields(BRIDGE, operstate="down")),
            [],
            [],
            id="without a carrier: nobody is attached",
        ),
        pytest.param(
            network(),
            links(with_fields(BRIDGE, up=False)),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="switched off",
        ),
        pytest.param(
            network(),
            links(with_fields(BRIDGE, up=False)),
            [],
            [("network:shop", Severity.warning)],
            id="off, unused",
        ),
        pytest.param(
            network(),
            links(UPLINK),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="gone",
        ),
        pytest.param(
            network(),
            links(BRIDGE, addresses=()),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="no address",
        ),
        pytest.param(
            network(gateway=""),
            links(BRIDGE, addresses=()),
            [
                container(
                    "a",
                    NetworkSettings={
                        "Networks": {"shop": {"IPAddress": "172.18.0.2", "Gateway": "172.18.0.1"}}
                    },
                )
            ],
            [("network:shop", Severity.critical)],
            id="no address, and only containers know the gateway",
        ),
        pytest.param(
            network(Options={"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}),
            links(BRIDGE, addresses=()),
            [container("a")],
            [],
            id="isolated: no address by design",
        ),
        pytest.param(network(Driver="overlay"), links(UPLINK), [], [], id="no bridge network"),
    ],
)
def test_bridge_down(
    net: Network, seen: Interfaces, listed: list[Container], expected: list[Any]
) -> None:
    answer = judge(
        "network.bridge-down",
        networks=Networks((net,)),
        links=seen,
        containers=Containers(tuple(listed)),
    )
    assert subjects_and_severities(answer.findings) == expected


OWN = Route(dst="172.18.0.0", prefix=16, oif=5, scope="link")
DOCKERD = Processes((Process(1, comm="dockerd"),))
WHOLE = links()
CHURN = {
    "the second lists show the same": (links(UPLINK), [network()], [Severity.critical]),
    "the network was removed": (links(UPLINK), [], []),
    "another one has its name now": (WHOLE, [network(Id="9" * 64)], []),
    "its bridge was made meanwhile": (WHOLE, [network()], []),
    "its address was set meanwhile": (
        links(BRIDGE, addresses=()),
        [network()],
        [Severity.critical],
    ),
}


@pytest.mark.parametrize(("seen", "nets", "expected"), CHURN.values(), ids=CHURN)
def test_a_network_that_comes_or_goes_during_the_look(
    seen: Interfaces, nets: list[Network], expected: list[Severity]
) -> None:
    result = judge(
        "network.bridge-down",
        networks=Networks((network(),)),
        links=links(UPLINK),
        containers=Containers((container("a"),)),
        later=LaterBridges(seen, Routes((OWN,)), Networks(tuple(nets))),
    )
    assert [severity for _, severity in subjects_and_severities(result.findings)] == expected


@pytest.mark.parametrize(
    ("seen", "nets", "count"),
    [(links(BRIDGE), [], 1), (links(BRIDGE), [network()], 0), (links(UPLINK), [], 0)],
    ids=["it stays", "its network is listed now", "it is gone now"],
)
def test_a_bridge_without_a_network_for_a_moment(
    seen: Interfaces, nets: list[Network], count: int
) -> None:
    later = LaterBridges(seen, Routes(()), Networks(tuple(nets)))
    result = judge(
        "network.bridge-leaked",
        networks=Networks(()), links=links(BRIDGE), processes=DOCKERD, later=later,
    )  # fmt: skip
    assert rows(result) == [("advice", "br-0123456789ab")] * count


ROW = {"Id": "0123456789ab" + "0" * 52, "Name": "shop", "Driver": "bridge"}
PUT_TOGETHER = {
    "they fit together": ([network()], WHOLE, ""),
    "a bridge is down": ([network()], links(with_fields(BRIDGE, up=False)), "later"),
    "a bridge has no address": ([network()], links(BRIDGE, addresses=()), "later"),
    "a bridge is missing": ([network()], links(UPLINK), "later"),
    "a bridge is spare": ([], links(BRIDGE, UPLINK), "settled"),
    "a bridge of a second engine has its containers": ([], WHOLE, ""),
}


@pytest.mark.parametrize(("nets", "seen", "kind"), PUT_TOGETHER.values(), ids=PUT_TOGETHER)
def test_second_lists_are_asked_for_where_the_first_do_not_fit(
    nets: list[Network], seen: Interfaces, kind: str
) -> None:
    answers: dict[str, Any] = {f"net.{name}.later": [] for name in ("links", "addresses", "routes")}
    listed = {f"api.networks.{name}": [ROW] for name in ("later", kind)}
    host = Made({**answers, **listed} if kind else {})
    later = later_bridges(host, Networks(tuple(nets)), seen, Routes((OWN,)), ping=None, info=None)
    assert isinstance(later, LaterBridges) == bool(kind)
    asked = [question.kind for question in host.asked]
    first = asked.index("net.links.later") if kind else 0
    assert ("api.networks.settled" in asked[:first]) == (kind == "settled")


def test_podman_is_not_asked_again() -> None:
    podman = Ping("1.41", "", "4.3.1")
    later = later_bridges(Made({}), Networks((network(),)), links(UPLINK), None, podman, None)
    assert isinstance(later, Unavailable)


@pytest.mark.parametrize(
    ("net", "routes", "expected"),
    [
        pytest.param(network(), (OWN,), [], id="its own"),
        pytest.param(network(), (Route(dst="172.18.0.0", prefix=16, oif=2),), ["has no route to 172.18.0.2"], id="by another interface"),
        pytest.param(network(), (), ["has no route to 172.18.0.2"], id="none"),
        pytest.param(network(), (Route(dst="172.18.0.0", prefix=16, oif=5, table=7),), [], id="of a VRF"),
        pytest.param(network(Options={"com.docker.network.bridge.inhibit_ipv4": "true"}), (), [], id="by design"),
    ],
)  # fmt: skip
def test_bridge_without_a_route(
    net: Network, routes: tuple[Route, ...], expected: list[str]
) -> None:
    listed = Containers((container("a"),))
    known = {
        "networks": Networks((net,)),
        "links": links(),
        "containers": listed,
        "routes": Routes(routes),
    }
    said = [finding.summary for finding in judge("network.bridge-down", **known).findings]
    assert [words in sentence for sentence, words in zip(said, expected, strict=True)] == [
        True
    ] * len(expected)


def test_bridges_of_podman_and_of_a_rootless_engine_are_not_judged() -> None:
    bare = {
        "networks": Networks((network(),)),
        "links": links(UPLINK),
        "containers": Containers(()),
    }
    assert (
        judge("network.bridge-down", **bare, ping=Ping("1.41", "", "4.3.1")).verdict
        is Verdict.SKIPPED
    )
    rootless = msgspec.convert({"SecurityOptions": ["name=rootless"]}, Info)
    assert judge("network.bridge-down", **bare, info=rootless).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("nets", "seen", "expected"),
    [
        pytest.param([], links(BRIDGE), ["interface:br-0123456789ab"], id="of no network"),
        pytest.param([network()], links(BRIDGE), [], id="of a network"),
        pytest.param([], links(BRIDGE, VETH), [], id="somebody is attached"),
        pytest.param([], links(with_fields(BRIDGE, name="br-lan")), [], id="another kind of name"),
        pytest.param([], links(with_fields(BRIDGE, kind="vlan")), [], id="no bridge"),
    ],
)
def test_bridge_leaked(nets: list[Network], seen: Interfaces, expected: list[str]) -> None:
    result = judge(
        "network.bridge-leaked", networks=Networks(tuple(nets)), links=seen, processes=DOCKERD
    )
    assert [subject for subject, _ in subjects_and_severities(result.findings)] == expected


def test_bridges_of_a_second_engine_are_not_leftovers() -> None:
    two = Processes((Process(1, comm="dockerd"), Process(2, comm="dockerd")))
    result = judge(
        "network.bridge-leaked", networks=Networks(()), links=links(BRIDGE), processes=two
    )
    assert result.verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("file", "named"), [("/etc/systemd/network/20.network", True), ("", False)]
)
def test_the_program_that_empties_a_bridge(file: str, named: bool) -> None:
    managers = (
        InterfaceManager("dhcpcd", 8, "/etc/dhcpcd.conf"),
        InterfaceManager("systemd-networkd", 7, file),
    )
    (finding,) = judge(
        "network.bridge-down",
        networks=Networks((network(),)),
        links=links(with_fields(BRIDGE, up=False)),
        containers=Containers((container("a"),)),
        managers=InterfaceManagers({network().bridge: managers}),
    ).findings
    assert (f"systemd-networkd (pid 7, {file}) also configures it" in finding.summary) is named
    assert ("networkd" in finding.variables) is named
