"""Proves runbook pages in a closed loop: break a host, diagnose, follow the page's own text,
diagnose again.

`cure` returns a `Cure` per scenario. The page is filled with the finding's variables. All `confirm`
blocks must show something, the `fix` blocks are run in the order of their risk until the finding is
gone, `verify` must succeed, and nothing that is marked safe may end, restart or remove anything.

A page heals by its own text, or by an equivalent: a block marked `manual` is run only where all
that the box lacks for it is systemd (`stand_in.sh` stands for it, and the result says so). What a
person does by hand is in `by_hand.py`, as a script.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from diagnose import registry, runbooks
from diagnose.model import Report, Severity, Trait
from diagnose.questions.run import Options
from diagnose.session import diagnose
from tests.lab.box import LOG, PROJECT, Box
from tests.lab.cures.by_hand import AFTERWARDS, BY_HAND, FIRST, SLOW_S, UNPROVABLE, ByHand
from tests.lab.cures.harm import harm_done, host_state
from tests.lab.engines import Engine
from tests.lab.faults import Expectation, Scenario, matches
from tests.lab.runner import start

CAUSE = "its cause removed by hand"
_MAY_BE_SILENT = re.compile(r"\bnothing\b|\bno (?:lines?|output)\b", re.IGNORECASE)
"""How a page says that a command which prints nothing tells something too."""
HOW = Literal["own text", "own text, systemd stood in for", "equivalent", "unproven"]
BIN = "/opt/lab/bin"
"""Where a box has what its pages call and the machine does not bring."""
_PATIENCE = 2
UNHURRIED = ("--budget", "40")
"""A machine that runs many boxes is slow, and a cure is not a question of speed."""


@dataclass
class Cure:
    """What became of one scenario's page: how it healed, by which blocks, and every complaint about
    its text."""

    scenario: str
    id: str
    how: HOW = "unproven"
    engine: str = ""
    steps: list[str] = field(default_factory=list)
    severity: str = ""
    healed_by: str = ""
    """The text of the page's block that ended it; empty where the last step was not a block."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the finding filled its page with."""
    docker: str = "docker"
    traits: Sequence[str] = ()
    """Those of the host, systemd apart, which a stand-in gives to every box."""
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Action:
    """One thing to do for one finding: a block of its page, or what is done by hand in its
    place."""

    name: str
    what: ByHand
    block: runbooks.CommandBlock | None


@dataclass
class Patient:
    """A finding on the way to its cure. effects: the keys of what it causes, which must be gone as
    well."""

    cure: Cure
    key: str
    effects: frozenset[str]
    loud: bool
    page: runbooks.Page
    variables: Mapping[str, str]
    docker: str
    plan: list[Action]
    last: runbooks.CommandBlock | None = None
    equivalent: bool = False
    stood_in: bool = False

    def filled(self, text: str) -> str:
        return runbooks.fill(text, self.variables, self.docker)


def cure(scenarios: Sequence[Scenario], engine: Engine) -> list[Cure]:
    """Break one host in these ways (one alone may have a host of its own), and heal it, a block of
    each page a round."""
    with Box(engine, **scenarios[0].box) as box:
        equip(box)
        start(box, scenarios[0])
        if scenarios[0].engine_started:
            note_units(box)
            box.image("bb:1.36")
        cures = [
            Cure(scenario.name, scenario.expected[0][0], engine=engine.name)
            for scenario in scenarios
        ]
        box.patience = UNHURRIED
        for scenario, cure in zip(scenarios, cures, strict=True):
            try:
                scenario.inject(box)
            except Exception as error:  # noqa: BLE001 - one broken scenario must not fail the others
                cure.complaints.append(f"could not be built: {error}")
        box.patience = ()
        report = _diagnosed(box, scenarios[0])
        admitted = [
            admit(scenario, cure, report) for scenario, cure in zip(scenarios, cures, strict=True)
        ]
        patients = [patient for patient in admitted if patient is not None]
        for patient in patients:
            _confirm(box, patient)
        found = treat(box, patients)
        _judge_afterwards(box, scenarios, cures, found)
        return cures


