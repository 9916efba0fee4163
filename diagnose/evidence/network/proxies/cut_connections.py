"""Proxies that end connections on which nothing was said for a while, as of WebSocket.

HAProxy notes how a session ended. nginx does not: its access log has a line at the end of each, and
a client that is cut off comes again at once, to be cut off after the same time.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import (
    HopFile,
    NginxConfigurations,
    configured_at,
)
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, first_of, paired
from diagnose.questions import Host
from diagnose.registry import evidence

LEAST = 3
"""Connections that were cut off: one may be a moment of a bad network."""
_FEW = 2
"""Connections of nginx after which the same client came again, each after just that long."""
FRESH_S = 300.0
_SWITCHED = 101
TIMED_OUT = frozenset({"cD", "sD"})
"""While data passed, the client or the server said nothing for too long (HAProxy's manual, 8.5)."""
_TIMERS = LazyPattern(r" -?\d{1,9}/-?\d{1,9}/-?\d{1,9}/-?\d{1,9}/\+?(?P<total>\d{1,12}) 101 ")
_TIME = re.compile(r"(?P<number>\d{1,9})(?P<unit>ms|[smhd]?)")
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in a unit of HAProxy and nginx; a number without one is in seconds."""
_DEFAULT = "60s"
"""nginx' proxy_read_timeout unless it is configured."""
_COMES_AGAIN_S = 6.0
"""Seconds within which a client that was cut off comes again."""
_MOSTLY = 0.8
_PROBE = LazyPattern(
    r"(?i)blackbox|check|health|kuma|monitor|nagios|pingdom|probe|statuscake|uptime"
)
"""Agents that come every minute automatically, and end their connection at once."""


_CONSOLE = LazyPattern(
    r"(?i)/(?:attach|consoles?|exec|guac\w{0,20}|shell|ssh|term(?:inals?)?|ttys?|vnc|websockify)(?:/|$)"
)
"""Paths of consoles in a browser: nothing is said while nobody types."""
_LONG_S = 300.0


class CutConnections(msgspec.Struct, frozen=True):
    """The connections that one proxy has recently closed for silence."""

    container: Container
    times: int
    seconds: float
    """After so long without a word."""
    line: str
    path: str
    hop: NginxHop | None = None
    """The location of nginx; None for HAProxy."""
    file: HopFile | None = None
    """The file of that location."""
    is_few: bool = False
    """Whether they may have ended at that time by chance."""
    is_console: bool = False
    """Whether only their path says that they are silent while nobody types."""


class AllCutConnections(Items[CutConnections], frozen=True):
    """The cut connections, at most one for each proxy."""


@evidence
def all_cut_connections(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, processes: Processes
) -> AllCutConnections:
    """The connections that proxies cut off for silence.

    A configuration of nginx is read only where its log has several lines of ended WebSockets.
    """
    ended = {
        container.id: lines
        for container, lines in paired(
            containers.running, lambda container: websocket_lines(container, recent_logs)
        )
        if len(lines) >= LEAST and clock.is_within(lines[-1].at, FRESH_S)
    }
    if not ended:
        return AllCutConnections()
    candidates = [
        cut
        for container in containers.running
        if (cut := _cut_by_haproxy(container, ended.get(container.id, []))) is not None
    ]
    of_nginx = any(not line.ended for lines in ended.values() for line in lines)
    if not of_nginx:
        return AllCutConnections(tuple(candidates))
    nginx = NginxConfigurations(host, containers, processes)
    for id, lines in ended.items():
        proxy = containers.by_id[id]
        hops = [hop for hop in nginx.hops if hop.is_of(proxy)]
        begun = configured_at(proxy, processes, clock)
        for cut in list(_cut_by_nginx(proxy, lines, hops, begun))[:1]:
            file = nginx.file_of(cut.hop) if cut.hop is not None else None
            candidates.append(msgspec.structs.replace(cut, file=file))
    return AllCutConnections(tuple(candidates))


def websocket_lines(container: Container, logs: RecentLogs) -> list[AccessLine]:
    """The lines of ended WebSockets, without those of monitors."""
    return [
        line
        for line in logs.requests_of(container)
        if line.status == _SWITCHED and line.method == "GET" and not _PROBE.search(line.agent)
    ]


def _cut_by_haproxy(container: Container, lines: Sequence[AccessLine]) -> CutConnections | None:
    """The connections that HAProxy logs as timed out; None where they are few."""
    cut = [line for line in lines if line.ended[:2] in TIMED_OUT]
    match = _TIMERS.search(cut[-1].line) if len(cut) >= LEAST else None
    if match is None:
        return None
    last = cut[-1]
    return CutConnections(container, len(cut), int(match["total"]) / 1000, last.line, last.path)


def _cut_by_nginx(
    container: Container, lines: Sequence[AccessLine], hops: Sequence[NginxHop], begun: float
) -> Iterator[CutConnections]:
    """The connections of one client to a path that each ended at the timeout of nginx.

    begun: Unix time since which nginx has that setting. A connection that was open then has its
    former one.
    """
    for path, lines_of in by_key((line.path.partition("?")[0], line) for line in lines).items():
        hop = first_of(hops_for_path(hops, path), None)
        timeout = _seconds(hop.read_timeout or _DEFAULT) if hop is not None else 0.0
        ended = [line for line in lines_of if line.at > begun + timeout]
        if not timeout or not ended:
            continue
        pairs = [
            _comes_again(line, ended, timeout)
            for line in ended
            if line.at <= ended[-1].at - timeout - _COMES_AGAIN_S
        ]
        number_of_pairs = sum(pairs)
        if number_of_pairs >= _FEW and number_of_pairs >= _MOSTLY * len(pairs):
            last = ended[-1].line
            is_few = number_of_pairs < LEAST
            yield CutConnections(
                container, len(ended), timeout, last, path=path, hop=hop, is_few=is_few
            )
        elif timeout < _LONG_S and _CONSOLE.search(path):
            yield CutConnections(
                container, len(ended), timeout, ended[-1].line, path=path, hop=hop, is_console=True
            )


def _comes_again(line: AccessLine, ended: Sequence[AccessLine], timeout: float) -> bool:
    return any(
        timeout <= other.at - line.at <= timeout + _COMES_AGAIN_S and other.client == line.client
        for other in ended
    )


def _seconds(text: str) -> float:
    """A time of nginx: 60, 60s, 5m, 1h; 0 where it is none."""
    match = _TIME.fullmatch(text)
    return int(match["number"]) * _SECONDS[match["unit"]] if match is not None else 0.0
