"""Hosts for tests: made of plain answers, at the seam."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from diagnose.model import Failed, Json
from diagnose.recording.questions import Lane, Question

Answer = Json | Failed | Callable[[Question], Json | Failed]


class Made:
    """A host that answers by kind; an answer may be a function of the question. Anything else is "not recorded"."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Json | Failed:
        self.asked.append(question)
        answer = self.answers.get(question.kind, Failed("not recorded", question.kind))
        return answer(question) if callable(answer) else answer

    def ask_many(self, questions: Iterable[Question]) -> Iterator[tuple[Question, Json | Failed]]:
        for each in dict.fromkeys(questions):
            yield each, self.ask(each)

    def serve(self, _lane: Lane, pull: Callable[[], Question | None]) -> Iterator[tuple[Question, Json | Failed]]:
        while (each := pull()) is not None:
            yield each, self.ask(each)
