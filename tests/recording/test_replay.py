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

FIXTURES = Path(__file__).parents[2] / "fixtures"
HOSTS = sorted(path.parent.name for path in FIXTURES.glob("*/expected.json"))


def test_there_are_recorded_hosts() -> None:
    assert HOSTS


@pytest.mark.parametrize("host", HOSTS)
def test_recorded_host(host: str) -> None:
    """Every finding and verdict that the live run came to, on the same answers."""
    folder = FIXTURES / host
    expected = json.loads((folder / "expected.json").read_text())
    entries, head = answer_files.read_folder(folder)
    known = registry.load()
    what = engine.Run(known, tuple(known), thresholds=head.get("thresholds") or {}, source="bundle")
    report = engine.run(
        Replay(entries), what, began=time.monotonic(), budget=Budget(time.monotonic() + 60)
    )
    assert {(f.key, str(f.severity), f.root) for f in report.findings} == {
        (f["key"], f["severity"], f["root"]) for f in expected["findings"]
    }
    assert {r.check.id: r.verdict.value for r in report.results} == expected["verdicts"]
    assert all(roots(report.findings).values())


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


@pytest.mark.parametrize("host", HOSTS)
def test_the_order_of_answers_changes_no_question_and_no_finding(host: str) -> None:
    """Live answers come in any order; a recording knows only the questions that were asked live."""
    known = registry.load()
    what = engine.Run(known, tuple(known), source="bundle", profile=True)
    asked, found = [], []
    for backward in (False, True):
        source = Asked(FIXTURES / host, backward=backward)
        report = engine.run(
            source, what, began=time.monotonic(), budget=Budget(time.monotonic() + 60)
        )
        asked.append(source.asked)
        found.append([finding.finding for finding in report.findings])
    assert asked[0] == asked[1]
    assert found[0] == found[1]


@pytest.mark.parametrize("host", HOSTS)
def test_a_fixture_says_where_it_is_from_and_was_not_edited(host: str) -> None:
    folder = FIXTURES / host
    head = json.loads((folder / "manifest.json").read_text())
    texts = {
        f"answers/{path.name}": path.read_bytes() for path in (folder / "answers").glob("*.json")
    }
    assert head.get("made") or head["answers_sha256"] == answer_files.digest(texts)
    assert head.get("made") or head["tool"]["name"] == "diagnose"
    assert json.loads((folder / "expected.json").read_text())["engine"]
