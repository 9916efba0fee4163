"""GET over one keep-alive HTTP/1.1 connection, with a bounded body. Nothing here waits: deadlines are kept by `client`.

Why not http.client: importing it costs 50 ms (it brings ssl and email); its timeout is per read, so that a
server which drips holds it for ever; and 1,000 inspects by four threads on engine 20.10 took it 0.26 to
0.44 s, this 0.14 to 0.24 s, and curl 0.13 to 0.25 s.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Generator, Mapping
from typing import NoReturn, TypeVar

import msgspec

from diagnose.live import Refused

HEAD_BYTES = 64 * 1024
"""More than this in front of a body, or as one line of it, is no engine's answer."""

READ_BYTES = 256 * 1024

_Found = TypeVar("_Found")
Reading = Generator[None, bool, _Found]
"""A reader of the buffer: each `yield` asks for more of the stream, and gives whether there was any."""


class Reply(msgspec.Struct, frozen=True):
    """One answer: header names in lower case; cut is True when the body goes on beyond what was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class Stale(EOFError):  # noqa: N818 - no error on a kept connection: the other side may hang up at any time
    """The connection was closed before the first byte of an answer."""


def _malformed(detail: str) -> NoReturn:
    raise Refused("malformed", detail)


class Connection:
    """One connection to an HTTP/1.1 server.

    reusable: whether another GET may follow the last one. received: the bytes that came of the last answer.
    host: the Host header. complaint: what is known of a connection that was closed before any answer. not_yet: what the stream
    raises when it would have to wait. Raises OSError, `Stale`, or `Refused` (malformed, too large).
    """

    def __init__(
        self,
        stream: socket.socket,
        host: str,
        complaint: Callable[[], str] | None = None,
        not_yet: type[OSError] = BlockingIOError,
    ) -> None:
        self.reusable = True
        self.received = 0
        self._stream = stream
        stream.settimeout(0)
        self._host = host
        self._complaint = complaint
        self._not_yet = not_yet
        self._buffer = bytearray()
        self._reading: Reading[Reply]

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def ask(self, target: str, limit: int, *, cut: bool = False) -> None:
        """Send the request of one GET, whose reply `take` gives: a body over `limit` bytes is Refused("too large"), or cut there if
        `cut`.
        """
        self.reusable = False
        self.received = 0
        request = f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: diagnose\r\n\r\n"
        try:
            self._stream.sendall(request.encode("ascii"))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._hung_up() from error
        self._reading = self._reply(limit, cut)
        next(self._reading)

    def take(self) -> Reply | None:
        """The reply, out of what has come so far; None when there is more to come."""
        reply = None
        while reply is None:
            try:
                reply = self._advance(self._receive())
            except self._not_yet:
                return None
        return reply

    def fileno(self) -> int:
        """The socket's descriptor, for a selector."""
        return self._stream.fileno()

    def _receive(self) -> bytes:
        try:
            return self._stream.recv(READ_BYTES)
        except ConnectionResetError as error:
            if self.received:
                raise
            raise self._hung_up() from error

    def _advance(self, data: bytes) -> Reply | None:
        """Read on with these bytes, of which there are none at the end of the stream."""
        self._buffer += data
        self.received += len(data)
        try:
            self._reading.send(bool(data))
        except StopIteration as end:
            reply: Reply = end.value
            return reply
        return None

    def _hung_up(self) -> Stale:
        return Stale((self._complaint and self._complaint()) or "the connection was closed without an answer")

    def _reply(self, limit: int, cut: bool) -> Reading[Reply]:
        version, status, headers = yield from self._head()
        keep = headers.get("connection", "").lower() != "close" and version != "HTTP/1.0"
        length = headers.get("content-length", "")
        if status in (204, 304):
            body, whole = b"", True
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body, whole = yield from self._chunks(limit, cut)
        elif length.isascii() and length.isdigit():
            body, whole = yield from self._counted(int(length), limit, cut)
        elif length:
            _malformed(f"Content-Length is {length[:40]!r}")
        else:
            body, whole = yield from self._rest(limit, cut)
            keep = False
        self.reusable = keep and whole and not self._buffer
        return Reply(status, headers, body, cut=not whole)

    def _head(self) -> Reading[tuple[str, int, Mapping[str, str]]]:
        if not self._buffer and not (yield):
            raise self._hung_up()
        end = self._buffer.find(b"\r\n\r\n")
        while end < 0:
            if not self._buffer.startswith(b"HTTP/1."[: len(self._buffer)]):
                _malformed(f"the answer is not HTTP: {bytes(self._buffer[:40])!r}")
            if len(self._buffer) > HEAD_BYTES:
                _malformed(f"more than {HEAD_BYTES} bytes of headers")
            if not (yield):
                _malformed("the connection was closed inside the headers")
            end = self._buffer.find(b"\r\n\r\n")
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return _parsed(head)

    def _counted(self, length: int, limit: int, cut: bool) -> Reading[tuple[bytes, bool]]:
        if length > limit and not cut:
            raise Refused("too large", f"an answer of {length} bytes")
        yield from self._need(min(length, limit))
        return self._cut_off(min(length, limit)), length <= limit

    def _chunks(self, limit: int, cut: bool) -> Reading[tuple[bytes, bool]]:
        body = bytearray()
        while True:
            line = yield from self._line()
            try:
                size = int(line.partition(b";")[0].strip().decode("ascii"), 16)
            except ValueError:
                size = -1
            if size < 0:
                _malformed(f"chunk of size {line[:40]!r}")
            if size == 0:
                while (yield from self._line()):
                    pass
                return bytes(body), True
            room = limit - len(body)
            if size > room:
                if not cut:
                    raise Refused("too large", f"an answer of more than {limit} bytes")
                yield from self._need(room)
                return bytes(body) + self._cut_off(room), False
            yield from self._need(size + 2)
            body += self._cut_off(size)
            if self._cut_off(2) != b"\r\n":
                _malformed("a chunk without its end")

    def _rest(self, limit: int, cut: bool) -> Reading[tuple[bytes, bool]]:
        while len(self._buffer) <= limit and (yield):
            pass
        if len(self._buffer) > limit and not cut:
            raise Refused("too large", f"an answer of more than {limit} bytes")
        whole = len(self._buffer) <= limit
        return self._cut_off(min(limit, len(self._buffer))), whole

    def _line(self) -> Reading[bytes]:
        end = self._buffer.find(b"\r\n")
        while end < 0:
            if len(self._buffer) > HEAD_BYTES:
                _malformed(f"a line of more than {HEAD_BYTES} bytes")
            if not (yield):
                _malformed("the body ended early")
            end = self._buffer.find(b"\r\n")
        line = self._cut_off(end)
        del self._buffer[:2]
        return line

    def _need(self, count: int) -> Reading[None]:
        while len(self._buffer) < count:
            if not (yield):
                _malformed(f"the body ended {count - len(self._buffer)} bytes early")

    def _cut_off(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


@functools.lru_cache(maxsize=32)
def _parsed(head: bytes) -> tuple[str, int, Mapping[str, str]]:
    """The version, the status and the headers of an answer; a thousand inspects have the same but for the second."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not (rest[:3].isascii() and rest[:3].isdigit()):
        _malformed(f"the answer is not HTTP: {first[:40]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return version, int(rest[:3]), headers
