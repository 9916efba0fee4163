"""Running commands, asking a socket, and waiting, each with a deadline that holds."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def run_bounded(
    command: Sequence[str],
    shown: Sequence[str],
    env: Mapping[str, str],
    *,
    timeout: float,
    check: bool,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """subprocess.run, but a timeout kills the whole process group, which nsenter's forked child
    belongs to."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(env),
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise AssertionError(
                f"{shlex.join(shown)}: no end in {timeout} s\n{out}{err}"
            ) from None
        raise
    if check and process.returncode != 0:
        raise AssertionError(f"{shlex.join(shown)}: exit {process.returncode}\n{out}{err}")
    return subprocess.CompletedProcess(list(shown), process.returncode, out, err)


def poll(condition: Callable[[], T], timeout: float, what: str, every: float = 0.05) -> T:
    """Poll until condition() is true and return its value; AssertionError after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(every)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; timeout in seconds per read."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
