"""The packet walk against packet filters of real engines: what it foretells is what real
connections met.

The cases were recorded by `tests/lab/agreement/record_firewall.py`.
"""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.trace import trace, trace_bridged
from tests.firewall.made_host import ADDRESS, UPLINK, host_with

DATA = Path(__file__).parents[1] / "data" / "firewall"
CASES = sorted(DATA.glob("[0-9]*.json"))


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


def bridges(case: dict[str, Any]) -> dict[str, str]:
    """The subnet of each bridge that a probe names."""
    subnets: dict[str, str] = {}
    for asked in (probe["asked"] for probe in case["probes"].values()):
        subnets |= {bridge: subnet for subnet, bridge in asked.get("bridges", {}).items()}
        if "bridge" in asked:
            subnets[asked["bridge"]] = str(ip_network(f"{asked['src']}/16", strict=False))
    return subnets


def host(case: dict[str, Any]) -> NetworkStack:
    """A host with the bridges of the case, and its packet filter."""
    filter_ = assemble(case["nftables"], case["iptables_nft"], case["iptables_legacy"])
    return host_with(filter_, bridges(case))


def foretold(stack: NetworkStack, probe: dict[str, Any]) -> Trace:
    asked = probe["asked"]
    if probe["reach"] == "in":
        flow = Flow(Origin(UPLINK, asked["src"]), ADDRESS, "tcp", asked["host_port"])
        return trace(stack, flow)
    flow = Flow(Origin(asked["bridge"], asked["src"]), asked["dst"], "tcp", 80)
    return trace_bridged(stack, flow) if probe["reach"] == "between" else trace(stack, flow)


def test_there_are_cases() -> None:
    assert {path.name.split("-")[0] for path in CASES} >= {"20.10", "26.1", "28.5"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_walk_foretells_what_connections_met(path: Path) -> None:
    case = load(path)
    stack = host(case)
    for name, probe in case["probes"].items():
        reach = foretold(stack, probe)
        # nobody beyond the uplink knows a way back to a container's own address
        through = reach.outcome == "accept" and (probe["reach"] != "out" or reach.snat is not None)
        assert reach.outcome != "unknown", (name, reach)
        assert through == probe["through"], (name, reach)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_translation_shows_in_the_peer_that_the_container_saw(path: Path) -> None:
    case = load(path)
    stack = host(case)
    for name, probe in case["probes"].items():
        if probe["reach"] != "in" or not probe["through"]:
            continue
        # docker-proxy connects from the bridge's own address; a translated packet keeps its source
        translated = probe["asked"]["src"] in probe["body"]
        assert (foretold(stack, probe).nat is not None) == translated, (name, probe["body"])
