"""The check network.quiet-connections-cut."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.access_lines import AccessLine, access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.proxies.cut_connections import (
    AllCutConnections,
    CutConnections,
    all_cut_connections,
    websocket_lines,
)
from tests.checks.network.evidence import LATER, container
from tests.judging import judge, rows

EDGE = container("edge")
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
