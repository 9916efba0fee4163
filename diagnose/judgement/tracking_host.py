"""The host as one collector sees it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from diagnose.model import SAYS_NOTHING, Failed, Reason, Unavailable
from diagnose.questions import Host, Question

Thing = TypeVar("Thing")


class TrackingHost(Host):
    """The host as one collector sees it: it knows the last answer that the collector was given, and
    the questions that nobody answered."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.source)
        self._host = host
        self.last = "an answer"
        self._unanswered: dict[Question[Any], Unavailable] = {}
        self._misread: list[Unavailable] = []
        self._forbidden: dict[Unavailable, None] = {}

    @property
    def unanswered(self) -> Sequence[Unavailable]:
        """The reasons for missing answers, each once: thousands of questions may be too late for
        one reason."""
        return tuple(dict.fromkeys((*self._unanswered.values(), *self._misread)))

    @property
    def forbidden(self) -> Sequence[Unavailable]:
        """The answers that this user may not have, each once."""
        return tuple(self._forbidden)

    def ask(self, question: Question[Any]) -> Any:
        answer = self._host.ask(question)
        self._note(question, answer)
        return answer

    def ask_many(
        self, questions: Iterable[Question[Any]]
    ) -> Iterator[tuple[Question[Any], Any | Failed]]:
        for question, answer in self._host.ask_many(questions):
            self._note(question, answer)
            yield question, answer

    def answer_or(self, question: Question[Any], default: Any) -> Any:
        """The answer or its default. The collector says that it needs no right to the answer."""
        answer = self._host.ask(question)
        self._note(question, answer, needs_right=False)
        return default if isinstance(answer, Failed) else answer

    def replaced(self, question: Question[Any]) -> None:
        self._unanswered.pop(question, None)

    def _note(self, question: Question[Any], answer: Any, *, needs_right: bool = True) -> None:
        self.last = question.about()
        if not isinstance(answer, Failed):
            return
        if answer.reason in SAYS_NOTHING or _is_unreadable(question, answer):
            self._unanswered[question] = question.unavailable(answer)
        elif answer.reason == "forbidden" and needs_right:
            self._forbidden[Unavailable.of(answer)] = None

    def misread(self, reason: Reason, why: str) -> Unavailable:
        """The evidence that could not be made of the last answer, which is like no answer."""
        unavailable = Unavailable(reason, f"{self.last}{why}")
        self._misread.append(unavailable)
        return unavailable

    def first(self, things: Sequence[Thing], most: int, what: str) -> Sequence[Thing]:
        return self._host.first(things, most, what)


def _is_unreadable(question: Question[Any], failed: Failed) -> bool:
    """Whether the engine has answered, and in a shape that nobody knows.

    A file that is none, or a name in place of an address, is called malformed too: that says
    something of the host.
    """
    return failed.reason == "malformed" and question.kind.startswith("api.")
