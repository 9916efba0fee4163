"""An archive of a recording is read back, and each damaged answer costs that answer alone."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose import config, session
from diagnose.judgement import engine
from diagnose.model import Failed, Verdict
from diagnose.questions.question import policies
from diagnose.recording import answer_files, archive, source
from diagnose.recording.budget import Budget
from tests.recording.archives import GOOD, REAL, TOP, forged_files, member, packed, refused, sealed
from tests.tickets import KNOWN, unpacked

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_a_good_one_is_read(tmp_path: Path):
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(GOOD))
    entries, head = source.read(path)
    assert [entry.kind for entry in entries] == ["now"]
    assert head["format"] == 1


def test_an_archive_repacked_by_hand_is_read(tmp_path: Path):
    """With its folders as members, as `tar` packs them."""
    folders = [member(f"{TOP}/answers/", tarfile.DIRTYPE), member(TOP, tarfile.DIRTYPE)]
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(GOOD, *folders))
    assert source.read(path)[0]


def test_older_format_is_read_and_newer_is_refused(tmp_path: Path):
    path = tmp_path / "old.tar.gz"
    path.write_bytes(packed(sealed(forged_files(), format=0)))
    assert source.read(path)[0]
    said = refused(packed(sealed(forged_files(), format=2)), tmp_path)
    assert said == "it has format 2, newer than this tool reads (1): update diagnose"


def test_questions_of_another_version_are_passed_over(tmp_path: Path):
    files = sealed(
        {**forged_files(), "answers/future.kind.json": b"nonsense", "answers/api.ping.json": b"[]"}
    )
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(files))
    assert [question.kind for question in source.read(path)[0]] == ["now"]


DAMAGES = {
    "a duration that is none": (r'"duration_s": [\d.]+', '"duration_s": "x"'),
    "neither an answer nor a failure": (r'"answer": ', '"before": '),
    "a failure without a reason": (r'"answer": ', '"failed": '),
    "a failure that is a number": (r'"answer": .*', '"failed": 7}'),
    "an answer that is not JSON": (r'"answer": .*', '"answer": NaN}'),
    "a line that ends too early": (r".{50}$", ""),
    "an answer that is deep": (r'"answer": .*', '"answer": ' + "[" * 99_999 + "]" * 99_999 + "}"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_answer_costs_that_answer_and_is_named(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    shutil.copytree(FIXTURES / "demo", folder)
    inspected = folder / "answers/api.container.json"
    opening, first, *others = inspected.read_text().split("\n")
    damaged = re.sub(*DAMAGES[name], first.removesuffix(",")) + ","
    assert damaged != first
    inspected.write_text("\n".join([opening, damaged, *others]))
    selected = ("container.oom-killed", "container.restart-loop", "daemon.live-restore-off")
    recorded = session.replay(folder, KNOWN, selected, config.Config(), explicit=False)
    report = engine.run(
        recorded.source, recorded.run, began=0.0, budget=Budget(time.monotonic() + 60)
    )
    results = {result.check.id: result for result in report.results}
    [unexamined] = results["container.oom-killed"].unexamined
    assert answer_files.IS_DAMAGED in unexamined.why
    assert results["container.restart-loop"].verdict is Verdict.FOUND
    assert "1 answer of this bundle cannot be read: docker inspect of a container" in report.notes


@pytest.mark.parametrize("path", [{"a": 1}, None, 7])
def test_a_damaged_answer_to_an_odd_question_is_named_by_its_kind(path: Any) -> None:
    row = json.dumps([{"args": {"path": path}, "failed": 7}])
    [question] = answer_files.damaged(answer_files.parse([("answers/file.read.json", row)]))
    assert question.about() == policies()["file.read"].what


def test_thresholds_that_this_version_has_not_are_passed_over(tmp_path: Path):
    thresholds = {
        "storage.disk-full": {"nosuch": 1, "warn_pct": "x"},
        "nosuch.check": {"a": 1},
        "container.unhealthy": [],
    }
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(sealed(forged_files(), thresholds=thresholds, uncollected={"x": 1})))
    recorded = session.replay(path, KNOWN, tuple(KNOWN), config.Config(), explicit=False)
    report = engine.run(
        recorded.source, recorded.run, began=0.0, budget=Budget(time.monotonic() + 60)
    )
    assert not [result for result in report.results if result.verdict is Verdict.CRASHED]


def test_members_yields_what_tar_holds():
    assert dict(archive.members(io.BytesIO(REAL))) == unpacked(REAL)


SETTINGS = {"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}, "Memory": 1 << 30}


def test_equal_parts_of_answers_are_one_object() -> None:
    rows = [{"args": {"id": name}, "answer": {"Id": name, "HostConfig": SETTINGS}} for name in "ab"]
    recording = answer_files.parse([("answers/api.container.json", json.dumps(rows))])
    first, second = (entry.answer for entry in recording.values())
    assert first == rows[0]["answer"]
    assert second == rows[1]["answer"]
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["HostConfig"] is second["HostConfig"]


def test_answers_are_read_as_they_stand() -> None:
    """Whatever is shared: the values are those of a plain reader."""
    for file in (FIXTURES / "demo" / "answers").glob("*.json"):
        text = file.read_text()
        plain = [row["answer"] for row in json.loads(text) if "answer" in row]
        read = [entry.answer for entry in answer_files.parse([(file.name, text)]).values()]
        assert [answer for answer in read if not isinstance(answer, Failed)] == plain
