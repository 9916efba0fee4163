"""A limit of time for work that asks nobody: judging, linking causes.

The kernel's timer interrupts the interpreter between two steps of Python. It cannot interrupt one
long step in C: texts are cut before they are judged for that reason (`diagnose.recording.limits`).
"""

from __future__ import annotations

import math
import signal
import threading
from types import FrameType
from typing import ClassVar

AGAIN_S = 0.05
"""Seconds after which it is raised again: Python drops what is raised in a callback of its garbage
collector or in a finalizer."""
SHORTEST_S = 0.001
"""The timer takes 0 for "never"."""


class TimeIsUpError(BaseException):
    """Raised in the block of `at_most`. No check can catch it by accident: it is not an
    Exception."""


class alarm:  # noqa: N801 - a context manager, read as a phrase
    """The timer's signal ends blocks of `at_most` in here.

    Each of these sees to it. Around many of them it is done once: it takes 14 microseconds.
    """

    block: ClassVar[at_most | None] = None
    """The one that ends when the timer fires."""
    _is_set: ClassVar[bool] = False

    def __init__(self) -> None:
        self._sets = False

    def __enter__(self) -> None:
        if not alarm._is_set and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGALRM, _end_block)
            self._sets = alarm._is_set = True

    def __exit__(self, *_: object) -> None:
        if self._sets:
            self._sets = alarm._is_set = False
            signal.signal(signal.SIGALRM, self._before)


class at_most:  # noqa: N801 - a context manager, read as a phrase
    """Raise TimeIsUpError in the block once so many seconds have passed.

    Outside the main thread there is no limit. No such block stands in another one.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = max(seconds, SHORTEST_S)
        self._alarm = alarm()
        self._has_limit = (
            seconds < math.inf and threading.current_thread() is threading.main_thread()
        )

    def __enter__(self) -> None:
        if self._has_limit:
            self._alarm.__enter__()
            signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN_S)
            # Last: what is raised in here ends no block, and the timer would go on for ever.
            alarm.block = self

    def __exit__(self, *_: object) -> None:
        if self._has_limit:
            alarm.block = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._alarm.__exit__()


def _end_block(_number: int, frame: FrameType | None) -> None:
    is_leaving = frame is not None and frame.f_code is at_most.__exit__.__code__
    if alarm.block is not None and not is_leaving:
        raise TimeIsUpError
