"""Servers on real sockets that answer, misbehave or never answer, one small thread each."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from diagnose.live import Live
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options

Script = Callable[[socket.socket, str], None]
"""What a server does with one request: the connection and the request's target."""

PING = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\nDocker-Experimental: false\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)


USUAL_S = Options().budget_s
PATIENT_S = 10 * USUAL_S
"""The budget of a run that gives each question ten times as long, for a busy machine."""


class Server:
    """A server on a unix socket that keeps connections alive; it notes how many, and the
    targets."""

    def __init__(self, path: Path, script: Script) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self.targets: list[str] = []
        self.connections = 0
        self._script = script
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(16)
        self._listeners = [listener]
        self._serve_on(listener)

    def endpoint(self) -> str:
        """The address at which a host of `live` finds it."""
        return self.url

    def listen_on_tcp(self) -> str:
        """Its address for docker-py, which asks every engine that is not behind a local socket."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self._serve_on(listener)
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    @property
    def is_on_tcp(self) -> bool:
        return len(self._listeners) > 1

    def _serve_on(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while True:
                data = connection.recv(4096)
                if not data:
                    return
                head += data
                while b"\r\n\r\n" in head:
                    request, _, head = head.partition(b"\r\n\r\n")
                    target = request.split(b" ")[1].decode()
                    self.targets.append(target)
                    if target == "/_ping":
                        connection.sendall(PING)
                    else:
                        self._script(connection, target)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def live(self, *, is_patient: bool = True) -> Live:
        """A host with this engine; not patient where the usual deadline is what a test is about."""
        return Live(Options(host=self.endpoint(), budget_s=PATIENT_S if is_patient else USUAL_S))


Ask = Callable[[Live, AnyQuestion], Any]


def served(live: Live, asked: Iterable[AnyQuestion]) -> Iterator[tuple[AnyQuestion, Any]]:
    waiting = iter(asked)
    return live.serve("api", lambda: next(waiting, None))


def reply(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(raw: bytes) -> Script:
    return lambda connection, target: connection.sendall(raw)


def says_and_hangs_up(raw: bytes) -> Script:
    def script(connection: socket.socket, target: str) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    return script


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"


def drips(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.1)


def drips_headers(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: b\r\n")
        time.sleep(0.1)


def endless(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def endless_headers(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: b\r\n" * 1000)


def never(connection: socket.socket, target: str) -> None:
    time.sleep(30)
