"""GET over one connection, which may be kept. httptools parses; the bounds are ours.

Nothing here waits for the engine: deadlines are kept by `fast_lane`. Why not docker-py or
http.client here, and why httptools: `.github/decisions/engine-client.md`.
"""

from collections.abc import Mapping
from typing import NoReturn, Protocol

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from diagnose.live import Refused

HEAD_BYTES = 64 * 1024
"""More than this in front of a body is not an engine's answer."""

READ_BYTES = 256 * 1024

OF_ENGINE = "Host: docker\r\nUser-Agent: diagnose\r\n"
"""What a request to the engine says beside its target. Go's server wants a Host header, whatever it
says."""

LOOK_S = 0.002
"""How often it is looked for one more question while fewer requests are under way than there could
be."""


class Request(msgspec.Struct, frozen=True):
    """One GET."""

    target: str
    seconds: float
    """The deadline for the whole request."""
    limit: int
    """Bytes of the body; it is cut there if `cut`, too large otherwise."""
    cut: bool = False


class Reply(msgspec.Struct, frozen=True):
    """One answer, its header names in lower case.

    cut is True when the body goes on beyond what was asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class ByteStream(Protocol):
    """The part of a socket, or of TLS over one, that a connection uses."""

    def settimeout(self, seconds: float, /) -> None: ...

    def sendall(self, data: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Stale(EOFError):  # noqa: N818 - no error on a kept connection: the other side may hang up at any time
    """The connection was closed before the first byte of an answer."""


def _raise_malformed(detail: str) -> NoReturn:
    raise Refused("malformed", detail)


def too_large(size: int) -> Refused:
    """The refusal of an answer that has more bytes than its question allows, or announces them."""
    return Refused("too large", f"an answer of {size} bytes or more")


def late(request: Request, received: int) -> Refused:
    """The refusal of a request whose answer was not whole at its deadline.

    So many bytes of it came.
    """
    came = f"only {received} bytes of an answer in time" if received else "no answer in time"
    return Refused("timed out", f"GET {request.target}: {came}")


class _Parsed:
    """The parts of one reply that httptools has found so far. The methods are the parser's
    callbacks."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.parts: list[bytes] = []
        self.size = 0
        self.is_whole = False
        self.keeps_alive = False
        self.has_more = False
        """Whether bytes follow the answer, for which nobody asked."""

    def on_message_begin(self) -> None:
        self.has_more = self.is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # a trailer is not a header
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if not self.is_whole:
            self.has_head = True
            self.status = self.parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self.parts.append(data)
            self.size += len(data)

    def on_message_complete(self) -> None:
        if self.status < 200:  # an announcement, RFC 9110 15.2: the answer follows
            self.has_head = False
            self.headers.clear()
        elif not self.is_whole:
            self.is_whole = True
            self.keeps_alive = self.parser.should_keep_alive()

    def release(self) -> None:
        """Let go of the parser, which holds this: a run collects no garbage, and kept 2 KiB of
        each answer."""
        vars(self).pop("parser", None)

    @property
    def ends_with_the_stream(self) -> bool:
        """Whether the end of the connection is the end of the body.

        Nothing says how long the body is.
        """
        return (
            self.has_head
            and "content-length" not in self.headers
            and "transfer-encoding" not in self.headers
        )

    @property
    def announced(self) -> int:
        """The length of the body as its header has it."""
        return int(self.headers.get("content-length", "0"))


class Connection:
    """One connection to an HTTP/1.1 server.

    reusable: whether another GET may follow the last one. received: the bytes that came of the last
    answer. Raises OSError, `Stale`, or `Refused` (malformed, too large).
    """

    def __init__(self, stream: ByteStream) -> None:
        self.reusable = True
        self.received = 0
        self._stream = stream
        stream.settimeout(0)
        self._limit = 0
        self._cut = False
        self._parsed = _Parsed()

    def close(self) -> None:
        """Hang up."""
        self._parsed.release()
        self._stream.close()

    def ask(self, target: str, limit: int, *, cut: bool = False, headers: str = OF_ENGINE) -> None:
        """Send one GET, whose reply `take` gives.

        A body over `limit` bytes is Refused("too large"), or cut there if `cut`. headers: whole
        lines.
        """
        self.reusable = False
        self.received = 0
        self._limit = limit
        self._cut = cut
        self._parsed.release()
        self._parsed = _Parsed()
        request = f"GET {target} HTTP/1.1\r\n{headers}\r\n"
        try:
            self._stream.sendall(request.encode("ascii"))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._hung_up() from error

    def take(self) -> Reply | None:
        """The reply, out of what has come so far; None when there is more to come."""
        reply = None
        while reply is None:
            try:
                data = self._receive()
            except BlockingIOError:
                return None
            reply = self._advance(data) if data else self._end()
        return reply

    def begun(self) -> Reply | None:
        """The reply with what has come of its body; None before its headers are complete."""
        return self._reply() if self._parsed.has_head else None

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

    def _hung_up(self) -> Stale:
        return Stale("the connection was closed without an answer")

    def _advance(self, data: bytes) -> Reply | None:
        """Parse these bytes."""
        parsed = self._parsed
        self.received += len(data)
        try:
            parsed.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not parsed.is_whole:
                raise self._error_of_answer(error, data) from error
            parsed.has_more = True
        if not parsed.has_head and self.received > HEAD_BYTES:
            _raise_malformed(f"more than {HEAD_BYTES} bytes of headers")
        if not self._cut and max(parsed.announced, parsed.size) > self._limit:
            raise too_large(max(parsed.announced, parsed.size))
        if parsed.is_whole or parsed.size > self._limit:
            return self._reply()
        return None

    def _end(self) -> Reply:
        """The reply, when the other side has closed the connection."""
        if not self.received:
            raise self._hung_up()
        if not self._parsed.has_head:
            _raise_malformed("the connection was closed inside the headers")
        if not self._parsed.ends_with_the_stream:
            _raise_malformed("the body ended early")
        return self._reply()

    def _reply(self) -> Reply:
        parsed = self._parsed
        self.reusable = parsed.is_whole and parsed.keeps_alive and not parsed.has_more
        body = b"".join(parsed.parts)
        if parsed.is_whole:
            parsed.parts.clear()  # this connection is kept, and the body may have 64 MiB
        return Reply(
            parsed.status, parsed.headers, body[: self._limit], cut=len(body) > self._limit
        )

    def _error_of_answer(self, error: Exception, data: bytes) -> Refused:
        if "overflow" in str(error):  # the length of the body needs more than 64 bits
            return Refused("too large", f"{error}")
        if not self._parsed.status and not self._parsed.headers:
            return Refused("malformed", f"the answer is not HTTP: {data[:40]!r} ({error})")
        return Refused("malformed", f"the answer is not HTTP: {error}")
