"""The engine on made evidence: verdicts, unknowns, crashes, changed container runs, selection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from diagnose import model, registry
from diagnose.evidence.containers.listing import Container, Containers, containers
from diagnose.judgement import collection as collection_module
from diagnose.judgement.collection import Broken, Collection
from diagnose.judgement.judge import judge
from diagnose.judgement.recheck import recheck
from diagnose.model import (
    DAEMON,
    Check,
    ContainerRun,
    Failed,
    Finding,
    Json,
    PartLookedAt,
    Percent,
    Severity,
    Skipped,
    Unavailable,
    Unexamined,
    Verdict,
    container,
)
from diagnose.questions import AnyQuestion, Host
from diagnose.questions.question import recorded
from diagnose.recording.budget import Budget
from tests.hosts import Made


@dataclass(frozen=True)
class Level:
    percent: float
    unexamined: tuple[Unexamined, ...] = ()


@dataclass(frozen=True)
class Spare:
    value: int


def a_check(function, id: str = "made.level", **fields) -> Check:
    needs, thresholds = registry._signature(function)
    defaults = {"severity": Severity.warning, "caused_by": (), "causes": (), "posture": False}
    return Check(
        id=id,
        title="T.",
        function=function,
        needs=needs,
        thresholds=thresholds,
        **{**defaults, **fields},
    )


def level(level: Level, *, warn_pct: Percent = Percent(80)) -> Iterable[Finding]:
    if level.percent >= warn_pct:
        yield Finding(DAEMON, f"{level.percent} % used", {"level": level.percent})


def skipping(level: Level):
    return Skipped("no levels here")


def unsure(level: Level):
    if level.percent < 0:
        yield Finding(DAEMON, "below zero", {"level": level.percent})
    return Unavailable("forbidden", "no reading")


def crashing(level: Level):
    yield Finding(DAEMON, str(level.nothing), {})


def with_spare(level: Level, spare: Spare | Unavailable):
    if isinstance(spare, Unavailable):
        yield Unexamined(DAEMON, spare.detail)


PARTLY = Level(10, (Unexamined(container("stuck"), "inspect: timed out"),))
JUDGED = {
    "fires": (level, Level(85), {}, Verdict.FOUND, ""),
    "silent": (level, Level(79), {}, Verdict.PASSED, ""),
    "threshold from outside": (
        level,
        Level(79),
        {"made.level": {"warn_pct": 70}},
        Verdict.FOUND,
        "",
    ),
    "evidence missing": (
        level,
        Unavailable("forbidden", "as root"),
        {},
        Verdict.UNKNOWN,
        "forbidden: as root",
    ),
    "one item missing": (
        level,
        PARTLY,
        {},
        Verdict.UNKNOWN,
        'container "stuck": inspect: timed out',
    ),
    "one item missing, another found": (level, Level(99, PARTLY.unexamined), {}, Verdict.FOUND, ""),
    "does not apply": (skipping, Level(1), {}, Verdict.SKIPPED, "no levels here"),
    "says it cannot know": (unsure, Level(1), {}, Verdict.UNKNOWN, "forbidden: no reading"),
    "collector crashed": (level, Broken("Traceback"), {}, Verdict.CRASHED, "Traceback"),
}


@pytest.mark.parametrize("name", JUDGED)
def test_a_verdict_follows_from_evidence_and_ending(name: str):
    function, evidence, thresholds, verdict, why = JUDGED[name]
    result = judge(a_check(function), {Level: evidence}, thresholds)
    assert (result.verdict, result.why) == (verdict, why)


def test_a_crash_names_the_error():
    result = judge(a_check(crashing), {Level: Level(1)}, {})
    assert result.verdict is Verdict.CRASHED
    assert "AttributeError" in result.why


def test_an_optional_need_hands_over_the_reason():
    result = judge(
        a_check(with_spare), {Level: Level(1), Spare: Unavailable("forbidden", "as root")}, {}
    )
    assert result.verdict is Verdict.UNKNOWN
    assert (
        judge(a_check(with_spare), {Level: Level(1), Spare: Spare(0)}, {}).verdict is Verdict.PASSED
    )


def test_unavailable_is_never_equal_to_empty():
    assert Unavailable("missing") != ()
    assert Unavailable("missing") != Containers(())
    assert bool(Unavailable("missing"))


def from_memory(host: Host) -> Level | Unavailable:
    answer = host.ask(recorded("memory", {}))
    return Unavailable.of(answer) if isinstance(answer, Failed) else Level(answer["percent"])


def from_level(level: Level) -> Spare:
    return Spare(int(level.percent))


@pytest.fixture
def collection(monkeypatch):
    def make(answers) -> Collection:
        monkeypatch.setattr(registry, "_evidence", {Level: from_memory, Spare: from_level})
        return Collection(Made(answers), Budget(time.monotonic() + 5))

    return make


def test_evidence_stands_on_evidence(collection):
    assert collection({"memory": {"percent": 7.0}}).get(Spare) == Spare(7)


def test_what_a_collector_cuts_is_known_of_the_host(monkeypatch):
    def partly(host: Host) -> Level:
        return Level(float(len(host.first([1, 2, 3], 2, "web servers"))))

    monkeypatch.setattr(registry, "_evidence", {Level: partly})
    collection = Collection(Made({}), Budget(time.monotonic() + 5))
    assert collection.get(Level) == Level(2.0)
    assert collection.host.parts_looked_at == (PartLookedAt("web servers", 2, 3),)


def test_what_stands_on_the_unavailable_is_unavailable(collection):
    assert collection({"memory": Failed("forbidden", "no")}).get(Spare) == Unavailable(
        "forbidden", "no"
    )


def test_what_can_do_without_silent_evidence_is_still_collected(monkeypatch):
    """The silent kind is given up when the budget is spent; nobody waits for it longer."""
    judged = threading.Event()

    def silent(_: object) -> dict:
        judged.wait(60)
        return {"percent": 7.0}

    def without_level(level: Level | None) -> Spare:
        return Spare(0 if level is None else int(level.percent))

    monkeypatch.setattr(registry, "_evidence", {Level: from_memory, Spare: without_level})
    monkeypatch.setattr(collection_module, "GRACE_S", 1.0)  # a busy machine starts threads late
    late = Collection(Made({"memory": silent}), Budget(time.monotonic() + 0.2))
    assert late.get(Spare) == Spare(0)
    assert late.uncollected == {"Level"}
    assert not judged.is_set()
    judged.set()


def test_an_answer_that_cannot_be_read_is_malformed(collection):
    assert collection({"memory": {}}).get(Spare).reason == "malformed"


def test_a_collector_that_crashes_is_broken(collection):
    def crash(_: object) -> None:
        raise RuntimeError("a bug")

    assert isinstance(collection({"memory": crash}).get(Spare), Broken)


def inspect(pid: int, started: str) -> dict:
    return {"State": {"Pid": pid, "StartedAt": started}}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (inspect(7, "t0"), Verdict.FOUND),
        (inspect(8, "t1"), Verdict.UNKNOWN),
        (Failed("gone", "404"), Verdict.PASSED),
        (Failed("not recorded", ""), Verdict.FOUND),
    ],
    ids=["the same run", "another run", "gone", "an older recording"],
)
@pytest.mark.parametrize(
    ("field", "kind"), [("recheck", "api.recheck"), ("recheck_later", "api.settled")]
)
def test_a_comparison_holds_only_for_one_life(answer, verdict, field, kind):
    finding = Finding(container("web"), "s", {"a": 1}, **{field: (ContainerRun("abc", 7, "t0"),)})
    result = model.Result(a_check(level), Verdict.FOUND, findings=(finding,))
    (after,) = recheck(Made({kind: answer}), [result])
    assert after.verdict is verdict


@pytest.mark.parametrize(
    ("field", "kind", "verdict"),
    [("recheck", "api.recheck", Verdict.FOUND), ("recheck_later", "api.settled", Verdict.UNKNOWN)],
)
def test_an_engine_that_does_not_answer_again(field, kind, verdict):
    """Whether it noticed the end of a process is not known then: many starts keep it busy."""
    finding = Finding(container("web"), "s", {"a": 1}, **{field: (ContainerRun("abc", 7, "t0"),)})
    result = model.Result(a_check(level), Verdict.FOUND, findings=(finding,))
    (after,) = recheck(Made({kind: Failed("timed out", "no answer in 5.0 s")}), [result])
    assert after.verdict is verdict


@pytest.mark.parametrize(
    ("started_at", "verdict"),
    [
        ("2026-11-28T09:59:59.9Z", Verdict.FOUND),
        ("2026-11-28T10:00:00.4Z", Verdict.UNKNOWN),
        ("2026-11-28T10:30:00Z", Verdict.FOUND),
    ],
    ids=["before this run", "during it", "by an engine with another clock"],
)
def test_a_comparison_says_nothing_of_a_life_that_began_meanwhile(started_at, verdict):
    """The rules of a container's ports may have been read while it waited for its next start."""
    run = ContainerRun("abc", 7, started_at)
    finding = Finding(container("web"), "s", {"a": 1}, recheck=(run,))
    result = model.Result(a_check(level), Verdict.FOUND, findings=(finding,))
    now = {"wall": 1795860000.0, "boot_wall": 0.0}
    same = {"Id": "abc", "State": {"Pid": 7, "StartedAt": started_at}}
    (after,) = recheck(Made({"now": now, "api.recheck": same}), [result])
    assert after.verdict is verdict


