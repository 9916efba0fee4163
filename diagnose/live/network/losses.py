"""Packets and datagrams that network namespaces lost, by the kernel's counters and tables of
sockets.

`/proc/PID/net` shows the namespace of that process, so that no namespace is entered.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.live.kernel.open_files import owners_of
from diagnose.live.kernel.proc_files import container_of, counters_of, text_of
from diagnose.live.kernel.socket_tables import (
    CLOSE_WAIT,
    ESTABLISHED,
    SYN_SENT,
    SocketPlace,
    SocketRow,
    socket_rows,
    without_mapping,
)
from diagnose.model import Json

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.sockets import CountLosses, ListCallers, WatchHostCalls, WatchSockets

MAX_BYTES = 4 << 20
"""As much of one table of sockets is read: some 25,000 connections."""
MAX_ROWS = 200
"""Sockets of one namespace that are kept."""
_FORWARDING_OFF = 2
"""The kernel's word in its counters, as SNMP has it."""
_LOOKS = 4
_PAUSE_S = 0.25


def count(_live: Live, question: CountLosses) -> Json:
    """The losses of the namespaces of processes since they were made.

    Shape: `LossCounters` by pid; a process that is gone is left out. Source: the kernel's
    Documentation/networking/snmp_counter.rst.
    """
    answer: dict[str, Json] = {}
    for pid in question.pids:
        try:
            answer[str(pid)] = _losses(pid)
        except OSError:
            continue
    return answer


def _losses(pid: int) -> dict[str, Json]:
    """`netstat` is twice as long: it is read where a packet was repeated at all."""
    counters = counters_of(pid, "snmp")
    repeated = counters.get("Tcp:RetransSegs", 0)
    more = counters_of(pid, "netstat") if repeated else {}
    requests = more.get("TcpExt:TCPSynRetrans", 0)
    return {
        "repeated_requests": requests,
        "lost_datagrams": counters.get("Udp:RcvbufErrors", 0),
        "sent": counters.get("Tcp:OutSegs", 0),
        "sent_again": max(0, repeated - requests),
        "refused_inside": min(counters.get("Tcp:AttemptFails", 0), counters.get("Tcp:OutRsts", 0)),
        "not_forwarded": _not_forwarded(counters),
        **_sockets(pid),
    }


def _not_forwarded(counters: Mapping[str, int]) -> int:
    """The packets for other machines that came to a namespace which forwards none.

    The kernel counts them as errors of an address (`ip_error` of net/ipv4/route.c).
    """
    is_off = counters.get("Ip:Forwarding") == _FORWARDING_OFF
    return counters.get("Ip:InAddrErrors", 0) if is_off else 0


def _sockets(pid: int) -> dict[str, Json]:
    """The sockets in use, and those that are closed and keep their port, which are in no family.

    A connection over IPv4 to a socket that listens at `::` counts as one of IPv6.
    """
    numbers = _sockets_of_family(pid, "TCP", "sockstat")
    in_use = numbers.get("inuse", 0)
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        in_use += _sockets_of_family(pid, "TCP6", "sockstat6").get("inuse", 0)
    return {"connections": in_use, "time_wait": numbers.get("tw", 0)}


def _sockets_of_family(pid: int, name: str, file: str) -> dict[str, int]:
    """The numbers in a line such as `TCP: inuse 12 orphan 0 tw 3 alloc 20 mem 4`."""
    lines = Path(f"/proc/{pid}/net/{file}").read_text(encoding="ascii").splitlines()
    words = next((line.split()[1:] for line in lines if line.startswith(f"{name}: inuse")), [])
    return {word: int(number) for word, number in zip(words[::2], words[1::2], strict=False)}


def callers(_live: Live, question: ListCallers) -> Json:
    """How many connections each address has to a port of a namespace.

    Shape: by address, a number. Those that are closed and wait for their end do not count.
    """
    answer: dict[str, int] = {}
    for row in _rows(question.pid, "tcp"):
        if row.state == ESTABLISHED and row.port == question.port:
            address = without_mapping(row.peer).address
            answer[address] = answer.get(address, 0) + 1
    return dict(answer)


def watch(_live: Live, question: WatchSockets) -> Json:
    """The sockets of namespaces that may lose something, looked at several times.

    Counters are of all time, and most losses are long over: one in which two looks, a moment apart,
    see nothing that waits, drops or is left open is not looked at again. A program that tries again
    and again pauses for less than that moment.

    Shape: `SocketLosses` by pid. A call counts if it waits at two looks or was repeated twice, and
    no other connection to its peer stands. left_open is the least of all looks. Source:
    `get_tcp4_sock` of net/ipv4/tcp_ipv4.c and `udp4_format_sock` of net/ipv4/udp.c in the kernel.
    """
    looks: dict[int, list[_Look]] = {pid: [] for pid in question.pids}
    _look(looks)
    _look_again_at_quiet(looks, question.seconds)
    watched = {pid: losses for pid, losses in looks.items() if losses and not losses[0].is_quiet}
    for _ in range(_LOOKS - 1 if watched else 0):
        time.sleep(min(question.seconds, 2.0) / (_LOOKS - 1))
        _look(watched)
    return {
        str(pid): _changes_between(losses)
        for pid, losses in looks.items()
        if len(losses) == (_LOOKS if pid in watched else 1)
    }


