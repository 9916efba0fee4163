"""The effect of an interrupt during a run, and the line about what the run waits for."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Recorder, in_thread

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def ending(budget: Budget) -> Iterator[None]:
    """While it lasts, SIGINT and SIGTERM end the collecting, not the process.

    What is known so far is reported.
    """

    def cut(*_: object) -> None:
        budget.cut()
        with contextlib.suppress(OSError):
            os.write(2, b"interrupted: reporting what is known so far\n")

    with _calling_on_interrupt(cut):
        yield


@contextlib.contextmanager
def attended(recorder: Recorder, budget: Budget) -> Iterator[None]:
    """End the run at an interrupt, as `ending` does, with a line on stderr about what the run
    waits for."""
    with ending(budget), _progress(recorder):
        yield


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """While it lasts, an interrupt lets the report be written to its end.

    A second one ends the process.
    """

    def once(*_: object) -> None:
        for number in INTERRUPTS:
            signal.signal(number, signal.SIG_DFL)

    with _calling_on_interrupt(once):
        yield


@contextlib.contextmanager
def _calling_on_interrupt(do: Callable[..., None]) -> Iterator[None]:
    """While it lasts, an interrupt calls `do`; a thread other than the main one changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, do) for number in INTERRUPTS]
    try:
        yield
    finally:
        for number, handler in zip(INTERRUPTS, before, strict=True):
            signal.signal(number, handler)


class _progress:  # noqa: N801 - a context manager, read as a phrase
    """While it lasts, a line on stderr says what is being waited for.

    The line appears only where stderr is a terminal and the wait is long.
    """

    QUIET_S = 0.7

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.done = threading.Event()
        self.is_shown = False

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            in_thread(self._show)

    def _show(self) -> None:
        wait = self.QUIET_S
        while not self.done.wait(wait):
            waiting = ", ".join(dict.fromkeys(self.recorder.waiting))
            sys.stderr.write(f"\r\x1b[Kstill reading: {waiting[:60]}" if waiting else "\r\x1b[K")
            sys.stderr.flush()
            self.is_shown = True
            wait = 0.2

    def __exit__(self, *_: object) -> None:
        self.done.set()
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
