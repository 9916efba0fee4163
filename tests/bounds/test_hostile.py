"""Hostile and broken answers: whatever one answer says, nothing crashes, nothing hangs, and no
control character is printed.

Real answers of a recorded host are mutated one at a time; only the evidence and the checks that
stand on the mutated answer are asked again, so that a run of the tests judges more than 20,000 of
them. The seed is printed; another $DIAGNOSE_SEED gives other mutations.
"""

from __future__ import annotations

import copy
import io
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.judgement.collection import Broken, Collection
from diagnose.judgement.judge import judge
from diagnose.judgement.report import reported
from diagnose.judgement.tracking_host import TrackingHost
from diagnose.model import Failed, ReportBasis, Result, Verdict
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.render import terminal
from diagnose.render.formats import json as json_report
from diagnose.render.formats import markdown

pytestmark = pytest.mark.fuzz

FIXTURES = Path(__file__).parents[2] / "fixtures"
MUTATIONS = 20_500
SEED = os.environ.get("DIAGNOSE_SEED", "1")
CHECKS = registry.load()
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SLOW_S = 5.0

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 1e308, 0.5, "", " ", "\x1b[31mred\x1b[0m", "\x07\x00", "a" * 5000,
    "[bold red]markup[/bold red]", "$(reboot)", "`id`", "'; rm -rf /; '", "-rf", "a\nb", "\u202egnp.exe", "{name}", "%s%n",
    [], [None], [[]], {}, {"": None}, "0001-01-01T00:00:00Z", "9999-99-99", "NaN", "../../etc/passwd", "::1/999", "256.1.1.1",
)  # fmt: skip
REASONS = (
    "refused",
    "forbidden",
    "missing",
    "timed out",
    "budget",
    "gone",
    "remote",
    "malformed",
    "too large",
    "not recorded",
    "shed",
)


def _recording() -> dict[AnyQuestion, RecordedAnswer]:
    entries, _ = answer_files.read_folder(FIXTURES / "demo")
    return entries


RECORDING = _recording()
KINDS = sorted({question.kind for question in RECORDING})


class Asked(Replay):
    """A recording that notes which questions it was asked."""

    def __init__(self, entries: dict[AnyQuestion, RecordedAnswer]) -> None:
        super().__init__(entries)
        self.questions: set[AnyQuestion] = set()

    def ask(self, question: AnyQuestion) -> Any:
        self.questions.add(question)
        return super().ask(question)


class Known(Collection):
    """A collection whose needs are there already."""

    def __init__(self, host: Replay, values: dict[type, Any]) -> None:
        super().__init__(host, Budget.unlimited())
        self.values = values

    def get(self, kind: type) -> Any:
        return self.values[kind]

    def collect(self, kind: type) -> Any:
        function = registry.collector(kind)
        needs = dict.fromkeys(registry.needs_of(function))
        return self._outcome(function, needs, TrackingHost(self.host))


def _order() -> list[type]:
    """All evidence kinds that any check or the report stands on, each after those that it stands on
    itself."""
    ordered: dict[type, None] = {}

    def add(kind: type) -> None:
        if kind not in ordered:
            for need in registry.needs_of(registry.collector(kind)):
                add(need.kind)
            ordered[kind] = None

    for check in CHECKS.values():
        for need in check.needs:
            add(need.kind)
    add(ReportBasis)
    return list(ordered)


ORDER = _order()


@pytest.fixture(scope="module")
def base() -> tuple[dict[type, Any], dict[type, set[AnyQuestion]]]:
    """The evidence of the recorded host as it is, and what each kind asked for."""
    values: dict[type, Any] = {}
    asked: dict[type, set[AnyQuestion]] = {}
    for kind in ORDER:
        host = Asked(RECORDING)
        values[kind] = Known(host, values).collect(kind)
        asked[kind] = host.questions
        assert not isinstance(values[kind], Broken), values[kind].error
    return values, asked


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value[:50]):
            yield from _places(child, (*path, index))


