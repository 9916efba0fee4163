"""Typed questions: how they are recorded, compared, decoded and repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import InspectContainer
from diagnose.questions.files import FileText, ReadFile, StatPaths
from diagnose.questions.question import canonical, policies, recorded, typed
from tests.hosts import Answers

FIXTURES = Path(__file__).parents[2] / "fixtures"
ANSWER_FILES = sorted(FIXTURES.glob("*/answers/*.json"))


def test_there_are_recordings():
    assert len(ANSWER_FILES) > 100


@pytest.mark.parametrize("host", sorted({path.parents[1].name for path in ANSWER_FILES}))
def test_what_was_recorded_is_what_the_types_of_the_questions_say(host: str):
    policies()
    for path in sorted((FIXTURES / host / "answers").glob("*.json")):
        for row in json.loads(path.read_text()):
            question = recorded(path.stem, row["args"])
            own = typed(question)
            assert own.kind == question.kind
            assert {name: question.args[name] for name in own.args} == own.args
            left_out = question.args.keys() - own.args.keys()
            assert all(question.args[name] == getattr(own, name) for name in left_out), question
            if "answer" in row:
                assert not isinstance(own.decode(row["answer"]), Failed), question


def test_typed_and_recorded_questions_are_equal():
    assert ReadFile("/x") == recorded("file.read", {"path": "/x"})
    assert not (ReadFile("/x") != recorded("file.read", {"path": "/x"}))  # noqa: SIM202 - the operator itself is tested
    assert hash(ReadFile("/x")) == hash(recorded("file.read", {"path": "/x"}))
    assert ReadFile("/x") != ReadFile("/x", tail=True)


def test_a_default_that_an_older_version_wrote_is_the_same_question():
    assert canonical(recorded("file.read", {"path": "/x", "max_bytes": 262144})) == ReadFile("/x")


def test_a_question_with_arguments_of_another_shape_stays_as_it_was():
    odd = recorded("file.read", {"path": 1})
    assert canonical(odd) is odd


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "api.container"),
        ("again", "api.again"),
        ("recheck", "api.recheck"),
        ("settled", "api.settled"),
    ],
)
def test_a_round_is_the_same_question_under_its_own_name(name: str, kind: str):
    question = InspectContainer("web", round=name)
    assert question.kind == kind
    assert question.args == {"id": "web"}
    assert typed(recorded(kind, {"id": "web"})) == question


def test_an_answer_is_decoded_once_and_typed():
    host = Host(Answers({"file.read": {"text": "hello"}}))
    first, second = host.ask(ReadFile("/x")), host.ask(ReadFile("/x"))
    assert isinstance(first, FileText)
    assert first is second


def test_an_answer_of_another_shape_is_a_failure_that_names_the_field():
    answer = Host(Answers({"file.stats": {"/x": {"size": "big"}}})).ask(StatPaths(["/x"]))
    assert isinstance(answer, Failed)
    assert answer.reason == "malformed"
    assert "size" in answer.detail or "$[...]" in answer.detail


def test_things_come_with_the_answers_to_the_questions_about_them():
    source = Answers({"file.read": lambda question: {"text": question.args["path"]}})
    answers = dict(Host(source).ask_about(["/a", "/b"], ReadFile))
    assert {path: answer.text for path, answer in answers.items()} == {"/a": "/a", "/b": "/b"}
