"""Whatever a container writes anywhere: redacted, judged and printed in time, nothing crashes, no
command takes a name for an option.

`DIAGNOSE_HOSTS` says how many hosts there are (2,000 nightly), `DIAGNOSE_SEED` which.
"""

from __future__ import annotations

import io
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.live import Live
from diagnose.model import Failed, Json, Report, Verdict
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.limits import cut
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.redact import Redactor
from diagnose.render import terminal
from diagnose.render.formats import json as json_report
from diagnose.render.formats import markdown
from tests.bounds.hostile_hosts import MADE, composed, hostile_host, made_answer, text

pytestmark = pytest.mark.fuzz

FIXTURES = Path(__file__).parents[2] / "fixtures"
HOSTS = int(os.environ.get("DIAGNOSE_HOSTS", "60"))
SEED = os.environ.get("DIAGNOSE_SEED", "1")
SHARDS = 20
RECORDED = ("demo", "broken_host.fifteen_faults@26.1")
CHECKS = registry.load()
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CPU_S = 3.0
"""For redacting, judging and printing one host; making its texts is not counted."""


def test_the_grammar_makes_long_deep_and_odd_texts() -> None:
    choice = random.Random(1)
    texts = [text(choice) for _ in range(500)]
    assert max(map(len, texts)) > 20_000
    assert any(CONTROL.search(text) for text in texts)
    assert any("{" * 200 in text for text in texts)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.timeout(1800)
def test_hostile_hosts(shard: int, say: Callable[[str], None]) -> None:
    recordings = [answer_files.read_folder(FIXTURES / name)[0] for name in RECORDED]
    slowest = 0.0
    for number in range(shard, HOSTS, SHARDS):
        name = f"{SEED} {number}"
        choice = random.Random(name)
        recording = recordings[number // SHARDS % 2]
        hostile, changed = hostile_host(
            composed(recording) if choice.random() < 0.5 else recording, choice
        )
        began = time.process_time()
        source = _MadeUp(_redacted(hostile, changed), choice)
        report = _judged(source)
        changed += [question for question in source.recording if question.kind in MADE]
        shown = _printed(report)
        spent = time.process_time() - began - source.making_s
        slowest = max(slowest, spent)
        where = f"host {name!r}: {[question.key[:80] for question in changed]}"
        assert spent < CPU_S, f"{where}: {spent:.1f} s of CPU"
        crashed = [
            (result.check.id, result.why)
            for result in report.results
            if result.verdict is Verdict.CRASHED
        ]
        assert not crashed, f"{where}: {crashed}"
        for rendered in shown:
            found = CONTROL.search(rendered)
            assert found is None, (
                f"{where}: {rendered[max(0, found.start() - 80) : found.end() + 20]!r}"
            )
    say(
        f"seed {SEED}: hosts {shard}, {shard + SHARDS} ... of {HOSTS}, slowest {slowest:.2f} s of CPU"
    )


def _redacted(
    hostile: Mapping[AnyQuestion, RecordedAnswer], changed: list[AnyQuestion]
) -> dict[AnyQuestion, RecordedAnswer]:
    """As a live run records these answers: cut and without secrets."""
    live = Live(redactor=Redactor())
    answers = dict(hostile)
    for question in dict.fromkeys(changed):  # the same list may have been changed three times
        answer = hostile[question].answer
        if not isinstance(answer, Failed):
            answers[question] = RecordedAnswer(_cleaned(live, question, answer))
    return answers


def _cleaned(live: Live, question: AnyQuestion, answer: Any) -> Any:
    return live._clean_answer(question, cut(answer, question.policy.longest))


class _MadeUp(Replay):
    """A recording that also answers the readers of users' files, of which it has nothing."""

    def __init__(
        self, recording: Mapping[AnyQuestion, RecordedAnswer], choice: random.Random
    ) -> None:
        super().__init__(recording)
        self._choice = choice
        self._live = Live(redactor=Redactor())
        self.making_s = 0.0

    def ask(self, question: AnyQuestion) -> Json | Failed:
        answer = super().ask(question)
        is_made = isinstance(answer, Failed) and question.kind in MADE
        if not is_made or self._choice.random() < 0.5:
            return answer
        began = time.process_time()
        hostile = made_answer(question, self._choice)
        self.making_s += time.process_time() - began
        made = _cleaned(self._live, question, hostile)
        self.recording[question] = RecordedAnswer(made)
        return made


def _judged(source: Replay) -> Report:
    what = engine.Run(CHECKS, tuple(CHECKS), source="bundle")
    return engine.run(source, what, began=time.monotonic(), budget=Budget(time.monotonic() + 60))


def _printed(report: Report) -> tuple[str, str]:
    shown, markup, document = io.StringIO(), io.StringIO(), io.StringIO()
    terminal.render(report, 2, shown, color=False, detail=terminal.ReportDetail(verbose=True))
    markdown.render(report, 2, markup)
    json_report.render(report, document)
    return shown.getvalue(), markup.getvalue()