def _diagnosed(box: Box, scenario: Scenario) -> Report:
    """The live report as the tool's own values, which hold what a page is filled with."""
    recording = f"/tmp/cure-{box.id}"
    box.sh(f"mkdir -m 1777 {recording}")
    live = box.diagnose("all", "--format", "json", "--record", f"{recording}/answers", *UNHURRIED, *scenario.args,
                        user=scenario.user, groups=scenario.groups, env=scenario.env)  # fmt: skip
    assert live.report, "a report, or the tool's own words about what went wrong"
    copy = box.state / "cure-recording"
    shutil.copytree(box.path(f"{recording}/answers"), copy)
    try:
        known = registry.load()
        return diagnose(lambda: known, None, Options(source=copy), began=time.monotonic())
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def admit(scenario: Scenario, cure: Cure, report: Report) -> Patient | None:
    if cure.complaints:
        return None
    finding = next(
        (f for f in report.findings if matches(scenario.expected[0], f.id, str(f.subject))), None
    )
    if finding is None:
        cure.complaints.append("not found at all")
        return None
    cure.variables, cure.docker = dict(finding.finding.variables), report.docker
    cure.severity = str(finding.severity)
    cure.traits = sorted(report.traits - {"systemd"})
    page = runbooks.page(cure.id)
    systemd: frozenset[Trait] = frozenset({"systemd"})
    traits = report.traits | systemd  # the box has none, and a stand-in for systemctl
    page = replace(
        page,
        blocks=tuple(
            block for block in page.blocks if block.suits(finding.finding.variables, traits)
        ),
    )
    plan = _plan(page, BY_HAND.get(cure.id))
    if cure.scenario in FIRST:
        plan.insert(0, Action(CAUSE, FIRST[cure.scenario], None))
    loud = finding.severity > Severity.advice
    effects = frozenset(
        effect.key
        for effect in report.findings
        if effect.severity > Severity.advice
        and any(link.cause == finding.key for link in effect.causes)
    )
    return Patient(
        cure, finding.key, effects, loud, page, finding.finding.variables, report.docker, plan
    )


def _plan(page: runbooks.Page, by_hand: ByHand | None) -> list[Action]:
    """The page's fixes, least risk first; what is done by hand comes before the first that a person
    must complete."""
    plan = []
    blocks = sorted(page.of("fix"), key=lambda block: runbooks.RISKS.index(block.risk))
    for number, block in enumerate([*blocks, None], 1):
        if by_hand is not None and (block is None or block.manual):
            plan.append(Action("by hand", by_hand, None))
            by_hand = None
        if block is not None and (not block.manual or "systemctl " in block.text):
            stood_in = " with systemd stood in for" if block.manual else ""
            plan.append(Action(f"fix {number}, {block.risk}{stood_in}", block.text, block))
    return plan


def _confirm(box: Box, patient: Patient) -> None:
    for number, block in enumerate(patient.page.of("confirm"), 1):
        is_answer = block.may_fail or _MAY_BE_SILENT.search(block.impact)
        if not block.manual and not is_answer:
            done = _type(box, patient.filled(block.text))
            if done.returncode != 0 or not (done.stdout + done.stderr).strip():
                said = f"confirm {number} shows nothing (exit {done.returncode}): {_short(done)}"
                patient.cure.complaints.append(said)


def treat(box: Box, patients: Sequence[Patient]) -> list[dict[str, Any]]:
    """Rounds of one action each, until all are healed or nothing is left to do; returns the last
    diagnosis' findings."""
    open_cases = list(patients)
    found: list[dict[str, Any]] = []
    while open_cases:
        for case in open_cases:
            if case.plan:
                _act(box, case, case.plan.pop(0))
        time.sleep(max((SLOW_S.get(case.cure.scenario, 0.0) for case in open_cases), default=0.0))
        found = _discharge(box, open_cases)
        open_cases = [case for case in open_cases if case.cure.how == "unproven"]
        if open_cases and not any(case.plan for case in open_cases):
            time.sleep(2)  # what was started last may need a moment
            found = _discharge(box, open_cases)
            break
    for case in patients:
        if case.cure.how == "unproven" and case.cure.scenario not in UNPROVABLE:
            case.cure.complaints.append(
                f"not healed by {', '.join(case.cure.steps) or 'anything: nothing can be run'}"
            )
    return found


def _act(box: Box, patient: Patient, action: Action) -> None:
    cure, block = patient.cure, action.block
    patient.last = block
    before = host_state(box) if block is not None and block.risk == "safe" else None
    cure.steps.append(action.name)
    failed = _failure(box, patient, action)
    if failed:
        cure.complaints.append(f"{action.name} fails: {failed}")
    if before is not None:
        cure.complaints += [
            f"{action.name} is not a safe one: {harm}"
            for harm in harm_done(before, host_state(box))
        ]
    patient.equivalent = patient.equivalent or (block is None and action.name != CAUSE)
    restarts = block is not None and "diagnose repair" in block.text and block.risk != "safe"
    patient.stood_in = patient.stood_in or restarts or bool(block and block.manual)


