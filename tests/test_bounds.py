"""Time, memory and text have bounds: what is cut is unknown and named, and nothing else is lost."""

from __future__ import annotations

import gc
import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose import config, registry
from diagnose.judgement.collection import Collection
from diagnose.judgement.deadline import TimeIsUpError, at_most
from diagnose.judgement.judge import judge_all
from diagnose.judgement.report import Run, reported
from diagnose.live import REMOVED, Live
from diagnose.model import (
    Check,
    Finding,
    HostFacts,
    Report,
    ReportBasis,
    Result,
    Severity,
    Subject,
    Unavailable,
    Verdict,
    container,
)
from diagnose.plain_file import NotPlainError, plain_text
from diagnose.questions.containers import InspectContainer
from diagnose.questions.run import ReadClock
from diagnose.recording.answer_files import SMALL_FILE, UNREAD, RecordingError, parse
from diagnose.recording.budget import Budget
from diagnose.recording.limits import DEEPEST, TOO_DEEP, cut
from diagnose.recording.recorder import Replay
from diagnose.render import json as json_report
from diagnose.render import terminal
from tests.hosts import Made


def a_check(id: str, function: Any = lambda: None, **options: Any) -> Check:
    return Check(
        id, "title", Severity.critical, function, (), (), options.get("caused_by", ()), (), False
    )


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
    time.sleep(0.1)  # nothing goes on behind it
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


def test_a_block_ends_although_its_end_was_dropped_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    first, second = judge_all(checks, {}, {}, Budget(now, now + 0.4))
    assert time.monotonic() - now < 3
    assert (first.verdict, first.missing and first.missing.reason) == (Verdict.UNKNOWN, "budget")
    assert second.verdict is Verdict.PASSED


def test_after_the_budget_a_moment_is_left_for_judging() -> None:
    quick, endless_one, late = (
        a_check(id, work)
        for id, work in (("test.a", quick_work), ("test.b", endless), ("test.c", slow))
    )
    now = time.monotonic()
    results = judge_all([quick, endless_one, late], {}, {}, Budget(0, now - 1))
    assert [result.verdict for result in results] == [
        Verdict.PASSED,
        Verdict.UNKNOWN,
        Verdict.UNKNOWN,
    ]
    assert time.monotonic() - now < 2


def test_a_run_keeps_time_for_the_report_of_many_containers() -> None:
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


def test_a_host_that_is_slow_to_load_the_tool_is_still_asked() -> None:
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
        a_check("test.late"),
        Verdict.UNKNOWN,
        missing=Unavailable("budget", "never asked"),
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


# Text


def test_long_texts_are_cut_and_the_rest_is_the_same() -> None:
    answer = {
        "Id": "a",
        "State": {"Error": "x" * 100},
        "Labels": {"y" * 50: "z"},
        "List": ["short"],
    }
    shorter = cut(answer, 20)
    assert shorter["State"]["Error"] == "x" * 20 + " [cut: 80 more characters]"
    assert list(shorter["Labels"].values()) == ["z"]
    assert shorter["List"] is answer["List"]


def test_what_is_short_stays_the_same_object() -> None:
    answer = {"a": [1, {"b": "c"}], "d": None}
    assert cut(answer, 20) is answer


def test_what_is_nested_too_deep_is_cut_there() -> None:
    answer: Any = "end"
    for _ in range(5000):
        answer = [answer]
    shorter = cut(answer, 20)
    for _ in range(DEEPEST):
        (shorter,) = shorter
    assert shorter == TOO_DEEP


class Stumbling:
    """A redactor that cannot search one text."""

    def answer(self, kind: str, args: Any, value: Any) -> Any:
        if "evil" in json.dumps(value):
            raise RecursionError
        return value

    def text(self, text: str) -> str:
        return text


def test_a_text_that_cannot_be_searched_for_secrets_costs_itself_alone() -> None:
    live = Live(redactor=Stumbling())  # type: ignore[arg-type]
    listed = [{"Id": "a", "Labels": {"x": "evil", "y": "good"}}, {"Id": "b", "Names": ["/b"]}]
    assert live._clean(InspectContainer("a"), listed) == [
        {"Id": "a", "Labels": {"x": REMOVED, "y": "good"}},
        {"Id": "b", "Names": ["/b"]},
    ]


class Shape:
    """Made evidence."""


def test_an_answer_of_another_shape_is_named_without_internals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reader(host: Any) -> Shape:
        host.ask(InspectContainer("a"))["State"]["Pid"]
        return Shape()

    reader.__annotations__ = {"host": "Any", "return": Shape}
    monkeypatch.setitem(registry._evidence, Shape, reader)
    found = Collection(Made({"api.container": {"State": []}}), Budget.unlimited()).get(Shape)
    assert isinstance(found, Unavailable)
    assert (
        found.detail == "docker inspect of a container has a shape that this version does not know"
    )


