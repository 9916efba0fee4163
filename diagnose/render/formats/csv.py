"""The findings as CSV, a row each, for a spreadsheet."""

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
    rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    rows.writeheader()
    place = runbooks.Place.of(report)
    for finding in report.findings:
        row = _row(report, finding, place)
        rows.writerow({column: _cell(text) for column, text in row.items()})


def _row(report: Report, finding: Reported, place: runbooks.Place) -> dict[str, str]:
    """One finding, in the order of `COLUMNS`."""
    cure = runbooks.cure_of(finding, place)
    onset = finding.finding.onset
    return {
        "host": report.host.name,
        "taken_at": rfc3339(report.taken_at),
        "severity": str(finding.severity),
        "id": finding.id,
        "kind": finding.subject.kind,
        "subject": finding.subject.name,
        "summary": finding.finding.summary,
        "root": "yes" if finding.root else "no",
        "caused_by": " ".join(link.cause for link in finding.causes),
        "onset": rfc3339(onset) if onset is not None else "",
        "silenced": finding.silenced,
        "fix": cure.text if cure is not None else "",
        "risk": cure.risk if cure is not None else "",
        "key": finding.key,
    }


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote before what would begin one."""
    shown = clean(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
