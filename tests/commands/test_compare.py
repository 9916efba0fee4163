"""Two runs compared: what is new, gone, changed, still there, and what only seems gone."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from diagnose import compare, session
from diagnose.model import Failed
from diagnose.recording.recorder import RecordedAnswer
from diagnose.ticket.bundle import Bundle
from tests import command_line
from tests.tickets import DATA, recorded, taken, taken_of_recorded, unpacked

WEB = {"kind": "container", "name": "web"}
OTHER = {"kind": "container", "name": "db"}


def finding(
    id: str = "container.unhealthy", severity: str = "critical", summary: str = "s", **more
) -> dict:
    return {
        "key": f"{id}@web",
        "id": id,
        "severity": severity,
        "subject": WEB,
        "summary": summary,
        **more,
    }


def report(*findings: dict, verdict: str = "passed", unexamined=(), more: int = 0) -> dict:
    check = {"id": "container.unhealthy", "verdict": verdict, "unexamined": list(unexamined)}
    check |= {"unexamined_more": more} if more else {}
    return {"findings": list(findings), "checks": [check]}


CASES = {
    "new": (report(), report(finding(), verdict="found"), "new"),
    "gone": (report(finding(), verdict="found"), report(), "gone"),
    "still there": (report(finding(), verdict="found"), report(finding(), verdict="found"), "same"),
    "worse": (
        report(finding(severity="warning"), verdict="found"),
        report(finding(severity="critical"), verdict="found"),
        "changed",
    ),
    "the check cannot look now": (
        report(finding(), verdict="found"),
        report(verdict="unknown"),
        "invisible",
    ),
    "the check crashed": (
        report(finding(), verdict="found"),
        report(verdict="crashed"),
        "invisible",
    ),
    "this subject was not looked at": (
        report(finding(), verdict="found"),
        report(verdict="found", unexamined=[{"subject": WEB, "why": "timed out"}]),
        "invisible",
    ),
    "one of more subjects than a report lists": (
        report(finding(), verdict="found"),
        report(verdict="found", unexamined=[{"subject": OTHER, "why": "timed out"}], more=1),
        "invisible",
    ),
    "another subject was not looked at": (
        report(finding(), verdict="found"),
        report(verdict="found", unexamined=[{"subject": OTHER, "why": "timed out"}]),
        "gone",
    ),
    "silenced since": (
        report(finding(), verdict="found"),
        report(finding(silenced="on purpose"), verdict="found"),
        "changed",
    ),
    "loud again": (
        report(finding(silenced="on purpose"), verdict="found"),
        report(finding(), verdict="found"),
        "changed",
    ),
    "a cause that nobody asked about": (
        report(finding(selected=False), verdict="found"),
        report(),
        None,
    ),
    "silenced all along": (
        report(finding(silenced="on purpose"), verdict="found"),
        report(finding(silenced="on purpose"), verdict="found"),
        None,
    ),
    "new and silenced": (report(), report(finding(silenced="on purpose"), verdict="found"), None),
    "silenced, then gone": (
        report(finding(silenced="on purpose"), verdict="found"),
        report(),
        None,
    ),
    "the check does not apply now": (
        report(finding(), verdict="found"),
        report(verdict="skipped"),
        "gone",
    ),
    "the check is not known any more": (
        report(finding(), verdict="found"),
        {"findings": [], "checks": []},
        "invisible",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_has_changed_between_two_reports(name: str):
    old, new, where = CASES[name]
    change = compare.compare(old, new)
    counts = {
        kind: len(getattr(change, kind)) for kind in ("new", "gone", "same", "changed", "invisible")
    }
    assert counts == {**dict.fromkeys(counts, 0), **({where: 1} if where else {})}


def test_a_check_that_passed_and_is_blind_now_is_named():
    assert compare.compare(report(), report(verdict="unknown")).newly_blind == (
        "container.unhealthy",
    )


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (report(), 0),
        (report(finding(), verdict="found"), 2),
        (report(finding(severity="warning"), verdict="found"), 1),
        (report(finding(severity="advice"), verdict="found"), 0),
        (report(finding(silenced="on purpose"), verdict="found"), 0),
        (report(verdict="unknown"), 3),
        (report(verdict="crashed"), 3),
        (report(finding(severity="warning"), verdict="unknown"), 1),
    ],
)
def test_the_exit_code_is_that_of_the_new_run(new: dict, code: int):
    assert compare.exit_code(new, "warning") == code


def diff(*args: Any) -> subprocess.CompletedProcess[str]:
    return command_line.run("diff", *map(str, args))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles and reports of one host: as it was, and with an engine that hides its containers."""
    place = tmp_path_factory.mktemp("diff")
    blind = {
        asked: RecordedAnswer(Failed("timed out", "no answer in 4.0 s"))
        for asked in recorded()
        if asked.kind == "api.containers"
    }
    keep(place, "old", taken_of_recorded()[1])
    keep(place, "blind", taken({**recorded(), **blind})[1])
    return place


