"""Many GETs at once over a local unix socket, by one thread.

Why one thread: four that wait for answers and redact them fight for the interpreter. 1,000 inspects
on engine 20.10 took four threads 0.41 s (0.35 s of the processor), one thread with four requests
under way 0.22 s (0.21 s). Why not docker-py here: `.github/decisions/engine-client.md`.
"""

from __future__ import annotations

import math
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from diagnose.live import Refused
from diagnose.live.engine.http import LOOK_S, Connection, Reply, Request, Stale, late
from diagnose.questions import AnyQuestion

AT_ONCE = 8
"""Requests under way at once. 1,000 inspects take 0.28 s by two, 0.24 s by four, 0.22 s by eight as
by sixteen, on two cores."""


class FastLane:
    """The connections to one local socket that are kept; many threads may use it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: deque[Connection] = deque()

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next thread that asks."""
        self._idle.append(connection)

    def kept(self) -> Connection | None:
        """A kept connection, which the other side may have closed meanwhile.

        None where there is none.
        """
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def dial(self, ends: float) -> Connection:
        """A new connection, by this monotonic time. Raises OSError or `Refused`."""
        seconds_left = ends - time.monotonic()
        if seconds_left <= 0:
            raise TimeoutError("no time left to connect")
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(seconds_left)
        try:
            stream.connect(self._path)
        except BlockingIOError as error:
            stream.close()
            raise Refused(
                "timed out", f"{self._path}: the queue of connections that nobody accepts is full"
            ) from error
        except OSError as error:
            stream.close()
            error.filename = self._path
            raise
        return Connection(stream)

    def many(
        self,
        pull: Callable[[], AnyQuestion | None],
        request: Callable[[AnyQuestion], Request],
        at_once: int = AT_ONCE,
    ) -> Iterator[tuple[AnyQuestion, Reply | Exception]]:
        """The replies to many requests; see `client.Engine.many`.

        A kept connection that was closed meanwhile is replaced, once for each question.
        """
        exchange = _Exchange(self, at_once)
        try:
            while True:
                while exchange.has_room and (question := pull()) is not None:
                    exchange.begin(question, request)
                done = exchange.done
                exchange.done = []
                yield from done
                if not exchange.under_way:
                    return
                exchange.receive()
        finally:
            exchange.close()


class _Flight(msgspec.Struct, eq=False):
    """A request under way."""

    question: AnyQuestion
    request: Request
    ends: float
    kept: bool
    """Its connection had been kept: the other side may have closed it meanwhile."""


class _Exchange:
    """The requests under way of one thread, each on a connection of its own."""

    def __init__(self, lane: FastLane, at_once: int) -> None:
        self.under_way: dict[Connection, _Flight] = {}
        self.done: list[tuple[AnyQuestion, Reply | Exception]] = []
        self._lane = lane
        self._at_once = at_once
        self._open: dict[int, Connection] = {}
        self._free: list[Connection] = []
        self._poll = select.poll()

    @property
    def has_room(self) -> bool:
        """Whether one more request may be under way."""
        return len(self.under_way) < self._at_once

    def begin(self, question: AnyQuestion, make_request: Callable[[AnyQuestion], Request]) -> None:
        """Send the request of a question; what prevents it is its outcome."""
        try:
            request = make_request(question)
        except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
            self.done.append((question, error))
            return
        connection = self._free.pop() if self._free else self._lane.kept()
        flight = _Flight(
            question, request, time.monotonic() + request.seconds, kept=connection is not None
        )
        self._send(flight, connection)

    def _send(self, flight: _Flight, connection: Connection | None) -> None:
        """Send the request of a question over this connection, or over a new one."""
        request = flight.request
        try:
            if connection is None:
                connection = self._lane.dial(flight.ends)
            if connection.fileno() not in self._open:
                self._open[connection.fileno()] = connection
                self._poll.register(connection, select.POLLIN)
            self.under_way[connection] = flight
            connection.ask(request.target, request.limit, cut=request.cut)
        except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
            self._fail(flight, connection, error)

    def receive(self) -> None:
        """Wait for answers, and read what has come.

        A request whose deadline is over is done, too.
        """
        wait = min(flight.ends for flight in self.under_way.values()) - time.monotonic()
        if self.has_room:
            wait = min(wait, LOOK_S)
        for fileno, _ in self._poll.poll(max(0, math.ceil(wait * 1000))):
            self._read(self._open[fileno])
        now = time.monotonic()
        for connection, flight in list(self.under_way.items()):
            if now >= flight.ends:
                self._fail(flight, connection, late(flight.request, connection.received))

    def _read(self, connection: Connection) -> None:
        """Take what a connection has sent; a whole reply ends its question."""
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
        """End a request with an error; send it once more where a kept connection was stale."""
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
            self._lane.keep(connection)
        for connection in self.under_way:
            connection.close()
