"""One way to test a check: `judge(id, **evidence)`.

Evidence is given by the names of the check's parameters; what is not given is `Unavailable`.
Example:

    result = judge("container.restart-loop", containers=of(container("web")), clock=CLOCK)
    assert rows(result) == [("critical", "web")]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnose import registry
from diagnose.judgement.judge import judge as judge_check
from diagnose.model import Result, Unavailable

NOT_GIVEN = Unavailable("not recorded", "the test does not give this evidence")


def judge(id: str, *, thresholds: Mapping[str, float] | None = None, **evidence: Any) -> Result:
    """The result of the check with this id on made evidence.

    thresholds: overrides by name. Raises TypeError for evidence that the check does not take, and
    AssertionError with the traceback where the check crashes.
    """
    check = registry.load([id.partition(".")[0]])[id]
    parameters = {need.parameter for need in check.needs}
    unknown = set(evidence) - parameters
    if unknown:
        raise TypeError(f"{id} takes {sorted(parameters)}, not {sorted(unknown)}")
    by_kind = {need.kind: evidence.get(need.parameter, NOT_GIVEN) for need in check.needs}
    result = judge_check(check, by_kind, {id: thresholds or {}})
    assert result.verdict != "crashed", result.why
    return result


def rows(result: Result) -> list[tuple[str, str]]:
    """Severity and subject's name of each finding, sorted."""
    return sorted(
        (str(finding.severity or result.check.severity), finding.subject.name)
        for finding in result.findings
    )
