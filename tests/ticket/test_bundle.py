"""What a bundle holds, what it sheds to keep its size, and that it judges like the host it came
from."""

from __future__ import annotations

import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose import config, session
from diagnose.document import document
from diagnose.judgement import engine
from diagnose.model import Failed, Report
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording import answer_files, budget, source
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Recorder, Replay
from diagnose.ticket import create
from diagnose.ticket.bundle import TooLargeError
from tests.questions import question
from tests.tickets import KNOWN, made, opener_of, recorded, taken, taken_of_recorded, unpacked

DAY = float("1e9")


def judged(source: Path) -> Report:
    recorded = session.replay(source, KNOWN, tuple(KNOWN), config.Config(), explicit=False)
    return engine.run(recorded.source, recorded.run, began=0.0, budget=Budget(DAY))


def essence(report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    """Findings by key, and what each check said; without how long it took and where it was read
    from."""
    said = document(report)
    checks = {row["id"]: {**row, "duration_s": 0} for row in said["checks"]}
    return {row["key"]: row for row in said["findings"]}, checks


@pytest.fixture(scope="module")
def whole() -> tuple[Report, Any, dict[str, bytes]]:
    report, sealed = taken_of_recorded()
    return report, sealed, unpacked(sealed.data)


def test_a_bundle_has_all_its_members(whole):
    _, sealed, files = whole
    assert sealed.data[:2] == b"\x1f\x8b"
    assert {"report.md", "report.json", "report.html", "manifest.json"} <= set(files)
    assert b'class="drawing wide"' in files["report.html"]
    assert "answers/api.container.json" in files
    wanted = {
        "texts/kernel.txt",
        "texts/links.txt",
        "texts/routes.txt",
        "texts/files/var-log-docker.log",
    }
    assert wanted <= set(files)
    assert any(name.startswith("texts/iptables-") for name in files)
    assert any(name.startswith("texts/logs/legacy") for name in files)
    assert json.loads(files["report.json"])["host"]["name"] == "dockerhost"
    assert "container.exec-format" in files["report.md"].decode()


def test_manifest_says_what_each_question_gave(whole):
    report, _, files = whole
    head = json.loads(files["manifest.json"])
    assert head["format"] == answer_files.FORMAT
    assert head["tool"]["name"] == "diagnose"
    assert head["engine"]["version"].startswith("28.5.2")
    assert head["packs"]
    rows = {row["question"]: row for row in head["questions"]}
    assert rows["api.info"]["outcome"] == "answered"
    assert rows["api.info"]["bytes"] > 1000
    assert all(isinstance(row["duration_s"], float | int) for row in rows.values())
    failed = {name: why for why, names in head["missing"].items() for name in names}
    assert failed == {
        name: row["outcome"] for name, row in rows.items() if row["outcome"] != "answered"
    }
    assert failed['unit {"name":"docker.service"}'] == "missing: systemd does not run here"
    assert report.host.name == head["host"]


def test_manifest_knows_every_file_by_its_hash(whole):
    _, _, files = whole
    listed = json.loads(files["manifest.json"])["files"]
    assert set(listed) == set(files) - {"manifest.json"}
    for name, row in listed.items():
        assert row["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert row["bytes"] == len(files[name])


def test_an_answer_that_was_cut_is_marked():
    short = {"path": "/etc/docker/daemon.json", "text": "{}", "truncated": True, "size": 9_000_000}
    _, sealed = taken(made({question("file.read", path="/etc/docker/daemon.json"): short}))
    rows = json.loads(unpacked(sealed.data)["manifest.json"])["questions"]
    cut = [row["question"] for row in rows if row.get("cut")]
    assert cut == ['file.read {"path":"/etc/docker/daemon.json"}']


def test_redactions_are_counted_by_kind_and_by_file():
    inspect = {
        "Id": "f" * 64,
        "Name": "/web",
        "Config": {"Env": ["DB_PASSWORD=k0mplizierT", "API_KEY=hgT65rfDe3Wq"]},
    }
    answers = {
        question("api.containers", all=True): [{"Id": "f" * 64, "Names": ["/web"]}],
        question("api.container", id="f" * 64): inspect,
    }
    _, sealed = taken(made(answers))
    head = json.loads(unpacked(sealed.data)["manifest.json"])
    assert head["redacted"]["password"] >= 1
    assert head["redacted"]["api-key"] >= 1
    assert head["files"]["answers/api.container.json"]["redacted"] == 2
    assert ("answers/api.container.json", 2) in [
        (member.name, member.redactions) for member in sealed.members
    ]


def test_folder_and_archive_and_host_give_equal_findings(whole, tmp_path: Path):
    report, sealed, files = whole
    (tmp_path / "b.tar.gz").write_bytes(sealed.data)
    for name, data in files.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(data)
    live = essence(report)
    assert len(live[0]) > 15
    assert essence(judged(tmp_path / "b.tar.gz")) == live
    assert essence(judged(tmp_path / "folder")) == live
    assert essence_of_file(files["report.json"]) == live


def essence_of_file(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    said = json.loads(data)
    checks = {row["id"]: {**row, "duration_s": 0} for row in said["checks"]}
    return {row["key"]: row for row in said["findings"]}, checks


def logged(lines: int) -> dict[Any, Any]:
    """A host with a container that failed and has a log that does not compress."""
    rnd = random.Random(3)
    text = "\n".join(f"{rnd.getrandbits(200):x}" for _ in range(lines))
    inspect = {"Id": "f" * 64, "Name": "/web", "State": {"Status": "exited", "ExitCode": 3}}
    return made(
        {
            question("api.containers", all=True): [{"Id": "f" * 64, "Names": ["/web"]}],
            question("api.container", id="f" * 64): inspect,
            question("api.logs", id="f" * 64, tail=200): {"text": text, "truncated": False},
            question("kernel.log"): {
                "records": [{"seq": n, "at": 1.0, "text": text[n : n + 90]} for n in range(200)]
            },
        }
    )


def test_small_enough_sheds_nothing():
    _, sealed = taken(logged(500), max_size=1_000_000)
    assert sealed.shed == ()
    assert len(sealed.data) <= 1_000_000


def test_texts_are_shed_before_answers():
    entries = logged(1500)
    _, sealed = taken(entries)
    full = len(sealed.data)
    _, sealed = taken(entries, max_size=int(full * 0.8))
    assert sealed.shed
    assert all(name.startswith("texts/") for name in sealed.shed)
    assert "texts/logs/web.txt" in sealed.shed
    assert len(sealed.data) <= full * 0.8
    head = json.loads(unpacked(sealed.data)["manifest.json"])
    assert head["shed"] == list(sealed.shed)


def test_an_answer_that_was_shed_is_unknown_never_passed(tmp_path: Path):
    entries = logged(9000)
    _, sealed = taken(entries, max_size=45_000)
    assert len(sealed.data) <= 45_000
    shed = {name for name in sealed.shed if name.startswith("answers/")}
    assert "answers/api.logs.json" in shed
    assert "answers/api.containers.json" not in shed
    (tmp_path / "b.tar.gz").write_bytes(sealed.data)
    again = source.read(tmp_path / "b.tar.gz")[0]
    answer = again[question("api.logs", id="f" * 64, tail=200)].answer
    assert isinstance(answer, Failed)
    assert answer.reason == "shed"


def test_a_check_whose_answer_was_shed_says_so(tmp_path: Path):
    """All that a check needs is shed: its verdict is UNKNOWN and names the reason."""
    entries = dict(recorded())
    kernel = next(entry for entry in entries if entry.kind == "kernel.log")
    rnd = random.Random(4)
    noise = [
        {"seq": n, "level": 6, "at": 1.7e9, "text": f"{rnd.getrandbits(800):x}"}
        for n in range(2000)
    ]
    entries[kernel] = RecordedAnswer({**entries[kernel].answer, "records": noise}, 0.1)
    whole = engine.run(
        Replay(entries), engine.Run(KNOWN, tuple(KNOWN)), began=0.0, budget=Budget(DAY)
    )
    _, sealed = taken(entries, max_size=130_000)
    assert "answers/kernel.log.json" in sealed.shed
    (tmp_path / "b.tar.gz").write_bytes(sealed.data)
    before = {result.check.id: result.verdict for result in whole.results}
    after = {result.check.id: result for result in judged(tmp_path / "b.tar.gz").results}
    turned = {id for id, verdict in before.items() if after[id].verdict != verdict}
    assert {id: str(after[id].verdict) for id in turned} == dict.fromkeys(turned, "unknown")
    assert any("left out of this bundle" in after[id].why for id in turned)
    unknown = [id for id in turned if before[id] == "passed"]
    assert unknown, "a check that looked at the kernel's log and passed"


def test_what_cannot_be_made_small_enough_is_refused():
    with pytest.raises(TooLargeError, match="larger than 10000 bytes"):
        taken(recorded(), max_size=10_000)


def learned_late() -> dict[AnyQuestion, RecordedAnswer]:
    """A path with a password in it is asked for before an environment names the password."""
    path = "/srv/hunter2hunter/app.conf"
    inspect = {"Id": "f" * 64, "Name": "/web", "Config": {"Env": ["DB_PASSWORD=hunter2hunter"]}}
    return made(
        {
            question("api.containers", all=True): [
                {"Id": "f" * 64, "Names": ["/web"], "Command": "x hunter2hunter"}
            ],
            question("api.container", id="f" * 64): inspect,
            question("file.read", path="/etc/docker/daemon.json"): Failed("missing", f"no {path}"),
        }
    )


def test_a_secret_learned_late_is_gone_from_an_early_answer_and_from_questions():
    _, sealed = taken(learned_late())
    assert all(b"hunter2hunter" not in data for data in unpacked(sealed.data).values())


def test_a_secret_with_half_of_a_surrogate_pair_makes_a_bundle():
    """JSON in a user's file may escape one; it was a traceback."""
    text = '{"proxies": {"password": "abc\\ud800defQ123x"}}'
    path = "/etc/docker/daemon.json"
    _, sealed = taken(made({question("file.read", path=path): {"path": path, "text": text}}))
    assert all(b"defQ123x" not in data for data in unpacked(sealed.data).values())


def hurried(entries: Any) -> create.Taken:
    """The bundle of a host whose run has used up its time."""
    began = time.monotonic() - Options().budget_s - 1
    return create.take(
        KNOWN, Options(), began=began, max_size=10_000_000, open_recorder=opener_of(entries)
    )


def test_without_time_it_has_no_second_form_of_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is judged twice, and what only repeats the report and the answers is left out."""
    monkeypatch.setattr(budget, "SHORT_S", 0.0)
    monkeypatch.setattr(create, "SMALL_RUN", 0)
    judged_live = engine.run
    sources = []

    def run(source: Any, *rest: Any, **named: Any) -> Report:
        sources.append(source)
        return judged_live(source, *rest, **named)

    monkeypatch.setattr(engine, "run", run)
    done = hurried(recorded())
    assert [type(source) for source in sources] == [Recorder]
    assert done.sealed.late == ("report.html", "texts")
    files = unpacked(done.sealed.data)
    assert not [name for name in files if name.startswith("texts/") or name == "report.html"]
    assert json.loads(files["manifest.json"])["left_out_in_time"] == ["report.html", "texts"]
    (tmp_path / "b.tar.gz").write_bytes(done.sealed.data)
    live = essence(done.report)
    assert essence(judged(tmp_path / "b.tar.gz")) == live
    assert essence_of_file(files["report.json"]) == live


def test_a_small_host_has_them_in_any_case() -> None:
    done = hurried(made({}))
    assert done.sealed.late == ()
    assert "report.html" in unpacked(done.sealed.data)


def test_without_time_a_secret_learned_late_is_gone_from_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "SHORT_S", 0.0)
    monkeypatch.setattr(create, "SMALL_RUN", 0)
    judged_live = engine.run
    budgets = []

    def run(*given: Any, budget: Budget, **named: Any) -> Report:
        budgets.append(budget)
        return judged_live(*given, budget=budget, **named)

    monkeypatch.setattr(engine, "run", run)
    done = hurried(learned_late())
    assert b"hunter2hunter" not in b"".join(unpacked(done.sealed.data).values())
    assert len(budgets) == 2
    assert budgets[1].longer > Options().budget_s, "what the report says to run it with"
