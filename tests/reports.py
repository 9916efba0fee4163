"""Findings and reports for tests of renderers."""

from __future__ import annotations

import io
from typing import Any

from diagnose.judgement import causes
from diagnose.model import (
    Check,
    Finding,
    HostFacts,
    Report,
    Reported,
    Result,
    Severity,
    Subject,
    Verdict,
)
from diagnose.render import terminal


def found(
    id: str,
    subject: Subject,
    summary: str = "it is broken",
    severity: Severity = Severity.critical,
    caused_by: tuple[str, ...] = (),
    **fields: Any,
) -> Reported:
    check = Check(
        id,
        "T.",
        severity,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=caused_by,
        causes=(),
        posture=False,
    )
    return Reported(
        f"{id}@{subject}", check, severity, Finding(subject, summary, **{"evidence": {}, **fields})
    )


def report(*findings: Reported, verdicts: tuple[Verdict, ...] = (Verdict.PASSED,)) -> Report:
    results = [Result(finding.check, Verdict.FOUND) for finding in findings]
    other = Check(
        "kernel.hung-task",
        "T.",
        Severity.warning,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=(),
        causes=(),
        posture=False,
    )
    results += [Result(other, verdict, why="x") for verdict in verdicts]
    head = HostFacts(
        "shop-3", "6.1.0", {"name": "Docker", "version": "28.5.2"}, 13, 9, "/var/lib/docker"
    )
    return Report("0.1.0", head, 1.8e9, 0.6, "live", causes.order(findings), tuple(results))


def text(what: Report, code: int = 2, width: int = 80) -> str:
    stream = io.StringIO()
    terminal.render(what, code, stream, color=False, width=width)
    return stream.getvalue()
