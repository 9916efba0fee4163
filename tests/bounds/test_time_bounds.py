"""Time has bounds: what takes too long is unknown and named, and nothing else is lost."""

from __future__ import annotations

import gc
import io
import math
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from diagnose import registry
from diagnose.judgement.collection import Collection
from diagnose.judgement.deadline import TimeIsUpError, at_most
from diagnose.judgement.judge import judge_all
from diagnose.judgement.report import Run, reported
from diagnose.model import (
    Finding,
    ReportBasis,
    Result,
    Severity,
    Subject,
    Unavailable,
    Verdict,
    container,
)
from diagnose.recording.budget import Budget, TimeLimit
from diagnose.recording.recorder import Recorder, Replay
from diagnose.render import terminal
from tests.bounds.bounded import Shape, a_check

# Time


def test_a_block_ends_when_its_time_is_up() -> None:
    began = time.monotonic()
    with pytest.raises(TimeIsUpError), at_most(0.05):
        endless()
    assert time.monotonic() - began < 2


def test_a_block_that_is_quick_is_not_interrupted_later() -> None:
    with at_most(0.02):
        pass
    time.sleep(0.05)


def test_time_that_is_up_before_the_block_begins_ends_the_block_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_timer = signal.setitimer

    def slowly(which: int, seconds: float, again: float = 0.0) -> None:
        set_timer(which, seconds, again)
        time.sleep(0.01 if seconds else 0)  # a busy host: the timer fires meanwhile

    monkeypatch.setattr(signal, "setitimer", slowly)
    with pytest.raises(TimeIsUpError), at_most(0):
        endless()
    time.sleep(0.1)  # nothing runs after it
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


class Finalized:
    """An object whose finalizer takes long: Python drops what is raised in it."""

    def __del__(self) -> None:
        ends = time.monotonic() + 0.15
        while time.monotonic() < ends:
            pass


def endless_after(thing: object) -> None:
    """`thing` is finalized first."""
    del thing
    endless()


def test_a_block_ends_although_its_end_was_dropped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", dropped.append)
    began = time.monotonic()
    with pytest.raises(TimeIsUpError), at_most(0.05):
        endless_after(Finalized())
    assert dropped
    assert time.monotonic() - began < 2


def test_evidence_of_a_recording_that_takes_too_long_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow_reader(host: Any) -> Shape:
        endless()
        return Shape()

    monkeypatch.setattr(registry, "collector", lambda _kind: slow_reader)
    monkeypatch.setattr(registry, "needs_of", lambda _function: ())
    now = time.monotonic()
    collection = Collection(Replay({}), Budget(now + 0.1, now + 0.2))
    found = collection.get(Shape)
    assert isinstance(found, Unavailable)
    assert found.reason == "budget"
    assert collection.uncollected == {"Shape"}
    assert time.monotonic() - now < 2


def endless() -> None:
    while True:
        pass


def quick_work() -> None:
    return None


def slow() -> None:
    time.sleep(1)


def test_a_check_without_end_is_unknown_and_the_others_are_judged() -> None:
    checks = [a_check("test.endless", endless), a_check("test.quick")]
    now = time.monotonic()
    first, second = judge_all(checks, evidence={}, thresholds={}, budget=Budget(now, now + 0.4))
    assert time.monotonic() - now < 3
    assert (first.verdict, first.missing and first.missing.reason) == (Verdict.UNKNOWN, "budget")
    assert second.verdict is Verdict.PASSED


def test_the_checks_that_may_find_the_worst_are_judged_first() -> None:
    judged: list[str] = []
    checks = [
        a_check(f"test.{severity.name}", partial(judged.append, severity.name), severity=severity)
        for severity in Severity
    ]
    results = judge_all(checks, evidence={}, thresholds={}, budget=Budget.unlimited())
    assert judged == ["critical", "warning", "advice"]
    assert [result.check for result in results] == checks


def test_after_the_budget_a_moment_is_left_for_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, endless_one, late = (
        a_check(id, work)
        for id, work in (("test.a", quick_work), ("test.b", endless), ("test.c", slow))
    )
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 1.0)
    now = time.monotonic()
    results = judge_all(
        [quick, endless_one, late], evidence={}, thresholds={}, budget=Budget(0, now - 1)
    )
    assert [result.verdict for result in results] == [
        Verdict.PASSED,
        Verdict.UNKNOWN,
        Verdict.UNKNOWN,
    ]
    assert time.monotonic() - now < 2


