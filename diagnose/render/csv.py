"""The findings as CSV, a row each, for a spreadsheet."""

from __future__ import annotations

import csv
from typing import TextIO

from diagnose import runbooks
from diagnose.model import Report, Reported
from diagnose.phrases import rfc3339
from diagnose.render.words import clean

COLUMNS = (
    "host", "taken_at", "severity", "id", "kind", "subject", "summary", "root", "caused_by",
    "onset", "silenced", "fix", "risk", "key",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, stream: TextIO) -> None:
    """Write the header and a row for each finding."""
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(COLUMNS)
    place = runbooks.Place(report.docker, report.traits)
    for finding in report.findings:
        rows.writerow([_cell(value) for value in _row(report, finding, place)])


def _row(report: Report, finding: Reported, place: runbooks.Place) -> tuple[str, ...]:
    cure = runbooks.cure(finding.id, finding.finding.variables, place)
    onset = finding.finding.onset
    return (
        report.host.name,
        rfc3339(report.taken_at),
        str(finding.severity),
        finding.id,
        finding.subject.kind,
        finding.subject.name,
        finding.finding.summary,
        "yes" if finding.root else "no",
        " ".join(link.cause for link in finding.causes),
        rfc3339(onset) if onset is not None else "",
        finding.silenced,
        cure.text if cure is not None else "",
        cure.risk if cure is not None else "",
        finding.key,
    )


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote before what would begin one."""
    shown = clean(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
