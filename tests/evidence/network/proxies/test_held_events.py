"""Streams of events that an nginx holds back, by its log and the program's own answer."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.held_events import all_held_events
from diagnose.questions.processes import Process
from tests.checks.network.evidence import container
from tests.hosts import Made

LEFT = '192.0.2.1 - - [x] "GET /api/events HTTP/1.1" 499 0 "-" "Mozilla/5.0"'
SERVED = LEFT.replace("499 0", "200 42")
POSTED = LEFT.replace("GET /api/events", "POST /api/v1/chat/completions")
STREAM = {"outcome": "answered", "status": 200, "kind": "text/event-stream"}
SITE = "http { server { listen 80; location /api/ { %s proxy_pass http://feed:8000; } } }"
CASES: dict[str, tuple[list[str], dict[str, Any], str, int]] = {
    "held back": ([LEFT] * 3, STREAM, "", 1),
    "wants a login": ([LEFT] * 3, {"outcome": "answered", "status": 401}, "", 1),
    "a slow page behind a login": (
        [LEFT.replace("events", "updates")] * 3, {"outcome": "answered", "status": 401}, "", 0,
    ),
    "too few": ([LEFT] * 2, STREAM, "", 0),
    "somebody got some": ([SERVED, *[LEFT] * 3], STREAM, "", 0),
    "the program says so": ([LEFT] * 3, {**STREAM, "buffering": "no"}, "", 0),
    "nginx says so": ([LEFT] * 3, STREAM, "proxy_buffering off;", 0),
    "a slow page": ([LEFT] * 3, {"outcome": "silent"}, "", 0),
    "another page": ([LEFT] * 3, {"outcome": "answered", "status": 200, "kind": "text/html"}, "", 0),
    "the words of a language model": ([POSTED] * 3, {"outcome": "silent"}, "", 1),
    "words that nginx passes on": ([POSTED] * 3, {"outcome": "silent"}, "proxy_buffering off;", 0),
    "words that somebody got": (
        [*[POSTED] * 3, POSTED.replace("499 0", "200 9")], {"outcome": "silent"}, "", 0,
    ),
    "a form that is slow": (
        [POSTED.replace("chat/completions", "orders")] * 3, {"outcome": "silent"}, "", 0,
    ),
    "no stream by its path": ([LEFT.replace("events", "orders")] * 3, STREAM, "", 0),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "reply", "settings", "found"), CASES.values(), ids=CASES)
def test_streams(lines: list[str], reply: dict[str, Any], settings: str, found: int) -> None:
    mounted = {"Type": "bind", "Source": "/srv/edge", "Destination": "/etc/nginx"}
    edge = container("edge", Mounts=[mounted])
    place = {"IPAddress": "172.18.0.3", "Aliases": ["feed"]}
    feed = container("feed", NetworkSettings={"Networks": {"shop": place}})
    text = SITE % settings
    host = Made({"file.read": {"text": text, "size": len(text)}, "net.page": reply})
    logged = tuple(RecentLine(2_000_000_000.0 + at, line) for at, line in enumerate(lines))
    held = all_held_events(
        host,
        Containers((edge, feed)),
        RecentLogs({edge.id: logged}),
        Clock(2_000_000_010.0, 0.0),
        Processes((Process(7, comm="nginx", container=edge.id),)),
    )
    assert len(held) == found
    assert all(events.program.name == "feed" and events.times == 3 for events in held)
