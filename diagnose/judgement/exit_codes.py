"""Exit codes of the monitoring-plugins convention.

Nagios, Icinga, Sensu and cron can call the tool as it is.
"""

from collections.abc import Iterable

from diagnose.model import Report, Result, Severity, Verdict
from diagnose.registry import SEVERITIES

OK, WARNING, CRITICAL, UNKNOWN = range(4)


def code_of(report: Report, fail_on: str) -> int:
    """The exit code of a run. fail_on: critical, warning, or never."""
    severities = (
        finding.severity for finding in report.findings if finding.selected and not finding.silenced
    )
    blind = (
        result.check.severity
        for result in report.results
        if result.is_unjudged and not _is_of_a_rootless_engine(report, result)
    )
    return code(severities, blind, fail_on)


_OUT_OF_REACH = (
    "not on this host: the tool runs in another network namespace",
    "forbidden: a container's network namespace",
    "its cgroup: missing",
)
"""Reasons that a rootless engine always brings: its network is a namespace of its own, and its
containers may have no cgroups."""


def _is_of_a_rootless_engine(report: Report, result: Result) -> bool:
    """Whether a check could not look because of how rootless engines are built.

    The report says so; a probe need not wake anyone.
    """
    is_expected = any(reason in result.why for reason in _OUT_OF_REACH)
    return "rootless" in report.traits and result.verdict is Verdict.UNKNOWN and is_expected


def code(severities: Iterable[Severity], blind: Iterable[Severity], fail_on: str) -> int:
    """The exit code of a report.

    0 nothing at or above the threshold, 1 warnings, 2 critical, 3 unknown; 2 before 1 before 3
    before 0.

    severities: of the findings that count. blind: of the checks that could not look; 3 means that
    one of them could have reached the threshold.
    """
    if fail_on == "never":
        return OK
    threshold = SEVERITIES[fail_on]
    worst = max(severities, default=Severity.advice)
    if worst >= threshold:
        return CRITICAL if worst is Severity.critical else WARNING
    return UNKNOWN if any(severity >= threshold for severity in blind) else OK
