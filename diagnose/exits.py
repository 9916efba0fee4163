"""Exit codes of the monitoring-plugins convention, so that Nagios, Icinga, Sensu and cron can call the tool as it is."""

from __future__ import annotations

from diagnose.model import Report, Severity, Verdict
from diagnose.registry import SEVERITIES

OK, WARNING, CRITICAL, UNKNOWN = range(4)


def code_of(report: Report, fail_on: str) -> int:
    """0 nothing at or above the threshold, 1 warnings, 2 critical, 3 unknown; 2 before 1 before 3 before 0.

    fail_on: critical, warning, or never. Unknown means that a check that could have reached the threshold could not look.
    """
    if fail_on == "never":
        return OK
    threshold = SEVERITIES[fail_on]
    worst = max((f.severity for f in report.findings if f.selected and not f.silenced), default=Severity.advice)
    if worst >= threshold:
        return CRITICAL if worst is Severity.critical else WARNING
    blind = any(
        result.check.severity >= threshold and result.verdict in (Verdict.UNKNOWN, Verdict.CRASHED)
        for result in report.results
    )
    return UNKNOWN if blind else OK
