"""The command line as a user meets it: exit codes, names of containers, JSON, and 80 columns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from diagnose.judgement import selection
from diagnose.recording.answer_files import read_folder, write_folder
from diagnose.recording.recorder import RecordedAnswer
from tests.commands.no_engine import run
from tests.questions import question

SCHEMA = json.loads((Path(__file__).parents[2] / "diagnose/render/report.schema.json").read_text())


@pytest.mark.parametrize(
    "words", [["recreate", "nope"], ["repair", "nope"], ["repair", "container.oom-killed"]]
)
def test_a_refused_script_fails_in_the_shell_that_reads_it(words: list[str]):
    """`diagnose recreate X | sh && rm ...` goes no further."""
    done = run(*words, "--from", "demo")
    assert done.returncode == 3
    assert subprocess.run(["sh"], input=done.stdout, text=True).returncode == 1


def test_an_unknown_container_is_named_with_its_nearest(folder: Path):
    done = run("all", "--from", str(folder), "--container", "gatewy")
    assert done.returncode == 3
    assert "did you mean gateway?" in done.stderr


@pytest.mark.parametrize("word", ["/gateway", "f" * 64, "f" * 12, "f"])
def test_a_container_is_called_by_its_name_or_by_as_much_of_its_id_as_the_engine_takes(
    folder: Path, word: str
):
    done = run("all", "--from", str(folder), "--container", word, "--format", "json")
    assert done.returncode == 2, done.stderr
    loud = {
        f["subject"]["name"]
        for f in json.loads(done.stdout)["findings"]
        if f["severity"] != "advice"
    }
    assert loud == {"gateway"}


def test_it_is_told_where_it_is_written_how_a_container_is_made(folder: Path):
    origin = "compose project shop, service gateway, /srv/shop/compose.yml, /srv/shop/prod.yml"
    assert (
        f"    made by {origin}\n"
        in run("all", "--from", str(folder), env={"COLUMNS": "120"}).stdout
    )
    assert (
        f"- made by {origin}\n" in run("all", "--from", str(folder), "--format", "markdown").stdout
    )
    report = json.loads(run("all", "--from", str(folder), "--format", "json").stdout)
    assert {f["made_by"] for f in report["findings"] if f["subject"]["kind"] == "container"} == {
        origin
    }
    assert {f["made_by"] for f in report["findings"] if f["subject"]["kind"] != "container"} <= {
        None
    }


def test_a_name_goes_before_an_id_and_the_beginning_of_several_ids_names_none():
    names = {"abc1": "web", "abd2": "db", "f00d": "abc"}
    assert selection.called("abc", names) == ("abc",)
    assert selection.called("abc1", names) == ("web",)
    assert set(selection.called("ab", names)) == {"web", "db"}
    assert selection.called("/", names) == selection.called("e", names) == ()


def test_replay_finds_what_the_recording_shows(folder: Path):
    done = run("all", "--from", str(folder), "--format", "json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    loud = [
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["severity"] != "advice"
    ]
    assert loud == [("container.entrypoint-missing", "gateway")]
    assert report["source"] == "bundle"
    assert {row["verdict"] for row in report["checks"]} <= {"found", "passed", "unknown", "skipped"}
    assert "Traceback" not in done.stderr


def test_text_fits_80_columns_and_has_no_colour_in_a_pipe(folder: Path):
    done = run(
        "check", "container.entrypoint-missing", "--from", str(folder), env={"COLUMNS": "80"}
    )
    assert done.stdout.startswith("CRITICAL shop-3: 1 critical")
    assert "\x1b" not in done.stdout
    status, *rest = done.stdout.splitlines()
    assert status.endswith(" s: container.entrypoint-missing (gateway)")
    prose = [line for line in rest if not line.startswith("    docker ")]
    assert max(map(len, prose)) <= 80
    assert not any(line != line.rstrip() for line in prose)


def test_findings_of_one_subject_are_told_apart_by_their_sentences(folder: Path):
    names = ["cart", "mail", "search", "shop"]
    status = {"RunningTasks": 0, "DesiredTasks": 1}
    services = [{"ID": name, "Spec": {"Name": name}, "ServiceStatus": status} for name in names]
    answers = {
        question("api.info"): {
            "Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "Managers": 1}
        },
        question("api.services"): services,
        question("api.nodes"): [],
        question("api.tasks"): [],
    }
    old, _ = read_folder(folder)
    write_folder(
        folder,
        {**old, **{q: RecordedAnswer(answer) for q, answer in answers.items()}},
        {"made": "for a test"},
    )
    done = run("check", "swarm.service-underreplicated", "--from", str(folder))
    assert done.stdout.count("CRITICAL  swarm.service-underreplicated") == 1
    assert all(f'service "{name}" runs 0 of 1 tasks' in done.stdout for name in names), done.stdout


def test_fail_on_never_is_exit_0(folder: Path):
    assert run("all", "--from", str(folder), "--fail-on", "never").returncode == 0


def test_output_goes_to_a_new_file_of_ones_own(folder: Path, tmp_path: Path):
    target = tmp_path / "report.json"
    assert run("all", "--from", str(folder), "--format", "json", "-o", str(target)).returncode == 2
    assert json.loads(target.read_text())["schema_version"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert run("all", "--from", str(folder), "-o", str(target)).returncode == 3
    assert run("all", "--from", str(folder), "-o", "-", cwd=tmp_path).stdout.startswith("CRITICAL")
    assert not (tmp_path / "-").exists()


def test_silences_and_thresholds_come_from_a_named_file(folder: Path, tmp_path: Path):
    config = tmp_path / "c.toml"
    config.write_text(
        '[[silence]]\nid = "container.*"\nsubject = "gate*"\nreason = "being replaced"\n'
    )
    done = run(
        "check",
        "container.entrypoint-missing",
        "--from",
        str(folder),
        "--config",
        str(config),
        "--show-silenced",
    )
    assert done.returncode == 0, done.stdout
    assert "being replaced" in done.stdout
    config.write_text('[[silence]]\nid = "container.*"\nreason = "r"\nuntil = 2020-01-01\n')
    done = run(
        "check", "container.entrypoint-missing", "--from", str(folder), "--config", str(config)
    )
    assert done.returncode == 2
    assert "ended on 2020-01-01" in done.stdout
    config.write_text('[thresholds."container.nosuch"]\nx = 1\n')
    assert run("all", "--from", str(folder), "--config", str(config)).returncode == 3


def test_the_current_folder_steers_nothing(tmp_path: Path):
    (tmp_path / "diagnose.toml").write_text("nonsense")
    (tmp_path / "checks.py").write_text("raise SystemExit('steered')")
    script = Path(sys.executable).parent / "diagnose"
    done = subprocess.run(
        [script, "list"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


def test_without_any_docker_it_says_something_true():
    done = run("all", "--format", "json", "--budget", "5")
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert done.returncode in (2, 3)
    assert not [row for row in report["checks"] if row["verdict"] == "crashed"]


def test_follow_prints_the_steps_for_a_recorded_finding() -> None:
    result = run("follow", "firewall.forwarding-off", "--from", "demo", "--print")
    assert result.returncode == 0, result.stderr
    assert "\nfix-1)\nsysctl -w net.ipv4.ip_forward=1\n;;\n" in result.stdout
