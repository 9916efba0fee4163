"""One way to test a check: `judge(id, **evidence)`.

Evidence is given by the names of the check's parameters; what is not given is `Unavailable`.
Example:

    result = judge("container.restart-loop", containers=of(container("web")), clock=CLOCK)
    assert rows(result) == [("critical", "web")]

Evidence that is worked out from other evidence alone is worked out here too: a test of
`daemon.tls-client-refused` gives the log, and not the refused clients.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from diagnose import registry
from diagnose.judgement.judge import judge as judge_check
from diagnose.model import Check, Need, Result, Unavailable

NOT_GIVEN = Unavailable("not recorded", "the test does not give this evidence")


def judge(id: str, *, thresholds: Mapping[str, float] | None = None, **evidence: Any) -> Result:
    """The result of the check with this id on made evidence.

    thresholds: overrides by name. Raises TypeError for evidence that neither the check takes nor
    what it is worked out from, and AssertionError with the traceback where the check crashes.
    """
    check = _check(id)
    names = {name for need in check.needs for name in _names(need)}
    unknown = set(evidence) - names
    if unknown:
        raise TypeError(f"{id} takes {sorted(names)}, not {sorted(unknown)}")
    by_kind = {need.kind: _value(need, evidence) for need in check.needs}
    result = judge_check(check, by_kind, {id: thresholds or {}})
    assert result.verdict != "crashed", result.why
    return result


@functools.cache
def _check(id: str) -> Check:
    return registry.load([id.partition(".")[0]])[id]


@functools.cache
def _sources(need: Need) -> tuple[Need, ...]:
    """The evidence from which this is worked out; none for what asks the host itself."""
    collect = registry.collector(need.kind)
    is_asked = "host" in inspect.signature(collect).parameters
    return () if is_asked else registry.needs_of(collect)


@functools.cache
def _names(need: Need) -> frozenset[str]:
    below = (name for source in _sources(need) for name in _names(source))
    return frozenset((need.parameter, *below))


def _value(need: Need, evidence: Mapping[str, Any]) -> Any:
    """The evidence as it was given, or worked out of what was given."""
    if need.parameter in evidence:
        return evidence[need.parameter]
    sources = _sources(need)
    values = {source.parameter: _value(source, evidence) for source in sources}
    lacks = [
        source
        for source in sources
        if not source.optional and isinstance(values[source.parameter], Unavailable)
    ]
    if lacks or not _names(need) & evidence.keys():
        return NOT_GIVEN
    arguments = {source.parameter: source.argument(values[source.parameter]) for source in sources}
    return registry.collector(need.kind)(**arguments)


def rows(result: Result) -> list[tuple[str, str]]:
    """Severity and subject's name of each finding, sorted."""
    return sorted(
        (str(finding.severity or result.check.severity), finding.subject.name)
        for finding in result.findings
    )
