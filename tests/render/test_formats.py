"""The report as other programs read it: JUnit, SARIF, CSV; and reports that leave out what a
baseline knows."""

from __future__ import annotations

import csv as csv_reader
import io
import json
import os
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest

from diagnose import compare, registry, session
from diagnose.document import document
from diagnose.model import HOST, Report, Severity, Subject, Verdict, container
from diagnose.questions.run import Options
from diagnose.render.formats import csv, junit, llm, sarif
from tests.command_line import run
from tests.reports import found, report

FIXTURES = Path(__file__).parents[2] / "fixtures"
DEMO = FIXTURES / "demo"
PARTLY_RECORDED = FIXTURES / "engine29.iptables"
EVIL = '=cmd|"/c calc"!A1 <x>&]]>\x00\x1b[31m\u202e'


@pytest.fixture(scope="module")
def demo() -> Report:
    return diagnosed(DEMO)


@pytest.fixture(scope="module")
def partly_recorded() -> Report:
    return diagnosed(PARTLY_RECORDED)


def diagnosed(folder: Path) -> Report:
    options = Options(source=folder, budget_s=120)
    return session.diagnose(registry.load, None, options, began=time.monotonic())


def as_context(what: Report, stream: TextIO) -> None:
    llm.render(what, 0, stream)


def written(render: Callable[[Report, TextIO], None], what: Report) -> str:
    stream = io.StringIO()
    render(what, stream)
    return stream.getvalue()


def hostile() -> Report:
    cause = found("firewall.chains-missing", HOST, EVIL)
    effect = found(
        "container.unhealthy", container(EVIL), EVIL, caused_by=("firewall.chains-missing",)
    )
    return report(
        cause, effect, found("security.root-user", container(EVIL), EVIL, Severity.advice)
    )


# -- JUnit ----------------------------------------


def cases(what: Report) -> dict[str, ElementTree.Element]:
    suite = ElementTree.fromstring(written(junit.render, what)).find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
    for name, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{name}"))
    return {case.get("name", ""): case for case in suite.findall("testcase")}


def test_each_check_is_a_case(demo: Report) -> None:
    found_cases = cases(demo)
    assert set(found_cases) == {result.check.id for result in demo.results}
    loud = {finding.id for finding in demo.findings if finding.severity > Severity.advice}
    assert {name for name, case in found_cases.items() if case.find("failure") is not None} == loud
    unknown = {result.check.id for result in demo.results if result.verdict is Verdict.UNKNOWN}
    assert {name for name, case in found_cases.items() if case.find("error") is not None} == unknown
    failure = found_cases["firewall.forwarding-off"].find("failure")
    assert failure is not None
    assert "sysctl -w net.ipv4.ip_forward=1" in (failure.text or "")


def test_advice_fails_no_case(demo: Report) -> None:
    quiet = {finding.id for finding in demo.findings} - {
        finding.id for finding in demo.findings if finding.severity > Severity.advice
    }
    assert quiet
    found_cases = cases(demo)
    assert all(found_cases[id].find("failure") is None for id in quiet)
    output = (
        ElementTree.fromstring(written(junit.render, demo)).findtext("testsuite/system-out") or ""
    )
    assert all(
        finding.finding.summary in output for finding in demo.findings if finding.id in quiet
    )


def test_hostile_text_is_sound_xml() -> None:
    assert cases(hostile())


# -- SARIF ----------------------------------------


