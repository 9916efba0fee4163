"""A recording of a run that had too little time says what the run said, and nothing else."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose import document, registry, session
from diagnose.config import Config
from diagnose.judgement import collection as collecting
from diagnose.judgement import engine
from diagnose.model import Failed, Json, Report
from diagnose.questions import AnyQuestion, Lane
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Recorder, Replay
from tests.hosts import Made
from tests.recorded import FIXTURES

HOST = FIXTURES / "broken_host.fifteen_faults@20.10"
SEEDS = [0, 1, 2, 3, *(pytest.param(seed, marks=pytest.mark.fuzz) for seed in range(4, 12))]
"""Four runs with each change; each is two judgements of a whole host."""


class Slow:
    """A recorded host whose answers take a while."""

    def __init__(self, folder: Path, chance: random.Random, mean_s: float) -> None:
        self.replay = Replay(answer_files.read_folder(folder)[0])
        self.chance = chance
        self.mean_s = mean_s

    def serve(
        self, _lane: Lane, pull: Callable[[], AnyQuestion | None]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        while (question := pull()) is not None:
            time.sleep(self.chance.expovariate(1 / self.mean_s))
            yield question, self.replay.ask(question)


def essence(report: Report) -> dict[str, Any]:
    """What must be equal live and replayed."""
    whole = json.loads(json.dumps(document.document(report)))
    checks = [
        {name: value for name, value in check.items() if name != "duration_s"}
        for check in whole["checks"]
    ]
    return {"findings": whole["findings"], "checks": checks, "uncollected": report.uncollected}


def replayed(folder: Path) -> Report:
    """The report of a recording, with all the time that it needs."""
    known = registry.load()
    recorded = session.replay(folder, known, tuple(known), Config(), explicit=False)
    return engine.run(recorded.source, recorded.run, began=0.0, budget=Budget.unlimited())


def hurried(
    folder: Path, chance: random.Random, *, answer_s: float, ends: float, judged_by: float
) -> Report:
    """The report of a slow host in a run that has so many seconds; its recording is in `folder`."""
    known = registry.load()
    now = time.monotonic()
    budget = Budget(now + ends, now + judged_by, judged_by)
    recorder = Recorder(Slow(HOST, chance, answer_s), budget)
    what = engine.Run(known, tuple(known))
    report = engine.run(recorder, what, began=now, budget=budget)
    head = session.manifest(report, what.thresholds)
    answer_files.write_folder(folder, recorder.recording, head)
    return report


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_says_what_a_hurried_run_said(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some evidence is given up, some checks are not judged, and some causes are not proven.

    The seed says how much.
    """
    chance = random.Random(seed)
    wait_s = chance.choice([0.0, 0.03, 0.1, 0.4])
    collected = collecting.Collection._outcome

    def slowly(self: collecting.Collection, *needs: Any) -> Any:
        value = collected(self, *needs)
        if self.waits and wait_s:
            time.sleep(chance.expovariate(1 / wait_s))
        return value

    monkeypatch.setattr(collecting.Collection, "_outcome", slowly)
    ends = chance.uniform(0.02, 0.8)
    judged_by = ends + chance.uniform(0, 0.3)
    answer_s = chance.choice([0.0002, 0.001, 0.005])
    live = hurried(tmp_path, chance, answer_s=answer_s, ends=ends, judged_by=judged_by)
    assert essence(replayed(tmp_path)) == essence(live)


class Needed(msgspec.Struct, frozen=True):
    """Evidence that comes late."""


def test_evidence_that_one_reader_gave_up_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording says that it was given up; it cannot say who had it after that."""

    def late() -> Needed:
        time.sleep(0.2)
        return Needed()

    monkeypatch.setattr(registry, "collector", lambda _kind: late)
    monkeypatch.setattr(registry, "needs_of", lambda _function: ())
    collection = collecting.Collection(Made({}), Budget(time.monotonic()))
    first = collection.get(Needed)
    assert str(first) == "not enough time: the needed evidence was not collected"
    time.sleep(0.4)
    assert collection.get(Needed) == first
    assert collection.collected == {Needed: first}
