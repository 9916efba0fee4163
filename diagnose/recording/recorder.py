"""Asks each question once, and keeps the recording.

A question is answered in its lane, inside its deadline and the run's budget.
"""

from __future__ import annotations

import _thread
import contextlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue

import msgspec

from diagnose.model import Failed, Json
from diagnose.questions import AnswerSource, AnyQuestion, Host, Lane, Policy
from diagnose.questions.host import LaneServer
from diagnose.questions.question import canonical
from diagnose.recording.budget import Budget
from diagnose.recording.recorded_answer import PACKED_FROM, RecordedAnswer, is_long, packed

__all__ = ["RecordedAnswer", "Recorder", "Replay", "recorded"]

WORKERS: Mapping[Lane, int] = {"api": 1, "local": 3, "file": 2, "netns": 2, "probe": 32, "last": 1}
"""Threads per lane. That of the API has several questions under way at once. Only what waits is
done by many: threads that work fight for the interpreter, and 60 namespaces visited by 32 of them
cost a run of 0.9 s a tenth more.
"""
TICK = 0.02
"""How often deadlines are looked at, in seconds."""
GRACE = 2 * TICK
"""How much longer a deadline is waited for here than by the collector that answers, which knows
better what came of it."""
QUIET = 3
"""Ticks without a question in a busy lane after which all else counts as answered: one answer leads
to the next questions."""
MANY = 16
"""While more answers than these are waited for they are taken in handfuls: to wake up for each
would take the interpreter from the thread that asks.
"""
BUSY_LANES: tuple[Lane, ...] = ("api", "local", "file", "netns")
"""The lanes that must be idle before the `last` one begins; a probe only waits, so it may go on."""


def in_thread(work: Callable[..., None], *args: object) -> bool:
    """Have this done in a bare thread of its own: `Thread.start` would wait until it has begun.

    False where the host has no thread left (its pid_max, a cgroup's pids.max, a user's nproc).
    """
    try:
        _thread.start_new_thread(_do_quietly, (work, args))
    except (RuntimeError, MemoryError):
        return False
    return True


def _do_quietly(work: Callable[..., None], args: tuple[object, ...]) -> None:
    """Do the work; where memory has run out, end without a word on stderr.

    Whoever waits for the thread waits until its deadline. SystemError: what CPython 3.11 raises
    where it had no memory for the MemoryError.
    """
    with contextlib.suppress(MemoryError, SystemError):
        work(*args)


class _Job(msgspec.Struct, eq=False):
    question: AnyQuestion
    policy: Policy
    started: float = 0.0
    entry: RecordedAnswer | None = None
    listeners: list[SimpleQueue[_Job]] = msgspec.field(default_factory=list)