def test_what_is_found_leaves_less_time_for_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagnose.judgement.judge.LEAST_S", 0.0)
    monkeypatch.setattr("diagnose.recording.budget.PRINTING_PER_FINDING_S", 10.0)
    subjects = [container(f"c{at}") for at in range(9)]
    finds = a_check("test.finds", lambda: (Finding(subject, "down", {}) for subject in subjects))
    now = time.monotonic()
    first, second = judge_all(
        [finds, a_check("test.late")], evidence={}, thresholds={}, budget=Budget(now, now + 60)
    )
    assert len(first.findings) == len(subjects)
    assert second.missing
    assert second.missing.reason == "budget"


def test_few_findings_cost_no_time_for_judging() -> None:
    budget = Budget(0, 10)
    assert budget.ends_for(300) == 10
    assert 8 < budget.ends_for(40_000) < 9.5
    assert Budget.unlimited().ends_for(40_000) == math.inf


def test_what_was_asked_leaves_less_time_before_a_bundle_is_sealed() -> None:
    asked = 300
    budget, sealed = Budget(7, 10), Budget(7, 10)
    sealed.keep_for_sealing(lambda: asked)
    assert sealed.ends_for(300) == 10
    assert budget.assembling == sealed.assembling
    asked = 8_000
    assert sealed.ends_for(16_000) < budget.ends_for(16_000) - 1
    few_left_s, many_left_s = (sealed.ends_for(findings) for findings in (16_000, 32_000))
    assert few_left_s - many_left_s == pytest.approx(1.44), "two reports hold each finding"
    assert sealed.assembling < budget.assembling


def test_each_secret_leaves_less_time_before_a_bundle_is_sealed() -> None:
    few, many = Budget(7, 10), Budget(7, 10)
    few.keep_for_sealing(lambda: 8_000, lambda: 10)
    many.keep_for_sealing(lambda: 8_000, lambda: 16_000)
    assert many.ends_for(0) < few.ends_for(0) - 0.5


def test_a_step_takes_longer_where_processors_are_busy() -> None:
    ends = time.monotonic() + 10
    assert TimeLimit(ends).allows(3, then=3)
    assert not TimeLimit(ends, slowness=4.0).allows(3)
    assert TimeLimit(0.0, slowness=4.0).allows(0.1), "a short one is done in any case"


def test_a_busy_host_keeps_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    budgets = []
    for waited in (0, 500, 100_000):
        figures = f"1000 {waited} 7\n"
        monkeypatch.setattr(
            "diagnose.recording.budget.Path", lambda _, figures=figures: FakeFile(figures)
        )
        budget = Budget.of_run(began, 10)
        budget.keep_for_reporting(began, 4000)
        budgets.append(budget)
    assert [budget.ends - began for budget in budgets] == pytest.approx([8.5, 7.75, 5.0], abs=0.1)
    quiet, busy, starved = (10 + began - budget.ends_for(10_000) for budget in budgets)
    assert quiet < busy < starved < 2


class FakeFile:
    """A file of /proc with this text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self) -> str:
        return self._text


def test_a_run_keeps_time_for_the_report_of_many_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 1.0)
    began = time.monotonic()
    few, many = Budget.of_run(began, 10), Budget.of_run(began, 10)
    few.keep_for_reporting(began, 10)
    many.keep_for_reporting(began, 8000)
    assert few.ends - began == pytest.approx(9.7, abs=0.1)
    assert many.ends - began == pytest.approx(7.3, abs=0.1)
    assert few.assembling < 0.2 < many.assembling < 1.5
    assert Budget.unlimited().left == math.inf
    assert Budget.unlimited().assembling == 0


def test_a_tiny_budget_still_asks() -> None:
    budget = Budget.of_run(time.monotonic() - 5, 0.1)
    budget.keep_for_reporting(time.monotonic() - 5, 8000)
    assert budget.left > 0.2


def test_a_busy_host_ends_what_may_take_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such moment would come on top of the last, and may last as long as others work."""
    began = time.monotonic() - 3
    quiet, busy, late = (Budget(began + 2.7, began + 3, 3) for _ in range(3))
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 1.0)
    assert quiet.at_least(60) > began + 60
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 4.0)
    assert busy.at_least(60) == began + 3.25
    busy.begin_asking()
    assert busy.ends == began + 3.25
    late.judged_by = began + 1
    (result,) = judge_all([a_check("test.a")], evidence={}, thresholds={}, budget=late)
    assert result.missing
    assert result.missing.reason == "budget"


