"""Programs that do nothing but fail, on a host that is well otherwise.

A container that repeats an error is advice: most programs work all the same. One that prints
nothing else does not, and a report that has no cause for that may not be calm about it.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from diagnose.model import Reported, Severity, Subject

_OF_WAYS = ("dns.", "firewall.", "network.")
"""Families of checks about how a program reaches others, and is reached."""


def with_warnings(findings: Sequence[Reported]) -> Sequence[Reported]:
    """The findings in their order, such programs as warnings where nothing may explain them.

    A problem of the host, the engine or a network may be why; but one of names and ways to others
    explains no fault of what a program has itself. One of a container explains that container,
    those that it touches, and those that it calls.
    """
    problems = [finding for finding in findings if _is_problem(finding)]
    lone = _lone_failures(findings, problems)
    if not lone:
        return findings
    explained = _explained_subjects(problems)
    keys = {finding.key for finding in lone if finding.subject not in explained}
    severe = [
        _as_warning_at_least(finding) if finding.key in keys else finding for finding in findings
    ]
    return sorted(severe, key=lambda finding: -finding.severity)


def _lone_failures(
    findings: Sequence[Reported], problems: Sequence[Reported]
) -> Sequence[Reported]:
    """The programs that do nothing but fail, without those that a problem around them may
    explain."""
    lone = [finding for finding in findings if finding.finding.does_nothing_else and finding.root]
    of_surroundings = [problem for problem in problems if problem.subject.kind != "container"]
    if not of_surroundings:
        return lone
    if not all(problem.check.id.startswith(_OF_WAYS) for problem in of_surroundings):
        return []
    return [finding for finding in lone if finding.finding.is_own_fault]


def _is_problem(finding: Reported) -> bool:
    return finding.severity > Severity.advice and not finding.check.posture


def _as_warning_at_least(finding: Reported) -> Reported:
    return replace(finding, severity=max(finding.severity, Severity.warning))


def _explained_subjects(problems: Iterable[Reported]) -> set[Subject]:
    return {
        subject
        for problem in problems
        for subject in (problem.subject, *problem.finding.touches, *problem.finding.calls)
    }
