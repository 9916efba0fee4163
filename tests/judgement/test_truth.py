"""Recorded hosts whose faults are known: each fault is a root, what follows from one is not, and
proving costs little."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose import registry
from diagnose.judgement import proof
from diagnose.judgement import report as reporting
from diagnose.model import Report, Reported, Strength
from diagnose.questions.run import Options
from diagnose.session import diagnose
from tests.lab.faults import Expectation, discover, matches

FIXTURES = Path(__file__).parents[2] / "fixtures"
MOST_CPU_S = 0.02
"""For the proofs of one report."""
TRIES = 3
"""The least of so many counts: a busy machine slows some of them."""


def _scenario(folder: Path) -> str:
    return str(json.loads((folder / "expected.json").read_text())["scenario"])


BROKEN = [
    path.parent.name
    for path in sorted(FIXTURES.glob("*/expected.json"))
    if _scenario(path.parent) in discover()
]
EFFECTS: dict[str, tuple[Expectation, ...]] = {
    "broken_host.fifteen_faults": (
        ("dns.upstream-unreachable", "network:*"),
        ("container.exits-at-start", "container:legacy"),
    )
}
"""By scenario: findings that truly follow from its faults."""


def judged(host: str) -> Report:
    return diagnose(
        registry.load, None, Options(source=FIXTURES / host, budget_s=60), began=time.monotonic()
    )


def about(report: Report, expectations: tuple[Expectation, ...]) -> list[Reported]:
    return [
        finding
        for finding in report.findings
        if any(
            matches(expectation, finding.id, str(finding.subject)) for expectation in expectations
        )
    ]


def test_there_are_recorded_hosts_with_known_faults():
    assert len([host for host in BROKEN if discover()[_scenario(FIXTURES / host)].expected]) >= 3


@pytest.mark.parametrize("host", BROKEN)
def test_each_injected_fault_is_a_root_and_what_follows_from_one_is_not(host: str):
    name = _scenario(FIXTURES / host)
    report = judged(host)
    injected = about(report, discover()[name].expected)
    assert [finding.key for finding in injected if not finding.root] == []
    effects = about(report, EFFECTS.get(name, ()))
    assert [finding.key for finding in effects if finding.root] == []
    assert {link.strength for finding in effects for link in finding.causes} <= {Strength.proven}


@pytest.mark.parametrize("host", BROKEN)
def test_proofs_cost_next_to_nothing(host: str, monkeypatch: pytest.MonkeyPatch):
    spent: list[float] = []
    prove = proof.proven

    def timed(*given: Any) -> Any:
        began = time.process_time()
        found = prove(*given)
        spent.append(time.process_time() - began)
        return found

    monkeypatch.setattr(reporting.proof, "proven", timed)
    judged(host)
    while min(spent) >= MOST_CPU_S and len(spent) < TRIES:
        judged(host)
    assert min(spent) < MOST_CPU_S
