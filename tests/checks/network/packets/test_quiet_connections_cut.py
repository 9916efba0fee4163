"""The check network.quiet-connections-cut."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine, access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.cut_connections import (
    AllCutConnections,
    CutConnections,
    all_cut_connections,
    websocket_lines,
)
from diagnose.evidence.network.proxies.cut_sessions import (
    AllCutSessions,
    CutSessions,
    all_cut_sessions,
)
from diagnose.evidence.network.proxies.haproxy_files import ImpatientFiles, impatient_files
from diagnose.live.disk.parts.haproxy import time_limits
from tests.checks.network.evidence import LATER, container
from tests.hosts import Made
from tests.judging import judge, rows

EDGE = container("edge", NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}})
NONE: dict[str, Any] = {"all_cut_connections": AllCutConnections()}
ENDED = (
    "192.0.2.1:60442 [30/Nov/2026:04:55:45.914] web srv_neko/neko 0/0/0/6/5008 101 132 - - {end}-- "
    '3/3/2/2/0 0/0 "GET /mqtt HTTP/1.1"'
)
LINES: dict[str, tuple[list[str], int]] = {
    "the client was silent": ([ENDED.format(end="cD")] * 3, 1),
    "the server was silent": ([ENDED.format(end="sD")] * 4, 1),
    "two of them": ([ENDED.format(end="cD")] * 2, 0),
    "the clients left": ([ENDED.format(end="CD")] * 5, 0),
}


class _Logs:
    def __init__(self, lines: list[str]) -> None:
        self.lines = [RecentLine(LATER.wall - 10 + at, text) for at, text in enumerate(lines)]

    def of_this_run(self, _container: Any) -> list[RecentLine]:
        return self.lines

    def requests_of(self, _container: Any) -> list[AccessLine]:
        return list(access_lines(self.lines))


@pytest.mark.parametrize(("lines", "expected"), LINES.values(), ids=LINES)
def test_haproxy(lines: list[str], expected: int) -> None:
    logs: Any = _Logs(lines)
    nothing: Any = None
    found = all_cut_connections(nothing, _containers(), logs, LATER, nothing)
    result = judge("network.quiet-connections-cut", all_cut_connections=found)
    assert len(result.findings) == expected
    assert all("for 5 s" in finding.summary for finding in result.findings)


POOL = container(
    "pads",
    State={"Status": "running", "FinishedAt": "2026-11-30T04:55:30Z"},
    NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.17.0.9"}}},
)
SESSION = (
    "172.17.0.9:59066 [30/Nov/2026:04:55:15.968] pgsql patroni/pg1 1/0/15003 8 {end} 1/1/0/0/0 0/0"
)
SESSIONS: dict[str, tuple[str, list[str], list[str]]] = {
    "the program complains": ("cD", ["Error: Connection terminated unexpectedly"], ["warning"]),
    "of something else": ("cD", ["Error: no such pad"], []),
    "the program is silent": ("sD", [], []),
    "the program closed it": ("CD", ["Error: Connection terminated unexpectedly"], []),
}


@pytest.mark.parametrize(("end", "said", "expected"), SESSIONS.values(), ids=SESSIONS)
def test_sessions(end: str, said: list[str], expected: list[str]) -> None:
    times = [LATER.wall - 60, LATER.wall - 40, LATER.wall - 20]
    cut = [RecentLine(at, SESSION.format(end=end)) for at in times]
    complaints = [RecentLine(at + 0.5, text) for at in times for text in said]
    logs: Any = _LogsById({EDGE.id: cut, POOL.id: complaints})
    found = all_cut_sessions(Containers((EDGE, POOL)), logs, LATER)
    result = judge("network.quiet-connections-cut", all_cut_sessions=found, **NONE)
    assert [severity for severity, _ in rows(result)] == expected


def test_a_program_that_ends_with_its_session() -> None:
    """Its last end is at the moment of the last session's; that of another time says nothing."""
    ended = POOL.finished_at or 0.0
    clock = Clock(ended + 30, booted=0)
    for late, expected in ((0.3, ["critical"]), (9.0, [])):
        cut = [RecentLine(ended + late + at, SESSION.format(end="sD")) for at in (-40, -20, 0)]
        logs: Any = _LogsById({EDGE.id: cut})
        found = all_cut_sessions(Containers((EDGE, POOL)), logs, clock)
        files = ImpatientFiles({EDGE.id: "/srv/edge/haproxy.cfg"})
        result = judge(
            "network.quiet-connections-cut", all_cut_sessions=found, impatient_files=files, **NONE
        )
        assert [severity for severity, _ in rows(result)] == expected
        assert all(
            finding.variables["limits_file"] == "/srv/edge/haproxy.cfg"
            for finding in result.findings
        )