def test_each_finding_is_a_result(demo: Report) -> None:
    run = json.loads(written(sarif.render, demo))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) == len({rule["id"] for rule in rules})
    assert len(run["results"]) == len(demo.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")


def test_each_check_that_could_not_run_is_a_notification(partly_recorded: Report) -> None:
    run = json.loads(written(sarif.render, partly_recorded))["runs"][0]
    blind = [result for result in partly_recorded.results if result.verdict is Verdict.UNKNOWN]
    assert blind
    assert not run["invocations"][0]["executionSuccessful"]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(blind)


def test_hostile_text_in_sarif() -> None:
    assert "\x1b" not in json.dumps(
        json.loads(written(sarif.render, hostile())), ensure_ascii=False
    )


SCHEMA = os.environ.get("DIAGNOSE_SARIF_SCHEMA", "")


@pytest.mark.skipif(
    not SCHEMA, reason="DIAGNOSE_SARIF_SCHEMA names no copy of the schema of SARIF 2.1.0"
)
@pytest.mark.parametrize("name", ["demo", "hostile", "healthy"])
def test_sarif_keeps_its_schema(demo: Report, name: str) -> None:
    import jsonschema

    schema: Any = json.loads(Path(SCHEMA).read_text())
    what = {"demo": demo, "hostile": hostile(), "healthy": report()}[name]
    jsonschema.validate(sarif.document(what), schema)


# -- CSV ----------------------------------------


def test_each_finding_is_a_row(demo: Report) -> None:
    rows = list(csv_reader.DictReader(io.StringIO(written(csv.render, demo))))
    assert [row["key"] for row in rows] == [finding.key for finding in demo.findings]
    assert {row["root"] for row in rows} == {"yes", "no"}
    assert set(rows[0]) == set(csv.COLUMNS)


def test_no_cell_is_a_formula() -> None:
    rows = list(csv_reader.reader(io.StringIO(written(csv.render, hostile()))))
    assert any(cell.startswith("'=cmd") for row in rows for cell in row)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


# -- for a language model ----------------------------------------


def test_the_context_names_what_could_not_run(partly_recorded: Report) -> None:
    stream = io.StringIO()
    llm.render(partly_recorded, 3, stream)
    assert "could not run: " in stream.getvalue()


def test_the_context_has_roots_causes_and_cures(demo: Report) -> None:
    stream = io.StringIO()
    llm.render(demo, 2, stream)
    text = stream.getvalue()
    assert len(text) < llm.TOKENS * llm.PER_TOKEN
    for finding in demo.findings:
        assert finding.id in text
    assert "fix (safe): sysctl -w net.ipv4.ip_forward=1" in text
    assert "explains: dns.upstream-unreachable" in text
    assert "left out" not in text


def test_a_large_report_keeps_its_budget_and_says_what_is_missing() -> None:
    evidence = {f"value {number}": "x" * 400 for number in range(5)}
    many = [
        found(f"container.made-{number}", container(f"c{number}"), "y" * 150, evidence=evidence)
        for number in range(200)
    ]
    text = written(as_context, report(*many))
    assert len(text) < llm.TOKENS * llm.PER_TOKEN + 300
    assert "left out for length: the evidence of" in text
    assert "further root" in text


def test_hostile_text_stays_in_its_line() -> None:
    text = written(
        as_context,
        report(
            found("container.made", container("c"), evidence={"log": "a\nroot 9: critical host"})
        ),
    )
    assert "\nroot 9" not in text


# -- a baseline ----------------------------------------

DISK = Subject("filesystem", "/srv")
BEFORE = document(
    report(found("storage.disk-full", DISK, severity=Severity.warning), found("kernel.x", HOST))
)

NEWS = {
    "the same": ([found("storage.disk-full", DISK, severity=Severity.warning)], set()),
    "milder": ([found("kernel.x", HOST, severity=Severity.warning)], set()),
    "worse": ([found("storage.disk-full", DISK)], {"storage.disk-full"}),
    "another subject": (
        [found("storage.disk-full", Subject("filesystem", "/"))],
        {"storage.disk-full"},
    ),
    "another check": ([found("kernel.y", HOST)], {"kernel.y"}),
}


@pytest.mark.parametrize("name", NEWS)
def test_only_what_is_new_counts(name: str) -> None:
    findings, new = NEWS[name]
    what = compare.without_known(report(*findings), BEFORE)
    assert {finding.id for finding in what.findings if not finding.silenced} == new
    assert len(what.findings) == len(findings)


def test_without_a_baseline_nothing_is_silenced(demo: Report) -> None:
    assert compare.without_known(demo, None) is demo


def test_a_baseline_of_the_same_host_makes_it_calm(tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    assert (
        run(
            "all", "--budget", "2m", "--from", "demo", "--format", "json", "-o", str(before)
        ).returncode
        == 2
    )
    after = run(
        "all", "--budget", "2m", "--from", "demo", "--format", "json", "--baseline", str(before)
    )
    summary = json.loads(after.stdout)["summary"]
    assert (summary["critical"], summary["warning"]) == (0, 0)
    assert summary["silenced"] > 0
    assert after.returncode == 0


def test_a_baseline_that_is_none_is_refused_before_the_run(tmp_path: Path) -> None:
    done = run(
        "all", "--budget", "2m", "--from", "demo", "--baseline", str(tmp_path / "nowhere.json")
    )
    assert done.returncode == 3
    assert "nowhere.json" in done.stderr
