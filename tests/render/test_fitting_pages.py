"""What is said of the pages that fit a question: found, not found, and not known."""

from __future__ import annotations

import pytest

from diagnose.model import HOST, Report, Severity, Verdict
from diagnose.render import fitting_pages
from tests.reports import found, report

HUNG = "kernel.hung-task"
"""The check of `report` that has no finding."""


def said(report: Report, distances: dict[str, int]) -> list[str]:
    ids = [id for id, distance in distances.items() if not distance]
    return list(fitting_pages.sentences(ids, distances, report))


def test_what_fits_and_was_found_comes_first() -> None:
    full = found("storage.disk-full", HOST, severity=Severity.warning)
    assert said(report(full), {"storage.disk-full": 0, HUNG: 0}) == [
        "what fits these words comes first: storage.disk-full"
    ]


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [(Verdict.PASSED, " (is not so here)"), (Verdict.SKIPPED, " (does not apply here)")],
)
def test_what_fits_best_and_was_not_found_is_named_with_its_title(
    verdict: Verdict, outcome: str
) -> None:
    full = found("storage.disk-full", HOST)
    assert said(report(full, verdicts=(verdict,)), {HUNG: 0, "storage.disk-full": 1}) == [
        "what fits these words best was not found:",
        f"{HUNG}: T{outcome}",
        "what fits them less comes first: storage.disk-full",
        f"how to look yourself: diagnose explain {HUNG}",
    ]


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.CRASHED])
def test_what_could_not_be_looked_for_is_not_called_absent(verdict: Verdict) -> None:
    assert said(report(verdicts=(verdict,)), {HUNG: 0}) == [
        "what fits these words could not be looked for; the report says why:",
        f"{HUNG}: T",
        f"how to look yourself: diagnose explain {HUNG}",
    ]
