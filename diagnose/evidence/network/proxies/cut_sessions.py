"""Sessions to databases and brokers that HAProxy ended for silence, and the programs that this hit.

Many pools notice the loss, connect again, and say nothing. So a session counts where its client is
a container that ended at that moment, or that printed a complaint of a lost connection.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.cut_connections import FRESH_S, TIMED_OUT
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, paired
from diagnose.registry import evidence

LEAST = 2
"""Sessions that were cut off: one may be a moment of a bad network."""
_AT_ONCE_S = 2.0
"""Seconds between the end of a session and what its client does about it."""
_SESSION = LazyPattern(
    r"(?P<client>[0-9a-fA-F.:]{2,45}):\d{1,5} \[[^\]\n]{1,40}\] \S{1,80} "
    r"(?P<server>[\w.:-]{1,80}/[\w.:-]{1,80}) -?\d{1,9}/-?\d{1,9}/\+?(?P<total>\d{1,12}) "
    r"\+?\d{1,19} (?P<ended>[A-Za-z-]{2}) [\d/+]{5,60} \d"
)
"""`option tcplog`: 172.18.0.4:59 [3/Dec/2026:08:32:40] db pg/pg1 1/0/15003 8 cD 1/1/0/0/0 0/0"""
_TIMED_OUT_WORDS = tuple(f" {code} " for code in TIMED_OUT)
"""Most lines have neither: to look for them first takes a tenth of the time or less."""
_LOST = LazyPattern(
    r"(?i)\b(?:broken pipe|connection.{0,40}\b(?:aborted|closed|lost|reset|terminated)|gone away|"
    r"lost connection|server closed|unexpected(?:ly)?.{0,20}\b(?:close|end|eof)|unexpected eof)"
)
"""Complaints of a client whose connection was closed: `server closed the connection`."""


class CutSessions(msgspec.Struct, frozen=True):
    """The sessions of one client that one HAProxy has recently ended for silence."""

    proxy: Container
    client: Container
    server: str
    """The backend and the server that the sessions went to: `pg/pg1`."""
    seconds: float
    """After so long without a word."""
    times: int
    line: str
    complaint: str = ""
    """What the client printed at that moment; "" where it ended."""


class AllCutSessions(Items[CutSessions], frozen=True):
    """The cut sessions, by proxy and client."""


class _Session(msgspec.Struct, frozen=True):
    """A line of HAProxy about a session that it ended for silence."""

    at: float
    line: str
    client: str
    server: str
    seconds: float


@evidence
def all_cut_sessions(
    containers: Containers, recent_logs: RecentLogs, clock: Clock
) -> AllCutSessions:
    """The sessions that HAProxy cut off for silence, to the harm of a container."""
    return AllCutSessions(
        tuple(
            cut
            for proxy in containers.running
            for cut in _cut_by(proxy, containers, recent_logs, clock)
        )
    )


def _cut_by(
    proxy: Container, containers: Containers, logs: RecentLogs, clock: Clock
) -> Iterator[CutSessions]:
    """The sessions that this container ended, for each client that it harmed."""
    sessions = by_key((session.client, session) for session in _sessions(proxy, logs))
    for address, ended in sessions.items():
        if len(ended) < LEAST or not clock.is_within(ended[-1].at, FRESH_S):
            continue
        for client in _clients(proxy, address, containers):
            complaint = _complaint(logs.of(client), ended)
            if not complaint and not _ended_with(client, ended):
                continue
            last = ended[-1]
            yield CutSessions(
                proxy=proxy,
                client=client,
                server=last.server,
                seconds=last.seconds,
                times=len(ended),
                line=last.line,
                complaint=complaint,
            )


def _sessions(proxy: Container, logs: RecentLogs) -> Iterator[_Session]:
    for line, match in paired(logs.of_this_run(proxy), _match):
        if match["ended"] in TIMED_OUT:
            seconds = int(match["total"]) / 1000
            yield _Session(line.at, line.text, match["client"], match["server"], seconds)


def _match(line: RecentLine) -> re.Match[str] | None:
    may_match = any(word in line.text for word in _TIMED_OUT_WORDS)
    return _SESSION.search(line.text) if may_match else None


def _clients(proxy: Container, address: str, containers: Containers) -> Iterator[Container]:
    """The container that has this address; where none has it, those beside the proxy that ended and
    had one."""
    holders = containers.by_address.get(address, [])
    candidates = holders or [container for container in containers if not container.is_running]
    for container in candidates:
        if container.id != proxy.id and container.shared_networks(proxy):
            yield container


def _ended_with(client: Container, sessions: Sequence[_Session]) -> bool:
    """Whether the last run of a container ended as one of these sessions did."""
    ended = client.finished_at
    if ended is None:
        return False
    return any(abs(ended - session.at) <= _AT_ONCE_S for session in sessions)


def _complaint(lines: Sequence[RecentLine], sessions: Sequence[_Session]) -> str:
    """The last line about a lost connection, where the client printed one with most sessions' ends;
    else ""."""
    complaints = [line for line in lines if _LOST.search(line.text)]
    said = [text for session in sessions if (text := _said_at(session.at, complaints))]
    return said[-1] if len(said) >= LEAST and len(said) * 2 > len(sessions) else ""


def _said_at(at: float, complaints: Sequence[RecentLine]) -> str:
    """The first complaint at the end of a session; "" without one."""
    for line in complaints:
        if 0 <= line.at - at <= _AT_ONCE_S:
            return line.text
    return ""
