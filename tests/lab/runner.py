"""Builds a scenario's host, runs the tool on it, and judges what it said. Knows nothing of
pytest."""

from __future__ import annotations

import json
import shlex
import shutil
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests import command_line

from .box import Box, Run
from .engines import Engine
from .faults import Expectation, Scenario, matches

BASE_CONFIG: Mapping[str, Any] = {
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
}
"""daemon.json of every host that does not say otherwise: what the advice on log sizes asks for."""

IPV6_RULES: Mapping[str, Any] = {"experimental": True, "ip6tables": True}
"""What makes engines before 27 write IPv6 rules too; newer ones do it by themselves."""

_RECORDING = "/tmp/recording"
PATIENT = ("--budget", "60")
"""A box with a hundred faults on a busy machine shows what is found, not how fast; so does a
replay."""


class SurpriseError(AssertionError):
    """The tool said something that the scenario does not expect, or missed what it does."""


@dataclass
class Outcome:
    """One run of the tool on one host: live report, replayed report, and what went wrong per
    scenario."""

    live: Run
    replayed: Mapping[str, Any] | None = None
    failed: dict[str, str] = field(default_factory=dict)
    more: list[Run] = field(default_factory=list)

    def found(self, expectation: Expectation) -> bool:
        """Whether the live report holds that finding."""
        found = (
            (f["id"], f"{f['subject']['kind']}:{f['subject']['name']}") for f in self.live.findings
        )
        return any(matches(expectation, check, subject) for check, subject in found)

    def verdict(self, check: str) -> str:
        """What the live report says about a check, in a line."""
        for said in self.live.report["checks"]:
            if said["id"] == check:
                subjects = [f["subject"]["name"] for f in self.live.findings if f["id"] == check]
                return f"{said['verdict']} {said['why']} {subjects or ''}".strip()
        return "there is no such check"

    @property
    def loud(self) -> list[tuple[str, str, str]]:
        """(id, "kind:name", summary) of the findings above advice."""
        return [
            (f["id"], f"{f['subject']['kind']}:{f['subject']['name']}", f["summary"])
            for f in self.live.findings
            if f["severity"] != "advice"
        ]


def run_alone(scenario: Scenario, engine: Engine, record: Path | None) -> Outcome:
    """Build one scenario's host in a box of its own and run the tool on it."""
    with Box(engine, **scenario.box) as box:
        start(box, scenario)
        box.patience = PATIENT
        scenario.inject(box)
        box.patience = ()
        return _look(box, scenario, record)


def run_together(scenarios: Sequence[Scenario], engine: Engine, record: Path | None) -> Outcome:
    """Build shareable scenarios side by side in one box and run the tool once; one that cannot be
    built fails alone."""
    with Box(engine) as box:
        start(box, scenarios[0])
        box.patience = PATIENT
        failed = {}
        for scenario in scenarios:
            try:
                scenario.inject(box)
            except Exception as error:  # noqa: BLE001 - one broken scenario must not fail the others
                failed[scenario.name] = f"could not be built: {error}\n{_where(error)}"
        outcome = _look(box, replace(scenarios[0], args=PATIENT), record)
        outcome.failed = failed
        return outcome


def baseline(box: Box) -> None:
    """A container with nothing to find fault with."""
    healthy_container(box, "web", 8080)


def healthy_container(box: Box, name: str, port: int, *options: str) -> None:
    """Start a web server with every good practice, published on a port of the host."""
    limits = "--memory=64m --cpus=0.5 --pids-limit=64 --restart=unless-stopped"
    rights = "--read-only --cap-drop=ALL --security-opt=no-new-privileges"
    health = (
        "--health-interval=2s --health-timeout=5s --health-cmd='wget -qO- http://127.0.0.1:8080/'"
    )
    good = shlex.split(f"run -d {limits} {rights} {health}")
    box.docker(*good, f"--name={name}", f"--publish={port}:8080", *options, "shop:1.4")


def judge(scenario: Scenario, outcome: Outcome) -> None:
    """Raise SurpriseError unless the report is the one that this scenario, alone on its host,
    expects."""
    _judge_expected(scenario, outcome)
    strange = [f for f in outcome.loud if not scenario.allows(f[0], f[1])]
    if strange:
        raise SurpriseError(f"found what is not broken: {_lines(strange)}")
    if scenario.healthy and scenario.advice is not None:
        given = {f["id"] for f in outcome.live.findings}
        if given != scenario.advice:
            more, fewer = sorted(given - scenario.advice), sorted(scenario.advice - given)
            raise SurpriseError(f"advice differs: unexpected {more}, missing {fewer}")
    worst = min((_rank(f["severity"]) for f in outcome.live.findings), default=9)
    code = scenario.exit_code if scenario.exit_code is not None else {0: 2, 1: 1}.get(worst, 0)
    if outcome.live.code != code:
        unknown = [
            c["id"] for c in outcome.live.report["checks"] if c["verdict"].upper() == "UNKNOWN"
        ]
        said = "".join(f"\n  {check}: {outcome.verdict(check)}" for check in unknown) or " nothing"
        raise SurpriseError(
            f"exit code {outcome.live.code}, not {code}; unknown:{said}\n{outcome.live.err}"
        )


def judge_shared(scenario: Scenario, outcome: Outcome) -> None:
    """Raise SurpriseError unless what this scenario expects is among the findings of the shared
    host."""
    if scenario.name in outcome.failed:
        raise AssertionError(outcome.failed[scenario.name])
    _judge_expected(scenario, outcome)


