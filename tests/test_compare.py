"""Two runs compared: what is new, gone, changed, still there, and what only seems gone."""

from __future__ import annotations

import pytest

from diagnose import compare

WEB = {"kind": "container", "name": "web"}


def finding(id: str = "container.unhealthy", severity: str = "critical", summary: str = "s", **more) -> dict:
    return {"key": f"{id}@web", "id": id, "severity": severity, "subject": WEB, "summary": summary, **more}


def report(*findings: dict, verdict: str = "passed", unexamined=()) -> dict:
    checks = [{"id": "container.unhealthy", "verdict": verdict, "unexamined": list(unexamined)}]
    return {"findings": list(findings), "checks": checks}


CASES = {
    "new": (report(), report(finding(), verdict="found"), "new"),
    "gone": (report(finding(), verdict="found"), report(), "gone"),
    "still there": (report(finding(), verdict="found"), report(finding(), verdict="found"), "same"),
    "worse": (
        report(finding(severity="warning"), verdict="found"),
        report(finding(severity="critical"), verdict="found"),
        "changed",
    ),
    "the check cannot look now": (report(finding(), verdict="found"), report(verdict="unknown"), "invisible"),
    "the check crashed": (report(finding(), verdict="found"), report(verdict="crashed"), "invisible"),
    "this subject was not looked at": (
        report(finding(), verdict="found"),
        report(verdict="found", unexamined=[{"subject": WEB, "why": "timed out"}]),
        "invisible",
    ),
    "the check is not known any more": (
        report(finding(), verdict="found"),
        {"findings": [], "checks": []},
        "invisible",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_compare(name: str):
    old, new, where = CASES[name]
    change = compare.compare(old, new)
    counts = {each: len(getattr(change, each)) for each in ("new", "gone", "same", "changed", "invisible")}
    assert counts == {**dict.fromkeys(counts, 0), where: 1}


def test_a_check_that_passed_and_is_blind_now_is_named():
    assert compare.compare(report(), report(verdict="unknown")).newly_blind == ("container.unhealthy",)


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (report(), 0),
        (report(finding(), verdict="found"), 2),
        (report(finding(severity="warning"), verdict="found"), 1),
        (report(finding(severity="advice"), verdict="found"), 0),
        (report(finding(silenced="on purpose"), verdict="found"), 0),
        (report(verdict="unknown"), 3),
    ],
)
def test_the_exit_code_is_that_of_the_new_run(new: dict, code: int):
    assert compare.exit_code(new, "warning") == code
