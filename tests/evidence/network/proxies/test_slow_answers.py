"""Requests that an nginx gives up while the program answers others, by its log."""

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.slow_answers import SlowAnswers, slow_answers
from diagnose.questions.processes import Process
from tests.checks.network.evidence import container
from tests.hosts import Made
from tests.judging import judge, rows

GIVEN_UP = (
    "2026/12/01 13:43:05 [error] 7#7: *3 upstream timed out (110: Connection timed out) while "
    "reading response header from upstream, client: 192.0.2.1, server: , request: "
    '"GET /report?n=3 HTTP/1.1", upstream: "http://172.18.0.3:8000/report?n=3", host: "192.0.2.10"'
)
SERVED = '192.0.2.1 - - [x] "GET / HTTP/1.1" 200 12 "-" "Mozilla/5.0"'
SITE = "http { server { listen 80; location / { %s proxy_pass http://shop:8000; } } }"
FOUND, ADVICE = [("warning", "shop")], [("advice", "shop")]
CASES: dict[str, tuple[list[str], str, list[tuple[str, str]], str]] = {
    "others are answered": ([*[GIVEN_UP] * 3, SERVED], "", FOUND, "after 60s"),
    "after another time": ([*[GIVEN_UP] * 3, SERVED], "proxy_read_timeout 90s;", FOUND, "after 90s"),
    "twice": ([*[GIVEN_UP] * 2, SERVED], "", ADVICE, ""),
    "clients that wait for news": (
        [*[GIVEN_UP.replace("/report", "/api/poll")] * 3, SERVED], "", ADVICE, "",
    ),
    "nobody is answered": ([SERVED, *[GIVEN_UP] * 3], "", [], ""),
    "others get errors": ([*[GIVEN_UP] * 3, SERVED.replace("200 12", "504 12")], "", [], ""),
    "once": ([GIVEN_UP, SERVED], "", [], ""),
    "another program": ([*[GIVEN_UP.replace("0.3:", "0.9:")] * 3, SERVED], "", [], ""),
}  # fmt: skip


def _edge_and_shop() -> tuple[Container, Container]:
    mounted = {"Type": "bind", "Source": "/srv/edge", "Destination": "/etc/nginx"}
    nets = {"shop": {"IPAddress": "172.18.0.2"}}
    edge = container("edge", Mounts=[mounted], NetworkSettings={"Networks": nets})
    place = {"IPAddress": "172.18.0.3", "Aliases": ["shop"]}
    shop = container("shop", NetworkSettings={"Networks": {"shop": place}})
    return edge, shop


def _slow_answers(lines: list[str], settings: str, read_at: float = 0.0) -> SlowAnswers:
    """What was given up. read_at: seconds after the first line at which nginx read its files."""
    edge, shop = _edge_and_shop()
    text = SITE % settings
    return slow_answers(
        Made({"file.read": {"text": text, "size": len(text)}}),
        Containers((edge, shop)),
        RecentLogs({edge.id: tuple(RecentLine(2e9 + at, line) for at, line in enumerate(lines))}),
        Clock(2_000_000_010.0, 0.0),
        Processes((Process(7, comm="nginx", start=2e9 + read_at, container=edge.id),)),
    )


@pytest.mark.parametrize(("lines", "settings", "expected", "words"), CASES.values(), ids=CASES)
def test_requests_that_nginx_gives_up(
    lines: list[str], settings: str, expected: list[tuple[str, str]], words: str
) -> None:
    found = _slow_answers(lines, settings)
    result = judge("network.slow-answers-cut", slow_answers=found)
    assert rows(result) == expected
    assert all(words in finding.summary for finding in result.findings)
    assert all("300s" in finding.variables["script"] for finding in result.findings if words)
    assert found.explains(_edge_and_shop()[1], 8000) == bool(expected)


def test_an_nginx_with_new_settings_is_not_judged_by_its_former_lines() -> None:
    lines = [*[GIVEN_UP] * 3, SERVED]
    assert _slow_answers(lines, "proxy_read_timeout 300s;", read_at=0.0).items
    assert not _slow_answers(lines, "proxy_read_timeout 300s;", read_at=5.0).items
