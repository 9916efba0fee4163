"""What becomes of a run whose reader is gone, or whose engine closes its connections."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import run
from tests.live.servers import PING, Server

DEMO = [sys.executable, "-m", "diagnose", "all", "--from", "demo"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_is_gone_ends_the_run_in_silence(form: str) -> None:
    process = subprocess.Popen(
        [*DEMO, "--format", form], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) in (-signal.SIGPIPE, 128 + signal.SIGPIPE)


def test_an_engine_that_closes_each_connection_does_not_end_the_run(tmp_path: Path) -> None:
    """It says nothing of that before, as one that restarts, or a proxy that forgets to."""

    def answer_and_hang_up(connection: socket.socket, target: str) -> None:
        refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
        connection.sendall(PING if target.endswith("/_ping") else refused)
        connection.shutdown(socket.SHUT_RDWR)

    server = Server(tmp_path / "engine.sock", answer_and_hang_up)
    done = run("all", "-H", server.url, "--budget", "10")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("UNKNOWN ")
    assert server.connections > 2