HOSTILE_TOML = {
    "a key of thousands of parts": (".".join(["a"] * 50_000) + "=1", "more than 200 dots"),
    "nested lists": ("a=" + "[" * 100_000 + "]" * 100_000, "nested too deep"),
    "a number of thousands of digits": ("a=" + "9" * 5000, "5000 digits"),
    "no UTF-8": ("a='\udcff'", "decode"),
}


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_a_hostile_configuration_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    text, reason = HOSTILE_TOML[name]
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    began = time.process_time()
    with pytest.raises(config.ConfigError, match=reason):
        config.load(path)
    assert time.process_time() - began < 2


# Reading a recording


def test_answers_that_were_not_read_in_time_are_named() -> None:
    wide = "x" * 2 * SMALL_FILE
    texts = [
        ("answers/api.container.json", json.dumps([{"args": {"id": "a"}, "answer": wide}])),
        ("answers/now.json", '[{"args": {}, "answer": {"unix": 1.0}}]'),
    ]
    late = parse(texts, ends=time.monotonic())
    assert late[InspectContainer("a")].answer == UNREAD
    assert late[ReadClock()].answer == {"unix": 1.0}
    in_time = parse(texts, ends=time.monotonic() + 60)
    assert in_time[InspectContainer("a")].answer != UNREAD


def test_rows_that_nest_too_deep_are_cut_when_they_are_read() -> None:
    row = '{"args": {"id": "a"}, "answer": ' + "[" * 100 + "]" * 100 + "}"
    answer = parse([("answers/api.container.json", f"[{row}]")])[InspectContainer("a")].answer
    for _ in range(DEEPEST):
        (answer,) = answer  # type: ignore[misc]
    assert answer == TOO_DEEP


# Memory


def test_a_recording_with_more_values_than_memory_holds_is_refused_at_once() -> None:
    text = '[{"args":{},"answer":[' + '{"a":1},' * 700_000 + "{}]}]"
    began = time.process_time()
    with pytest.raises(RecordingError, match="more values"):
        parse([("answers/api.info.json", text)])
    assert time.process_time() - began < 1


@pytest.mark.parametrize("what", ["/dev/zero", "a pipe", "a folder"])
def test_only_plain_files_are_read(what: str, tmp_path: Path) -> None:
    path = Path(what)
    if what == "a pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    elif what == "a folder":
        path = tmp_path
    with pytest.raises((NotPlainError, OSError)):
        plain_text(path, 100, follow=True)
    with pytest.raises(config.ConfigError):
        config.load(path)


def test_a_configuration_has_a_bounded_size(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    path.write_text("#" * (config.LARGEST + 1))
    with pytest.raises(config.ConfigError, match="larger than 1 MiB"):
        config.load(path)


def test_a_folder_that_cannot_be_read_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(folder: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(config, "_files", forbidden)
    notes = config.load(None).notes
    assert f"configuration in {config.SYSTEM} was not read: Permission denied" in notes


# Words


def report(**options: Any) -> Report:
    given = {"findings": (), "results": (), **options}
    return Report("1", HostFacts("shop", "6.1", None), 0.0, 0.5, "live", **given)


def first_line(report: Report, code: int) -> str:
    stream = io.StringIO()
    terminal.render(report, code, stream, color=False, width=200)
    return stream.getvalue().splitlines()[0]


PASSED = Result(a_check("test.a"), Verdict.PASSED)
BLIND = Result(
    a_check("test.b"),
    Verdict.UNKNOWN,
    why="forbidden: as root",
    missing=Unavailable("forbidden", "as root"),
)


def test_a_run_without_the_container_list_does_not_read_like_health() -> None:
    line = first_line(report(results=(PASSED, BLIND)), 3)
    assert "nothing" not in line
    assert "not fully examined, the containers could not be listed" in line


def test_exit_3_does_not_read_like_health() -> None:
    line = first_line(report(results=(PASSED, BLIND), container_names={}), 3)
    assert line.startswith(
        "UNKNOWN shop: not fully examined: 1 check passed, 1 could not be judged"
    )


def test_json_escapes_what_a_terminal_obeys() -> None:
    finding = Finding(
        container("a"), "x\x9b31m\x7f\u202etxt\u2066", {"State.Error": "\x00\x1b\u009b"}
    )
    results = [Result(a_check("container.crashed"), Verdict.FOUND, findings=(finding,))]
    checks = {result.check.id: result.check for result in results}
    stream = io.StringIO()
    json_report.render(reported(results, ReportBasis(), Run(checks, tuple(checks))), stream)
    assert not any(char in stream.getvalue() for char in "\x9b\x7f\u202e\u2066\x00\x1b")
    assert json.loads(stream.getvalue())["findings"][0]["summary"] == finding.summary
