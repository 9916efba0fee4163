"""The check in checks/network/ports/sites/redirect_loop.py, and loops that access logs show."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.proxies.pages.answered_loops import answered_loops
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage
from diagnose.evidence.network.proxies.pages.redirect_loops import redirect_loops
from diagnose.model import Finding, Severity
from diagnose.questions.web_pages import PageReply
from tests.checks.network.evidence import container, namespaces_of
from tests.checks.network.first_pages import page, pages
from tests.judging import judge

BLOG = container("blog")
EDGE = container(
    "edge",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.3"}},
        "Ports": {"8443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "443"}]},
    },
)
NOW = BLOG.started_at + 60 if BLOG.started_at else 0.0
APACHE = (
    '172.18.0.3 - - [28/Nov/2026:04:59:09 +0000] "GET /login HTTP/1.1" 301 425 "-" "Firefox/128"'
)
OTHERS = [APACHE.replace("Firefox/128", agent) for agent in ("Chrome", "Safari", "curl", "Edge")]
UVICORN = 'INFO:     172.18.0.3:4312 - "GET / HTTP/1.1" 307 Temporary Redirect'
SPACED = "GET /login 302 3.{} ms - 46"


def found(texts: list[str], apart: float = 0.1) -> list[Finding]:
    lines = tuple(RecentLine(NOW + apart * number, text) for number, text in enumerate(texts))
    loops = redirect_loops(
        Containers((BLOG, EDGE)),
        RecentLogs({BLOG.id: lines}),
        namespaces_of(BLOG, Socket("tcp", "0.0.0.0", 8000), Socket("tcp", "127.0.0.1", 80)),
    )
    return list(judge("network.redirect-loop", redirect_loops=loops).findings)


LOGS: dict[str, tuple[list[str], float, bool]] = {
    "Apache": ([APACHE] * 12, 0.1, True),
    "morgan": ([SPACED.format(number) for number in range(12)], 0.1, True),
    "uvicorn": ([UVICORN] * 9, 0.1, True),
    "other lines between": ([APACHE, "a note"] * 8, 0.1, True),
    "too few": ([APACHE] * 7, 0.1, False),
    "a monitor": ([APACHE] * 12, 1.0, False),
    "many clients": (OTHERS * 3, 0.1, False),
    "led to another page": ([APACHE, APACHE.replace("/login", "/").replace(" 301 ", " 200 ")] * 9, 0.1, False),
    "led to another page of uvicorn": (
        [UVICORN, UVICORN.replace("/ ", "/docs ").replace("307 Temporary Redirect", "200 OK")] * 9, 0.1, False,
    ),
    "pages of others meanwhile": (
        [APACHE, OTHERS[0].replace("/login", "/").replace(" 301 ", " 200 ")] * 9, 0.1, True,
    ),
    "clients with one browser": (
        [APACHE.replace("172.18.0.3", f"198.51.100.{number}") for number in range(12)], 0.1, False,
    ),
    "clients behind the proxy": ([f'{APACHE} "198.51.100.{number}"' for number in range(12)], 0.1, False),
    "sends data and is led to a login": ([APACHE.replace("GET", "POST")] * 12, 0.1, False),
    "sends data again and again": (
        [APACHE.replace("GET", "POST").replace(" 301 ", " 308 ")] * 12, 0.1, True,
    ),
    "answered in the end": ([*[APACHE] * 9, APACHE.replace(" 301 ", " 200 ")], 0.1, False),
    "several pages": ([APACHE.replace("/login", f"/{page}") for page in "abcdefghijkl"], 0.1, False),
    "pages by number": ([APACHE.replace("/login", f"/{page}") for page in range(12)], 0.1, False),
    "not found": ([APACHE.replace(" 301 ", " 404 ")] * 12, 0.1, False),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "apart", "is_found"), LOGS.values(), ids=LOGS)
def test_loops_in_access_logs(texts: list[str], apart: float, is_found: bool) -> None:
    assert bool(found(texts, apart)) == is_found


MOZILLA = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"
DIRECT = APACHE.replace("172.18.0.3", "203.0.113.9")
CLIENTS: dict[str, tuple[str, list[str]]] = {
    "a browser": (DIRECT.replace("Firefox/128", MOZILLA), ["warning"]),
    "a health check": (DIRECT.replace("Firefox/128", "curl/8.5.0"), []),
    "a monitor that looks like a browser": (
        DIRECT.replace("Firefox/128", "Mozilla/5.0+(compatible; UptimeRobot/2.0)"), [],
    ),
    "nobody knows": (SPACED, ["advice"]),
    "a browser behind another proxy": (
        f'{DIRECT.replace("Firefox/128", MOZILLA)} "198.51.100.7"', ["warning"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), CLIENTS.values(), ids=CLIENTS)
def test_a_page_that_only_redirects_may_be_watched(line: str, expected: list[str]) -> None:
    severities = [finding.severity for finding in found([line] * 9)]
    assert [severity.name for severity in severities if severity is not None] == expected


def test_the_proxy_that_ends_https_is_named() -> None:
    (finding,) = found([APACHE] * 12)
    assert 'use HTTPS through container "edge"' in finding.summary
    assert finding.variables == {
        "container": "blog",
        "proxy": "edge",
        "url": "http://172.18.0.2:8000/login",
    }


HTTPS = PageReply("answered", status=301, location="https://shop.example.org/")
CIRCLE = PageReply("answered", status=302, location="/", is_circle=True)
COOKIE = PageReply("answered", status=302, location="/", is_circle=True, sets_cookie=True)
SERVED = PageReply("answered", status=200)
LOGIN = PageReply("answered", status=302, location="https://shop.example.org/login")
ANSWERED: dict[str, tuple[FrontPage, bool, list[str]]] = {
    "a circle": (page(BLOG, CIRCLE), True, ["warning"]),
    "a circle that a cookie ends": (page(BLOG, COOKIE), False, []),
    "HTTPS, and the header is known": (page(BLOG, HTTPS, forwarded=SERVED), False, []),
    "HTTPS, and the header leads to a log-in": (page(BLOG, HTTPS, forwarded=LOGIN), False, []),
    "HTTPS whatever the header says": (
        page(BLOG, HTTPS, forwarded=HTTPS, name="shop.example.org"),
        False,
        ["advice"],
    ),
    "the same, and this host serves HTTPS": (
        page(BLOG, HTTPS, forwarded=HTTPS, name="shop.example.org"),
        True,
        [],
    ),
    "a log-in at another site": (page(BLOG, HTTPS, forwarded=HTTPS), False, []),
}


ROUTER = "traefik.http.routers.shop"
BY_TRAEFIK: dict[str, tuple[dict[str, str], PageReply, int]] = {
    "a router with TLS": ({f"{ROUTER}.tls": "true"}, HTTPS, 1),
    "a router without TLS": ({}, HTTPS, 0),
    "a program that knows the header": ({f"{ROUTER}.tls": "true"}, SERVED, 0),
    "a log-in by HTTPS": ({f"{ROUTER}.tls": "true"}, LOGIN, 0),
    "the port for HTTPS": (
        {f"{ROUTER}.tls": "true", "traefik.http.services.shop.loadbalancer.server.port": "443"},
        HTTPS,
        0,
    ),
}


@pytest.mark.parametrize(("labels", "forwarded", "times"), BY_TRAEFIK.values(), ids=BY_TRAEFIK)
def test_a_program_that_does_not_know_of_traefik(
    labels: dict[str, str], forwarded: PageReply, times: int
) -> None:
    rule = {f"{ROUTER}.rule": "Host(`shop.example.org`)"}
    shop = container("shop", Config={"Labels": rule | labels})
    traefik = container("traefik", Config={"Image": "traefik:v3.1"})
    answered = page(shop, HTTPS, forwarded=forwarded)
    loops = answered_loops(pages(answered), Containers((shop, traefik, EDGE)), None)
    result = judge(
        "network.redirect-loop",
        redirect_loops=redirect_loops(Containers((shop,)), RecentLogs({}), None),
        answered_loops=loops,
    )
    assert len(result.findings) == times
    assert all("by_traefik" in finding.variables for finding in result.findings)


@pytest.mark.parametrize(("answered", "https", "expected"), ANSWERED.values(), ids=ANSWERED)
def test_answers_to_us(answered: FrontPage, https: bool, expected: list[str]) -> None:
    containers = Containers((BLOG, EDGE) if https else (BLOG,))
    loops = answered_loops(pages(answered), containers, None)
    result = judge(
        "network.redirect-loop",
        redirect_loops=redirect_loops(containers, RecentLogs({}), None),
        answered_loops=loops,
    )
    assert [(one.severity or Severity.warning).name for one in result.findings] == expected
