"""When this process began, and how it ends."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import click

UNKNOWN = 3
"""The exit code of every usage error and crash of ours: click's own 2 would read as critical."""


_FIRST_LINE = time.monotonic()


def leave(code: int) -> NoReturn:
    """End the process at once.

    A thread or a helper that is stuck in the kernel must not hold the exit.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a full disk: what was asked for is not there
            code = UNKNOWN
    os._exit(code)


@contextmanager
def printing_a_script() -> Iterator[None]:
    """Make a refusal fail in the shell that reads the script, too.

    A shell that reads nothing ends with 0, and what follows its `&&` would run.
    """
    try:
        yield
    except click.ClickException:
        if not sys.stdout.isatty():
            click.echo("exit 1")
        raise


def began() -> float:
    """When this program began, on the monotonic clock.

    The budget counts from there, not from our first line. A shell may have become this process
    (`exec`) after it had waited for other commands: that time is not the program's, and neither ran
    it nor waited for a processor meanwhile.
    """
    age = 0.0
    with suppress(OSError, ValueError, AttributeError):
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        ran, waited, _ = map(int, Path("/proc/self/schedstat").read_text().split())
        age = min(age, max((ran + waited) / 1e9, time.monotonic() - _FIRST_LINE))
    return time.monotonic() - max(0.0, age)


SLACK_S = 0.5
"""Seconds after its budget in which a run ends, where the host gives it enough of a processor."""
STARVED_SHARE = 0.5
"""Of a processor: a run that gets more is short of time because its budget is small."""
ENOUGH_CPU_S = 1.5
"""Seconds of CPU that a run on a small host takes, with some to spare."""
LATEST_FACTOR = 2
LATEST_S = 5.0
"""Any other run ends after so many budgets and seconds at the latest."""


class LastMoment:
    """The end of a run that gets so little of a processor that nothing can come of it.

    say: is given one sentence, before the process ends with exit code 3.
    """

    def __init__(self, began: float, budget_s: float, say: Callable[[str], None]) -> None:
        self._began = began
        self._budget_s = budget_s
        self._say = say
        self._is_over = threading.Event()
        self._ending = threading.Lock()

    def watch_start(self) -> None:
        """Until `watch` is called: a process that has yet to fork may have no thread."""

        def end(*_: object) -> None:
            if self._is_starved():
                self._end()

        seconds = self._began + self._budget_s + SLACK_S - time.monotonic()
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, min(max(seconds, 0.001), threading.TIMEOUT_MAX))

    def watch(self) -> None:
        """Wait for the end of the run, in a thread of its own, or end the process."""
        if self._ends_within(self._budget_s + SLACK_S):
            return
        if not self._is_starved() and self._ends_within(LATEST_FACTOR * self._budget_s + LATEST_S):
            return
        with self._ending:
            if not self._is_over.is_set():
                self._end()

    def _end(self) -> NoReturn:
        """Say in one sentence why, and end the process at once."""
        try:
            self._say(self._sentence())
        finally:  # also where nobody reads what is said any more
            os._exit(UNKNOWN)

    def called_off(self) -> None:
        """The report is there. Where the process is being ended this does not return."""
        with self._ending:
            self._is_over.set()

    def _ends_within(self, seconds: float) -> bool:
        seconds_left = self._began + seconds - time.monotonic()
        return self._is_over.wait(min(max(seconds_left, 0.0), threading.TIMEOUT_MAX))

    def _is_starved(self) -> bool:
        return self._share() < STARVED_SHARE

    def _share(self) -> float:
        """Of one processor, since the process began."""
        return time.process_time() / max(time.monotonic() - self._began, 0.001)

    def _sentence(self) -> str:
        elapsed = time.monotonic() - self._began
        worked = time.process_time()
        needed = max(2 * self._budget_s, ENOUGH_CPU_S * elapsed / max(worked, 0.01))
        shortage = f"in {elapsed:.1f} s this host gave the run {worked:.1f} s of a processor"
        if self._share() >= STARVED_SHARE:
            shortage = f"the run was not through after {elapsed:.1f} s"
        return f"not examined: {shortage}; run it again with --budget {math.ceil(needed)}"