@pytest.fixture(scope="module")
def folder_with_cure(folder: Path) -> Path:
    """The same, and that host when one of its containers was cured."""
    legacy, entry = next(
        (asked, entry)
        for asked, entry in recorded().items()
        if asked.kind == "api.container" and "/legacy" in json.dumps(entry.answer)
    )
    cured = json.loads(json.dumps(entry.answer))
    cured["State"] |= {"Status": "running", "Running": True, "ExitCode": 0, "Pid": 4242}
    keep(folder, "cured", taken({**recorded(), legacy: RecordedAnswer(cured)})[1])
    return folder


def keep(folder: Path, name: str, sealed: Bundle) -> None:
    (folder / f"{name}.tar.gz").write_bytes(sealed.data)
    (folder / f"{name}.json").write_bytes(unpacked(sealed.data)["report.json"])


@pytest.mark.parametrize("old", ["old.tar.gz", "old.json"])
@pytest.mark.parametrize("new", ["cured.tar.gz", "cured.json"])
@pytest.mark.fuzz
def test_bundles_and_reports_in_any_pair_say_the_same(folder_with_cure: Path, old: str, new: str):
    done = diff(folder_with_cure / old, folder_with_cure / new, "--format", "json")
    report = json.loads(done.stdout)
    gone = {row["key"] for row in report["gone"]}
    assert "container.exec-format@container:legacy" in gone
    assert not report["no_longer_visible"]
    assert "container.exec-format@container:legacy" not in {
        row["key"] for row in report["still_there"]
    }
    assert len(report["still_there"]) > 20
    assert done.returncode == 2


def test_a_host_with_itself_has_no_difference(folder: Path):
    report = json.loads(
        diff(
            folder / "old.tar.gz", DATA / "fifteen-faults-28.5.2.tar.gz", "--format", "json"
        ).stdout
    )
    assert {name for name, rows in report.items() if rows} == {"schema_version", "still_there"}


def test_what_is_hidden_now_is_no_improvement(folder: Path):
    done = diff(folder / "old.json", folder / "blind.tar.gz", "--format", "json")
    report = json.loads(done.stdout)
    hidden = {row["key"] for row in report["no_longer_visible"]}
    assert "container.exec-format@container:legacy" in hidden
    assert "container.unhealthy@container:search" in hidden
    assert not {row["key"] for row in report["gone"] if row["id"].startswith("container.")}
    assert "container.oom-killed" in report["newly_blind_checks"]


def test_text_says_what_changed_in_80_columns(folder: Path):
    done = diff(folder / "old.tar.gz", folder / "blind.tar.gz")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "no longer visible: CRITICAL container.exec-format legacy" in done.stdout
    assert "could look before, not now: " in done.stdout
    first = done.stdout.splitlines()[0]
    assert first.split(", ")[0].endswith(" new")
    assert "\x1b" not in done.stdout


def test_the_exit_code_of_a_diff_is_that_of_the_new_one(folder: Path):
    assert diff(folder / "blind.json", folder / "old.json").returncode == 2
    assert diff(folder / "old.json", folder / "old.json", "--fail-on", "never").returncode == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_report_that_a_windows_shell_saved_is_read(encoding: str, tmp_path: Path, folder: Path):
    path = tmp_path / "saved.json"
    path.write_text((folder / "old.json").read_text(encoding="utf-8"), encoding=encoding)
    assert compare.load(path) == compare.load(folder / "old.json")


def test_a_report_from_a_pipe_is_read(tmp_path: Path, folder: Path):
    """As `diagnose diff old.json <(ssh host diagnose all --format json)` gives it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=((folder / "old.json").read_bytes(),)).start()
    assert compare.load(pipe) == compare.load(folder / "old.json")


WRONG = {
    "no file": ("nosuch.json", "No such file"),
    "no JSON": ("text.json", "neither a bundle nor a JSON report"),
    "another JSON": ("other.json", "neither a bundle nor a JSON report"),
    "half a report": ("half.json", "neither a bundle nor a JSON report"),
    "a newer report": ("newer.json", "has schema version 2, newer than this tool reads"),
    "more values than a host has": ("many.json", "it holds more than the report of any host"),
    "an empty folder": ("empty", "not a recorded host"),
    "half a bundle": ("half.tar.gz", "it is cut off"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.fuzz
def test_what_cannot_be_compared_is_refused_in_one_sentence(
    name: str, tmp_path: Path, folder: Path
):
    (tmp_path / "text.json").write_text("hello")
    (tmp_path / "other.json").write_text('{"findings": 3}')
    (tmp_path / "half.json").write_text(
        json.dumps({"findings": [{"key": "a", "id": "b"}], "checks": []})
    )
    newer = json.loads((folder / "old.json").read_text()) | {"schema_version": 2}
    (tmp_path / "newer.json").write_text(json.dumps(newer))
    (tmp_path / "half.tar.gz").write_bytes((folder / "old.tar.gz").read_bytes()[:3000])
    many = ",".join(["{}"] * 2_000_000)
    (tmp_path / "many.json").write_text(f'{{"findings": [], "checks": [], "more": [{many}]}}')
    (tmp_path / "empty").mkdir()
    path, hint = WRONG[name]
    with pytest.raises(session.InvalidRequestError, match=hint):
        compare.load(tmp_path / path)
    done = diff(folder / "old.json", tmp_path / path)
    assert done.returncode == 3
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
