"""Few threads collect evidence; more are hired only where those that there are wait."""

from __future__ import annotations

import threading
import time

import pytest

from diagnose.judgement import workers
from diagnose.judgement.workers import FEW, Workers


def test_work_behind_stuck_threads_is_done_soon():
    held, reached = threading.Event(), threading.Event()
    crew = Workers()
    for _ in range(FEW * 12):
        crew.do(lambda: held.wait(20))
    crew.do(reached.set)
    try:
        assert reached.wait(2), "the work behind waits for those that are stuck"
    finally:
        held.set()


def test_no_more_threads_than_few_while_work_goes_on():
    """A thread that waits for a moment is not stuck."""
    at_once, most = 0, 0
    lock, finished = threading.Lock(), threading.Semaphore(0)

    def short() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.001)
        with lock:
            at_once -= 1
        finished.release()

    crew = Workers()
    for _ in range(100):
        crew.do(short)
    for _ in range(100):
        assert finished.acquire(timeout=5)
    assert most <= 2 * FEW  # twice, where the machine stood still for a moment


def test_without_a_thread_the_caller_works(monkeypatch):
    monkeypatch.setattr(workers, "in_thread", lambda *_: False)
    done: list[str] = []
    crew = Workers()

    def first() -> None:
        crew.do(lambda: done.append("what followed"))
        done.append("first")

    crew.do(first)
    assert done == ["first", "what followed"]


def test_threads_that_are_no_longer_needed_end():
    crew = Workers()
    for _ in range(FEW):
        crew.do(lambda: None)
    deadline = time.monotonic() + 5
    while crew._threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not crew._threads


def test_urgent_work_is_done_before_what_was_given_earlier(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "FEW", 1)
    monkeypatch.setattr(workers, "STUCK_S", 60)
    held, done = threading.Event(), threading.Semaphore(0)
    order: list[str] = []

    def note(name: str) -> None:
        order.append(name)
        done.release()

    crew = Workers()
    crew.do(lambda: held.wait(20))
    crew.do(lambda: note("first"))
    crew.do(lambda: note("second"))
    crew.do(lambda: note("urgent"), is_urgent=True)
    held.set()
    for _ in range(3):
        assert done.acquire(timeout=20)
    assert order == ["urgent", "first", "second"]
