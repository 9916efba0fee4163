"""One engine: the connections to it that are kept, what it said of itself, and many GETs at once by one thread.

Why one thread: four that wait for answers and redact them fight for the interpreter. 1,000 inspects on engine 20.10 took four
threads 0.41 s (0.35 s of the processor), one thread with four requests under way 0.22 s (0.21 s).
"""

from __future__ import annotations

import math
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from diagnose.live import Refused, failure
from diagnose.live.engine import endpoint as places
from diagnose.live.engine.dial import dial
from diagnose.live.engine.http import Connection, Reply, Stale
from diagnose.model import Failed
from diagnose.recording.questions import Question

NEWEST = (1, 55)
"""The newest API version whose answers we know (engine 29.6)."""

AT_ONCE, AT_ONCE_FAR = 8, 4
"""Requests under way at once, to an engine behind a local socket and to one elsewhere (each is a login there). 1,000 inspects take
0.28 s by two, 0.24 s by four, 0.22 s by eight as by sixteen, on two cores.
"""

LOOK_S = 0.002
"""How often it is looked for one more request while fewer are under way."""

MESSAGE_CHARACTERS = 300
PING = Question("api.ping")


class Request(msgspec.Struct, frozen=True):
    """One GET. seconds: its total deadline. limit: bytes of the body; it is cut there if `cut`, too large otherwise."""

    target: str
    seconds: float
    limit: int
    cut: bool = False


class _Flight(msgspec.Struct, eq=False):
    """A request under way. kept: its connection had been kept: the other side may have closed it meanwhile."""

    question: Question
    request: Request
    ends: float
    kept: bool


