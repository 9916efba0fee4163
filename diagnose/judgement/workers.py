"""Threads for work that waits for answers: few of them, and more only where all of them wait."""

import threading
import time
from collections import deque
from collections.abc import Callable

from diagnose.recording.recorder import in_thread

FEW = 8
"""Threads that work from the start. On a healthy host each waits for milliseconds, and more threads
only fight for the interpreter: with one for each of 210 kinds of evidence, a run on 10 containers
took 0.1 s more of CPU."""
STUCK_S = 0.02
"""Seconds without a new piece of work begun, after which the threads count as stuck: a question may
wait for seconds for a dead server or mount."""


class Workers:
    """Does each piece of work in a thread: the urgent first, then the first given.

    Where work is left and the threads are stuck their number doubles. The caller works where the
    host has no thread left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._begun = 0
        self._is_watched = False

    def do(self, work: Callable[[], None], *, is_urgent: bool = False) -> None:
        """Have this done; returns at once, unless no thread is to be had."""
        with self._lock:
            if is_urgent:
                self._left.appendleft(work)
            else:
                self._left.append(work)
            if self._threads < FEW:
                self._hire()
            elif not self._is_watched:
                self._is_watched = in_thread(self._hire_for_stuck)
            is_deserted = not self._threads
            if is_deserted:
                self._threads += 1
        if is_deserted:
            self._run_jobs()

    def _hire(self) -> None:
        """One more thread, if one is to be had. The lock is held."""
        if in_thread(self._run_jobs):
            self._threads += 1

    def _run_jobs(self) -> None:
        """Do what is left; a thread that finds nothing ends."""
        while True:
            with self._lock:
                if not self._left:
                    self._threads -= 1
                    return
                work = self._left.popleft()
                self._begun += 1
            work()

    def _hire_for_stuck(self) -> None:
        """Hire more threads for as long as those that there are get stuck."""
        begun = -1
        while True:
            time.sleep(STUCK_S)
            with self._lock:
                if not self._left:
                    self._is_watched = False
                    return
                if self._begun == begun:
                    for _ in range(min(len(self._left), max(self._threads, 1))):
                        self._hire()
                begun = self._begun
