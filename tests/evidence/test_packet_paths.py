"""The packet walk against packet filters of real engines: what it foretells is what real
connections met.

The cases were recorded by `tests/lab/agreement/record_firewall.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diagnose.firewall.reach import ConnectionVerdict, reach_between, reach_in, reach_out
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble

DATA = Path(__file__).parents[1] / "data" / "firewall"
CASES = sorted(DATA.glob("[0-9]*.json"))
REACH: dict[str, Callable[..., ConnectionVerdict]] = {
    "out": reach_out,
    "in": reach_in,
    "between": reach_between,
}


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


def rules(case: dict[str, Any], *, text: bool = True) -> Ruleset:
    return assemble(
        case["nftables"], case["iptables_nft"] if text else None, case["iptables_legacy"]
    )


def foretold(ruleset: Ruleset, probe: dict[str, Any]) -> ConnectionVerdict:
    return REACH[probe["reach"]](ruleset, **probe["asked"])


def test_there_are_cases() -> None:
    assert {path.name.split("-")[0] for path in CASES} >= {"20.10", "26.1", "28.5"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_walk_foretells_what_connections_met(path: Path) -> None:
    case = load(path)
    ruleset = rules(case)
    for name, probe in case["probes"].items():
        reach = foretold(ruleset, probe)
        # nobody beyond the uplink knows a way back to a container's own address
        through = reach.outcome == "accept" and (probe["reach"] != "out" or reach.nat is not None)
        assert reach.outcome != "unknown", (name, reach)
        assert through == probe["through"], (name, reach)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_translation_shows_in_the_peer_that_the_container_saw(path: Path) -> None:
    case = load(path)
    ruleset = rules(case)
    for name, probe in case["probes"].items():
        if probe["reach"] != "in" or not probe["through"]:
            continue
        # docker-proxy connects from the bridge's own address; a translated packet keeps its source
        translated = probe["asked"]["src"] in probe["body"]
        assert (foretold(ruleset, probe).nat is not None) == translated, (name, probe["body"])
