"""What `diagnose.live.network.losses` reads: real sockets of this process's own namespace."""

from __future__ import annotations

import os
import socket

import pytest

from diagnose.evidence.network.sockets.losses import sent_again_by_most
from diagnose.live import Live
from diagnose.live.kernel import socket_tables
from diagnose.live.kernel.socket_tables import SocketPlace
from diagnose.live.network import losses
from diagnose.questions.sockets import (
    CountLosses,
    ListCallers,
    LossCounters,
    WatchHostCalls,
    WatchSockets,
)


def test_segments_that_are_sent_are_counted() -> None:
    def counted() -> int:
        answer = losses.count(None, CountLosses([os.getpid()]))  # type: ignore[arg-type]
        row = answer[str(os.getpid())]
        assert 0 <= row["sent_again"] <= row["sent"]
        return int(row["sent"])

    before = counted()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        client.sendall(b"x")
    assert counted() > before


SHARES = {
    "many": (LossCounters(sent=1000, sent_again=50), 5.0),
    "few segments": (LossCounters(sent=100, sent_again=50), 0.0),
    "none": (LossCounters(), 0.0),
}


@pytest.mark.parametrize(("counters", "pct"), SHARES.values(), ids=SHARES)
def test_the_share_that_was_sent_again(counters: LossCounters, pct: float) -> None:
    assert counters.sent_again_pct == pct


def test_a_connection_that_is_not_closed() -> None:
    """Its peer has closed it, and the program has not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        held, _ = server.accept()
        before = losses._Look(os.getpid())
        client.close()
        after = losses._Look(os.getpid())
        held.close()
    assert after.left_open > before.left_open


LINES = {
    "IPv4": ("0B00007F:A991", ("127.0.0.11", 43409)),
    "IPv4 in a socket of IPv6": ("0000000000000000FFFF00000B00007F:0050", ("127.0.0.11", 80)),
    "IPv6": ("000080FE00000000000000000100007F:0001", ("fe80::7f00:1", 1)),
}


@pytest.mark.parametrize(("text", "place"), LINES.values(), ids=LINES)
def test_addresses_in_the_kernels_socket_tables(text: str, place: tuple[str, int]) -> None:
    assert socket_tables.without_mapping(socket_tables.place(text)) == place


def test_a_buffer_that_overflows_is_seen() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = losses._Look(os.getpid())
        for _ in range(100):
            sender.sendto(b"x" * 400, receiver.getsockname())
        after = losses._Look(os.getpid())
        (lost,) = losses._changes_between([before, after])["datagrams"]
        assert (lost["address"], lost["port"]) == receiver.getsockname()
        assert lost["within"] > 50
    counted = losses.count(None, CountLosses([os.getpid(), 2**30]))  # type: ignore[arg-type]
    assert counted[str(os.getpid())]["lost_datagrams"] > 50
    assert str(2**30) not in counted


LOOK = losses._Look


def look(waiting: dict[SocketPlace, int], *connected: SocketPlace) -> losses._Look:
    made = LOOK.__new__(LOOK)
    made.waiting, made.connected, made.drops, made.left_open = waiting, set(connected), {}, 0
    made.asks, made.inodes = bool(waiting), {}
    return made


PLACE = SocketPlace("192.0.2.9", 80)
WAITING = {
    "at two looks": ([look({PLACE: 1}), look({PLACE: 1})], 1),
    "asked twice": ([look({PLACE: 2}), look({})], 2),
    "for a moment": ([look({PLACE: 1}), look({})], None),
    "another connection stands": ([look({PLACE: 3}), look({PLACE: 3}, PLACE)], None),
}


@pytest.mark.parametrize(("looks", "repeats"), WAITING.values(), ids=WAITING)
def test_what_waits(looks: list[losses._Look], repeats: int | None) -> None:
    calls = losses._changes_between(looks)["calls"]
    assert [call["repeats"] for call in calls] == ([repeats] if repeats else [])


def test_a_process_that_is_gone_is_left_out() -> None:
    assert losses.watch(None, WatchSockets([2**30], seconds=0)) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(("asks", "turns"), [(False, 2), (True, 4)], ids=["quiet", "asks"])
def test_a_quiet_namespace_is_not_watched(
    monkeypatch: pytest.MonkeyPatch, asks: bool, turns: int
) -> None:
    """Its counters are of losses that are over: nobody waits for more than a moment."""
    seen: list[int] = []

    def made(pid: int) -> losses._Look:
        seen.append(pid)
        fake = look({})
        fake.asks = asks
        return fake

    monkeypatch.setattr(losses, "_Look", made)
    answer = losses.watch(None, WatchSockets([7], seconds=0))  # type: ignore[arg-type]
    assert answer == {"7": {"calls": [], "datagrams": [], "left_open": 0}}
    assert seen == [7] * turns


def test_who_is_connected_to_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        clients = [socket.create_connection(server.getsockname()) for _ in range(3)]
        held = [server.accept()[0] for _ in clients]
        answer = ListCallers.decode(losses.callers(Live(), ListCallers(os.getpid(), port)))
        for client in (*clients, *held):
            client.close()
    assert answer == {"127.0.0.1": 3}


def test_who_holds_a_socket_of_the_host_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that gives up and tries again has another socket at each look."""
    inodes = iter(({11: PLACE}, {12: PLACE}, {}, {}))

    def made(_pid: int) -> losses._Look:
        fake = look({PLACE: 1})
        fake.inodes = next(inodes)
        return fake

    monkeypatch.setattr(losses, "_Look", made)
    monkeypatch.setattr(
        losses, "owners_of", lambda inodes: {inode: 100 + inode for inode in inodes}
    )
    monkeypatch.setattr(losses, "container_of", lambda pid: "c" * 64 if pid == 111 else None)
    monkeypatch.setattr(losses, "text_of", lambda path: path.split("/")[2])
    answer = losses.watch_host(Live(), WatchHostCalls(seconds=0))
    call = {"address": PLACE.address, "port": PLACE.port, "repeats": 1}
    assert answer == [
        {**call, "container": "c" * 64, "comm": "111"},
        {**call, "container": None, "comm": "112"},
    ]


def test_one_bad_line_of_many_says_nothing_of_the_host() -> None:
    bad, good = LossCounters(sent=1000, sent_again=50), LossCounters(sent=1000, sent_again=1)
    few = LossCounters(sent=10)
    assert sent_again_by_most({"vpn": bad, "web": good, "db": good}) == {}
    assert sent_again_by_most({"vpn": bad, "web": good, "job": few}) == {"vpn": 5.0}
    assert sent_again_by_most({}) == {}