@pytest.mark.parametrize(
    ("process", "is_waited_for"),
    [
        ({"state": "S", "container": "abc"}, False),
        ({"state": "Z", "container": "abc"}, True),
        ({"state": "S", "container": "other"}, True),
        ({"state": "S", "container": None}, True),
        (Failed("gone", "there is no process 7"), True),
        (Failed("remote", "the engine is elsewhere"), True),
    ],
    ids=["alive", "ended", "another's", "of no container", "gone", "elsewhere"],
)
def test_the_engine_needs_no_time_where_the_process_lives(process, is_waited_for):
    finding = Finding(
        container("web"), "s", {"a": 1}, recheck_later=(ContainerRun("abc", 7, "t0"),)
    )
    result = model.Result(a_check(level), Verdict.FOUND, findings=(finding,))
    host = Made({"process.now": process, "api.settled": Failed("gone", "404")})
    (after,) = recheck(host, [result])
    assert after.verdict is (Verdict.PASSED if is_waited_for else Verdict.FOUND)


def test_containers_that_cannot_be_inspected_are_named_not_lost():
    def one(asked):
        return {
            "a": {"Id": "a", "Name": "/web", "State": {"Status": "running", "Pid": 5}},
            "b": Failed("timed out", "no answer in 2.0 s"),
            "c": Failed("gone", "404"),
            "d": {"Id": "d", "Name": 5},
        }[asked.args["id"]]

    host = Made(
        {"api.containers": [{"Id": id, "Names": [f"/{id}"]} for id in "abcd"], "api.container": one}
    )
    found = registry.collector(Containers)(host)
    assert [container.name for container in found] == ["web"]
    assert [gap.subject.name for gap in found.unexamined] == ["b", "d"]
    assert isinstance(found.items[0], Container)


