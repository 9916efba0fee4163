"""Evidence and checks cost four times as much on four times the containers, and not sixteen times.

Each container is compared with those that it calls, never with all others.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose import registry
from diagnose.judgement import engine, judge
from diagnose.judgement.collection import Collection
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.containers import ListContainers
from diagnose.questions.processes import ListProcesses
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from tests.bounds import large_hosts

FIXTURES = Path(__file__).parents[2] / "fixtures"
COPIES = 16
"""Of each container of the recorded host, in the smaller host."""
MOST_TIMES = 11
"""As much on four times the containers; between what grows linearly and with the square."""
LEAST_S = 0.05
"""On the greater host; what costs less does not matter."""

PIDS = 100_000
"""The pid of a copied process is so much above that of the one before."""

Recording = Mapping[AnyQuestion, RecordedAnswer]


def test_no_evidence_and_no_check_grows_with_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = answer_files.read_folder(FIXTURES / "demo")[0]
    spent: Counter[str] = Counter()
    measure(monkeypatch, spent)
    small = seconds(copied(recording, COPIES), spent)
    great = seconds(copied(recording, 4 * COPIES), spent)
    assert len(great) > len(registry.load())
    grown = {
        name: f"{small[name] * 1000:.0f} ms, then {after * 1000:.0f} ms"
        for name, after in great.items()
        if after > max(LEAST_S, MOST_TIMES * small[name])
    }
    assert not grown


FEW = 400
"""Containers of the smaller host."""
HOSTS: dict[str, tuple[tuple[str, ...], int, int | None]] = {
    "a thousand services": (("called_services", "folders", "ports"), FEW, None),
    "workers in projects": (("workers", "volumes", "networks"), FEW, None),
    "servers in projects": (("servers", "users"), FEW, None),
    "names in all places": (("links", "prefixes"), FEW, None),
    "settings that almost agree": (("variables", "namespaces"), FEW, None),
    "one range of ports": (("range_of_ports",), 2000, 1),
    "many mounts": (("many_mounts",), 800, 3),
    "many settings": (("many_settings",), 1000, 3),
}
"""Kinds of hosts, each with things of its own to compare; how many of them the smaller host has;
the containers of both hosts, where the things are in each of them."""
SUSPECT_TIMES = 8
"""As much on four times the containers, in three measurements."""
NOTICED_S = 0.03
"""On the greater host."""


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """As in a run: a collection would walk all of a host again and again."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize(("kinds", "number", "containers"), HOSTS.values(), ids=HOSTS)
def test_things_that_resemble_each_other_are_not_compared_one_by_one(
    kinds: Sequence[str], number: int, containers: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What seems to grow is measured again: another process may have taken the processor."""
    spent: Counter[str] = Counter()
    measure(monkeypatch, spent)
    small, great = (large_hosts.host(kinds, many, containers) for many in (number, 4 * number))
    grown: set[str] | None = None
    for _ in range(3):
        few = seconds(small, spent)
        many = seconds(great, spent, runs=1)
        suspects = {
            name
            for name, after in many.items()
            if after > max(NOTICED_S, SUSPECT_TIMES * few[name])
        }
        grown = suspects if grown is None else grown & suspects
        if not grown:
            break
    assert not grown


def measure(monkeypatch: pytest.MonkeyPatch, spent: Counter[str]) -> None:
    """Have the CPU time of each collector and check added to what was spent."""
    monkeypatch.setattr(
        Collection,
        "_outcome",
        timed(Collection._outcome, spent, lambda _, collector, *rest: collector.__name__),
    )
    monkeypatch.setattr(judge, "_judge", timed(judge._judge, spent, lambda check, *rest: check.id))


def timed(
    function: Callable[..., Any], spent: Counter[str], name_of: Callable[..., str]
) -> Callable[..., Any]:
    """The function, which adds the CPU time of this thread to what was spent under a name."""

    def measured(*args: Any, **options: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*args, **options)
        finally:
            spent[name_of(*args, **options)] += time.thread_time() - began

    return measured


def seconds(recording: Recording, spent: Counter[str], runs: int = 2) -> dict[str, float]:
    """CPU seconds of each collector and check, the least of some runs."""
    checks = registry.load()
    measured = []
    for _ in range(runs):
        spent.clear()
        now = time.monotonic()
        what = engine.Run(checks, tuple(checks), source="bundle")
        engine.run(Replay(recording), what, began=now, budget=Budget(now + 300))
        measured.append(dict(spent))
    return {name: min(run[name] for run in measured) for name in measured[0]}


def copied(recording: Recording, copies: int) -> Recording:
    """The recorded host with so many of each container, with ids and names of their own.

    Each process of the host is there as often.
    """
    listed = rows(recording, ListContainers())
    processes = rows(recording, ListProcesses())
    grown, running = list(listed), list(processes)
    host = dict(recording)
    for number in range(1, copies):
        of_all = {entry["Id"]: copied_id(entry, number) for entry in listed}
        running += [
            {**process, "pid": process["pid"] + number * PIDS}
            for process in replaced(processes, of_all)
        ]
        for entry in listed:
            ids = {entry["Id"]: of_all[entry["Id"]]}
            for name in (entry["Names"][0], entry["Names"][0].removeprefix("/")):
                ids[f'"{name}"'] = f'"{name}-{number}"'
            grown.append(replaced(entry, ids))
            for question, recorded in recording.items():
                copy = msgspec.convert(replaced(msgspec.to_builtins(question), ids), type(question))
                if copy != question:
                    host[copy] = answered(recorded, ids)
    lists = {ListContainers(): grown, ListProcesses(): running}
    return {**host, **{question: RecordedAnswer(answer) for question, answer in lists.items()}}


def rows(recording: Recording, question: AnyQuestion) -> list[dict[str, Any]]:
    answer = recording[question].answer
    assert isinstance(answer, list)
    return answer


def copied_id(entry: Mapping[str, Any], number: int) -> str:
    """The id of a container's copy with this number."""
    return f"{number:06x}{entry['Id'][6:]}"


def answered(recorded: RecordedAnswer, words: Mapping[str, str]) -> RecordedAnswer:
    if isinstance(recorded.answer, Failed):
        return recorded
    return RecordedAnswer(replaced(recorded.answer, words))


def replaced(value: Any, words: Mapping[str, str]) -> Any:
    text = msgspec.json.encode(value).decode()
    for word, other in words.items():
        text = text.replace(word, other)
    return msgspec.json.decode(text)
