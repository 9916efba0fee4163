"""The Recorder: single flight, deadlines, the budget, the recording; and the Replay of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion, Lane
from diagnose.questions.question import policies
from diagnose.questions.question import recorded as as_recorded
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Recorder, Replay
from tests.hosts import Made
from tests.questions import question


def recorder(answers, seconds: float = 5.0) -> tuple[Recorder, Made]:
    host = Made(answers)
    return Recorder(host, Budget(time.monotonic() + seconds)), host


def test_each_question_is_asked_once_also_from_many_threads():
    def slow(_: AnyQuestion):
        time.sleep(0.05)
        return {"wall": 1.0, "boot_wall": 0.0}

    recorded, host = recorder({"now": slow})
    got: list[object] = []
    threads = [
        threading.Thread(target=lambda: got.append(recorded.ask(question("now")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [{"wall": 1.0, "boot_wall": 0.0}] * 8
    assert len(host.asked) == 1


def test_failures_are_remembered_too():
    recorded, host = recorder({"memory": Failed("forbidden", "no")})
    assert (
        recorded.ask(question("memory"))
        == recorded.ask(question("memory"))
        == Failed("forbidden", "no")
    )
    assert len(host.asked) == 1


def test_an_answer_after_its_deadline_is_dropped_and_the_lane_goes_on(monkeypatch):
    kind = policies()["sysctl"]
    monkeypatch.setitem(policies(), "sysctl", replace(kind, deadline=0.1))
    release = threading.Event()

    def stuck(_: AnyQuestion):
        release.wait(20)
        return {"late": "true"}

    recorded, _ = recorder({"sysctl": stuck, "memory": {"MemTotal": 1}})
    began = time.monotonic()
    answers = dict(
        recorded.ask_many([as_recorded("sysctl", {"names": [str(n)]}) for n in range(3)])
    )
    assert time.monotonic() - began < 10
    assert {answer.reason for answer in answers.values()} == {"timed out"}
    assert recorded.ask(question("memory")) == {"MemTotal": 1}
    release.set()
    time.sleep(0.05)
    assert all(
        isinstance(entry.answer, Failed)
        for q, entry in recorded.recording.items()
        if q.kind == "sysctl"
    )


def test_the_budget_ends_everything():
    def endless(_: AnyQuestion):
        time.sleep(5)

    recorded, _ = recorder({"api.container": endless}, seconds=0.2)
    began = time.monotonic()
    answers = dict(recorded.ask_many([question("api.container", id=str(n)) for n in range(20)]))
    assert time.monotonic() - began < 4
    assert {answer.reason for answer in answers.values()} == {"budget"}
    assert sum("not asked" in answer.detail for answer in answers.values()) == 19
    assert recorded.ask(question("now")) == Failed("budget", "not asked before the time limit")


class Batch:
    """A host that takes all questions at once, and has work with each answer, as redaction is."""

    def __init__(self) -> None:
        self.worked = 0

    def serve(
        self, _lane: Lane, pull: Callable[[], AnyQuestion | None]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        pulled = list(iter(pull, None))
        for asked in pulled:
            time.sleep(0.1)
            self.worked += 1
            yield asked, {}


def test_no_work_goes_on_once_the_budget_is_spent():
    """It would take the interpreter from whoever judges and prints."""
    host = Batch()
    recorded = Recorder(host, Budget(time.monotonic() + 0.25), patience=100)
    asked = [question("sysctl", names=[str(n)]) for n in range(30)]
    answers = dict(recorded.ask_many(asked))
    assert "budget" in {a.reason for a in answers.values() if isinstance(a, Failed)}
    time.sleep(0.3)  # what was under way
    done = host.worked
    time.sleep(0.5)
    assert host.worked == done < 30


def test_a_cut_brings_the_end_forward():
    def endless(_: AnyQuestion):
        time.sleep(5)

    host = Made({"api.info": endless})
    budget = Budget(time.monotonic() + 60)
    recorded = Recorder(host, budget)
    threading.Timer(0.1, budget.cut).start()
    began = time.monotonic()
    assert recorded.ask(question("api.info")).reason == "budget"
    assert time.monotonic() - began < 4


def test_the_last_lane_waits_for_the_others():
    order: list[str] = []

    def answer(name: str, seconds: float):
        def say(_: AnyQuestion):
            time.sleep(seconds)
            order.append(name)
            return {}

        return say

    recorded, _ = recorder({"api.info": answer("info", 0.1), "api.system_df": answer("df", 0)})
    list(recorded.ask_many([question("api.info"), question("api.system_df")]))
    assert order == ["info", "df"]


def test_the_last_lane_waits_for_what_an_answer_leads_to():
    order: list[str] = []

    def say(asked: AnyQuestion):
        order.append(asked.kind)
        return {}

    recorded, _ = recorder({"api.containers": say, "api.container": say, "api.system_df": say})
    df = threading.Thread(target=lambda: recorded.ask(question("api.system_df")))
    df.start()
    for number in range(3):
        recorded.ask(question("api.containers", all=bool(number)))
        list(recorded.ask_many(question("api.container", id=f"{number}{name}") for name in "abc"))
    df.join()
    assert order[-1] == "api.system_df"
    assert len(order) == 12


def test_a_question_of_one_lane_never_wakes_a_worker_of_another():
    recorded, _ = recorder(
        {"memory": {}, "api.info": {}, "api.logs": {}, "mounts": {}, "pressure": {}}
    )
    recorded.ask(question("api.logs", id="a"))
    began = time.monotonic()
    for number in range(10):
        recorded.ask(question("memory", each=number))
        recorded.ask(question("api.info", each=number))
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("left", range(4))
def test_a_host_without_a_thread_to_spare_is_asked_all_the_same(monkeypatch, left: int):
    """Python raises RuntimeError where the kernel says EAGAIN to clone(2)."""
    free = iter(range(left))

    def start(work, args):
        if next(free, None) is None:
            raise RuntimeError("can't start new thread")
        return threading.Thread(target=work, args=args, daemon=True).start()

    monkeypatch.setattr("_thread.start_new_thread", start)
    recorded, _ = recorder(
        {"memory": {"MemTotal": 1}, "file.read": {"text": ""}, "fs.walk": {"entries": 0}}, seconds=2
    )
    asked = [question("memory"), question("file.read", path="/a"), question("fs.walk", path="/b")]
    assert not [answer for _, answer in recorded.ask_many(asked) if isinstance(answer, Failed)]


def test_replay_answers_as_it_was_and_nothing_else():
    recorded, _ = recorder({"memory": {"MemTotal": 1}, "mounts": Failed("forbidden", "no")})
    recorded.ask(question("memory"))
    recorded.ask(question("mounts"))
    again = Replay(recorded.recording)
    assert again.ask(question("memory")) == {"MemTotal": 1}
    assert again.ask(question("mounts")) == Failed("forbidden", "no")
    assert again.ask(question("now")).reason == "not recorded"


@pytest.mark.parametrize(
    "args", [{}, {"id": "a b"}, {"names": ["x", "ü"]}, {"pid": None, "deep": {"z": 1, "a": 2}}]
)
def test_a_question_is_canonical(args):
    made = question("api.container", **args)
    assert made == question("api.container", **dict(reversed(list(args.items()))))
    assert made.args == args
    assert json.loads(json.dumps(made.args)) == made.args
