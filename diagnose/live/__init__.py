"""The collectors: the only package that touches the world, one module per way of asking.

A collector is a function `(live, question) -> JSON value`. It raises `Refused` with the reason it
knows, or lets OSError, TimeoutError and ValueError rise: `Live.ask` turns them into `Failed`. It
keeps its own total deadline where it can (`live.deadline(question)`), never retries, never writes.
Each module imports its package when it is first asked.

The policy of a question names its collector (`collector="kernel.host:sysctl"`). Rooms:

- `engine/`  the engine's API: `api` asks, `endpoint` says which engine is meant
- `kernel/`  /proc, the file systems of control groups, and the kernel log
- `network/`  netlink, packet filters and DNS; `process` answers in the network process
- `disk/`  files, which a `worker` of the helper process reads because they may block
- `commands/`  commands of the host, such as systemctl

`helper` runs the helper processes, and `wake` what a watch waits for.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.model import Failed, Json, Reason
from diagnose.questions import AnyQuestion, Lane, Policy
from diagnose.questions.endpoint import FindLocality
from diagnose.questions.engine import PingEngine
from diagnose.questions.question import RecordedQuestion, policies, recorded, typed
from diagnose.questions.run import Options
from diagnose.recording.budget import patience
from diagnose.recording.limits import cut
from diagnose.redact import Redactor

if TYPE_CHECKING:
    from diagnose.live.helper import Helper, Name


class Refused(Exception):  # noqa: N818 - an answer of the world, not an error of ours
    """Raised by a collector that knows why there is no answer."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail)
        self.failed = Failed(reason, detail)


ERRNO_REASONS: dict[int, Reason] = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.ESRCH: "gone",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EPIPE: "refused",
    errno.ETIMEDOUT: "timed out",
}
"""Why there is no answer, by the kernel's error."""


def failure(error: BaseException) -> Failed:
    """The `Failed` of an exception.

    The errno of the last exception in its chain decides, never a library's class.
    """
    visited = set()
    while id(error) not in visited:
        visited.add(id(error))
        if isinstance(error, Refused):
            return error.failed
        error = error.__cause__ or error.__context__ or error
    if isinstance(error, TimeoutError):
        return Failed("timed out", _error_text(error, error.strerror or "timed out"))
    if isinstance(error, OSError) and error.errno is not None:
        return Failed(
            ERRNO_REASONS.get(error.errno, "refused"),
            _error_text(error, error.strerror or type(error).__name__),
        )
    if isinstance(error, EOFError):
        return Failed("refused", str(error))
    return Failed("malformed", unexpected_words(error))


def unexpected_words(error: BaseException) -> str:
    """The words for an answer that its reader did not expect.

    Without the names of Python's own errors; with them where DIAGNOSE_DEBUG is set.
    """
    if os.environ.get("DIAGNOSE_DEBUG"):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, ValueError) and str(error):
        return str(error)
    return "its shape is one that this version does not know"


def _error_text(error: OSError, words: str) -> str:
    """An error as the system's own tools print it."""
    if error.filename:
        return f"{error.filename}: {words}"
    return words if error.errno is not None else str(error) or words


UNSEARCHABLE = (RecursionError, ValueError, LookupError, TypeError, AttributeError)
"""What the redactor raises about a text that it cannot search."""
REMOVED = "[removed: it could not be searched for secrets]"

Collector = Callable[["Live", Any], Json]


@functools.cache
def _collector(path: str) -> Collector:
    module, _, function = path.partition(":")
    collector: Collector = getattr(importlib.import_module(f"diagnose.live.{module}"), function)
    return collector


def collect(asked: Json) -> Json:
    """The answer of a question's collector, run in a worker of the disk helper.

    asked: name (the kind of the question), arguments (as JSON), budget_s (of the run).

    Shape: `answer`, and `is_clean`: whether it was searched for secrets here and holds none. The
    search takes 18 ms for 1,700 lines of a kernel log, in which the tool's own process works on.
    """
    question = typed(RecordedQuestion(asked["name"], asked["arguments"]))
    live = Live(Options(budget_s=asked["budget_s"]))
    answer = cut(_collector(question.policy.collector)(live, question), question.policy.longest)
    try:
        is_clean = live.redactor.answer(question.kind, question.args, answer) is answer
    except UNSEARCHABLE:
        is_clean = False
    return {"answer": answer, "is_clean": is_clean}


