"""The check in checks/firewall/dropped/overlay_lost.py, and what the engine knows of a network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.outgoing.lost_overlays import LostOverlays, lost_overlays
from diagnose.model import Failed, Unavailable, Verdict
from tests.checks.network.evidence import container, network
from tests.hosts import Made
from tests.judging import judge, rows

HERE, FAR = "192.0.2.10", "192.0.2.1"
SHOP = container("shop", NetworkSettings={"Networks": {"net": {"IPAddress": "10.200.1.6"}}})
OVERLAY = network("net", "10.200.1.0/24", "10.200.1.1", Driver="overlay", Scope="swarm")


def task(name: str, address: str, node: str) -> dict[str, Any]:
    return {"Name": name, "EndpointIP": address, "Info": {"Host IP": node}}


def known(*tasks: dict[str, Any], **services: Any) -> dict[str, Any]:
    """What the engine says: containers without a service, and services."""
    own = {"VIP": "<nil>", "Tasks": [task("shop", "10.200.1.6", HERE), *tasks]}
    return {"Services": {"": own, **services}}


def seen(view: Any, address: str = "10.200.1.4", who: Container = SHOP) -> LostOverlays:
    calls = UnansweredCalls((UnansweredCall(who, address, 5432, 2),))
    return lost_overlays(
        Made({"api.overlay": view}),
        calls,
        Networks((OVERLAY,)),
        host_stack=None,
        uplinks=None,
        info=None,
    )


AWAY = {"VIP": "10.200.1.5", "Tasks": [task("db.1", "10.200.1.7", FAR)]}
BOTH = {"VIP": "10.200.1.5", "Tasks": [*AWAY["Tasks"], task("db.2", "10.200.1.8", HERE)]}
PLACES: dict[str, tuple[Any, str, list[str]]] = {
    "on the other node": (known(task("db", "10.200.1.4", FAR)), "10.200.1.4", ["critical"]),
    "on this node": (known(task("db", "10.200.1.4", HERE)), "10.200.1.4", []),
    "nobody has it": (known(), "10.200.1.4", []),
    "a service on the other node": (known(db=AWAY), "10.200.1.5", ["critical"]),
    "a service on both": (known(db=BOTH), "10.200.1.5", []),
    "another network": (known(task("db", "10.200.1.4", FAR)), "10.9.1.4", []),
    "the engine does not say": (Failed("timed out", ""), "10.200.1.4", []),
    "an engine without a swarm": ({"Name": "net"}, "10.200.1.4", []),
}


@pytest.mark.parametrize(("view", "address", "expected"), PLACES.values(), ids=PLACES)
def test_places_of_overlay_networks(view: Any, address: str, expected: list[str]) -> None:
    result = judge(
        "firewall.overlay-lost", networks=Networks((OVERLAY,)), lost_overlays=seen(view, address)
    )
    assert rows(result) == [(severity, "net") for severity in expected]
    assert [finding.variables["far"] for finding in result.findings] == [FAR for _ in expected]


def test_an_engine_is_asked_once_for_each_network() -> None:
    calls = UnansweredCalls(
        tuple(UnansweredCall(SHOP, f"10.200.1.{last}", 80, 2) for last in (4, 5, 7))
    )
    host = Made({"api.overlay": known(task("db", "10.200.1.4", FAR), db=AWAY)})
    found = lost_overlays(
        host, calls, Networks((OVERLAY,)), host_stack=None, uplinks=None, info=None
    )
    assert len(host.asked) == 1
    assert [overlay.node for overlay in found] == [FAR]


def test_a_host_without_overlay_networks_needs_no_look() -> None:
    unseen = Unavailable("not recorded", "the network namespace of a container")
    result = judge("firewall.overlay-lost", networks=Networks(()), lost_overlays=unseen)
    assert result.verdict is Verdict.SKIPPED
    result = judge("firewall.overlay-lost", networks=Networks((OVERLAY,)), lost_overlays=unseen)
    assert result.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("swarm", "port"), [({"Cluster": {"DataPathPort": 7789}}, 7789), ({}, 4789)]
)
def test_the_port_that_the_swarm_was_given(swarm: dict[str, Any], port: int) -> None:
    calls = UnansweredCalls((UnansweredCall(SHOP, "10.200.1.4", 5432, 2),))
    host = Made({"api.overlay": known(task("db", "10.200.1.4", FAR))})
    info = msgspec.convert({"Swarm": {"LocalNodeState": "active", **swarm}}, Info)
    found = lost_overlays(
        host, calls, Networks((OVERLAY,)), host_stack=None, uplinks=None, info=info
    )
    (finding,) = judge(
        "firewall.overlay-lost", networks=Networks((OVERLAY,)), lost_overlays=found
    ).findings
    assert f"drops UDP port {port}" in finding.summary