def judge_rest(scenarios: Sequence[Scenario], outcome: Outcome) -> None:
    """Raise SurpriseError if a shared host's report holds a finding above advice that none of its
    scenarios explains."""
    strange = [f for f in outcome.loud if not any(s.allows(f[0], f[1]) for s in scenarios)]
    if strange:
        raise SurpriseError(f"found what is not broken: {_lines(strange)}")


def _judge_expected(scenario: Scenario, outcome: Outcome) -> None:
    unreadable = [
        (c["id"], c["why"])
        for c in outcome.live.report["checks"]
        if c["why"].startswith("unreadable answer")
    ]
    if unreadable:
        raise SurpriseError(f"a real answer was called malformed: {unreadable}")
    crashed = [
        (c["id"], c["why"])
        for c in outcome.live.report["checks"]
        if c["verdict"].upper() == "CRASHED"
    ]
    if crashed:
        raise SurpriseError(f"checks crashed: {crashed}")
    missing = [e for e in scenario.expected if not outcome.found(e)]
    if missing:
        said = "".join(
            f"\n  {check} {subject}: {outcome.verdict(check)}" for check, subject in missing
        )
        raise SurpriseError(f"not found:{said}\nfound above advice:{_lines(outcome.loud)}")
    if outcome.replayed is not None:
        changed = _changed(_essence(outcome.live.report), _essence(outcome.replayed))
        if changed:
            raise SurpriseError(f"the replayed report differs from the live one:{changed}")


def _changed(live: Mapping[str, Any], replayed: Mapping[str, Any], where: str = "") -> str:
    """What differs between two reports, a line each."""
    lines = ""
    for key in {**live, **replayed}:
        before, after = live.get(key), replayed.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            lines += _changed(before, after, f"{where}{key} ")
        elif before != after:
            lines += f"\n  {where}{key}: live {before!r}, replayed {after!r}"
    return lines


def start(box: Box, scenario: Scenario) -> None:
    """Start the engine as the scenario says, and the healthy container beside what will be
    broken."""
    if scenario.engine_started:
        config = {k: v for k, v in {**BASE_CONFIG, **scenario.config}.items() if v is not None}
        box.start_engine(*scenario.flags, config=config, env=scenario.engine_env)
        if scenario.baseline:
            baseline(box)


def _look(box: Box, scenario: Scenario, record: Path | None) -> Outcome:
    recording = f"{_RECORDING}-{box.id}"
    box.sh(f"mkdir -m 1777 {recording}")
    live = box.diagnose(
        "all",
        *("--format", "json", "--record", f"{recording}/answers"),
        *scenario.args,
        user=scenario.user,
        groups=scenario.groups,
        env=scenario.env,
    )
    # in text, as an engineer runs it: these are for the figures
    more = [box.diagnose("all", *scenario.args) for _ in range(scenario.runs - 1)]
    outcome = Outcome(live, more=more)
    recorded = box.path(f"{recording}/answers")
    if recorded.exists():
        with ExitStack() as stack:
            folder = record or box.state / "recording"
            stack.callback(shutil.rmtree, box.state / "recording", ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(recorded, folder)
            outcome.replayed = _replay(folder, _of_a_replay(scenario.args))
    return outcome


def _of_a_replay(args: Sequence[str]) -> tuple[str, ...]:
    """The arguments without `--resolve NAME`: a recording holds the names that were asked for, and
    nothing is asked again.

    On a busy machine Python may take the whole of a short budget to start; what is compared is the
    judgement.
    """
    pairs = zip(("", *args), args, strict=False)
    kept = tuple(arg for before, arg in pairs if "--resolve" not in (before, arg))
    return kept if "--budget" in kept else (*PATIENT, *kept)


def keep_expected(folder: Path, scenario: Scenario, engine: Engine, outcome: Outcome) -> None:
    """Write beside a recording what was judged of it, and of which host it is."""
    report = outcome.live.report
    findings = [
        {"key": f["key"], "severity": f["severity"], "root": f["root"]} for f in report["findings"]
    ]
    verdicts = {c["id"]: c["verdict"] for c in report["checks"]}
    expected = {
        "scenario": scenario.name,
        "engine": engine.version,
        "findings": findings,
        "verdicts": verdicts,
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def _replay(folder: Path, args: Sequence[str]) -> Mapping[str, Any]:
    done = command_line.run("all", "--from", str(folder), "--format", "json", *args)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SurpriseError(
            f"the replay gives no JSON, exit {done.returncode}:\n{done.stderr}"
        ) from None
    assert isinstance(report, dict)
    return report


def _essence(report: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal live and replayed: findings by key, and verdicts, reasons and subjects by
    check."""
    findings = {f"finding {f['key']}": f for f in report["findings"]}
    checks = {
        f"check {c['id']}": {k: v for k, v in c.items() if k != "duration_s"}
        for c in report["checks"]
    }
    profile = {name: report["host"].get(name) for name in ("id", "labels", "facts", "changed")}
    return {**findings, **checks, "profile": profile}


def _where(error: Exception) -> str:
    """The scenario's own line that failed: an assertion without a message says nothing else."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if "scenarios" in f.filename]
    return "".join(f"{Path(f.filename).name}:{f.lineno}: {f.line}" for f in own[-1:])


def _rank(severity: str) -> int:
    return ["critical", "warning", "advice"].index(severity)


def _lines(findings: Sequence[tuple[str, str, str]]) -> str:
    return (
        "".join(f"\n  {check} {subject}: {summary}" for check, subject, summary in findings)
        or " nothing"
    )
