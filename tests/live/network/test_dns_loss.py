"""Several queries to one DNS server: what is counted as answered."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from diagnose.live import Live, Refused
from diagnose.live.network import dns_loss
from diagnose.questions.dns import SampleDns
from tests.live.netns import Holder, root

ADDRESS = ("192.0.2.53", 53)


class Server:
    """A connected socket to a server that answers some queries at once; nothing arrives later."""

    def __init__(self, answers: Any = lambda number: True) -> None:
        self._answers = answers
        self._sent = itertools.count()
        self._arrived: list[bytes] = []

    def connect(self, address: tuple[Any, ...]) -> None:
        assert address == ADDRESS

    def settimeout(self, seconds: float) -> None:
        assert seconds >= 0

    def send(self, query: bytes) -> None:
        if self._answers(next(self._sent)):
            self._arrived.append(query[:2] + b"\x81\x80" + query[4:])

    def recv(self, _: int) -> bytes:
        if not self._arrived:
            raise BlockingIOError
        return self._arrived.pop(0)


def sample(server: Server) -> dict[str, Any]:
    return dns_loss._Sample(server).taken_from(ADDRESS)  # type: ignore[arg-type]


def test_a_sound_server_is_sent_few_queries() -> None:
    result = sample(Server())
    assert (result["sent"], result["answered"], result["icmp"]) == (8, 8, None)


def test_a_server_that_loses_some_is_sent_more() -> None:
    result = sample(Server(lambda number: number % 2 == 0))
    assert (result["sent"], result["answered"]) == (20, 10)


def test_a_silent_server_is_sent_few_queries() -> None:
    result = sample(Server(lambda _: False))
    assert (result["sent"], result["answered"], result["ms"]) == (8, 0, None)


def test_what_arrived_while_this_process_did_not_run_is_no_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy host each look at the clock may find the deadline behind it."""
    clock = itertools.count(step=5.0)
    monkeypatch.setattr(dns_loss.time, "monotonic", lambda: next(clock))
    result = sample(Server())
    assert (result["sent"], result["answered"]) == (8, 8)


class LateServer(Server):
    """A server whose first reply arrives late, by a clock of its own that waiting moves on."""

    def __init__(self, late_s: float) -> None:
        super().__init__(lambda number: number > 0)
        self.now = 0.0
        self._late_s = late_s
        self._late: bytes | None = None
        self._timeout = 0.0

    def settimeout(self, seconds: float) -> None:
        self._timeout = seconds

    def send(self, query: bytes) -> None:
        if self._late is None:
            self._late = query[:2] + b"\x81\x80" + query[4:]
        super().send(query)

    def recv(self, size: int) -> bytes:
        if self._arrived:
            return super().recv(size)
        if self._late and self.now + self._timeout >= self._late_s:
            self.now, reply = max(self.now, self._late_s), self._late
            self._late = b""
            return reply
        self.now += self._timeout
        raise TimeoutError


@pytest.mark.parametrize(("late_s", "lost"), [(2.5, 0), (4.0, 1)])
def test_a_late_reply_is_no_loss(late_s: float, lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LateServer(late_s)
    monkeypatch.setattr(dns_loss.time, "monotonic", lambda: server.now)
    result = sample(server)
    assert (result["sent"], result["answered"]) == (20, 20 - lost)


@root
def test_what_a_process_that_ends_meanwhile_was_not_answered_is_no_loss(live: Live) -> None:
    holder = Holder()
    silent = SampleDns("10.97.0.2", holder.__enter__())
    assert dns_loss.sample(live, silent)["answered"] == 0
    end = threading.Timer(0.3, holder.__exit__)
    end.start()
    with pytest.raises(Refused) as refused:
        dns_loss.sample(live, silent)
    end.join()
    assert refused.value.failed.reason == "gone"
