"""The checks in checks/firewall/forwarding_off.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers, containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Networks, networks
from diagnose.evidence.network.paths.forwarding import Forwarding, forwarding
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.uplinks import Uplinks, uplinks
from diagnose.model import Severity
from tests.checks.firewall.evidence import QUIET, host_with, recorded_filter
from tests.hosts import Made
from tests.judging import judge
from tests.questions import question

SETTINGS: dict[str, tuple[dict[str, str | None], list[str]]] = {
    "on": ({"net.ipv4.ip_forward": "1", "eth0": "1", "bridge": "1"}, []),
    "off": (
        {"net.ipv4.ip_forward": "0", "eth0": "0", "bridge": "0"},
        ["IP forwarding is off: 2 containers are"],
    ),
    "off at the uplink": (
        {"net.ipv4.ip_forward": "1", "eth0": "0", "bridge": "1"},
        ["IP forwarding is off on eth0: 2 containers are"],
    ),
    "off at one bridge": (
        {
            "net.ipv4.ip_forward": "1",
            "eth0": "1",
            "bridge": "1",
            "net/ipv4/conf/docker0/forwarding": "0",
        },
        ["IP forwarding is off on docker0: 1 container is"],
    ),
    "off at the bridge of nobody": (
        {
            "net.ipv4.ip_forward": "1",
            "eth0": "1",
            "bridge": "1",
            f"net/ipv4/conf/br-{QUIET[:12]}/forwarding": "0",
        },
        [],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_where_ip_forwarding_is_off(name: str) -> None:
    values, summaries = SETTINGS[name]
    made = host_with(recorded_filter("28.5", "healthy"))
    made.answers["sysctl"] = lambda question: {
        argument: values.get(argument, values["eth0"] if "/eth0/" in argument else values["bridge"])
        for argument in question.args["names"]
    }
    result = judge("firewall.forwarding-off", **settings_of(made))
    assert [finding.summary.partition(" cut")[0] for finding in result.findings] == summaries


def settings_of(made: Made) -> dict[str, Any]:
    """The evidence about forwarding on a made host."""
    nets, boxes, up = networks(made), containers(made), uplinks(made)
    assert isinstance(nets, Networks)
    assert isinstance(boxes, Containers)
    settings = forwarding(made, nets, up if isinstance(up, Uplinks) else None)
    assert isinstance(settings, Forwarding)
    return {"forwarding": settings, "containers": boxes, "networks": nets}


SIX = {
    "off": (
        "0",
        "28.5.2",
        True,
        [
            "IPv6 forwarding is off: 1 container is cut off from everything beyond this host over IPv6"
        ],
    ),
    "on": ("1", "28.5.2", True, []),
    "left to the administrator": ("0", "26.1.5", True, []),
    "a host without IPv6": ("0", "28.5.2", False, []),
}


@pytest.mark.parametrize("name", SIX)
def test_forwarding_of_ipv6(name: str) -> None:
    value, version, leads_out, summaries = SIX[name]
    made = host_with(recorded_filter("28.5", "healthy"))
    listed = made.answers["api.networks"]
    assert isinstance(listed, list)
    listed[0]["EnableIPv6"] = True
    inspected = made.answers["api.container"](question("api.container", id="1" * 64))  # type: ignore[operator]
    inspected["NetworkSettings"]["Networks"]["shop"]["GlobalIPv6Address"] = "fd00:5::2"
    made.answers["sysctl"] = lambda question: {
        argument: value if "ipv6" in argument else "1" for argument in question.args["names"]
    }
    routes = Routes((Route("::", 0, "inet6", oif=2),) if leads_out else ())
    result = judge(
        "firewall.forwarding-off",
        **settings_of(made),
        routes=routes,
        ping=Ping("1.51", version, ""),
    )
    assert [finding.summary for finding in result.findings] == summaries
    assert {finding.severity for finding in result.findings} <= {Severity.warning}, (
        "it has a way out over IPv4"
    )