def test_no_evidence_is_waited_for_longer_than_checks_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each level of evidence has some grace: with ten of them a run came to 0.2 s more."""
    monkeypatch.setattr("diagnose.judgement.collection.GRACE_S", 60.0)

    def slow_reader() -> Shape:
        time.sleep(1)
        return Shape()

    monkeypatch.setattr(registry, "collector", lambda _kind: slow_reader)
    monkeypatch.setattr(registry, "needs_of", lambda _function: ())
    now = time.monotonic()
    collection = Collection(Recorder(Silent(), Budget(now)), Budget(now, now + 0.1))
    assert collection.get(Shape).reason == "budget"
    assert time.monotonic() - now < 0.9


class Silent:
    """A host that is never asked."""

    def serve(self, *_: object) -> Iterator[Any]:
        raise AssertionError


def test_a_host_that_is_slow_to_load_the_tool_is_still_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 1.0)
    began = time.monotonic() - 9.9
    budget = Budget(began + 9.7, began + 10, 10)
    budget.begin_asking()
    assert budget.left == pytest.approx(0.4, abs=0.1)
    budget.keep_for_reporting(began, 10)
    assert budget.left == pytest.approx(0.4, abs=0.1)
    assert budget.judged_by - time.monotonic() == pytest.approx(0.7, abs=0.1)
    assert budget.longer == pytest.approx(4 * 10.6, abs=1)


def test_a_host_that_loads_the_tool_soon_gets_no_more_time() -> None:
    began = time.monotonic() - 2
    budget = Budget.of_run(began, 10)
    ends = budget.ends
    budget.begin_asking()
    assert (budget.ends, budget.judged_by) == (ends, began + 10)


def test_the_report_of_a_run_that_was_too_short_says_how_long_to_run() -> None:
    late = Result(
        a_check("test.late"), Verdict.UNKNOWN, missing=Unavailable("budget", "never asked")
    )
    silent = msgspec.structs.replace(late, missing=Unavailable("timed out", "no answer"))
    what = Run({"test.late": late.check}, ("test.late",))
    budget = Budget.of_run(time.monotonic(), 10)
    (note,) = reported([late, silent], ReportBasis(), what, budget=budget).notes
    assert note.startswith("1 of 2 checks had no answer within the time limit")
    assert note.endswith("--budget 40")
    assert reported([silent], ReportBasis(), what, budget=budget).notes == ()


def failing(number: int) -> list[Result]:
    """Results of a host with so many containers that were killed, ran into limits, and all stand on
    one network."""
    net = Subject("network", "shop")
    causes, effects = a_check("test.cause"), a_check("test.effect", caused_by=("test.cause",))
    subjects = [container(f"c{at}") for at in range(number)]
    return [
        Result(
            causes,
            Verdict.FOUND,
            findings=tuple(Finding(s, "down", {}, touches=(net,)) for s in subjects),
        ),
        Result(
            effects,
            Verdict.FOUND,
            findings=tuple(
                Finding(
                    s, "fails", {}, touches=(net,), calls=(subjects[at - 1],), onset=float(at % 7)
                )
                for at, s in enumerate(subjects)
            ),
        ),
    ]


def seconds_for(number: int) -> float:
    results = failing(number)
    checks = {result.check.id: result.check for result in results}
    basis = ReportBasis(stands_on={container(f"c{at}"): frozenset() for at in range(number)})
    began = time.process_time()
    report = reported(results, basis, Run(checks, tuple(checks)))
    terminal.render(report, 2, io.StringIO(), color=False, width=100)
    assert len(report.findings) == 2 * number
    return time.process_time() - began


def test_linking_and_printing_are_linear_in_the_findings() -> None:
    seconds_for(20)
    once = min(seconds_for(80) for _ in range(3))
    four_times = min(seconds_for(320) for _ in range(2))
    assert four_times < 8 * once


def test_a_long_chain_of_causes_is_no_recursion() -> None:
    """The limit is lowered, and not the chain made longer: that costs less."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        seconds_for(500)
    finally:
        sys.setrecursionlimit(usual)


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Hypothesis is called at each collection, and Python drops what is raised in such a call, the
    end of the time too."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
def test_linking_that_takes_too_long_leaves_the_findings_and_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("diagnose.judgement.report.LINKING_S", 0.0)
    results = failing(3000)
    checks = {result.check.id: result.check for result in results}
    report = reported(results, ReportBasis(), Run(checks, tuple(checks)), budget=Budget(0, 0))
    assert len(report.findings) == 6000
    assert any("time limit was reached" in note for note in report.notes)
