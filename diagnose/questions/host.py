"""The only way from evidence to the world: a host that answers questions with typed values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from diagnose.model import Failed, Json, NoEvidenceError, PartLookedAt
from diagnose.questions.question import AnyQuestion, Lane, Question

Answer = TypeVar("Answer")
Thing = TypeVar("Thing")


LONG_LIST = 10_000
"""A list of so many rows is decoded for each of the few who read it: names of 100,000 containers
take 40 MiB."""


class AnswerSource(Protocol):
    """A source of answers in JSON: a live host that is recorded, or a recording."""

    def ask(self, question: AnyQuestion) -> Json | Failed: ...

    def ask_many(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        """The answers in any order, each as soon as it is there."""
        ...


class LaneServer(Protocol):
    """The server of one lane of questions."""

    def serve(
        self, lane: Lane, pull: Callable[[], AnyQuestion | None]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        """The answers to the questions that `pull` gives, in any order.

        Until it gives None and all are answered.
        """
        ...


class Host:
    """A host that can be asked. Each answer is decoded once, however many collectors ask for it."""

    def __init__(self, source: AnswerSource) -> None:
        self.source = source
        self._decoded: dict[AnyQuestion, Any] = {}
        self._lock = threading.Lock()
        self._parts: dict[str, PartLookedAt] = {}

    @property
    def parts_looked_at(self) -> tuple[PartLookedAt, ...]:
        """Of what there is more than one run looks at, by its name."""
        with self._lock:
            return tuple(part for _, part in sorted(self._parts.items()))

    def first(self, things: Sequence[Thing], most: int, what: str) -> Sequence[Thing]:
        """The first things, at most so many; the report says where there are more.

        what: the things in the plural, as the report names them.
        """
        if len(things) > most:
            with self._lock:
                self._parts[what] = PartLookedAt(what, most, len(things))
        return things[:most]

    def ask(self, question: Question[Answer]) -> Answer | Failed:
        """The answer, or why there is none.

        One of another shape is Failed("malformed"), which names the field.
        """
        with self._lock:
            if question in self._decoded:
                answer: Answer | Failed = self._decoded[question]
                return answer
        return self._typed_answer(question, self.source.ask(question))

    def require(self, question: Question[Answer]) -> Answer:
        """The answer, for evidence that is nothing without it.

        NoEvidenceError where there is none: the collector ends, and its evidence is unavailable for
        the reason of this question.
        """
        answer = self.ask(question)
        if isinstance(answer, Failed):
            raise NoEvidenceError(question.unavailable(answer))
        return answer

    def replaced(self, question: Question[Any]) -> None:
        """Another answer stands for the missing one to this question: nothing is unknown for it."""

    def answer_or(self, question: Question[Answer], default: Answer) -> Answer:
        """The answer, or what stands for it, for evidence to which all reasons are the same."""
        answer = self.ask(question)
        return default if isinstance(answer, Failed) else answer

    def ask_many(
        self, questions: Iterable[Question[Answer]]
    ) -> Iterator[tuple[Question[Answer], Answer | Failed]]:
        """The answers in any order, each as soon as it is there."""
        unique = {question: question for question in questions}
        for question, answer in self.source.ask_many(unique):
            own_question = unique[question]
            typed: Answer | Failed = self._typed_answer(own_question, answer)
            yield own_question, typed

    def ask_about(
        self, things: Iterable[Thing], question_about: Callable[[Thing], Question[Answer]]
    ) -> Iterator[tuple[Thing, Answer | Failed]]:
        """Each thing with the answer to the question about it.

        In any order, each as soon as it is there.
        """
        things_of: dict[Question[Answer], list[Thing]] = {}
        for thing in things:
            things_of.setdefault(question_about(thing), []).append(thing)
        for question, answer in self.ask_many(things_of):
            for thing in things_of[question]:
                yield thing, answer

    def ask_in_order(
        self, things: Iterable[Thing], question_about: Callable[[Thing], Question[Answer]]
    ) -> Iterator[tuple[Thing, Answer | Failed]]:
        """The same in the order of the things, once all answers are there.

        For evidence that names the first failure: a recording does not keep which came first.
        """
        pairs = [(thing, question_about(thing)) for thing in things]
        answers = dict(self.ask_many(question for _, question in pairs))
        for thing, question in pairs:
            yield thing, answers[question]

    def answers_about(
        self, things: Iterable[Thing], question_about: Callable[[Thing], Question[Answer]]
    ) -> dict[Thing, Answer]:
        """The answers by the things that they are about; what failed is left out."""
        return {
            thing: answer
            for thing, answer in self.ask_about(things, question_about)
            if not isinstance(answer, Failed)
        }

    def _typed_answer(self, question: Question[Answer], answer: Json) -> Answer | Failed:
        """The answer as the type of its question, decoded once."""
        if isinstance(answer, Failed) or question.ANSWER is Json:
            typed: Answer | Failed = answer
            return typed
        with self._lock:
            if question in self._decoded:
                kept: Answer | Failed = self._decoded[question]
                return kept
        decoded = question.decode(answer)
        if not (isinstance(decoded, list) and len(decoded) > LONG_LIST):
            with self._lock:
                self._decoded[question] = decoded
        return decoded
