"""A run under a limit on memory ends in time, with a report or with one sentence and exit 3.

Python cannot promise that alone. Where no memory is left for the bookkeeping of an `except` block,
CPython 3.11 begins the block again, for ever, and holds the interpreter: no timer, no thread and no
signal handler of ours runs any more. A library in C may end the process by a signal. So where
memory can be refused, the run is a child process. Its parent has one thread, does nothing but wait,
and ends the child at the moment that the child named.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import resource
import signal
import struct
import sys
import threading
import time

TYPE_CHECKING = False  # as in __main__
if TYPE_CHECKING:
    import mmap
    from typing import NoReturn

LATE_S = 1.6
"""Seconds after its budget in which a run must have ended. With a limit on memory a run that takes
longer is called off."""
LOOK_S = 0.2
"""How often the parent looks at the child's deadline."""
STACK_BYTES = 1 << 20
"""The stack of a thread: 150 threads with the usual 8 MiB would take more than 1 GiB of address
space. musl gives a Python program as much."""
ARENAS = 2
"""Heaps that glibc may have for threads. Each takes 64 MiB of address space, and there may be eight
for each processor."""
_M_ARENA_MAX = -8

LEAST_BYTES = 256 << 20
"""Address space for a run on a live host at least: with less, threads find none even where there
are few containers (measured with 0 to 20)."""

UNKNOWN = 3
SENTENCE = (
    b"Error: there is not enough memory; 1 GiB of address space (ulimit -v) is enough for most"
    b" hosts\n"
)
LATE_SENTENCE = (
    b"Error: the run did not end in time, and its memory is limited; 1 GiB of address space"
    b" (ulimit -v) is enough for most hosts\n"
)

_MOMENT = struct.Struct("d")
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
_OF_MEMORY = (signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGSEGV, signal.SIGSYS)
_deadline: mmap.mmap | None = None
"""In the child: where its parent reads the deadline. None where there is no parent that waits."""
_child = 0
"""The process that the parent waits for: a process that it forks has the same memory."""


def is_limited() -> bool:
    """Whether the kernel may refuse memory to this process before the host has none."""
    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    if any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits):
        return True
    try:
        with open("/proc/sys/vm/overcommit_memory", "rb") as setting:  # noqa: PTH123 - no pathlib yet
            return setting.read(1) == b"2"
    except OSError:
        return False


def supervise() -> None:
    """Go on in a child process; the parent waits for the child and ends with its exit code.

    Call it before any thread. Where there is no process left, the run continues without a parent.
    """
    global _deadline, _child
    import mmap

    shared = mmap.mmap(-1, _MOMENT.size)
    _MOMENT.pack_into(shared, 0, math.inf)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_FORWARDED, signal.SIGCHLD})
    try:
        child = os.fork()
    except OSError:
        child = 0
    if child:
        _wait(child, shared)
    _deadline = shared
    _child = os.getpid()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    _be_frugal()


def must_end_by(moment: float) -> None:
    """Have this process called off at that moment, where its memory is limited.

    In seconds of the monotonic clock; infinity: never.
    """
    if _deadline is not None and _child == os.getpid():
        _MOMENT.pack_into(_deadline, 0, moment)


def require_enough() -> None:
    """MemoryError where the address space is too small for a run on a live host."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] in range(LEAST_BYTES):
        raise MemoryError


def is_refusal(error: BaseException) -> bool:
    """Whether the error came of memory that was refused.

    A library that cannot be loaded, or a thread that cannot be started, does not say so itself.
    """
    return isinstance(error, MemoryError) or (
        isinstance(error, ImportError | SystemError) and is_limited()
    )


class _MainThreadsWords(io.TextIOWrapper):
    """The standard error stream of the main thread alone.

    The interpreter itself complains there of threads that had no memory.
    """

    def write(self, text: str) -> int:
        if threading.get_ident() != threading.main_thread().ident:
            return len(text)
        return super().write(text)


def _be_frugal() -> None:
    """Take less address space for threads.

    A thread that ends for lack of memory says nothing on stderr.
    """
    import _thread

    sys.stderr = _MainThreadsWords(
        open(2, "wb", closefd=False),  # noqa: SIM115 - until the process ends
        line_buffering=True,
    )

    with contextlib.suppress(Exception):
        _thread.stack_size(STACK_BYTES)
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def _wait(child: int, shared: mmap.mmap) -> NoReturn:
    """The parent's life: pass signals on, and end as the child ends."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_as(status)
        (deadline,) = _MOMENT.unpack_from(shared)
        if time.monotonic() > deadline:
            _call_off(child)
        received = signal.sigtimedwait({*_FORWARDED, signal.SIGCHLD}, LOOK_S)
        # What a terminal sends reaches the child too, which is of the same group.
        is_for_us_alone = received is not None and received.si_code <= 0
        if received is not None and received.si_signo in _FORWARDED and is_for_us_alone:
            os.kill(child, received.si_signo)


def _end_as(status: int) -> NoReturn:
    """End with the child's exit code, or by its signal where that is not a lack of memory."""
    code = os.waitstatus_to_exitcode(status)
    if -code in _OF_MEMORY:
        _say(SENTENCE)
        os._exit(UNKNOWN)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code)


def _call_off(child: int) -> NoReturn:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    _say(LATE_SENTENCE)
    os._exit(UNKNOWN)


def _say(sentence: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(2, sentence)
