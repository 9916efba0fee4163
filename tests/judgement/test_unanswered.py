"""A question without an answer is never calm: what cannot be seen any more is unknown, not well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.judgement.report import Run
from diagnose.model import Failed, Finding, Report, Verdict
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay

FIXTURES = Path(__file__).parents[2] / "fixtures"
NEVER_LATE = {"now"}
"""Kinds that are answered on the spot."""

Recording = Mapping[AnyQuestion, RecordedAnswer]


def report(recording: Recording, checks: Iterable[str]) -> Report:
    return engine.run(
        Replay(recording),
        Run(registry.load(), tuple(checks), source="bundle"),
        began=0.0,
        budget=Budget.unlimited(),
    )


def without(recording: Recording, kind: str, failed: Failed) -> Recording:
    """The recording of a host on which no question of this kind is answered."""
    return {
        question: RecordedAnswer(failed, entry.duration_s) if question.kind == kind else entry
        for question, entry in recording.items()
    }


def place(id: str, finding: Finding) -> tuple[str, str, str]:
    return id, str(finding.subject), finding.discriminator


@pytest.fixture(scope="module")
def recording() -> Recording:
    return answer_files.read_folder(FIXTURES / "broken_host.fifteen_faults@26.1")[0]


@pytest.fixture(scope="module")
def found(recording: Recording) -> frozenset[tuple[str, str, str]]:
    results = report(recording, registry.load()).results
    return frozenset(place(r.check.id, finding) for r in results for finding in r.findings)


def kinds(recording: Recording) -> list[str]:
    answered = {q.kind for q, entry in recording.items() if not isinstance(entry.answer, Failed)}
    return sorted(answered - NEVER_LATE)


@pytest.mark.parametrize("reason", ["timed out", "forbidden"])
def test_no_finding_is_lost_in_calm(recording: Recording, found: frozenset, reason) -> None:
    """Each kind of question in turn has no answer: no check that found something passes then."""
    assert len(found) > 50
    calm = {}
    for kind in kinds(recording):
        broken = without(recording, kind, Failed(reason, "no answer in 2.0 s"))
        results = report(broken, {id for id, *_ in found}).results
        still = {place(r.check.id, finding) for r in results for finding in r.findings}
        well = {r.check.id for r in results if r.verdict in (Verdict.PASSED, Verdict.SKIPPED)}
        if lost := [one for one in sorted(found - still) if one[0] in well]:
            calm[kind] = lost
    assert calm == {}


def test_a_check_that_passed_names_the_question_without_an_answer() -> None:
    """Its collector takes what else there is, and finds nothing in it."""
    healthy = answer_files.read_folder(FIXTURES / "broken_host.control_host@28.5")[0]
    broken = without(healthy, "mounts", Failed("timed out", "no answer in 2.0 s"))
    (result,) = report(broken, ["storage.disk-full"]).results
    assert (result.verdict, result.why) == (
        Verdict.UNKNOWN,
        "timed out: the mount table: no answer in 2.0 s",
    )


def test_a_container_list_of_another_shape_leaves_no_check_calm(recording: Recording) -> None:
    """The checks of firewall and DNS stand on the list, and take it if there is one."""
    ids = ["firewall.chains-missing", "dns.upstream-unreachable"]
    broken = {
        question: RecordedAnswer(5, entry.duration_s)
        if question.kind == "api.containers"
        else entry
        for question, entry in recording.items()
    }
    assert {result.verdict for result in report(broken, ids).results} == {Verdict.UNKNOWN}


def test_evidence_that_cannot_be_read_leaves_no_check_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector of ours that meets a shape it does not know is not a reason to be calm either."""

    def broken(*_: object) -> None:
        raise LookupError

    registry.load()
    monkeypatch.setattr("diagnose.evidence.storage.usage.fill_rate.FillRate", broken)
    healthy = answer_files.read_folder(FIXTURES / "broken_host.control_host@28.5")[0]
    (result,) = report(healthy, ["storage.disk-full"]).results
    assert result.verdict is Verdict.UNKNOWN


def test_a_container_that_cannot_be_read_leaves_no_check_of_its_traffic_calm() -> None:
    """The engine's answer about one container has another shape, and the list is whole."""
    healthy = answer_files.read_folder(FIXTURES / "broken_host.control_host@28.5")[0]
    first = next(question for question in healthy if question.kind == "api.container")
    broken = {**healthy, first: RecordedAnswer({"Id": 7}, 0.1)}
    checks = ("dns.upstream-unreachable", "firewall.forward-dropped", "firewall.dnat-missing")
    assert {result.verdict for result in report(healthy, checks).results} == {Verdict.PASSED}
    assert {result.verdict for result in report(broken, checks).results} == {Verdict.UNKNOWN}


def test_containers_that_no_time_was_left_for_are_counted(recording: Recording) -> None:
    """`0 containers (0 running)` stood above a host on which nothing had been asked in time."""
    late = Failed("budget", "not asked before the time limit")
    head = report(without(without(recording, "api.container", late), "api.info", late), ()).host
    assert (head.containers, head.running) == (13, None)
