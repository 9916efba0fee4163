"""Helper processes.

What may block in the kernel for ever, or changes the process that does it, is done in processes
that can be left behind.

A stat on a dead network mount cannot be interrupted, not even by SIGKILL, and a thread in it would
hold the exit; a network namespace belongs to whoever entered it. So `Helper.start` forks one small
process for each room of functions, before the tool has any thread. This process does no work
itself: on request it forks a worker and hands over the worker's socket. A worker answers one
request after the other. A worker that is silent past its deadline is abandoned and named, and the
next request gets another. Helper and workers have a session of their own with their streams on
/dev/null. They end with the tool, whatever ended it: the helper kills its workers when its socket
closes.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from diagnose.live import Refused, unexpected_words
from diagnose.live.helper_memory import FULL, limit_memory
from diagnose.live.helper_messages import encode, receive, send
from diagnose.model import Json

Name = Literal["disk", "network"]

ROOMS: Mapping[Name, str] = {
    "disk": "diagnose.live.disk.worker",
    "network": "diagnose.live.network.worker",
}
"""The module that each helper's workers run. Its `functions()` imports what they need and gives
them by name."""

WORKERS_MAX: Mapping[Name, int] = {"disk": 64, "network": 3}
"""Workers that may live at the same time. Network questions are short and wait for one of a few; a
question to a file system may wait for a dead mount, and must not keep others from theirs."""

BUSY_S: Mapping[Name, float] = {"disk": 0.0, "network": 0.02}
"""Seconds for which the workers of a helper may all be busy before one more is forked. Most network
questions take less."""

FORK_S = 3.0
"""Seconds that the helper is given to fork a worker, also on a host whose processors are all taken.
"""
DEATH_S = 0.02
"""Seconds that a killed process is given to vanish before it is called unkillable."""
MARGIN_S = 0.15
"""Seconds that are kept back from a question's deadline, so that the answer about a silence still
comes in time."""
STUCK_MAX = 24
"""Workers that SIGKILL does not end, and that may be left behind in one run; more would only burden
a host that is stuck already."""

_PREPARE = b"p"
_FORK = b"f"
_REFUSAL_BYTES = 1000

Function = Callable[[Json], "Json | AnswerWithSocket"]


class NoWorkerError(Refused):
    """No worker answers: no process can be made, or too many are stuck already."""


class AnswerWithSocket(msgspec.Struct):
    """The answer of a worker's function that also hands a socket to the tool."""

    value: Json
    socket: socket.socket