def mutated(answer: Any, places: list[tuple[Any, ...]], rng: random.Random) -> Any:
    """The answer with one to three places broken: replaced, removed, doubled, nested."""
    whole = copy.deepcopy(answer)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(places)
        hostile = copy.deepcopy(rng.choice(HOSTILE))
        if not path:
            return hostile
        holder = whole
        try:
            for step in path[:-1]:
                holder = holder[step]
            act = rng.randrange(6)
            if act == 0:
                del holder[path[-1]]
            elif act == 1 and isinstance(holder, list):
                holder.extend(copy.deepcopy(holder))
            elif act == 2:
                holder[path[-1]] = [holder[path[-1]]]
            elif act == 3 and isinstance(holder[path[-1]], str):
                cut = rng.randrange(len(holder[path[-1]]) + 1)
                text = hostile if isinstance(hostile, str) else "\x1b]0;x\x07"
                holder[path[-1]] = holder[path[-1]][:cut] + text + holder[path[-1]][cut:]
            else:
                holder[path[-1]] = hostile
        except (KeyError, IndexError, TypeError):
            continue  # an earlier break of this answer took the place away
    return whole


def _standing_on(changed: Iterable[type]) -> set[type]:
    found = set(changed)
    for kind in ORDER:
        if any(need.kind in found for need in registry.needs_of(registry.collector(kind))):
            found.add(kind)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(900)
def test_no_answer_breaks_anything(
    kind: str,
    base: tuple[dict[type, Any], dict[type, set[AnyQuestion]]],
    say: Callable[[str], None],
) -> None:
    values, asked = base
    rng = random.Random(f"{SEED} {kind}")
    questions = sorted(
        (question for question in RECORDING if question.kind == kind),
        key=lambda question: question.key,
    )
    places = {
        q: list(_places(RECORDING[q].answer))
        for q in questions
        if not isinstance(RECORDING[q].answer, Failed)
    }
    count = -(-MUTATIONS // len(KINDS))
    say(f"seed {SEED}: {count} mutated answers to {kind}")
    for number in range(count):
        question = rng.choice(questions)
        if question in places and rng.random() > 0.03:
            answer = mutated(RECORDING[question].answer, places[question], rng)
        else:
            answer = Failed(rng.choice(REASONS), "\x1b[2J made to hurt")  # type: ignore[arg-type]
        _judge(question, answer, values, asked, render=number % 8 == 0)


def _judge(
    question: AnyQuestion,
    answer: Any,
    values: dict[type, Any],
    asked: dict[type, set[AnyQuestion]],
    *,
    render: bool,
) -> None:
    began = time.process_time()
    host = Replay({**RECORDING, question: RecordedAnswer(answer)})
    affected = _standing_on(kind for kind, questions in asked.items() if question in questions)
    now = dict(values)
    for kind in ORDER:
        if kind in affected:
            now[kind] = Known(host, now).collect(kind)
            assert not isinstance(now[kind], Broken), f"{question.key}: {now[kind].error}"
    results = []
    for check in CHECKS.values():
        if any(need.kind in affected for need in check.needs):
            result = judge(check, now, {})
            assert result.verdict is not Verdict.CRASHED, (
                f"{question.key}: {check.id}: {result.why}"
            )
            results.append(result)
    if render:
        _render(results, now, question)
    assert time.process_time() - began < SLOW_S, f"{question.key} took long"


def _render(results: list[Result], now: dict[type, Any], question: AnyQuestion) -> None:
    what = engine.Run(CHECKS, tuple(result.check.id for result in results))
    basis = now[ReportBasis]
    report = reported(results, basis if isinstance(basis, ReportBasis) else ReportBasis(), what)
    text, markup, document = io.StringIO(), io.StringIO(), io.StringIO()
    terminal.render(report, 2, text, color=False, detail=terminal.ReportDetail(verbose=True))
    markdown.render(report, 2, markup)
    json_report.render(report, document)
    for rendered in (text, markup):
        found = CONTROL.search(rendered.getvalue())
        assert found is None, (
            f"{question.key}: {rendered.getvalue()[max(0, found.start() - 80) : found.end() + 20]!r}"
        )
