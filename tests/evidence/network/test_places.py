"""Where containers stand whose ways out are traced: running ones, and those between two runs."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walks import places
from diagnose.questions.images import AddressPool, Ipam
from tests.inspected import container

LOOPS: dict[str, Any] = {"State": {"Status": "restarting", "Pid": 0}}


def on(network: str, address: str = "") -> dict[str, Any]:
    return {"NetworkSettings": {"Networks": {network: {"IPAddress": address}}}}


def network(subnet: str, **more: Any) -> Network:
    return Network("a" * 64, "shop", "bridge", ipam=Ipam(config=[AddressPool(subnet)]), **more)


WEB = container("web", **on("shop", "10.1.0.2"))
LOOPING = container("api", **on("shop"), **LOOPS)
STOPPED = container("old", **on("shop"), State={"Status": "exited", "Pid": 0})


@pytest.mark.parametrize(
    ("containers", "net", "expected"),
    [
        ([LOOPING], network("10.1.0.0/24"), [("api", "10.1.0.254")]),
        ([LOOPING, WEB], network("10.1.0.0/24"), [("web", "10.1.0.2")]),
        ([STOPPED], network("10.1.0.0/24"), []),
        ([LOOPING], network("10.1.0.0/30"), []),
        ([LOOPING], network("fd00::/64"), []),
        ([LOOPING], network("10.1.0.0/24", internal=True), []),
    ],
    ids=["between two runs", "beside another one", "stopped", "no room", "IPv6", "internal"],
)
def test_where_containers_stand(
    containers: list[Any], net: Network, expected: list[tuple[str, str]]
):
    found = places(Containers(tuple(containers)), Networks((net,)), "ip")
    assert [(place.name, endpoint.ip_address) for place, _, endpoint in found] == expected
