"""Every declared host on every engine: what is broken is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from .engines import Engine
from .faults import Scenario
from .runner import Outcome, judge, judge_rest, judge_shared, keep_expected, run_alone, run_together

# a shared box is built within one test
pytestmark = pytest.mark.timeout(900)

_shared: dict[tuple[str, str | None], Outcome | Exception] = {}


def _companions(
    request: pytest.FixtureRequest, scenario: Scenario, engine: Engine
) -> list[Scenario]:
    """The shareable scenarios chosen for this run that are in the same box as this one."""
    cases = [
        (test.callspec.params["scenario"], test.callspec.params["engine"])
        for test in request.session.items
        if isinstance(test, pytest.Function) and test.originalname == "test_scenario"
    ]
    chosen = [s for s, e in cases if isinstance(s, Scenario) and e == engine]
    return [s for s in chosen if s.shared_box == scenario.shared_box]


def _shared_outcome(request: pytest.FixtureRequest, scenario: Scenario, engine: Engine) -> Outcome:
    key = (engine.name, scenario.shared_box)
    if key not in _shared:
        try:
            _shared[key] = run_together(_companions(request, scenario, engine), engine, None)
        except Exception as error:  # noqa: BLE001 - every case of this box fails with it
            _shared[key] = error
    outcome = _shared[key]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def test_scenario(
    request: pytest.FixtureRequest, scenario: Scenario, engine: Engine, record_dir: Path | None
) -> None:
    again = getattr(request.node, "execution_count", 1) > 1
    together = (
        scenario.shareable
        and not again
        and record_dir is None
        and len(_companions(request, scenario, engine)) > 1
    )
    facts: dict[str, object] = {
        "checks": [e[0] for e in scenario.expected],
        "engine": engine.name,
        "name": scenario.name,
        "how": "shared" if together else "alone",
    }
    request.node.user_properties.append(("lab", facts))
    if together:
        outcome = _shared_outcome(request, scenario, engine)
        judge_shared(scenario, outcome)
        first = _companions(request, scenario, engine)[0] is scenario
    else:
        outcome = run_alone(scenario, engine, record_dir)
        first = True
    if first:
        facts["walls"] = [run.wall for run in (outcome.live, *outcome.more)]
        facts["peaks"] = [run.peak_rss for run in (outcome.live, *outcome.more)]
    facts["missed"] = [e[0] for e in scenario.expected if not outcome.found(e)]
    if not together:
        judge(scenario, outcome)
    elif first:
        judge_rest(_companions(request, scenario, engine), outcome)
    if record_dir is not None:
        keep_expected(record_dir, scenario, engine, outcome)
