"""A recording keeps answers, and not the order in which they came: nothing may depend on that."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from diagnose import document, registry
from diagnose.judgement import engine
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from tests.recorded import FIXTURES

FAILED = 0.25
"""Of the answers, as in a run on a host whose processors are busy."""
RUNS = [
    ("broken_host.control_host@20.10", 21),
    ("broken_host.fifteen_faults@20.10", 22),
    ("broken_host.fifteen_faults@26.1", 17),
]
"""Hosts, and seeds of what fails there: which failure came first was said in each of these once."""


class Shuffled(Replay):
    """A recording whose answers come in another order than they were asked for."""

    def __init__(self, recording: Mapping[AnyQuestion, RecordedAnswer], seed: int) -> None:
        super().__init__(recording)
        self.chance = random.Random(seed)

    def ask_many(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        answers = list(super().ask_many(questions))
        self.chance.shuffle(answers)
        yield from answers


def judged(source: Replay) -> dict[str, Any]:
    """Findings and verdicts of all checks, without times."""
    known = registry.load()
    run = engine.Run(known, tuple(known))
    report = engine.run(source, run, began=0.0, budget=Budget.unlimited())
    whole = json.loads(json.dumps(document.document(report)))
    checks = {check.pop("id"): check for check in whole["checks"]}
    for check in checks.values():
        del check["duration_s"]
    return {"findings": whole["findings"], "checks": checks}


@pytest.mark.parametrize(("host", "seed"), RUNS)
def test_no_verdict_depends_on_the_order_of_answers(host: str, seed: int) -> None:
    chance = random.Random(seed)
    recording = dict(answer_files.read_folder(FIXTURES / host)[0])
    for question in recording:
        if chance.random() < FAILED:
            late = Failed("budget", f"no answer in 0.{chance.randint(1, 9)} s")
            recording[question] = RecordedAnswer(late)
    expected = judged(Replay(recording))
    whys = [str(check["why"]) for check in expected["checks"].values()]
    assert not [why for why in whys if why.startswith("unreadable answer")]
    assert judged(Shuffled(recording, seed)) == expected