def _is_machine_wide(question: AnyQuestion) -> bool:
    """Whether these settings are the kernel's one and only.

    Each network namespace has a /proc/sys/net of its own.
    """
    return not any(str(name).startswith("net") for name in question.args.get("names", ()))


class _Collected(msgspec.Struct):
    """The answer of a collector."""

    answer: Json
    is_clean: bool = False
    """Whether a worker has found that no secret is in it."""


class Live(msgspec.Struct, dict=True, eq=False):
    """This machine and the engine that the endpoint names.

    Answers are redacted before they leave.
    """

    options: Options = msgspec.field(default_factory=Options)
    redactor: Redactor = msgspec.field(default_factory=Redactor)
    memo: dict[str, Any] = msgspec.field(default_factory=dict)
    """What collectors keep between questions (the API client's connections, the helper processes),
    by name."""
    lock: threading.Lock = msgspec.field(default_factory=threading.Lock)

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """The thing of this name that collectors share, made once."""
        with self.lock:
            if name not in self.memo:
                self.memo[name] = make()
            return self.memo[name]

    def start_helpers(self, *, network: bool) -> None:
        """Fork the helper processes, before the tool has any thread.

        network: questions for the network process will come, so that it imports at once what it
        needs. The questions are imported here: workers would each do it, and so does every run.
        """
        policies()
        disk = self.helper("disk")
        network_process = self.helper("network")
        disk.prepare()
        if network:
            network_process.prepare()

    def prepare_to_ask(self, questions: Iterable[type[AnyQuestion]]) -> None:
        """Import what answers questions of these kinds, in this thread.

        The thread of their lane would wait for the interpreter at each file that it opens, for as
        long as this thread imports the checks: the answers came 0.2 s later.
        """
        for question in questions:
            _collector(question.POLICY.collector)

    def helper(self, name: Name) -> Helper:
        """The helper process of this name, started where it does not run yet."""
        from diagnose.live.helper import Helper

        helper: Helper = self.keep(f"{name} helper", lambda: Helper.start(name))
        return helper

    def close(self) -> None:
        """Let the helper processes end."""
        from diagnose.live.helper import Helper

        for shared_thing in self.memo.values():
            if isinstance(shared_thing, Helper):
                shared_thing.close()

    def deadline(self, question: AnyQuestion) -> float:
        """Seconds that this question has in all.

        Whoever gives the run more time is patient with each.
        """
        return question.policy.deadline * patience(self.options.budget_s)

    def ask(self, question: AnyQuestion) -> Json | Failed:
        """The redacted answer, or why there is none. Never raises."""
        policy = question.policy
        blind = self._obstacle(policy, question)
        if blind is not None:
            return blind
        try:
            collected = self._collected_answer(policy, typed(self.restored(question)))
            answer = collected.answer
            if collected.is_clean:
                return self.redactor.settle(answer)
            # the answers of the engine are cut where their length is known
            is_whole = policy.scope != "engine"
            return self._clean_answer(question, cut(answer, policy.longest) if is_whole else answer)
        except Exception as error:  # noqa: BLE001 - whatever a collector meets is an answer too, never our crash
            return self._failure_of(error)

    def _collected_answer(self, policy: Policy, question: AnyQuestion) -> _Collected:
        """The answer of the collector: from this process, or from a worker of the disk helper if
        there is one."""
        if policy.in_helper:
            from diagnose.live.helper import MARGIN_S, NoWorkerError

            asked = {
                "name": question.kind,
                "arguments": question.arguments,
                "budget_s": self.options.budget_s,
            }
            seconds = self.deadline(question) - MARGIN_S
            with contextlib.suppress(NoWorkerError):
                reply = self.helper("disk").call("collect", asked, seconds)
                return _Collected(reply["answer"], reply["is_clean"])
        return _Collected(_collector(policy.collector)(self, question))

    def serve(
        self, lane: Lane, pull: Callable[[], AnyQuestion | None]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        """Answer the lane's questions that `pull` gives until it gives None.

        Those to the engine several at once, the others one by one. Never raises.
        """
        if lane == "api" and self._engine_silent is None:
            from diagnose.live.engine import api

            for question, answer in api.many(self, pull):
                yield question, self._clean_or_failed(question, answer)
            return
        while (next_question := pull()) is not None:
            yield next_question, self.ask(next_question)

    def _clean_or_failed(self, question: AnyQuestion, answer: Json | Exception) -> Json | Failed:
        """The cleaned answer of the engine, or the failure that was raised instead."""
        if isinstance(answer, Exception):
            return self._failure_of(answer)
        try:
            return self._clean_answer(question, answer)
        except Exception as error:  # noqa: BLE001 - as above
            return self._failure_of(error)

    def restored(self, question: AnyQuestion) -> AnyQuestion:
        """The question with the secrets themselves, where it has tokens in their place.

        A question that was built from an answer has them.
        """
        if "<redacted:" not in question.arguments:
            return question
        return recorded(question.kind, self.redactor.restore(question.args))

    def _clean_answer(self, question: AnyQuestion, answer: Json) -> Json:
        """The answer without its secrets.

        A part that cannot be searched for them is removed, the rest stays.
        """
        try:
            return self.redactor.answer(question.kind, question.args, answer)
        except UNSEARCHABLE:
            return self._clean_parts(question, cut(answer, question.policy.longest))

    def _clean_parts(self, question: AnyQuestion, part: Json) -> Json:
        """A part of an answer that cannot be searched as a whole, cleaned item by item."""
        if isinstance(part, list):
            return [self._clean_part(question, child) for child in part]
        if isinstance(part, dict):
            # Each value goes with its name, which tells whether the value is a secret.
            fields: dict[str, Json] = {}
            for name, value in part.items():
                whole = self._clean_part(question, {name: value})
                fields |= whole if isinstance(whole, dict) else {REMOVED: whole}
            return fields
        return REMOVED

    def _clean_part(self, question: AnyQuestion, part: Json) -> Json:
        """A part without its secrets; where it cannot be searched, its own parts are tried."""
        try:
            return self.redactor.answer(question.kind, question.args, part)
        except UNSEARCHABLE:
            if isinstance(part, dict) and len(part) == 1:
                ((name, value),) = part.items()
                return {name: self._clean_parts(question, value)}
            return self._clean_parts(question, part)

    def _failure_of(self, error: Exception) -> Failed:
        failed = failure(error)
        return Failed(failed.reason, self.redactor.text(failed.detail))

    def _obstacle(self, policy: Policy, question: AnyQuestion) -> Failed | None:
        """Why this question must not be asked here at all, or None."""
        if policy.scope == "tool" or policy is PingEngine.POLICY:
            return None
        if policy.scope == "engine":
            return self._engine_silent
        of_network = policy.scope == "network" and not (
            policy.kind == "sysctl" and _is_machine_wide(question)
        )
        return self._not_this_machine or (self._other_network if of_network else None)

    @functools.cached_property
    def _engine_silent(self) -> Failed | None:
        """After a failed `/_ping` nothing more is sent: a frozen daemon's backlog fills."""
        ping = self.ask(PingEngine())
        if isinstance(ping, Failed):
            return Failed(ping.reason, f"the engine did not answer /_ping ({ping.detail})")
        return None

    @functools.cached_property
    def _not_this_machine(self) -> Failed | None:
        """Host-side answers are about this machine only.

        They count where the engine's process is found here.
        """
        locality = self.ask(FindLocality())
        if isinstance(locality, Failed):
            # not its own reason: a file would be called missing because the docker context is
            return Failed("remote", f"the place of the engine is not known: {locality.detail}")
        return None if locality["same_host"] else Failed("remote", locality["why"])

    @functools.cached_property
    def _other_network(self) -> Failed | None:
        """Links, routes and rules of another network namespace say nothing about the engine's."""
        locality = self.ask(FindLocality())
        if isinstance(locality, Failed) or locality.get("same_netns") is not False:
            return None
        return Failed("remote", "the tool runs in another network namespace than the engine")