class Helper:
    """The tool's side.

    Sends requests to workers, keeps the idle ones, leaves the stuck ones behind. Safe to share
    by threads.
    """

    def __init__(self, name: Name, control: socket.socket, pid: int, missing: str = "") -> None:
        self.name = name
        self.pid = pid
        self._missing = missing
        self._control = control
        self._changed = threading.Condition()
        self._idle: list[_WorkerProcess] = []
        self._living = 0
        self._stuck: list[str] = []

    @classmethod
    def start(cls, name: Name) -> Helper:
        """Fork a helper. Call it before the first thread of the process is started (about 1 ms).

        Where the host has no process left, every request is refused.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = os.fork()
        except OSError as error:
            theirs.close()
            return cls(name, ours, 0, f"no helper process can be made: {error.strerror}")
        if pid == 0:
            try:
                ours.close()
                _settle(theirs)
                _serve_forks(name)
            finally:
                os._exit(0)
        theirs.close()
        ours.settimeout(FORK_S)
        return cls(name, ours, pid)

    def prepare(self) -> None:
        """Have the helper import what its workers need, before the first request."""
        with contextlib.suppress(OSError):
            self._control.send(_PREPARE)

    def call(self, function: str, args: Json, deadline: float) -> Json:
        """The answer of this function of the helper, within `deadline` seconds in all.

        Raises OSError as the worker met it, Refused as the worker raised it, and Refused("timed
        out") that says which process waits, for what and where in the kernel.
        """
        return self.submit(function, args, deadline).result()

    def submit(self, function: str, args: Json, deadline: float) -> PendingReply:
        """Send a request to a worker without waiting for its answer."""
        until = time.monotonic() + deadline
        worker = self._take_worker(until)
        pending = PendingReply(self, worker, _describe(function, args), until)
        try:
            send(worker.connection, encode({"function": function, "args": args}))
        except OSError:
            self.forget(worker)
            raise
        return pending

    def close(self) -> None:
        """Let the helper and its workers end; stuck ones end when the kernel lets them go."""
        self._control.close()
        for worker in self._idle:
            worker.connection.close()

    def give_back(self, worker: _WorkerProcess) -> None:
        """A worker that answered is idle again."""
        with self._changed:
            self._idle.append(worker)
            self._changed.notify()

    def forget(self, worker: _WorkerProcess) -> None:
        """A worker that is gone makes room for another."""
        worker.connection.close()
        with self._changed:
            self._living -= 1
            self._changed.notify()

    def abandon(self, worker: _WorkerProcess, what: str, waited: float) -> Refused:
        """Leave a silent worker behind; the Refused says for what it waits."""
        evidence = (
            f"{what} does not answer after {waited:.1f} s; "
            f"process {worker.pid} {_where_it_waits(worker.pid)}"
        )
        with contextlib.suppress(OSError):
            os.kill(worker.pid, signal.SIGKILL)
        time.sleep(DEATH_S)
        if _state(worker.pid) not in ("", "Z"):
            evidence += ", and SIGKILL does not end it"
            self._stuck.append(what)
        self.forget(worker)
        return Refused("timed out", evidence)

    def _take_worker(self, until: float) -> _WorkerProcess:
        """An idle worker, or a new one where fewer than the limit live."""
        if self._missing:
            raise NoWorkerError("refused", self._missing)
        with self._changed:
            self._wait_for_idle(until)
            if self._idle:
                return self._idle.pop()
            if len(self._stuck) >= STUCK_MAX:
                raise NoWorkerError(
                    "timed out",
                    f"{STUCK_MAX} helper processes are stuck already; the first: {self._stuck[0]}",
                )
            self._control.sendall(_FORK)
            data, descriptors, _, _ = socket.recv_fds(self._control, _REFUSAL_BYTES, 1)
            if not descriptors:
                raise NoWorkerError(
                    "refused", data.decode(errors="replace") or f"the {self.name} helper is gone"
                )
            self._living += 1
        return _WorkerProcess(socket.socket(fileno=descriptors[0]), int(data))

    def _wait_for_idle(self, until: float) -> None:
        """Return as soon as a worker is idle, or another one may be forked.

        Refused("timed out") at `until` (monotonic).
        """
        may_fork_at = time.monotonic() + (BUSY_S[self.name] if self._living else 0.0)
        while not self._idle:
            now = time.monotonic()
            is_full = self._living >= WORKERS_MAX[self.name]
            if not is_full and now >= may_fork_at:
                return
            if now >= until:
                raise Refused("timed out", f"all {self._living} {self.name} workers are busy")
            self._changed.wait((until if is_full else min(until, may_fork_at)) - now)


class _WorkerProcess(msgspec.Struct, eq=False):
    """One worker process as the tool sees it."""

    connection: socket.socket
    pid: int


class PendingReply:
    """A request that was sent to a worker."""

    def __init__(self, helper: Helper, worker: _WorkerProcess, what: str, until: float) -> None:
        self._helper = helper
        self._worker = worker
        self._what = what
        self._since = time.monotonic()
        self._until = until

    def result(self) -> Json:
        """The answer; raises as `Helper.call` does. To be called once."""
        value, handed_over = self.result_with_socket()
        if handed_over is not None:
            handed_over.close()
        return value

    def result_with_socket(self) -> tuple[Json, socket.socket | None]:
        """The answer, and the socket that the worker handed over with it."""
        try:
            reply, handed_over = receive(self._worker.connection, self._until)
        except TimeoutError:
            raise self._helper.abandon(
                self._worker, self._what, time.monotonic() - self._since
            ) from None
        except OSError:
            self._helper.forget(self._worker)
            raise
        self._helper.give_back(self._worker)
        if "reason" in reply:
            raise Refused(reply["reason"], reply["detail"])
        if "errno" in reply:
            raise OSError(reply["errno"], os.strerror(reply["errno"]), reply["detail"])
        return reply["value"], handed_over


def _settle(control: socket.socket) -> None:
    """Cut what ties the child to the tool's terminal, signals and open files."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    moved = os.dup(control.fileno())
    os.closerange(3, moved)
    os.dup2(moved, 3)
    os.closerange(4, 1 << 20)
    control.detach()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir("/")


def _serve_forks(name: Name) -> None:
    """The helper's life: fork workers on request until the tool is gone, then take them along."""
    control = socket.socket(fileno=3)
    workers: set[int] = set()
    functions: Mapping[str, Function] = {}
    while command := control.recv(1):
        try:
            functions = (
                functions or importlib.import_module(ROOMS[name]).functions()
            )  # here, so that no worker has to
        except Exception as error:  # noqa: BLE001 - whatever a broken installation brings
            if command == _FORK:
                control.send(
                    f"the {name} helper cannot work: {type(error).__name__}: {error}".encode()[
                        :_REFUSAL_BYTES
                    ]
                )
            continue
        if command == _PREPARE:
            continue
        _reap_ended(workers)
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError as error:
            control.send(f"no helper process can be made: {error.strerror}".encode())
            continue
        if pid == 0:
            control.close()
            theirs.close()
            _serve_requests(ours, functions)
            os._exit(0)
        workers.add(pid)
        socket.send_fds(control, [str(pid).encode()], [theirs.fileno()])
        ours.close()
        theirs.close()
    _reap_ended(workers)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)


