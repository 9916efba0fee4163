"""Metrics: what Prometheus accepts, bounded labels, and a file that is whole or not there."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from diagnose import registry, runbooks, session, state_file
from diagnose.model import Report
from diagnose.questions.run import Options
from diagnose.render.formats import prometheus
from tests import command_line

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "diagnose/fleet/prometheus/rules.yml"
LINE = re.compile(
    r'(diagnose_[a-z_]+)(?:\{([a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*)\})? (-?[0-9.e+-]+)'
)


@pytest.fixture(scope="module")
def demo() -> Report:
    return session.diagnose(
        registry.load, None, Options(source=Path("demo"), budget_s=600), began=time.monotonic()
    )


def written(report: Report, code: int = 2) -> str:
    stream = io.StringIO()
    prometheus.render(report, code, stream)
    return stream.getvalue()


def samples(text: str) -> dict[tuple[str, str], float]:
    rows = [LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(rows)
    return {(row[1], row[2] or ""): float(row[3]) for row in rows if row}


def test_each_metric_has_its_help_and_each_line_is_one_sample(demo: Report):
    text = written(demo)
    names = {name for name, _ in samples(text)}
    assert names == set(re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE))
    assert names == set(re.findall(r"^# HELP (\S+) .+\.$", text, re.MULTILINE))
    assert text.startswith(prometheus.FIRST_LINE)


def test_roots_above_advice_are_counted_by_check(demo: Report):
    found = samples(written(demo))
    assert (
        found[
            "diagnose_root", 'id="firewall.forwarding-off",severity="critical",subject_kind="host"'
        ]
        == 1
    )
    assert found["diagnose_up", ""] == 1
    assert found["diagnose_exit_code", ""] == 2
    roots = sum(value for (name, _), value in found.items() if name == "diagnose_root")
    assert roots == sum(1 for finding in demo.findings if finding.root and finding.severity > 1)


def test_no_label_holds_a_name_of_the_user(demo: Report):
    labels = " ".join(label for _, label in samples(written(demo)))
    names = {
        finding.subject.name for finding in demo.findings if finding.subject.kind == "container"
    }
    assert names
    assert not {name for name in names if f'"{name}"' in labels}
    assert demo.host.name not in labels


def test_labels_are_escaped():
    assert prometheus._labels({"a": 'x"y\\z\nq'}) == '{a="x\\"y\\\\z\\nq"}'


def test_each_runbook_of_the_rules_is_there():
    text = RULES.read_text()
    named = set(re.findall(r"runbooks/([a-z.-]+)\.md", text))
    assert named
    assert named <= set(runbooks.paths())
    metrics = set(re.findall(r"\bdiagnose_[a-z_]+", text))
    source = (ROOT / "diagnose/render/formats/prometheus.py").read_text()
    assert metrics <= set(re.findall(r'"(diagnose_[a-z_]+)"', source))


promtool = shutil.which("promtool")


@pytest.mark.skipif(not promtool, reason="promtool is missing (Debian: prometheus)")
def test_promtool_accepts_metrics_and_rules(demo: Report):
    assert promtool
    for argv, text in (
        ([promtool, "check", "metrics"], written(demo)),
        ([promtool, "check", "rules", str(RULES)], ""),
    ):
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr.strip(), done.stderr


@pytest.mark.skipif(not promtool, reason="promtool is missing (Debian: prometheus)")
def test_the_alerts_fire_and_resolve(tmp_path: Path):
    """Prometheus' own simulation: a critical root for an hour, then none; the last run grows
    old."""
    assert promtool
    (tmp_path / "rules.yml").write_text(RULES.read_text())
    (tmp_path / "test.yml").write_text(ALERTS)
    argv = [promtool, "test", "rules", str(tmp_path / "test.yml")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


ALERTS = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'diagnose_root{id="storage.disk-full",severity="critical",subject_kind="filesystem",instance="web1"}'
        values: '1x60 _x240'
      - series: 'diagnose_last_run_timestamp_seconds{instance="web1"}'
        values: '0x300'
      - series: 'diagnose_up{instance="web1"}'
        values: '1x300'
    alert_rule_test:
      - eval_time: 30m
        alertname: DiagnoseCritical
        exp_alerts:
          - exp_labels: {severity: critical, id: storage.disk-full, subject_kind: filesystem, instance: web1}
            exp_annotations:
              summary: "web1: storage.disk-full (filesystem)"
              description: "Something is down, or data is at risk now. On the host: diagnose check storage.disk-full"
              runbook: "diagnose explain storage.disk-full"
              runbook_page: "runbooks/storage.disk-full.md"
      - eval_time: 70m
        alertname: DiagnoseCritical
        exp_alerts: []
      - eval_time: 30m
        alertname: DiagnoseStale
        exp_alerts: []
      - eval_time: 130m
        alertname: DiagnoseBlind
        exp_alerts: []
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return command_line.run("all", "--from", "demo", "--format", "prometheus", *words)


def test_the_file_is_replaced_whole_and_readable_by_others(tmp_path: Path):
    path = tmp_path / "diagnose.prom"
    done = run("-o", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    first = path.stat()
    assert stat.S_IMODE(first.st_mode) == 0o644
    assert run("-o", str(path)).returncode == 2
    assert path.stat().st_ino != first.st_ino
    assert [file.name for file in tmp_path.iterdir()] == ["diagnose.prom"]
    foreign = tmp_path / "other.prom"
    foreign.write_text("# HELP node_other x\n")
    done = run("-o", str(foreign))
    assert done.returncode == 3
    assert "it exists, and was not written by this command" in done.stderr
    assert foreign.read_text() == "# HELP node_other x\n"


def test_one_run_gives_report_and_metrics(tmp_path: Path):
    outputs = ["-o", str(tmp_path / "report.json"), "--metrics", str(tmp_path / "diagnose.prom")]
    done = command_line.run("all", "--from", "demo", "--format", "json", *outputs)
    assert done.returncode == 2, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == 1
    assert (tmp_path / "diagnose.prom").read_text().startswith(prometheus.FIRST_LINE)


def refused(path: Path) -> str:
    with pytest.raises((state_file.NotReplacedError, OSError)) as caught:
        state_file.replace(path, "new\n", "old")
    return str(caught.value)


def test_links_devices_and_folders_are_left_alone(tmp_path: Path):
    target = tmp_path / "target"
    target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "missing/file"):
        assert refused(tmp_path / name)
    assert target.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "pipe", "target"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "diagnose.prom"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refused(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["diagnose.prom"]
