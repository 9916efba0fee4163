"""Texts, answers and files have bounds: what is cut is named, and nothing else is lost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose import config, registry
from diagnose.evidence.containers.inspect import State
from diagnose.evidence.containers.programs.missing_programs import missing_programs
from diagnose.judgement.collection import Collection
from diagnose.live import REMOVED, Live
from diagnose.model import Unavailable
from diagnose.plain_file import NotPlainError, plain_text
from diagnose.questions import Host
from diagnose.questions.containers import InspectContainer
from diagnose.questions.run import ReadClock
from diagnose.recording.answer_files import SMALL_FILE, UNREAD, RecordingError, parse
from diagnose.recording.budget import Budget
from diagnose.recording.limits import DEEPEST, TOO_DEEP, cut
from tests.bounds.bounded import Shape
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

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
    assert live._clean_answer(InspectContainer("a"), listed) == [
        {"Id": "a", "Labels": {"x": REMOVED, "y": "good"}},
        {"Id": "b", "Names": ["/b"]},
    ]


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


TRIGGERS = {
    "programs that are missing": 'exec: "a": a',
    "volumes that are missing": "local volume: mount /a:/volumes/",
    "sysctls": "open sysctl A: a",
    "users": "unable to find user ",
    "a program in a container": "container process: exec ",
}


@pytest.mark.parametrize("words", TRIGGERS.values(), ids=TRIGGERS)
def test_a_long_error_of_a_start_is_read_in_no_time(words: str) -> None:
    """An entrypoint of 16 KiB, which stands in the error of its start, took minutes."""
    error = f"OCI runtime create failed: {words * (16_000 // len(words))}"
    state = State(status="created", exit_code=127, error=error)
    containers = of(msgspec.structs.replace(container("web"), state=state))
    began = time.process_time()
    judge("container.start-refused", containers=containers)
    missing_programs(Host(Made({})), containers, None)
    assert time.process_time() - began < 1
    assert len(state.error) < 3000
    assert state.error.startswith("OCI runtime")
    assert state.error.endswith(error[-100:])