def _failure(box: Box, patient: Patient, action: Action) -> str:
    """Take the action; why it failed, "" where it did not."""
    if not isinstance(action.what, str):
        try:
            action.what(box)
        except Exception as error:  # noqa: BLE001 - the other patients go on
            return str(error)
        return ""
    done = _type(box, patient.filled(action.what))
    is_by_hand = action.block is not None and action.block.manual
    return _short(done) if done.returncode != 0 and not is_by_hand else ""


def _discharge(box: Box, open_cases: Sequence[Patient]) -> list[dict[str, Any]]:
    """Diagnose again; who is found no more is healed, and the page's verification must say so
    too."""
    report = box.diagnose("all", "--format", "json", *UNHURRIED).report
    keys = {f["key"] for f in report["findings"]}
    mild = {f["key"] for f in report["findings"] if f["severity"] == "advice"}
    verdicts = {c["id"]: c["verdict"] for c in report["checks"]}
    for case in open_cases:
        ill = keys - mild if case.loud else keys
        if (
            case.key in ill
            or case.effects & ill
            or verdicts[case.cure.id] in ("unknown", "crashed")
        ):
            continue
        by_hand = case.equivalent or case.cure.steps == [CAUSE]
        own_text: HOW = "own text, systemd stood in for" if case.stood_in else "own text"
        case.cure.how = "equivalent" if by_hand else own_text
        case.cure.healed_by = case.last.text if case.last is not None else ""
        case.cure.complaints += _failed_verifications(box, case)
    return list(report["findings"])


def _failed_verifications(box: Box, case: Patient) -> Iterator[str]:
    for number, block in enumerate(case.page.of("verify"), 1):
        if block.manual:
            continue
        done = _type(box, case.filled(block.text))
        if done.returncode != 0:
            yield f"verify {number} fails though it is found no more: {_short(done)}"


def _judge_afterwards(
    box: Box,
    scenarios: Sequence[Scenario],
    cures: Sequence[Cure],
    findings: Sequence[Mapping[str, Any]],
) -> None:
    """The host must be well again; what cannot be, because a cure leaves it so, is declared."""
    allowed: list[Expectation] = []
    for scenario, followed in zip(scenarios, cures, strict=True):
        allowed += AFTERWARDS.get(scenario.name, ())
        if followed.how == "unproven":
            allowed += [*scenario.expected, *scenario.also]
    for _ in range(_PATIENCE):
        if not _left(findings, allowed):
            return
        time.sleep(2)
        findings = box.diagnose("all", "--format", "json", *UNHURRIED).findings
    left = _left(findings, allowed)
    if left:
        cures[0].complaints.append(
            "the host is not well afterwards:" + "".join(f"\n    {finding}" for finding in left)
        )


def _left(findings: Sequence[Mapping[str, Any]], allowed: Sequence[Expectation]) -> list[str]:
    named = [
        (f["id"], f"{f['subject']['kind']}:{f['subject']['name']}", f)
        for f in findings
        if f["severity"] != "advice"
    ]
    return [
        f"{id} {name}: {f['summary']}"
        for id, name, f in named
        if not any(matches(e, id, name) for e in allowed)
    ]


def _type(box: Box, text: str) -> Any:
    """Run a block as an administrator types it."""
    path = f"{BIN}:{box.engine.path}"
    return box.run(["sh", "-c", text], check=False, timeout=120, env={"PATH": path}, cwd="/root")


def equip(box: Box) -> None:
    """Give the box what its pages call and it lacks: the tool by its name, systemctl, service and
    journalctl."""
    here = Path(__file__).parent
    box.write(f"{BIN}/systemctl", (here / "stand_in.sh").read_text(), 0o755)
    box.write(f"{BIN}/service", '#!/bin/sh\nexec systemctl "$2" "$1"\n', 0o755)
    box.write(f"{BIN}/journalctl", f"#!/bin/sh\ncat {LOG}\n", 0o755)
    tool = f'#!/bin/sh\ncd {shlex.quote(str(PROJECT))} && exec {shlex.quote(sys.executable)} -m diagnose "$@"\n'
    box.write(f"{BIN}/diagnose", tool, 0o755)
    box.write("/run/lab/environment", f"PATH={shlex.quote(box.engine.path)}\n")


def note_units(box: Box) -> None:
    """Have the stand-in for systemctl note how the engine runs now, so that it can start it so
    again."""
    box.run([f"{BIN}/systemctl", "note", "docker", "containerd"])


def _short(done: Any) -> str:
    return re.sub(r"\s+", " ", (done.stderr or done.stdout).strip())[-300:]
