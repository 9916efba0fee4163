"""Recorded hosts, judged again: anywhere, in seconds, without root, Docker or Linux privileges."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.judgement.causes import roots
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


@pytest.mark.parametrize("host", HOSTS)
def test_a_fixture_says_where_it_is_from_and_was_not_edited(host: str) -> None:
    folder = FIXTURES / host
    head = json.loads((folder / "manifest.json").read_text())
    texts = {
        f"answers/{path.name}": path.read_text() for path in (folder / "answers").glob("*.json")
    }
    assert head.get("made") or head["answers_sha256"] == answer_files.digest(texts)
    assert head.get("made") or head["tool"]["name"] == "diagnose"
    assert json.loads((folder / "expected.json").read_text())["engine"]
