"""Recorded hosts, judged again: anywhere, in seconds, without root, Docker or Linux privileges."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.judgement.causes import roots
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay
from tests import recorded
from tests.recorded import Host

HOSTS = {host.name: host for host in recorded.hosts()}
ROWS = recorded.read()
a_host = pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)


def test_there_are_recorded_hosts() -> None:
    assert HOSTS


@a_host
def test_recorded_host(host: Host) -> None:
    """Every finding and verdict that the live run came to, on the same answers."""
    report = host.report()
    assert {(f.key, str(f.severity), f.root) for f in report.findings} == {
        (f["key"], f["severity"], f["root"]) for f in host.expected["findings"]
    }
    assert {result.check.id: result.verdict.value for result in report.results} == {
        result.check.id: host.verdict(result, ROWS) for result in report.results
    }
    assert all(roots(report.findings).values())


def test_each_line_of_the_verdicts_is_about_a_check_and_says_something() -> None:
    known = registry.load()
    assert ROWS
    assert {id for id, row in ROWS.items() if id not in known or not row.verdicts} == set()
    verdicts = {verdict for row in ROWS.values() for verdict in row.verdicts.values()}
    assert verdicts <= {"skipped", "unknown"}


@a_host
def test_the_verdicts_of_a_recording_are_taken_up(host: Host) -> None:
    assert "verdicts" not in host.expected, "run: python -m tests.expected"
    if host.is_made:
        assert set(host.expected["passed"]) <= set(registry.load())


class Asked(Replay):
    """A recording that keeps what it was asked, and gives many answers first to last or last to
    first."""

    def __init__(self, folder: Path, *, backward: bool) -> None:
        super().__init__(answer_files.read_folder(folder)[0])
        self.backward = backward
        self.asked: set[AnyQuestion] = set()

    def ask(self, question: AnyQuestion) -> Json | Failed:
        self.asked.add(question)
        return super().ask(question)

    def ask_many(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        answers = list(super().ask_many(questions))
        return reversed(answers) if self.backward else iter(answers)


@a_host
def test_the_order_of_answers_changes_no_question_and_no_finding(host: Host) -> None:
    """Live answers come in any order; a recording knows only the questions that were asked live."""
    known = registry.load()
    what = engine.Run(known, tuple(known), source="bundle", profile=True)
    asked, found = [], []
    for backward in (False, True):
        source = Asked(recorded.FIXTURES / host.name, backward=backward)
        report = engine.run(
            source, what, began=time.monotonic(), budget=Budget(time.monotonic() + 60)
        )
        asked.append(source.asked)
        found.append([finding.finding for finding in report.findings])
    assert asked[0] == asked[1]
    assert found[0] == found[1]


@a_host
def test_a_fixture_says_where_it_is_from_and_was_not_edited(host: Host) -> None:
    folder = recorded.FIXTURES / host.name
    head = json.loads((folder / "manifest.json").read_text())
    texts = {
        f"answers/{path.name}": path.read_bytes() for path in (folder / "answers").glob("*.json")
    }
    assert host.is_made or head["answers_sha256"] == answer_files.digest(texts)
    assert host.is_made or head["tool"]["name"] == "diagnose"
    assert host.expected["engine"]