TEXTS: dict[str, tuple[str, bool]] = {
    "as usual": ("defaults\n  mode tcp\n  timeout client 15s\nbackend b\n  server a db:1\n", True),
    "a limit for tunnels": ("defaults\n  timeout client 15s\n  timeout tunnel 1h\n", False),
    "no defaults": ("frontend f\n  timeout client 15s\n", False),
    "two of them": ("defaults a\n  timeout client 15s\ndefaults b\n  mode http\n", False),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_the_file_of_the_limits(text: str, expected: bool) -> None:
    kept = "\n".join(time_limits(text))
    mounted = {"Type": "bind", "Source": "/srv/ha", "Destination": "/etc/haproxy"}
    proxy = container("lb", Mounts=[mounted])
    host = Made({"file.read": {"text": kept, "size": len(kept)}})
    cut = CutSessions(proxy, POOL, server="patroni/pg1", seconds=15.0, times=3, line=SESSION)
    files = impatient_files(host, None, AllCutSessions((cut,)))
    assert files.of(proxy) == ("/srv/ha/haproxy.cfg" if expected else None)


class _LogsById:
    def __init__(self, lines: dict[str, list[RecentLine]]) -> None:
        self.lines = lines

    def of(self, container: Any) -> list[RecentLine]:
        return self.lines.get(container.id, [])

    of_this_run = of


def _containers() -> Any:
    from tests.inspected import of

    return of(EDGE)


def test_nobody_is_cut_off() -> None:
    result = judge("network.quiet-connections-cut", all_cut_connections=AllCutConnections())
    assert not result.findings


def test_a_balancer_has_the_cure_in_words() -> None:
    cut = CutConnections(EDGE, 3, 5.0, "line", "/mqtt")
    (finding,) = judge(
        "network.quiet-connections-cut", all_cut_connections=AllCutConnections((cut,))
    ).findings
    assert finding.variables["balancer"] == "edge"


def test_a_few_may_have_ended_by_chance() -> None:
    cut = CutConnections(EDGE, 3, 60.0, "line", "/chat", is_few=True)
    result = judge("network.quiet-connections-cut", all_cut_connections=AllCutConnections((cut,)))
    assert rows(result) == [("advice", "edge")]


def test_a_console_is_silent_while_nobody_types() -> None:
    cut = CutConnections(EDGE, 3, 60.0, "line", "/api/websocket/exec", is_console=True)
    result = judge("network.quiet-connections-cut", all_cut_connections=AllCutConnections((cut,)))
    assert rows(result) == [("advice", "edge")]
    assert "closes a console" in result.findings[0].summary


_NGINX = '192.0.2.9 - - [30/Nov/2026:04:55:45 +0000] "GET /chat HTTP/1.1" 101 132 "-" "{agent}"'


@pytest.mark.parametrize(("agent", "expected"), [("Mozilla/5.0", 4), ("Uptime-Kuma/1.23", 0)])
def test_monitors_come_again_by_themselves(agent: str, expected: int) -> None:
    logs: Any = _Logs([_NGINX.format(agent=agent)] * 4)
    assert len(websocket_lines(EDGE, logs)) == expected
