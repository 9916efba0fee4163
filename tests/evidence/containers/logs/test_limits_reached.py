"""What is used up in a program for which others wait, as its log says once."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from tests.checks.container.evidence import NOW, container_in

SLOW = (
    "2026/11/30 23:13:01 [error] 9#9: *1 upstream timed out (110: Connection timed out) while reading response "
    'header from upstream, client: 192.0.2.1, server: , request: "GET / HTTP/1.1", upstream: '
    '"fastcgi://127.0.0.1:9000", host: "shop"'
)
FULL = "WARNING: [pool www] server reached pm.max_children setting (5), consider raising it"


def test_a_pool_that_is_used_up_explains_a_proxy_that_waits() -> None:
    web = container_in("running", name="web")
    lines = [FULL, *[SLOW] * 4]
    recent = [RecentLine(NOW + at, line) for at, line in enumerate(lines)]
    (error,) = repeated_errors(Containers((web,)), RecentLogs({web.id: tuple(recent)}))
    assert error.failure is not None
    assert (error.failure.name, error.line.text.startswith("2026")) == ("php-fpm-children", True)


def test_without_it_the_proxy_itself_waits_too_short() -> None:
    web = container_in("running", name="web")
    recent = [RecentLine(NOW + at, SLOW) for at in range(4)]
    (error,) = repeated_errors(Containers((web,)), RecentLogs({web.id: tuple(recent)}))
    assert error.failure is not None
    assert error.failure.name == "nginx-upstream-slow"
