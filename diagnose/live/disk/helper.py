"""The helper process: what may block in the kernel for ever is done in processes that can be left behind.

A stat on a dead network mount cannot be interrupted, not even by SIGKILL, and a thread in it would hold the
exit. So `start` forks one small process before the tool has any thread. It does no work itself: on request it
forks a worker and hands its socket over. A worker answers one request after the other; one that is silent
past its deadline is abandoned and named, and the next request gets another. Helper and workers stand in a
session of their own with their streams on /dev/null, and end when their socket closes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
from pathlib import Path

from diagnose.live import Refused
from diagnose.model import Json

LENGTH = struct.Struct("!I")
FORK_S = 3.0
"""Seconds that the helper is given to fork a worker, also on a host whose processors are all taken."""
DEATH = 0.02
"""Seconds that a killed process is given to vanish before it is called unkillable."""
STUCK_MAX = 24
"""Workers that may be left behind in one run; more would only burden a host that is stuck already."""


class Helper:
    """The tool's side: sends requests to workers, keeps the idle ones, leaves the stuck ones behind. Safe to
    share by threads."""

    def __init__(self, control: socket.socket, pid: int, missing: str = "") -> None:
        self.pid = pid
        self._missing = missing
        self._control = control
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._stuck: list[str] = []

    def call(self, function: str, args: Json, deadline: float) -> Json:
        """What `diagnose.live.disk.worker.function(args)` returns, within `deadline` seconds in all.

        Raises OSError as the worker met it, Refused as it said, and Refused("timed out") that says which
        process waits, for what and where in the kernel.
        """
        return self.submit(function, args).result(deadline)

    def submit(self, function: str, args: Json) -> PendingReply:
        """Send a request to a worker without waiting for its answer."""
        worker = self._take()
        pending = PendingReply(self, worker, function, args)
        worker.send({"function": function, "args": args})
        return pending

    def close(self) -> None:
        """Let the helper and its idle workers end; stuck ones end when the kernel lets them go."""
        self._control.close()
        for worker in self._idle:
            worker.connection.close()

    def _take(self) -> Worker:
        if self._missing:
            raise Refused("refused", self._missing)
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if len(self._stuck) >= STUCK_MAX:
                raise Refused(
                    "timed out",
                    f"{STUCK_MAX} helper processes are stuck already; the first: {self._stuck[0]}",
                )
            self._control.sendall(b"w")
            data, fds, _, _ = socket.recv_fds(self._control, 200, 1)
        if not fds:
            raise Refused("refused", data.decode() or "the helper process is gone")
        return Worker(socket.socket(fileno=fds[0]), int(data))

    def give_back(self, worker: Worker) -> None:
        """A worker that answered is idle again."""
        with self._lock:
            self._idle.append(worker)

    def abandon(self, worker: Worker, what: str, waited: float) -> Refused:
        """Leave a silent worker behind; the Refused says for what it waits."""
        evidence = f"{what} does not answer after {waited:.1f} s; process {worker.pid} {_whereabouts(worker.pid)}"
        with contextlib.suppress(OSError):
            os.kill(worker.pid, signal.SIGKILL)
        time.sleep(DEATH)
        if Path(f"/proc/{worker.pid}").exists():
            evidence += ", and SIGKILL does not end it"
        worker.connection.close()
        with self._lock:
            self._stuck.append(what)
        return Refused("timed out", evidence)


class Worker:
    """One worker process as the tool sees it: its socket and its pid."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.connection = connection
        self.pid = pid

    def send(self, message: Json) -> None:
        """Give it a request; OSError if it is gone."""
        _send(self.connection, message)


class PendingReply:
    """A request that was sent to a worker."""

    def __init__(self, helper: Helper, worker: Worker, function: str, args: Json) -> None:
        self._helper = helper
        self._worker = worker
        self._what = f"{function} of {_subject(args)}"
        self._since = time.monotonic()

    def result(self, deadline: float) -> Json:
        """The answer within `deadline` seconds since it was submitted; raises as `Helper.call` does. To be
        called once."""
        try:
            answer = _receive(self._worker.connection, self._since + deadline)
        except TimeoutError:
            raise self._helper.abandon(self._worker, self._what, time.monotonic() - self._since) from None
        except OSError:
            self._worker.connection.close()
            raise
        self._helper.give_back(self._worker)
        if "reason" in answer:
            raise Refused(answer["reason"], answer["detail"])
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]), answer["detail"])
        return answer["value"]


def start() -> Helper:
    """Fork the helper. Call it before the first thread of the process is started (about 1 ms).

    Where the host has no process left, what it is asked is refused.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        pid = os.fork()
    except OSError as error:
        theirs.close()
        return Helper(ours, 0, f"no helper process can be made: {error.strerror}")
    if pid == 0:
        try:
            ours.close()
            _settle(theirs)
            _serve_forks()
        finally:
            os._exit(0)
    theirs.close()
    ours.settimeout(FORK_S)
    return Helper(ours, pid)


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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.chdir("/")


def _serve_forks() -> None:
    from diagnose.live.disk import worker  # noqa: F401 - imported here, so that no worker has to

    control = socket.socket(fileno=3)
    while control.recv(1):
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError as error:
            control.send(f"no helper process can be made: {error.strerror}".encode())
            continue
        if pid == 0:
            control.close()
            theirs.close()
            _work(ours)
            os._exit(0)
        socket.send_fds(control, [str(pid).encode()], [theirs.fileno()])
        ours.close()
        theirs.close()


def _work(connection: socket.socket) -> None:
    from diagnose.live.disk import worker  # never in the tool's own process

    while True:
        try:
            request = _receive(connection, None)
        except OSError:
            return
        try:
            answer = {"value": getattr(worker, request["function"])(request["args"])}
        except Refused as refused:
            answer = {"reason": refused.failed.reason, "detail": refused.failed.detail}
        except OSError as error:
            answer = {"errno": error.errno or 5, "detail": str(error.filename or "")}
        except Exception as error:  # noqa: BLE001 - the tool shall hear of it, not a closed socket
            answer = {"reason": "malformed", "detail": f"{type(error).__name__}: {error}"}
        _send(connection, answer)


def _send(connection: socket.socket, message: Json) -> None:
    body = json.dumps(message).encode()
    connection.settimeout(None)
    connection.sendall(LENGTH.pack(len(body)) + body)


def _receive(connection: socket.socket, until: float | None) -> Json:
    """One message; TimeoutError at `until` (monotonic), ConnectionResetError when the other side is gone."""
    (size,) = LENGTH.unpack(_exactly(connection, LENGTH.size, until))
    return json.loads(_exactly(connection, size, until))


def _exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    parts: list[bytes] = []
    while size:
        connection.settimeout(None if until is None else max(until - time.monotonic(), 1e-4))
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise ConnectionResetError("the helper's worker is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _subject(args: Json) -> str:
    paths = args.get("paths") or [args.get("path", "?")]
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _whereabouts(pid: int) -> str:
    """The state of a process and where in the kernel it waits, as far as /proc tells the caller."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        state = text[text.rindex(")") + 2]
    except (OSError, ValueError):
        return "is gone"
    try:
        place = Path(f"/proc/{pid}/wchan").read_text().strip("0\n")
    except OSError:
        place = ""
    return f"is in state {state}" + (f", waiting in {place}" if place else "")
