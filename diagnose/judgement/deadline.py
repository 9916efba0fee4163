"""A limit of time for work that asks nobody: judging, linking causes.

The kernel's timer interrupts the interpreter between two steps of Python. It cannot interrupt one
long step in C: texts are cut before they are judged for that reason (`diagnose.recording.limits`).
"""

from __future__ import annotations

import math
import signal
import threading
from types import FrameType, TracebackType

AGAIN_S = 0.05
"""Seconds after which it is raised again: Python drops what is raised in a callback of its garbage
collector or in a finalizer."""
SHORTEST_S = 0.001
"""The timer takes 0 for "never"."""


class TimeIsUpError(BaseException):
    """Raised in the block of `at_most`. No check can catch it by accident: it is no Exception."""


class at_most:  # noqa: N801 - a context manager, read as a phrase
    """Raise TimeIsUpError in the block once so many seconds have passed.

    Outside the main thread there is no limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = max(seconds, SHORTEST_S)
        self._is_open = False
        self._has_limit = (
            seconds < math.inf and threading.current_thread() is threading.main_thread()
        )

    def __enter__(self) -> None:
        if self._has_limit:
            self._before = signal.signal(signal.SIGALRM, self._end)
            signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN_S)
            # Last: what is raised in here ends no block, and the timer would go on for ever.
            self._is_open = True

    def _end(self, _number: int, frame: FrameType | None) -> None:
        is_leaving = frame is not None and frame.f_code is at_most.__exit__.__code__
        if self._is_open and not is_leaving:
            raise TimeIsUpError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._is_open = False
        if self._has_limit:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