def _look_again_at_quiet(looks: Mapping[int, list[_Look]], seconds: float) -> None:
    """A second look, in the place of the first, where that saw nothing."""
    quiet = {pid: losses for pid, losses in looks.items() if losses and losses[0].is_quiet}
    if not quiet:
        return
    time.sleep(min(seconds, _PAUSE_S))
    for losses in quiet.values():
        losses.clear()
    _look(quiet)


def watch_host(_live: Live, question: WatchHostCalls) -> Json:
    """The peers whose answer a socket of this network namespace waits for, as `watch` has them.

    A program that gives up soon closes its socket: who holds it is looked up after each look.
    Shape: rows of `HostCall`.
    """
    looks: list[_Look] = []
    holders: dict[int, int] = {}
    for at in range(_LOOKS):
        if at:
            time.sleep(min(question.seconds, 2.0) / (_LOOKS - 1))
        look = _Look(os.getpid())
        looks.append(look)
        if unknown := look.inodes.keys() - holders.keys():
            holders.update(owners_of(unknown))
    pids: dict[SocketPlace, set[int]] = {}
    for look in looks:
        for inode, place in look.inodes.items():
            if inode in holders:
                pids.setdefault(place, set()).add(holders[inode])
    return [
        {**call, "container": container_of(pid), "comm": text_of(f"/proc/{pid}/comm")}
        for call in _changes_between(looks)["calls"]
        for pid in sorted(pids.get(SocketPlace(call["address"], call["port"]), set()))
    ]


def _look(looks: Mapping[int, list[_Look]]) -> None:
    """Add a look at each namespace; none at that of a process that is gone."""
    for pid, losses in looks.items():
        try:
            losses.append(_Look(pid))
        except OSError:
            continue


class _Look:
    """The sockets of a namespace at one moment."""

    def __init__(self, pid: int) -> None:
        self.waiting: dict[SocketPlace, int] = {}
        self.connected: set[SocketPlace] = set()
        self.drops: dict[SocketPlace, int] = {}
        self.left_open = 0
        self.asks = False
        self.inodes: dict[int, SocketPlace] = {}
        """The inodes of the sockets that wait."""
        for row in _rows(pid, "tcp"):
            if row.state == ESTABLISHED:
                self.connected.add(without_mapping(row.peer))
            elif row.state == CLOSE_WAIT:
                self.left_open += 1
            elif row.state == SYN_SENT:
                self.asks = True
                if row.retransmissions:
                    peer = without_mapping(row.peer)
                    self.waiting[peer] = max(self.waiting.get(peer, 0), row.retransmissions)
                    self.inodes[row.inode] = peer
        for row in _rows(pid, "udp"):
            if row.drops is not None:
                self.drops[without_mapping(row.local)] = row.drops

    @property
    def is_quiet(self) -> bool:
        """Whether no request is on its way, no UDP socket has dropped, and nothing is left open."""
        return not (self.asks or self.left_open or any(self.drops.values()))


def _rows(pid: int, table: str) -> Iterator[SocketRow]:
    """The sockets of a table of a namespace, for IPv4 and IPv6."""
    for family in ("", "6"):
        path = Path(f"/proc/{pid}/net/{table}{family}")
        if family and not path.exists():  # a kernel without IPv6
            continue
        with path.open(encoding="ascii") as file:
            yield from socket_rows(file.read(MAX_BYTES).splitlines())


def _changes_between(looks: list[_Look]) -> dict[str, Any]:
    """The losses between the first look and the last one."""
    connected = {place for look in looks for place in look.connected}
    repeats: dict[SocketPlace, list[int]] = {}
    for look in looks:
        for place, times in look.waiting.items():
            repeats.setdefault(place, []).append(times)
    calls = [
        {"address": place.address, "port": place.port, "repeats": max(times)}
        for place, times in sorted(repeats.items())
        if place not in connected and (len(times) > 1 or max(times) > 1)
    ]
    first = looks[0]
    last = looks[-1]
    datagrams = [
        {"address": place.address, "port": place.port, "total": drops, "within": drops - before}
        for place, drops in sorted(last.drops.items())
        if (before := first.drops.get(place, drops)) < drops
    ]
    return {
        "calls": calls[:MAX_ROWS],
        "datagrams": datagrams[:MAX_ROWS],
        "left_open": min(look.left_open for look in looks),
    }