def _reap_ended(workers: set[int]) -> None:
    """Drop the workers that have ended.

    Until then each keeps its pid, so that no stranger is killed in its place.
    """
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            workers.discard(pid)


def _serve_requests(connection: socket.socket, functions: Mapping[str, Function]) -> None:
    """A worker's life: answer requests until the tool is gone."""
    limit_memory()
    gc.freeze()
    gc.enable()  # the tool runs without, but a message of pyroute2 refers to itself
    while True:
        try:
            request, _ = receive(connection, None)
        except OSError:
            return
        body, handed_over = _answer(functions, request)
        send(connection, body, handed_over)
        if handed_over is not None:
            handed_over.close()


def _answer(functions: Mapping[str, Function], request: Json) -> tuple[bytes, socket.socket | None]:
    """The message for what a function returned or raised, and the socket that it hands over."""
    handed_over = None
    reply: dict[str, Json]
    try:
        value = functions[request["function"]](request["args"])
        if isinstance(value, AnswerWithSocket):
            value, handed_over = value.value, value.socket
        return encode({"value": value}), handed_over
    except Refused as refused:
        reply = {"reason": refused.failed.reason, "detail": refused.failed.detail}
    except OSError as error:
        reply = {"errno": error.errno or errno.EIO, "detail": str(error.filename or "")}
    except MemoryError:
        reply = {"reason": "too large", "detail": FULL}
    except Exception as error:  # noqa: BLE001 - the tool shall hear of it, not a closed socket
        reply = {"reason": "malformed", "detail": unexpected_words(error)}
    return encode(reply), None


def _describe(function: str, args: Json) -> str:
    """A request in a few words."""
    paths = args.get("paths") or [args[name] for name in ("path", "name", "server") if name in args]
    if args.get("pid"):
        return f"{function} of process {args['pid']}"
    if not paths:
        return function
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{function} of {paths[0]}{more}"


def _where_it_waits(pid: int) -> str:
    """The state of a process and where in the kernel it waits.

    As far as /proc shows it to the caller.
    """
    state = _state(pid)
    if not state:
        return "is gone"
    try:
        place = Path(f"/proc/{pid}/wchan").read_text().strip("0\n")
    except OSError:
        place = ""
    return f"is in state {state}" + (f", waiting in {place}" if place else "")


def _state(pid: int) -> str:
    """The letter of a process's state; empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        return text[text.rindex(")") + 2]
    except (OSError, ValueError):
        return ""