class Engine:
    """One engine: its answer to /_ping, and as many connections as are used at once.

    patience_s: how long /_ping may take. knows_no_version_of_ours: it has answered that; paths have no version from then on.
    """

    def __init__(self, where: places.Endpoint, patience_s: float) -> None:
        self.where = where
        self._at_once = AT_ONCE if where.scheme == "unix" else AT_ONCE_FAR
        self._patience_s = patience_s
        self._idle: deque[Connection] = deque()
        self._greeting: Reply | Failed | None = None
        self._greeting_at = 0.0
        self._lock = threading.Lock()
        self.knows_no_version_of_ours = False

    def get(self, question: Question, request: Request) -> Reply:
        """The reply to one question, whatever its status. Raises what `many` would give."""
        waiting = [question]
        ((_, outcome),) = self.many(lambda: waiting.pop() if waiting else None, lambda _: request, at_once=1)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def keep(self, connection: Connection) -> None:
        """Keep a connection for whoever asks next."""
        self._idle.append(connection)

    def kept(self) -> Connection | None:
        """A kept connection, which the other side may have closed meanwhile; None where there is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def dial(self, ends: float) -> Connection:
        """A new connection. Raises OSError or `Refused`."""
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left to connect")
        return dial(self.where, left)

    def many(
        self, pull: Callable[[], Question | None], request: Callable[[Question], Request], *, at_once: int | None = None
    ) -> Iterator[tuple[Question, Reply | Exception]]:
        """Replies, whatever their status, and failures, as they come, to the questions that `pull` gives; ends when it gives None
        and no request is under way. A kept connection that was closed meanwhile is replaced, once for each.
        """
        exchange = _Exchange(self, at_once or self._at_once)
        try:
            while True:
                while exchange.has_room and (question := pull()) is not None:
                    exchange.begin(question, request)
                done, exchange.done = exchange.done, []
                yield from done
                if not exchange.under_way:
                    return
                exchange.receive()
        finally:
            exchange.close()

    def greeting(self) -> Reply:
        """The reply to /_ping, asked once; a failure is kept too: an engine that hangs is left alone."""
        with self._lock:
            if self._greeting is None:
                try:
                    self._greeting = accepted(self.get(PING, Request("/_ping", self._patience_s, 64 * 1024)))
                    self._greeting_at = time.time()
                except Exception as error:  # noqa: BLE001 - kept, and told to each that asks
                    self._greeting = failure(error)
            if isinstance(self._greeting, Failed):
                raise Refused(self._greeting.reason, self._greeting.detail)
            return self._greeting

    @property
    def version(self) -> tuple[int, int] | None:
        """The API version to speak: the engine's, capped at `NEWEST`; None when /_ping does not say."""
        announced = parsed_version(self.greeting().headers.get("api-version", ""))
        return min(announced, NEWEST) if announced else None

    @property
    def clock(self) -> float:
        """The engine's Unix time; its Date header has whole seconds: up to two apart is no skew."""
        date = self.greeting().headers.get("date", "")
        try:
            import calendar

            ahead = calendar.timegm(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - self._greeting_at
        except ValueError:
            ahead = 0.0
        return time.time() + (ahead if abs(ahead) > 2 else 0.0)


class _Exchange:
    """The requests under way of one thread, each on a connection of its own."""

    def __init__(self, engine: Engine, at_once: int) -> None:
        self.under_way: dict[Connection, _Flight] = {}
        self.done: list[tuple[Question, Reply | Exception]] = []
        self._engine = engine
        self._at_once = at_once
        self._open: dict[int, Connection] = {}
        self._free: list[Connection] = []
        self._poll = select.poll()

    @property
    def has_room(self) -> bool:
        """Whether one more request may be under way."""
        return len(self.under_way) < self._at_once

    def begin(self, question: Question, made: Callable[[Question], Request]) -> None:
        """Send the request of a question; what prevents it is its outcome."""
        try:
            request = made(question)
        except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
            self.done.append((question, error))
            return
        connection = self._free.pop() if self._free else self._engine.kept()
        flight = _Flight(question, request, time.monotonic() + request.seconds, connection is not None)
        self._send(flight, connection)

    def _send(self, flight: _Flight, connection: Connection | None) -> None:
        request = flight.request
        try:
            if connection is None:
                connection = self._engine.dial(flight.ends)
            if connection.fileno() not in self._open:
                self._open[connection.fileno()] = connection
                self._poll.register(connection, select.POLLIN)
            self.under_way[connection] = flight
            connection.ask(request.target, request.limit, cut=request.cut)
        except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
            self._fail(flight, connection, error)

    def receive(self) -> None:
        """Wait for answers, and read what has come; a request whose deadline is over is done, too."""
        wait = min(flight.ends for flight in self.under_way.values()) - time.monotonic()
        if self.has_room:
            wait = min(wait, LOOK_S)
        for fileno, _ in self._poll.poll(max(0, math.ceil(wait * 1000))):
            self._read(self._open[fileno])
        now = time.monotonic()
        for connection, flight in list(self.under_way.items()):
            if now >= flight.ends:
                came = f"{connection.received} bytes and no end" if connection.received else "not a byte"
                late = Refused("timed out", f"GET {flight.request.target}: {came} before the deadline")
                self._fail(flight, connection, late)

    def _read(self, connection: Connection) -> None:
        flight = self.under_way.get(connection)
        if flight is None:  # the other side has closed what was kept
            self._free.remove(connection)
            self._drop(connection)
            return
        try:
            reply = connection.take()
        except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
            self._fail(flight, connection, error)
            return
        if reply is not None:
            del self.under_way[connection]
            self.done.append((flight.question, reply))
            if connection.reusable:
                self._free.append(connection)
            else:
                self._drop(connection)

    def _fail(self, flight: _Flight, connection: Connection | None, error: Exception) -> None:
        if connection is not None:
            self.under_way.pop(connection, None)
            self._drop(connection)
        if isinstance(error, Stale) and flight.kept:
            flight.kept = False
            self._send(flight, None)
        else:
            outcome = Refused("refused", str(error)) if isinstance(error, Stale) else error
            self.done.append((flight.question, outcome))

    def _drop(self, connection: Connection) -> None:
        if self._open.pop(connection.fileno(), None) is not None:
            self._poll.unregister(connection)
        connection.close()

    def close(self) -> None:
        """Keep what may be used again; hang up where an answer is still to come."""
        for connection in self._free:
            self._engine.keep(connection)
        for connection in self.under_way:
            connection.close()


def parsed_version(text: str) -> tuple[int, int] | None:
    """(1, 41) of "1.41"; None where it is no version."""
    major, _, minor = text.partition(".")
    if not (text.isascii() and major.isdigit() and minor.isdigit() and len(text) < 12):
        return None
    return int(major), int(minor)


def accepted(reply: Reply) -> Reply:
    """The reply, if it is one of success. Raises `Refused` with the engine's message: gone, forbidden, or refused."""
    if 200 <= reply.status < 300:
        return reply
    detail = f"HTTP {reply.status}: {message(reply)}"
    if reply.status == 404:
        raise Refused("gone", detail)
    raise Refused("forbidden" if reply.status in (401, 403) else "refused", detail)


def message(reply: Reply) -> str:
    """What a body says of an error: its "message" (Docker), or its text on one line, cut."""
    try:
        said = msgspec.json.decode(reply.body)
        text = said["message"] if isinstance(said["message"], str) else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        text = reply.body.decode("utf-8", errors="replace")
    return " ".join(text.split())[:MESSAGE_CHARACTERS]
