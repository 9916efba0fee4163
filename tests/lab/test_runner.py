"""The judgement of the lab itself can fail: reports made by hand, each with one flaw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from .box import Box, Run
from .faults import Scenario
from .runner import Outcome, SurpriseError, judge, judge_rest, judge_shared

OOM = {"id": "container.oom-killed", "severity": "critical", "subject": "container:report"}
SLOW = {"id": "resources.cpu-throttled", "severity": "warning", "subject": "container:web"}
HINT = {"id": "resources.no-limits", "severity": "advice", "subject": "container:web"}


def _report(*findings: Mapping[str, str], verdict: str = "found") -> dict[str, Any]:
    return {
        "host": {"id": "made-up"},
        "findings": [
            {
                "key": f"{f['id']}@{f['subject']}",
                "id": f["id"],
                "severity": f["severity"],
                "subject": dict(zip(("kind", "name"), f["subject"].split(":"), strict=True)),
                "summary": "",
            }
            for f in findings
        ],
        "checks": [
            {"id": "container.oom-killed", "verdict": verdict, "why": "", "duration_s": 0.1}
        ],
    }


def _outcome(report: dict[str, Any], code: int, replayed: dict[str, Any] | None = None) -> Outcome:
    return Outcome(Run(("all",), code, json.dumps(report), "", 0.1, 1), replayed or report)


def _nothing(_: Box) -> None:
    """No box is built here."""


def _fault(**options: Any) -> Scenario:
    expected = (("container.oom-killed", "container:report"),)
    return Scenario("made.oom", "made by hand", _nothing, expected, **options)


def _healthy(**options: Any) -> Scenario:
    return Scenario("made.fine", "made by hand", _nothing, (), **options)


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        pytest.param(_fault(), _outcome(_report(OOM), 2), id="the expected finding"),
        pytest.param(_fault(), _outcome(_report(OOM, HINT), 2), id="advice beside it"),
        pytest.param(
            _fault(also=(("resources.*", "*"),)),
            _outcome(_report(OOM, SLOW), 2),
            id="an allowed consequence",
        ),
        pytest.param(_fault(exit_code=3), _outcome(_report(OOM), 3), id="an exit code of its own"),
        pytest.param(_healthy(), _outcome(_report(), 0), id="nothing on a healthy host"),
        pytest.param(
            _healthy(advice=frozenset({HINT["id"]})),
            _outcome(_report(HINT), 0),
            id="the listed advice",
        ),
    ],
)
def test_a_right_report_passes(scenario: Scenario, outcome: Outcome) -> None:
    judge(scenario, outcome)


@pytest.mark.parametrize(
    ("scenario", "outcome", "said"),
    [
        pytest.param(_fault(), _outcome(_report(), 0), "not found", id="the finding is missing"),
        pytest.param(
            _fault(),
            _outcome(_report({**OOM, "subject": "container:web"}), 2),
            "not found",
            id="the subject is wrong",
        ),
        pytest.param(_fault(), _outcome(_report(OOM, SLOW), 2), "not broken", id="a false alarm"),
        pytest.param(
            _fault(), _outcome(_report(OOM), 1), "exit code 1, not 2", id="the exit code is wrong"
        ),
        pytest.param(
            _fault(), _outcome(_report(OOM, verdict="crashed"), 2), "crashed", id="a check crashed"
        ),
        pytest.param(
            _fault(), _outcome(_report(OOM), 2, _report()), "replayed", id="the replay finds less"
        ),
        pytest.param(
            _fault(),
            _outcome(_report(OOM), 2, _report(OOM, verdict="unknown")),
            "verdict",
            id="the replay's verdict differs",
        ),
        pytest.param(
            _healthy(),
            _outcome(_report(SLOW), 1),
            "not broken",
            id="a false alarm on a healthy host",
        ),
        pytest.param(
            _healthy(advice=frozenset()),
            _outcome(_report(HINT), 0),
            "unexpected",
            id="unlisted advice",
        ),
        pytest.param(
            _healthy(advice=frozenset({HINT["id"]})),
            _outcome(_report(), 0),
            "missing",
            id="listed advice is missing",
        ),
        pytest.param(
            _healthy(), _outcome(_report(), 3), "exit code 3", id="an unknown on a healthy host"
        ),
    ],
)
def test_a_wrong_report_fails(scenario: Scenario, outcome: Outcome, said: str) -> None:
    with pytest.raises(SurpriseError, match=said):
        judge(scenario, outcome)


def test_a_shared_host_is_judged_by_all_its_scenarios() -> None:
    outcome = _outcome(_report(OOM, SLOW), 2)
    judge_shared(_fault(), outcome)
    judge_rest([_fault(), _fault(also=(("resources.*", "container:web"),))], outcome)
    with pytest.raises(SurpriseError, match="cpu-throttled"):
        judge_rest([_fault()], outcome)


def test_a_scenario_that_could_not_be_built_fails_alone() -> None:
    outcome = _outcome(_report(OOM), 2)
    outcome.failed["made.oom"] = "could not be built: no"
    with pytest.raises(AssertionError, match="could not be built"):
        judge_shared(_fault(), outcome)


@pytest.mark.xdist_group("together")
def test_groups_stay_on_one_worker(request: pytest.FixtureRequest) -> None:
    """Shared boxes and the emulated machine are built once a run only where xdist knows the
    groups."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("one process")
    assert request.node.nodeid.endswith("@together")