class Recorder:
    """A host that remembers: it asks each question once, whoever wants the answer.

    A failure is remembered too. An answer that comes after its deadline is dropped, and never
    recorded. What is not answered when the budget is spent is Failed("budget"). patience: a factor
    on every deadline.
    """

    def __init__(self, inner: LaneServer, budget: Budget, patience: float = 1.0) -> None:
        self._inner = inner
        self._budget = budget
        self._patience = patience
        self._lock = threading.Lock()
        self._work = {lane: threading.Condition(self._lock) for lane in WORKERS}
        self._jobs: dict[AnyQuestion, _Job] = {}
        self._queues: dict[Lane, list[tuple[int, int, _Job]]] = {lane: [] for lane in WORKERS}
        self._idle: dict[Lane, int] = dict.fromkeys(WORKERS, 0)
        self._threads: dict[Lane, int] = dict.fromkeys(WORKERS, 0)
        self._running: dict[AnyQuestion, tuple[_Job, _Worker]] = {}
        self._order = itertools.count()
        self._is_kept = False
        self._quiet = 0

    @property
    def asked(self) -> int:
        """How many questions were asked by now."""
        return len(self._jobs)

    @property
    def recording(self) -> dict[AnyQuestion, RecordedAnswer]:
        """The answers so far, in the order of the questions."""
        with self._lock:
            return {job.question: job.entry for job in self._jobs.values() if job.entry is not None}

    @property
    def waiting(self) -> list[str]:
        """The answers that are being collected, as a person calls them, for a progress line."""
        with self._lock:
            return [question.policy.what for question in self._running]

    def begin(self, question: AnyQuestion) -> None:
        """Have a question answered that will be asked."""
        with self._lock:
            if question not in self._jobs:
                self._submit(question)

    def ask(self, question: AnyQuestion) -> Json | Failed:
        """The answer, waited for at most until the kind's deadline or the budget."""
        for _, answer in self.ask_many((question,)):
            return answer
        raise AssertionError("unreachable")

    def ask_many(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        """Ask for all at once, and yield each answer as it arrives."""
        answered: SimpleQueue[_Job] = SimpleQueue()
        unique = dict.fromkeys(questions)
        with self._lock:
            jobs = [self._jobs.get(question) or self._submit(question) for question in unique]
            ready = [(job.question, job.entry.answer) for job in jobs if job.entry is not None]
            open_jobs = [job for job in jobs if job.entry is None]
            for job in open_jobs:
                job.listeners.append(answered)
        yield from ready
        waiting = {job.question for job in open_jobs}
        while waiting:
            next_job = self._next_job(answered, in_handfuls=len(waiting) > MANY)
            if next_job is None:
                yield from self._given_up(waiting)
                return
            waiting.discard(next_job.question)
            assert next_job.entry is not None
            answer = next_job.entry.answer
            if len(unique) > PACKED_FROM or is_long(next_job.entry):
                next_job.entry = packed(next_job.entry)
            yield next_job.question, answer

    def _next_job(self, answered: SimpleQueue[_Job], *, in_handfuls: bool) -> _Job | None:
        """The next of the questions that somebody waits for; None once the budget is spent."""
        while True:
            deserted = self._serve_deserted()
            if in_handfuls and answered.empty():
                time.sleep(TICK / 4)
            patience = min(self._budget.left + 4 * TICK, threading.TIMEOUT_MAX)
            try:
                return answered.get(timeout=TICK if deserted else patience)
            except Empty:
                if not deserted or not self._budget.left:
                    return None

    def _given_up(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        """The answers where the budget ended unnoticed: the timekeeper did not get the processor.

        Nobody waits longer than the budget.
        """
        for question in questions:
            job = self._jobs[question]
            self._resolve(job, Failed("budget", "no answer within the time limit"))
            assert job.entry is not None
            yield question, job.entry.answer

    def _submit(self, question: AnyQuestion) -> _Job:
        """Queue a question in its lane, or fail it where no time is left."""
        policy = question.policy
        job = self._jobs[question] = _Job(question, policy)
        if not self._budget.left:
            job.entry = RecordedAnswer(Failed("budget", "not asked before the time limit"))
            return job
        lane = policy.lane
        heapq.heappush(self._queues[lane], (policy.priority, next(self._order), job))
        if len(self._queues[lane]) > self._idle[lane]:
            self._hire(lane)
        if not self._is_kept:
            self._is_kept = in_thread(self._keep_time)
        self._work[lane].notify()
        return job

    def _hire(self, lane: Lane) -> None:
        """One more thread for a lane, if it may have one more and one is to be had."""
        if self._threads[lane] < WORKERS[lane] and in_thread(_Worker(self, lane).run):
            self._threads[lane] += 1

    def _serve_deserted(self) -> bool:
        """Answer what nobody else will: the lanes for which the host has no thread left.

        Returns whether there is one.
        """
        deserted = [
            lane for lane, queue in self._queues.items() if queue and not self._threads[lane]
        ]
        for lane in deserted:
            self._serve(_Worker(self, lane))
        return bool(deserted)

    def _await(self, worker: _Worker) -> bool:
        """Wait for a question in the worker's lane; False when this worker was given up."""
        lane = worker.lane
        with self._lock:
            if worker.lost:
                return False
            self._idle[lane] += 1
            while not self._may_serve(lane):
                self._work[lane].wait()
            self._idle[lane] -= 1
            return True

    def _may_serve(self, lane: Lane) -> bool:
        may_start = lane != "last" or self._quiet >= QUIET or not self._is_kept
        return bool(self._queues[lane]) and may_start

    def _pull(self, worker: _Worker) -> AnyQuestion | None:
        """The next question of the worker's lane.

        None where there is none now, or where this worker was given up.
        """
        with self._lock:
            if worker.lost or not self._may_serve(worker.lane):
                return None
            job = heapq.heappop(self._queues[worker.lane])[2]
            job.started = time.monotonic()
            self._running[job.question] = job, worker
            return job.question

    def _serve(self, worker: _Worker) -> None:
        """Answer questions until none is left; where memory runs out, give up those under way."""
        try:
            for question, answer in self._inner.serve(worker.lane, lambda: self._pull(worker)):
                self._resolve(self._jobs[question], answer)
                if worker.lost and not self._budget.left:
                    return  # nobody waits for what else was being answered
        except MemoryError:
            with self._lock:
                unanswered = [job for job, owner in self._running.values() if owner is worker]
            for job in unanswered:
                self._resolve(job, Failed("too large", "there is not enough memory for the answer"))

    def _is_busy(self) -> bool:
        return any(self._queues[lane] for lane in BUSY_LANES) or any(
            worker.lane in BUSY_LANES for _, worker in self._running.values()
        )

    def _resolve(self, job: _Job, answer: Json | Failed) -> None:
        """Set the job's answer once; whoever comes later is dropped."""
        with self._lock:
            if job.entry is not None:
                return
            self._running.pop(job.question, None)
            job.entry = RecordedAnswer(
                answer, round(time.monotonic() - job.started, 6) if job.started else 0.0
            )
            listeners = job.listeners
            job.listeners = []
        for listener in listeners:
            listener.put(job)

    def _keep_time(self) -> None:
        is_over = False
        while not is_over:
            # a timekeeper that ended for lack of memory would leave whoever waits without a
            # deadline
            with contextlib.suppress(MemoryError, SystemError):
                time.sleep(TICK)
                is_over = self._tick()

    def _tick(self) -> bool:
        """Give up what is late, and hire where nobody works. True once the run's time is spent."""
        now = time.monotonic()
        with self._lock:
            spent = now >= self._budget.ends
            given_up = self._take_late(now, spent=spent)
            if spent:
                given_up += self._take_queued()
            else:
                self._hire_where_idle()
            self._quiet = 0 if self._is_busy() else self._quiet + 1
            if self._quiet >= QUIET and self._queues["last"]:
                self._work["last"].notify()
        for job, failed in given_up:
            self._resolve(job, failed)
        return spent

    def _take_late(self, now: float, *, spent: bool) -> list[tuple[_Job, Failed]]:
        """The questions under way that are past their deadline, or the run past its budget.

        Their workers are lost. The lock is held.
        """
        late: list[tuple[_Job, Failed]] = []
        for job, worker in list(self._running.values()):
            over = now - job.started > job.policy.deadline * self._patience + GRACE
            if not over and not spent:
                continue
            reason = f"no answer in {now - job.started:.1f} s"
            late.append((job, Failed("timed out" if over else "budget", reason)))
            del self._running[job.question]
            if not worker.lost:
                worker.lost = True
                self._threads[worker.lane] -= 1
        return late

    def _take_queued(self) -> list[tuple[_Job, Failed]]:
        """The questions that nobody has begun. The lock is held."""
        never = Failed("budget", "not asked before the time limit")
        queued = [(job, never) for queue in self._queues.values() for _, _, job in queue]
        for queue in self._queues.values():
            queue.clear()
        return queued

    def _hire_where_idle(self) -> None:
        for lane, queue in self._queues.items():
            if queue and not self._idle[lane]:
                self._hire(lane)


class _Worker:
    """One thread of a lane.

    A worker that overstays a deadline is lost: it gets no more questions, another takes its
    place.
    """

    def __init__(self, recorder: Recorder, lane: Lane) -> None:
        self.recorder = recorder
        self.lane = lane
        self.lost = False

    def run(self) -> None:
        recorder = self.recorder
        while recorder._await(self):  # noqa: SLF001 - the recorder's own half
            recorder._serve(self)  # noqa: SLF001


class Replay:
    """A recording as a host: each question is answered as it was.

    Anything else is Failed("not recorded").
    """

    def __init__(self, recording: Mapping[AnyQuestion, RecordedAnswer]) -> None:
        self.recording = {canonical(question): entry for question, entry in recording.items()}

    def ask(self, question: AnyQuestion) -> Json | Failed:
        entry = self.recording.get(question) or self.recording.get(canonical(question))
        return Failed("not recorded", question.about()) if entry is None else entry.answer

    def ask_many(
        self, questions: Iterable[AnyQuestion]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        for question in dict.fromkeys(questions):
            yield question, self.ask(question)


def recorded(host: Host | AnswerSource) -> Host:
    """A host that answers only what this one has been asked already."""
    source = host.source if isinstance(host, Host) else host
    return Host(Replay(source.recording) if isinstance(source, Recorder) else source)