BUSY, STUCK, WELL = ("a" * 64, "b" * 64, "c" * 64)


def _slow(asked: AnyQuestion) -> Json | Failed:
    """Inspect of a busy host: one container is silent at first, one all the time."""
    id = asked.args["id"]
    if id == STUCK or (id == BUSY and asked.kind == "api.container"):
        return Failed("timed out", f"GET /containers/{id}/json")
    return {"Id": id, "Name": f"/{id[0]}"}


def test_a_container_that_is_silent_while_others_answer_is_asked_once_more():
    listed = [{"Id": id, "Names": [f"/{id[0]}"]} for id in (BUSY, STUCK, WELL)]
    host = Made({"api.containers": listed, "api.container": _slow, "api.again": _slow})
    found = containers(host)
    assert isinstance(found, Containers)
    assert [container.name for container in found] == ["a", "c"]
    assert [(gap.subject.name, gap.why) for gap in found.unexamined] == [
        ("b", f"inspect: timed out: GET /containers/{STUCK}/json")
    ]


def test_an_engine_that_answers_about_no_container_is_not_asked_twice():
    host = Made(
        {
            "api.containers": [{"Id": STUCK, "Names": ["/b"]}],
            "api.container": _slow,
            "api.again": _slow,
        }
    )
    containers(host)
    assert [question.kind for question in host.asked].count("api.again") == 0
