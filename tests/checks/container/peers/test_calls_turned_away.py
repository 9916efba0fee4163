"""container.calls-turned-away, on lines of callers and of servers."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.peers.refused_callers import refused_callers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interfaces
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SERVER_END = {"back": {"IPAddress": "172.18.0.2", "Aliases": ["store_app"]}}
CALLER_END = {"back": {"IPAddress": "172.18.0.3"}}
SERVER = container("store", NetworkSettings={"Networks": SERVER_END})
ASKS = {"Cmd": ["sh", "-c", "curl -f http://store_app:8090/task"]}
CALLER = container("cron", NetworkSettings={"Networks": CALLER_END}, Config=ASKS)
SHORT = "400 Client Error:  for url: http://store_app:8090/task"
LONG = "ERR check failed for URI [http://172.18.0.2:8080/files/7]: 403 Forbidden. Headers: Date"
FOUND = [("warning", "cron")]
CALLS = {
    "a name": ([SHORT] * 4, FOUND),
    "an address": ([LONG] * 4, FOUND),
    "a status by number": (["call of http://store_app:8090/ returned 401"] * 4, FOUND),
    "curl, whose command has the address": (
        ["curl: (22) The requested URL returned error: 401"] * 4,
        FOUND,
    ),
    "twice": ([SHORT] * 2, []),
    "a page that is not there": ([SHORT.replace("400", "404")] * 4, []),
    "a stranger": ([SHORT.replace("store_app", "api.shop.test")] * 4, []),
    "its own requests": (['192.0.2.1 - - "GET /task HTTP/1.1" 403 12'] * 4, []),
    "its own request from a neighbour's page": (
        ['192.0.2.1 - - "GET /task HTTP/1.1" 403 12 "http://store_app:8090/" "Browser"'] * 4,
        [],
    ),
    "a client that a proxy passes on": (
        ['{"request":{"method":"GET","uri":"/v2/"},"to":"http://store_app:8090","status":401}'] * 4,
        [],
    ),
    "urllib3": (['http://store_app:8090 "GET /task HTTP/1.1" 403 12'] * 4, FOUND),
    "beside its work": ([SHORT] * 3 + ["stored 7 files"] * 9, [("advice", "cron")]),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_that_a_neighbour_refuses(name: str) -> None:
    lines, expected = CALLS[name]
    recent = tuple(RecentLine(990.0 + at, line) for at, line in enumerate(lines))
    logs = RecentLogs({CALLER.id: recent})
    found = refused_callers(Made({}), of(CALLER, SERVER), logs, Clock(1010.0, 0.0), Interfaces())
    assert rows(judge("container.calls-turned-away", refused_callers=found)) == expected


PROXY = {**ASKS, "Env": ["HTTP_PROXY=http://squid:3128"]}
PROXIED = {
    "by a proxy": (PROXY, [], []),
    "by a proxy that leaves the name out": (
        {**PROXY, "Env": [*PROXY["Env"], "NO_PROXY=store_app"]},
        [],
        FOUND,
    ),
    "by the server, as its own log has it": (
        PROXY,
        ['172.18.0.3 - - [29/Nov/2026:10:00:00 +0000] "GET /task HTTP/1.1" 400 12'],
        FOUND,
    ),
}


@pytest.mark.parametrize("name", PROXIED)
def test_the_proxy_of_a_caller_may_have_refused_it(name: str) -> None:
    config, written, expected = PROXIED[name]
    caller = container("cron", NetworkSettings={"Networks": CALLER_END}, Config=config)
    recent = tuple(RecentLine(990.0 + at, SHORT) for at in range(4))
    of_server = tuple(RecentLine(990.0 + at, line) for at, line in enumerate(written))
    logs = RecentLogs({caller.id: recent, SERVER.id: of_server})
    found = refused_callers(Made({}), of(caller, SERVER), logs, Clock(1010.0, 0.0), Interfaces())
    assert rows(judge("container.calls-turned-away", refused_callers=found)) == expected


WORDS = {
    "about the caller": (
        "denied 172.18.0.3: not in the list",
        "denied 172.18.0.3: not in the list",
    ),
    "about the path": ("no right to /task/7", "no right to /task/7"),
    "no reason": ("ready", ""),
}


@pytest.mark.parametrize("name", WORDS)
def test_what_the_server_says(name: str) -> None:
    line, wanted = WORDS[name]
    calls = tuple(RecentLine(990.0 + at, SHORT + "/7") for at in range(4))
    host = Made({"api.logs": {"text": f"2026-01-02T03:04:06Z {line}\n"}})
    logs = RecentLogs({CALLER.id: calls})
    found = refused_callers(host, of(CALLER, SERVER), logs, Clock(1010.0, 0.0), Interfaces())
    assert [caller.words for caller in found] == [wanted]
