"""The checks in checks/network/interfaces/address_pools.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.model import Severity
from tests.checks.network.evidence import (
    BRIDGE,
    UPLINK,
    VPN,
    container,
    links,
    network,
    refused_start,
    subjects_and_severities,
)
from tests.judging import judge

POOLS = msgspec.convert({"DefaultAddressPools": [{"Base": "172.18.0.0/14", "Size": 16}]}, Info)


THREE = [
    network(f"n{n}", f"172.{n}.0.0/16", f"172.{n}.0.1", Id=f"{n}".ljust(64, "0"))
    for n in (17, 18, 19)
]


@pytest.mark.parametrize(
    ("info", "nets", "route", "warn_free", "expected"),
    [
        pytest.param(Info(), THREE, None, 3, [], id="plenty of the 31"),
        pytest.param(
            POOLS, THREE[1:], None, 3, [("daemon:docker", Severity.advice)], id="two of four left"
        ),
        pytest.param(
            POOLS,
            [network("big", "172.16.0.0/14", "172.16.0.1")],
            VPN,
            3,
            [("daemon:docker", Severity.warning)],
            id="none is left",
        ),
        pytest.param(
            POOLS,
            THREE[1:],
            Route(dst="172.16.0.0", prefix=12, oif=2, gateway="192.0.2.1"),
            1,
            [],
            id="by a gateway",
        ),
        pytest.param(
            POOLS,
            THREE[1:],
            Route(dst="172.16.0.0", prefix=12, oif=2, scope="link"),
            1,
            [("daemon:docker", Severity.warning)],
            id="all on a link of the host",
        ),
    ],
)
def test_address_pools_exhausted(
    info: Info, nets: list[Network], route: Route | None, warn_free: int, expected: Any
) -> None:
    # 172.18.0.0/14 is 172.16 to 172.19; a network of 172.16.0.0/14 and nothing else covers it
    routes = Routes((route,) if route else ())
    answer = judge(
        "network.address-pools-exhausted",
        thresholds={"warn_free": warn_free},
        networks=Networks(tuple(nets)),
        routes=routes,
        links=links(),
        info=info,
    )
    assert subjects_and_severities(answer.findings) == expected


def test_the_route_that_takes_most_subnets_is_named_with_its_owner() -> None:
    small = Route(dst="172.17.0.0", prefix=24, oif=2, scope="link")
    large = Route(dst="172.16.0.0", prefix=12, oif=7, scope="link")
    seen = links(UPLINK, BRIDGE, Interface(index=7, name="tun0", up=True, kind="tun"))
    answer = judge(
        "network.address-pools-exhausted",
        networks=Networks(()),
        routes=Routes((small, large)),
        links=seen,
        info=POOLS,
        tunnels=Tunnels({"tun0": "openvpn (pid 812, openvpn@office.service)"}),
    )
    (finding,) = answer.findings
    assert (
        "172.16.0.0/12 (tun0 of openvpn (pid 812, openvpn@office.service)) and 1 more route cover 4 of 4"
        in finding.summary
    )
    assert finding.variables == {"pool": "10.201.0.0/16"}


NO_ADDRESS = "no available IPv4 addresses on this network's address pools: shop (81b9530e0b2f)"


@pytest.mark.parametrize(
    ("net", "listed", "expected"),
    [
        pytest.param(
            network(subnet="172.18.0.0/30"),
            [refused_start("b", NO_ADDRESS)],
            [("network:shop", Severity.critical)],
            id="refused",
        ),
        pytest.param(network(subnet="172.18.0.0/30"), [container("a")], [], id="made for one"),
        pytest.param(network(), [container("a")], [], id="room"),
        pytest.param(
            network(subnet="172.18.0.0/28"),
            [
                container(
                    f"c{n}", NetworkSettings={"Networks": {"shop": {"IPAddress": f"172.18.0.{n}"}}}
                )
                for n in range(2, 15)
            ],
            [("network:shop", Severity.warning)],
            id="full",
        ),
    ],
)
def test_subnet_exhausted(net: Network, listed: list[Container], expected: list[Any]) -> None:
    answer = judge(
        "network.subnet-exhausted", containers=Containers(tuple(listed)), networks=Networks((net,))
    )
    assert subjects_and_severities(answer.findings) == expected
