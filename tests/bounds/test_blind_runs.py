"""A run that could not look does not read like health."""

from __future__ import annotations

import io
import json

from msgspec.structs import replace

from diagnose.judgement.report import Run, reported
from diagnose.model import (
    Finding,
    Report,
    ReportBasis,
    Result,
    Unavailable,
    Unexamined,
    Verdict,
    container,
)
from diagnose.render import terminal
from diagnose.render.formats import json as json_report
from tests.bounds.bounded import a_check, report


def first_line(report: Report, code: int) -> str:
    stream = io.StringIO()
    terminal.render(report, code, stream, color=False, width=200)
    return stream.getvalue().splitlines()[0]


PASSED = Result(a_check("test.a"), Verdict.PASSED)
BLIND = Result(
    a_check("test.b"),
    Verdict.UNKNOWN,
    why="forbidden: as root",
    missing=Unavailable("forbidden", "as root"),
)


def test_a_run_without_the_container_list_does_not_read_like_health() -> None:
    line = first_line(report(results=(PASSED, BLIND)), 3)
    assert "nothing" not in line
    assert "not fully examined, the containers could not be listed" in line


def test_a_run_without_time_for_the_container_list_says_so() -> None:
    late = replace(report(results=(PASSED, BLIND)), host=ReportBasis().head)
    line = first_line(late, 3)
    assert "the containers were not listed in time" in line
    assert "the engine was not identified in time" in line


def test_exit_3_does_not_read_like_health() -> None:
    line = first_line(report(results=(PASSED, BLIND), container_names={}), 3)
    assert line.startswith(
        "UNKNOWN shop: not fully examined: 1 check passed, 1 could not be judged"
    )


def test_json_escapes_what_a_terminal_obeys() -> None:
    finding = Finding(
        container("a"), "x\x9b31m\x7f\u202etxt\u2066", {"State.Error": "\x00\x1b\u009b"}
    )
    results = [Result(a_check("container.crashed"), Verdict.FOUND, findings=(finding,))]
    checks = {result.check.id: result.check for result in results}
    stream = io.StringIO()
    json_report.render(reported(results, ReportBasis(), Run(checks, tuple(checks))), stream)
    assert not any(char in stream.getvalue() for char in "\x9b\x7f\u202e\u2066\x00\x1b")
    assert json.loads(stream.getvalue())["findings"][0]["summary"] == finding.summary


def test_a_report_names_the_first_unexamined_subjects_and_counts_the_others() -> None:
    """8,000 containers that a hundred checks could not look at were a report of 112 MB."""
    check = a_check("container.crashed")
    left_out = tuple(Unexamined(container(f"c{at}"), "no time") for at in range(5000))
    results = [
        Result(check, Verdict.UNKNOWN, unexamined=left_out),
        Result(a_check("container.unhealthy"), Verdict.UNKNOWN, unexamined=left_out[:3]),
    ]
    stream = io.StringIO()
    checks = {result.check.id: result.check for result in results}
    json_report.render(reported(results, ReportBasis(), Run(checks, tuple(checks))), stream)
    many, few = json.loads(stream.getvalue())["checks"]
    assert len(many["unexamined"]) + many["unexamined_more"] == 5000
    assert many["unexamined"][0]["subject"] == {"kind": "container", "name": "c0"}
    assert (len(few["unexamined"]), "unexamined_more" in few) == (3, False)
    assert len(stream.getvalue()) < 20_000


def test_a_report_counts_subjects_that_evidence_has_only_counted() -> None:
    """A run that is too short for 100,000 containers."""
    left_out = (
        *(Unexamined(container(f"c{at}"), "no time") for at in range(99)),
        Unexamined(container("c99"), "no time", others=99_900),
    )
    result = Result(a_check("container.crashed"), Verdict.UNKNOWN, unexamined=left_out)
    stream = io.StringIO()
    checks = {result.check.id: result.check}
    json_report.render(reported([result], ReportBasis(), Run(checks, tuple(checks))), stream)
    (row,) = json.loads(stream.getvalue())["checks"]
    assert (len(row["unexamined"]), row["unexamined_more"]) == (100, 99_900)
    assert set(row["unexamined"][99]) == {"subject", "why"}
