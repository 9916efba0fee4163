"""Collecting the evidence that checks need.

Each kind is collected once, beside the others and inside the budget, and may fail by itself.
"""

import functools
import os
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from diagnose import registry
from diagnose.annotations import hints
from diagnose.judgement.deadline import TimeIsUpError, at_most
from diagnose.judgement.tracking_host import TrackingHost
from diagnose.judgement.workers import Workers
from diagnose.model import Need, ReportBasis, Unavailable
from diagnose.questions import AnswerSource, Host
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay

GRACE_S = 0.02
"""How much longer than the budget evidence is waited for, once for each level of evidence below it:
what has been answered by then is still put together."""

AGAIN_S = 0.05
"""How often the time left is looked at: what is kept for sealing a bundle grows with each question.
"""

LEAST_BASIS_S = 0.3
"""Seconds for the head of the report at least: without it a report does not say of which host it
speaks."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an answer of the wrong shape raises. Only collectors read answers, so it makes their
evidence unavailable. The tests check that no real host's answer is ever called malformed.
"""


class Broken(msgspec.Struct, frozen=True):
    """Evidence whose collector crashed.

    A bug of ours, distinguished from evidence that could not be had.
    """

    error: str


class PendingEvidence:
    """Evidence that is collected here and now: settled once, for everyone who needs it.

    It holds no lock. The limit of time may interrupt a collector anywhere, and `threading.Event`
    stays locked for ever where that happens on the way into its condition.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self._is_there = False

    def settle(self, value: Any) -> bool:
        """Give it this value, unless it has one. Whether it had none."""
        if self._is_there:
            return False
        self.value = value
        self._is_there = True
        return True

    def is_set(self) -> bool:
        return self._is_there

    def wait(self, _seconds_left: Callable[[], float]) -> bool:
        """Whether the value is there; waits until it is, or no seconds are left."""
        return self._is_there


class AwaitedEvidence(PendingEvidence):
    """Evidence that another thread collects, and what can be collected only after it.

    (concurrent.futures brings logging, 4 ms of every run.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.followers: list[_Task] = []
        self.is_released = False
        """Whether the followers count without it. Both change under the collection's lock."""
        self._done = threading.Event()
        self._settling = threading.Lock()

    def settle(self, value: Any) -> bool:
        with self._settling:
            is_first = super().settle(value)
        self._done.set()
        return is_first

    def is_set(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds_left: Callable[[], float]) -> bool:
        while not self._done.wait(min(seconds := seconds_left(), AGAIN_S)):
            if not seconds:
                return False
        return True


class _Task(msgspec.Struct, eq=False):
    """A kind to collect, once all that it stands on is settled."""

    kind: type
    pending: AwaitedEvidence
    function: Callable[..., Any]
    needs: Mapping[Need, PendingEvidence]
    awaited: int
    """How many of its needs are not settled yet."""


class Collection:
    """Evidence by kind, collected on demand.

    A few threads collect each kind once the kinds that it stands on are settled. The caller
    collects it where the host has no thread left, and from a recording, which answers at once.
    """

    def __init__(
        self, host: Host | AnswerSource, budget: Budget, never: Iterable[str] = ()
    ) -> None:
        self.host = host if isinstance(host, Host) else Host(host)
        self._budget = budget
        self.waits = not isinstance(self.host.source, Replay)
        """Whether answers have to be waited for."""
        self.uncollected = set(never)
        """Names of the kinds that were given up: nobody has their evidence, also where a collector
        ends later."""
        self._lock = threading.Lock()
        self._pending: dict[type, PendingEvidence] = {}
        self._unanswered: dict[type, Sequence[Unavailable]] = {}
        """Of a kind: the questions to which its collector got no answer."""
        self._forbidden: dict[type, Sequence[Unavailable]] = {}
        """Of a kind: what its collector may not see."""
        self._workers = Workers()
        self._is_over = False

    def start(self, kind: type) -> PendingEvidence:
        """This kind's evidence to come; collecting begins with the first call."""
        with self._lock:
            pending = self._pending.get(kind)
            if pending is not None:
                return pending
            pending = AwaitedEvidence() if self.waits else PendingEvidence()
            self._pending[kind] = pending
        if kind.__name__ in self.uncollected:
            self._settle(pending, _never_collected(kind))
            return pending
        function = registry.collector(kind)
        needs = {need: self.start(need.kind) for need in registry.needs_of(function)}
        if isinstance(pending, AwaitedEvidence):
            self._collect_after(kind, pending, function, needs)
        else:
            self._collect_in_time(kind, pending, function, needs)
        return pending

    def get(self, kind: type) -> Any:
        """The evidence, `Unavailable`, or `Broken`.

        Waits at most until the budget and some grace are spent.
        """
        pending = self.start(kind)
        if pending.is_set():
            return pending.value
        for need in registry.needs_of(registry.collector(kind)):
            self.get(need.kind)  # what it stands on is given up earlier
        if not pending.wait(lambda: self._seconds_left(kind)):
            self._give_up(kind, pending)
        return pending.value

    def end(self) -> None:
        """Give up what is not collected by now: from here on no evidence changes."""
        with self._lock:
            self._is_over = True
            begun = list(self._pending.items())
        for kind, pending in begun:
            if not pending.is_set():
                self._give_up(kind, pending)

    def forget(self) -> None:
        """Let go of all evidence once the report is made.

        On a host of 8,000 containers its text takes the 60 MiB then.
        """
        with self._lock:
            begun = list(self._pending.values())
        for pending in begun:  # a collector that ends late finds it settled, and begins nothing
            pending.value = _FORGOTTEN

    def _give_up(self, kind: type, pending: PendingEvidence) -> None:
        """Make evidence unavailable to everyone, unless it has come meanwhile.

        A recording says which evidence was given up. It could not say who still had it.
        """
        if self._settle(pending, _never_collected(kind)):
            self.uncollected.add(kind.__name__)

    def _settle(self, pending: PendingEvidence, value: Any) -> bool:
        """Give it this value, and begin what can be collected now. False where it has a value."""
        is_first = pending.settle(value)
        if is_first and isinstance(pending, AwaitedEvidence):
            for task in self._released_tasks(pending):
                self._begin(task)
        return is_first

    def _released_tasks(self, pending: AwaitedEvidence) -> list[_Task]:
        """The kinds that waited for this one last; none once the collection is over."""
        ready = []
        with self._lock:
            pending.is_released = True
            followers = pending.followers
            pending.followers = []
            for task in followers:
                task.awaited -= 1
                if not task.awaited and not self._is_over:
                    ready.append(task)
        return ready

    def _collect_after(
        self,
        kind: type,
        pending: AwaitedEvidence,
        function: Callable[..., Any],
        needs: Mapping[Need, PendingEvidence],
    ) -> None:
        """Have it collected by a thread, as soon as its needs are settled."""
        with self._lock:
            awaited = [
                need
                for need in needs.values()
                if isinstance(need, AwaitedEvidence) and not need.is_released
            ]
            task = _Task(kind, pending, function, needs, len(awaited))
            for need in awaited:
                need.followers.append(task)
        if not awaited:
            self._begin(task)

    def _begin(self, task: _Task) -> None:
        work = functools.partial(self._collect, task.kind, task.pending, task.function, task.needs)
        is_urgent = registry.leads_to_early(task.kind) or registry.leads_to(task.kind, ReportBasis)
        self._workers.do(work, is_urgent=is_urgent)

    def _seconds_left(self, kind: type) -> float:
        """Seconds for which this kind is waited for."""
        collected_by = self._budget.ends + self._budget.assembling + GRACE_S * _height(kind)
        ends = min(collected_by, self._budget.judged_by)
        if kind is ReportBasis:
            ends = max(ends, self._budget.ends + LEAST_BASIS_S)
        return max(0.0, ends - time.monotonic())

    @property
    def collected(self) -> dict[type, Any]:
        """All evidence that is there by now."""
        with self._lock:
            return {
                kind: pending.value for kind, pending in self._pending.items() if pending.is_set()
            }

    def _collect_in_time(
        self,
        kind: type,
        pending: PendingEvidence,
        function: Callable[..., Any],
        needs: Mapping[Need, PendingEvidence],
    ) -> None:
        """Collect it here and now; what takes too long is unavailable."""
        least = LEAST_BASIS_S if kind is ReportBasis else 0.0
        try:
            with at_most(max(self._seconds_left(kind), least)):
                self._collect(kind, pending, function, needs)
        except TimeIsUpError:
            self._give_up(kind, pending)

    def unanswered(self, kinds: Iterable[type]) -> Unavailable | None:
        """Why one of these kinds of evidence may be incomplete; None where all was answered.

        A question without an answer counts wherever it was asked: for the kinds themselves, or for
        evidence that they are collected from. One that this user may not ask counts for the kinds
        themselves only: below them, most of these serve to tell hosts apart. Of several reasons the
        first in the order of the alphabet is given, so that each run says the same.
        """
        if not (self._unanswered or self._forbidden or self.uncollected):
            return None
        waiting = list(kinds)
        unknown = [forbidden for kind in waiting for forbidden in self._forbidden.get(kind, ())]
        visited: set[type] = set()
        while waiting:
            kind = waiting.pop()
            if kind in visited:
                continue
            visited.add(kind)
            if kind.__name__ in self.uncollected:
                unknown.append(_never_collected(kind))
            else:
                unknown += self._unanswered.get(kind, ())
                waiting += [need.kind for need in registry.needs_of(registry.collector(kind))]
        return min(unknown, key=str, default=None)

    def _collect(
        self,
        kind: type,
        pending: PendingEvidence,
        function: Callable[..., Any],
        needs: Mapping[Need, PendingEvidence],
    ) -> None:
        """Run a collector, and keep its evidence and the questions that had no answer.

        Evidence that was given up meanwhile is left alone: whoever judges needs the processor.
        """
        if pending.is_set():
            return
        host = TrackingHost(self.host)
        value = self._outcome(function, needs, host)
        if host.unanswered:
            self._unanswered[kind] = host.unanswered
        if host.forbidden:
            self._forbidden[kind] = host.forbidden
        self._settle(pending, value)

    def _outcome(
        self,
        function: Callable[..., Any],
        needs: Mapping[Need, PendingEvidence],
        host: TrackingHost,
    ) -> Any:
        """The evidence that a collector returns, or why it cannot be called."""
        arguments: dict[str, Any] = {}
        if "host" in hints(function):
            arguments["host"] = host
        try:
            for need in needs:
                value = self.get(need.kind)
                if isinstance(value, Broken) or (need.is_unmet_by(value)):
                    return value
                arguments[need.parameter] = need.argument(value)
            return function(**arguments)
        except msgspec.ValidationError as error:
            return host.misread("malformed", f": {error}")
        except UNREADABLE:
            if os.environ.get("DIAGNOSE_DEBUG"):
                traceback.print_exc()
            return host.misread("malformed", " has a shape that this version does not know")
        except MemoryError:
            return host.misread("too large", " needs more memory than there is")
        except Exception:  # noqa: BLE001 - a crash of ours is a result, with its name
            return Broken(traceback.format_exc(limit=-4))


_FORGOTTEN = Unavailable("budget", "the report is made")


def _never_collected(kind: type) -> Unavailable:
    return Unavailable("budget", f"the {_kind_in_words(kind)} evidence was not collected")


def _kind_in_words(kind: type) -> str:
    """The name of an evidence kind in words: "kernel log" for KernelLog."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()


@functools.cache
def _height(kind: type) -> int:
    """How many levels of evidence there are up to this kind, its own included."""
    needs = registry.needs_of(registry.collector(kind))
    return 1 + max((_height(need.kind) for need in needs), default=0)
