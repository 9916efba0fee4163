"""Hosts for tests: made of plain answers, at the seam."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from diagnose.model import Failed, Json
from diagnose.questions import Host, Lane, Question

Answer = Json | Failed | Callable[[Question[Any]], Json | Failed]


class Answers:
    """JSON answers by kind; an answer may be a function of the question. Anything else is "not
    recorded"."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[Question[Any]] = []

    def ask(self, question: Question[Any]) -> Json | Failed:
        self.asked.append(question)
        answer = self.answers.get(question.kind, Failed("not recorded", question.kind))
        return answer(question) if callable(answer) else answer

    def ask_many(
        self, questions: Iterable[Question[Any]]
    ) -> Iterator[tuple[Question[Any], Json | Failed]]:
        for question in dict.fromkeys(questions):
            yield question, self.ask(question)


class Made(Host):
    """A host for evidence, of such answers, and what serves them to a recorder."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.source = Answers(answers)
        super().__init__(self.source)

    @property
    def asked(self) -> list[Question[Any]]:
        return self.source.asked

    @property
    def answers(self) -> dict[str, Answer]:
        return self.source.answers

    @answers.setter
    def answers(self, answers: Mapping[str, Answer]) -> None:
        self.source.answers = dict(answers)

    def serve(
        self, _lane: Lane, pull: Callable[[], Question[Any] | None]
    ) -> Iterator[tuple[Question[Any], Json | Failed]]:
        while (question := pull()) is not None:
            yield question, self.source.ask(question)
