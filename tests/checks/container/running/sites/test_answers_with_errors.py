"""The check container.answers-with-errors, and errors that access logs show."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.inspect import ContainerConfig
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.own_files.program_logs import (
    ProgramLog,
    ProgramLogs,
    program_logs,
)
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.proxies.pages.failed_answers import all_failed_answers
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage
from diagnose.model import Finding, Severity
from diagnose.questions.web_pages import PageReply
from tests.checks.network.evidence import container, namespaces_of
from tests.checks.network.first_pages import page, pages
from tests.hosts import Made
from tests.judging import judge

SHOP = container("shop")
EDGE = container("edge", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.3"}}})
SICK = container(
    "sick", State={"Status": "running", "Health": {"Status": "unhealthy", "FailingStreak": 3}}
)
BEGUN = SHOP.started_at or 0.0
NGINX = '{} - - [28/Nov/2026:04:59:09 +0000] "{} HTTP/1.1" {} 157 "-" "Firefox/128"'
FAILED = NGINX.format("198.51.100.7", "GET /orders/7", 500)
FINE = NGINX.format("198.51.100.7", "GET /", 200)
PHP = "[Sat Nov 28 23:54:44 2026] 192.0.2.1:4312 [500]: POST /"
UVICORN = 'INFO:     172.18.0.9:4312 - "GET / HTTP/1.1" 502 Bad Gateway'


def found(*logs: tuple[Container, list[str]], ago: float = 5.0) -> list[Finding]:
    by_id = {
        server.id: tuple(RecentLine(BEGUN + 60 + at, line) for at, line in enumerate(lines))
        for server, lines in logs
    }
    last = max((lines[-1].at for lines in by_id.values() if lines), default=0.0)
    servers = Containers((SHOP, EDGE, SICK))
    clock = Clock(wall=last + ago, booted=0.0)
    listener = Socket("tcp", "0.0.0.0", 8000)
    answers = all_failed_answers(servers, RecentLogs(by_id), clock, namespaces_of(SHOP, listener))
    return list(
        judge(
            "container.answers-with-errors",
            all_failed_answers=answers,
            containers=servers,
            clock=clock,
        ).findings
    )


GIN = '[GIN] 2026/11/28 - 10:00:00 | 503 |     1.2ms |      172.18.0.1 | GET      "/notes"'
CADDY = (
    '{"level":"error","request":{"remote_ip":"172.18.0.1","method":"GET","uri":"/"},"status":502}'
)
LOGRAGE = "method=GET path=/notes format=html controller=Notes action=index status=500 duration=5.1"
REFUSED = NGINX.format("172.18.0.3", "GET /", 400)
CHECKED = NGINX.format("172.18.0.3", "GET /check.php", 404).replace("Firefox/128", "-")
LOOKED_AT = CHECKED.replace('"-"', '"Mozilla/5.0 (X11)"')
STRANGER = NGINX.format("2606:4700::6810:85e5", "GET /", 503)
NEIGHBOUR = NGINX.format("fd00:18::9", "GET /", 503).replace("Firefox/128", "Chrome/120.0.0.0")
HAPROXY = (
    "{}:42702 [29/Nov/2026:23:34:07.330] fe {} 0/0/-1/-1/0 {} 217 - - {} 1/1/0/0/0 0/0"
    ' "GET /app?x=1 HTTP/1.1"'
)
LOGS: dict[str, tuple[list[str], list[str]]] = {
    "each request": ([FAILED] * 3, ["warning"]),
    "Gin": ([GIN] * 3, ["warning"]),
    "Caddy": ([CADDY] * 3, ["warning"]),
    "lograge": ([LOGRAGE] * 3, ["warning"]),
    "HAProxy": ([HAPROXY.format("8.8.8.8", "gone/web1", 503, "SC--")] * 3, ["warning"]),
    "HAProxy, and all is well": ([HAPROXY.format("8.8.8.8", "gone/web1", 200, "----")] * 3, []),
    "HAProxy, for a name that nothing serves": (
        [HAPROXY.format("8.8.8.8", "none/<NOSRV>", 503, "SC--")] * 3,
        [],
    ),
    "each request of a proxy is a bad one": ([REFUSED] * 8, ["advice"]),
    "bad requests, too few": ([REFUSED] * 7, []),
    "bad requests of others": ([REFUSED.replace("172.18.0.3", "198.51.100.7")] * 9, []),
    "bad requests and one that was not found": ([*[REFUSED] * 9, REFUSED.replace(" 400 ", " 404 ")], []),
    "each check of a container finds no page": ([FINE, *[CHECKED] * 8], ["advice"]),
    "checks, too few": ([CHECKED] * 7, []),
    "a check that finds its page once": ([CHECKED.replace(" 404 ", " 200 "), *[CHECKED] * 8], []),
    "a page that a browser looks for": ([LOOKED_AT] * 9, []),
    "pages that a container cannot find": ([CHECKED.replace("check", "a" * at) for at in range(1, 10)], []),
    "a login that is asked for": ([CHECKED.replace(" 404 ", " 401 ")] * 9, []),
    "nearly each": ([FINE, *[FAILED] * 6], ["warning"]),
    "of PHP's own server": ([PHP] * 3, ["warning"]),
    "of a gateway": ([UVICORN] * 3, ["warning"]),
    "one kind of request": ([FINE, FAILED, FINE, FAILED, FINE, FAILED], ["advice"]),
    "one kind, by number": (
        [FINE, *[FAILED.replace("/7", f"/{number}") for number in range(3)], FINE], ["advice"],
    ),
    "a request that fails now and then": (
        [FAILED, FINE, FAILED, FAILED.replace(" 500 ", " 200 "), FAILED, FINE], [],
    ),
    "503 for a stranger by IPv6": ([STRANGER] * 9, []),
    "503 for a neighbour by IPv6": ([NEIGHBOUR] * 3, ["warning"]),
    "twice": ([FAILED] * 2, []),
    "it has recovered": ([*[FAILED] * 8, FINE], ["advice"]),
    "the same page has recovered": ([*[FAILED] * 8, FAILED.replace(" 500 ", " 200 ")], []),
    "pages that are not there": ([FAILED.replace(" 500 ", " 404 ")] * 9, []),
    "a method that it does not know": ([FAILED.replace(" 500 ", " 501 ")] * 9, []),
    "monitors, while pages work": (
        [NGINX.format("172.18.0.9", "GET /metrics", 500)] * 6 + [FINE], [],
    ),
    "names that a proxy does not serve": ([NGINX.format("8.8.8.8", "GET /", 503)] * 6, []),
    "maintenance": ([NGINX.format("172.18.0.9", "GET /", 503)] * 6, ["warning"]),
    "sizes that look like a status": (['"GET / HTTP/1.1" 200 500 "-"'] * 6, []),
    "nothing": ([], []),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), LOGS.values(), ids=LOGS)
def test_errors_in_access_logs(lines: list[str], expected: list[str]) -> None:
    severities = [finding.severity for finding in found((SHOP, lines))]
    assert [severity.name for severity in severities if severity is not None] == expected


NO_SITE = NGINX.format("192.168.1.20", "GET /login", 404)
NO_STYLE = NGINX.format("192.168.1.20", "GET /a.css", 404)
ENTRIES = {
    "each page of entry is not there": ([NO_SITE, NO_STYLE] * 4, ["advice"]),
    "too few": ([NO_SITE] * 7, []),
    "an unknown name for all": ([NO_SITE.replace(" 404 ", " 400 ")] * 4, ["advice"]),
    "an unknown name for some": ([*[NO_SITE.replace(" 404 ", " 400 ")] * 4, NO_SITE], []),
    "a few that are not let in": ([NO_SITE.replace(" 404 ", " 403 ")] * 6, []),
    "nobody asks for a page of entry": ([NO_STYLE] * 9, []),
    "one page is there": ([*[NO_SITE] * 9, NO_SITE.replace(" 404 ", " 200 ")], []),
    "strangers of the internet": ([NO_SITE.replace("192.168.1.20", "8.8.8.8")] * 9, []),
}


@pytest.mark.parametrize(("lines", "expected"), ENTRIES.values(), ids=ENTRIES)
def test_a_published_server_without_a_site(lines: list[str], expected: list[str]) -> None:
    published = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}
    erp = container("erp", NetworkSettings={"Ports": published})
    log = tuple(RecentLine(BEGUN + 60 + at, line) for at, line in enumerate(lines))
    servers, clock = Containers((erp,)), Clock(wall=log[-1].at + 5, booted=0.0)
    answers = all_failed_answers(servers, RecentLogs({erp.id: log}), clock, None)
    findings = judge(
        "container.answers-with-errors", all_failed_answers=answers, containers=servers, clock=clock
    ).findings
    assert [finding.severity.name for finding in findings if finding.severity] == expected
    assert all("of its clients" in finding.summary for finding in findings)


def test_a_proxy_whose_check_fails_sends_nobody() -> None:
    """The same answers are a warning where the one who asks leaves out a server that gives them."""
    varnish = msgspec.structs.replace(EDGE, config=ContainerConfig(image="varnish:7.4"))
    lines = tuple(RecentLine(BEGUN + 60 + at, CHECKED) for at in range(9))
    servers, clock = Containers((SHOP, varnish)), Clock(wall=BEGUN + 70, booted=0.0)
    answers = all_failed_answers(servers, RecentLogs({SHOP.id: lines}), clock, None)
    (finding,) = judge(
        "container.answers-with-errors", all_failed_answers=answers, containers=servers, clock=clock
    ).findings
    assert finding.severity is Severity.warning
    assert "GET /check.php" in finding.summary


def test_errors_of_minutes_ago_may_be_over() -> None:
    assert not found((SHOP, [FAILED] * 5), ago=120.0)


def test_a_proxy_passes_on_the_answers_of_another() -> None:
    passed = FAILED.replace("198.51.100.7", "172.18.0.3")
    (finding,) = found((EDGE, [FAILED] * 4), (SHOP, [passed] * 4))
    assert finding.subject == SHOP.subject
    assert 'which container "edge" may pass on' in finding.summary


def test_an_unhealthy_container_has_its_own_finding() -> None:
    assert not found((SICK, [FAILED] * 5))


def test_only_a_request_that_changes_nothing_is_sent_again() -> None:
    (get,), (post,) = (found((SHOP, [line] * 3)) for line in (FAILED, PHP))
    assert get.variables["url"] == "http://172.18.0.2:8000/orders/7"
    assert "url" not in post.variables


def test_the_line_that_says_why_stands_beside_the_answer() -> None:
    why = (
        "PHP Fatal error:  Uncaught mysqli_sql_exception: Connection timed out in /www/index.php:3"
    )
    (finding,) = found((SHOP, [why, FAILED, FAILED, FAILED]))
    assert finding.evidence["log"] == why


def test_a_log_file_of_the_program_says_what_its_log_does_not() -> None:
    own = ProgramLog(SHOP, "/app/log/production.log", LogTail(("FATAL: no such table: users",)))
    log = tuple(RecentLine(BEGUN + 60 + at, FAILED) for at in range(5))
    servers = Containers((SHOP, EDGE))
    clock = Clock(wall=BEGUN + 66, booted=0.0)
    answers = all_failed_answers(servers, RecentLogs({SHOP.id: log}), clock, None)
    (finding,) = judge(
        "container.answers-with-errors",
        all_failed_answers=answers,
        containers=servers,
        clock=clock,
        program_logs=ProgramLogs({SHOP.id: own}),
    ).findings
    assert finding.evidence["written to"] == "/app/log/production.log"
    assert finding.evidence["log"] == "FATAL: no such table: users"
    assert finding.variables["log_inside"] == "shop:/app/log/production.log"


OWN_LOGS: dict[str, tuple[str, float, bool]] = {
    "an error": ("ERROR: relation users does not exist\n", 5.0, True),
    "nothing that explains": ("GET /\n", 5.0, False),
    "an old error": ("ERROR: relation users does not exist\n", 900.0, False),
}


@pytest.mark.parametrize(("text", "age", "is_found"), OWN_LOGS.values(), ids=OWN_LOGS)
def test_log_files_of_programs(text: str, age: float, is_found: bool) -> None:
    clock = Clock(wall=BEGUN + 66, booted=0.0)
    host = Made(
        {
            "file.list": {"entries": [{"name": "prod.log", "type": "file"}]},
            "file.read": {"text": text, "mtime": clock.wall - age},
        }
    )
    log = tuple(RecentLine(BEGUN + 60 + at, FAILED) for at in range(5))
    answers = all_failed_answers(Containers((SHOP,)), RecentLogs({SHOP.id: log}), clock, None)
    assert (SHOP.id in program_logs(host, answers, clock).by_id) == is_found


def test_errors_of_a_program_whose_database_is_empty() -> None:
    line = "ERROR shop odoo.modules.loading: Database shop not initialized, you can force it with `-i base`"
    answers = [line, FAILED] * 4
    (finding,) = found((SHOP, answers))
    assert "database shop exists and is empty" in finding.summary
    assert "--database=shop --init=base" in finding.variables["migration"]


@pytest.mark.parametrize(
    ("server", "status", "ended", "why"),
    [
        ("gone/web1", 503, "SC--", '"web1" of backend "gone" refuses the connection'),
        ("shop/web1", 503, "sC--", '"web1" of backend "shop" does not take the connection in time'),
        ("slow/web3", 504, "sH--", '"web3" of backend "slow" takes the connection and does not'),
        ("none/<NOSRV>", 503, "SC--", 'no server of backend "none" is up'),
    ],
)
def test_haproxy_says_what_its_server_did(server: str, status: int, ended: str, why: str) -> None:
    (finding,) = found((SHOP, [HAPROXY.format("172.18.0.9", server, status, ended)] * 3))
    assert why in finding.summary


def test_an_error_page_of_the_server_behind_haproxy_says_no_more() -> None:
    (finding,) = found((SHOP, [HAPROXY.format("172.18.0.9", "shop/web1", 502, "----")] * 3))
    assert "backend" not in finding.summary


def answered(
    *found_pages: FrontPage, logs: dict[str, list[str]] | None = None, age: float = 900.0
) -> list[Finding]:
    """What is found where servers answer our own request so."""
    servers = Containers((SHOP, EDGE))
    clock = Clock(wall=BEGUN + age, booted=0.0)
    by_id = {
        id: tuple(RecentLine(clock.wall - 5 + at, line) for at, line in enumerate(lines))
        for id, lines in (logs or {}).items()
    }
    answers = all_failed_answers(servers, RecentLogs(by_id), clock, None, pages(*found_pages))
    result = judge(
        "container.answers-with-errors", all_failed_answers=answers, containers=servers, clock=clock
    )
    return list(result.findings)


def replied(status: int, body: str = "", server: str = "nginx") -> PageReply:
    return PageReply("answered", status=status, body=body, server=server)


REFUSED_DATABASE = (
    'psycopg2.OperationalError: connection to server at "db", port 5432 failed: Connection refused'
)
NO_INDEX = '2026/11/30 [error] 7#7: *9 directory index of "/site/" is forbidden, server: , request: "GET / HTTP/1.1"'
MAINTENANCE = (
    "<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 "
    "Service Temporarily Unavailable</h1></center><hr><center>nginx/1.27</center></body></html>"
)
NO_ROUTE = "172.18.0.2:4312 [30/Nov/2026:01:20:57.001] web {}/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC--"
FIRST_PAGES: dict[str, tuple[FrontPage, float, list[str]]] = {
    "500": (page(SHOP, replied(500)), 900, ["shop"]),
    "500 of a program that was just started": (page(SHOP, replied(500)), 15, ["shop"]),
    "503 of a program that starts": (page(SHOP, replied(503)), 50, ["shop"]),
    "503 for a long time": (page(SHOP, replied(503)), 900, ["shop"]),
    "403 of an application": (page(SHOP, replied(403)), 900, []),
    "403 for lack of an index": (page(SHOP, replied(403), lines=(NO_INDEX,)), 900, ["shop"]),
    "503 of nginx for a name that it does not serve": (
        page(SHOP, replied(503, MAINTENANCE), programs=("nginx",)),
        900,
        [],
    ),
    "503 that nginx passes on": (
        page(SHOP, replied(503, "maintenance"), programs=("nginx",)),
        900,
        ["shop"],
    ),
    "503 of HAProxy for a name that it does not serve": (
        page(SHOP, replied(503), programs=("haproxy",), lines=(NO_ROUTE.format("web"),)),
        900,
        [],
    ),
    "503 of HAProxy without a server": (
        page(SHOP, replied(503), programs=("haproxy",), lines=(NO_ROUTE.format("shop"),)),
        900,
        ["shop"],
    ),
    "404": (page(SHOP, replied(404)), 900, []),
    "200": (page(SHOP, replied(200)), 900, []),
}


@pytest.mark.parametrize(("first", "age", "expected"), FIRST_PAGES.values(), ids=FIRST_PAGES)
def test_first_pages(first: FrontPage, age: float, expected: list[str]) -> None:
    assert [finding.subject.name for finding in answered(first, age=age)] == expected


EARLY = {"500": (15, 30), "503": (50, 90)}
"""Seconds after a start at which a first page is advice, and at which it is a warning."""


@pytest.mark.parametrize(("status", "ages"), EARLY.items(), ids=EARLY)
def test_a_first_page_shortly_after_a_start_is_advice(status: str, ages: tuple[int, int]) -> None:
    first = page(SHOP, replied(int(status)))
    early, late = (answered(first, age=age) for age in ages)
    assert [finding.severity for finding in (*early, *late)] == [Severity.advice, Severity.warning]
    assert "shortly after a start" in early[0].summary


def test_the_lines_that_our_request_provoked_name_the_cause() -> None:
    body = "<html><title>Server Error (500)</title><h1>Server Error (500)</h1></html>"
    (finding,) = answered(page(SHOP, replied(500, body), lines=(REFUSED_DATABASE,)))
    assert "refuses the connection" in finding.summary
    assert finding.evidence["log"] == REFUSED_DATABASE
    assert finding.evidence["body of the answer"] == "Server Error (500)"
    assert finding.evidence["GET / at port 8080"] == "500, Server: nginx"


def test_a_page_that_shows_the_error_itself_names_the_cause() -> None:
    body = f"<h1>{REFUSED_DATABASE}</h1>".replace('"', "&quot;")
    (finding,) = answered(page(SHOP, replied(500, body)))
    assert "refuses the connection" in finding.summary


def test_requests_in_the_log_and_ours_are_one_finding() -> None:
    first = page(SHOP, replied(500), lines=(REFUSED_DATABASE,))
    (finding,) = answered(first, logs={SHOP.id: [FAILED] * 3})
    assert "3 of the last 3" in finding.summary
    assert "refuses the connection" in finding.summary
    assert finding.evidence["GET / at port 8080"] == "500, Server: nginx"


def test_a_proxy_passes_the_error_of_its_neighbour_on() -> None:
    edge = page(EDGE, replied(500, "no 17"), programs=("nginx",), port=80)
    (finding,) = answered(edge, page(SHOP, replied(500, "no 18")))
    assert finding.subject.name == "shop"
    assert finding.touches == (EDGE.subject,)


def test_our_own_request_is_none_of_a_client() -> None:
    ours = NGINX.format("172.18.0.2", "GET /", 200).replace("Firefox/128", "diagnose/0.1.0")
    assert answered(logs={SHOP.id: [FAILED] * 3 + [ours]})[0].severity == Severity.warning
    assert not answered(logs={SHOP.id: [ours.replace(" 200 ", " 500 ")] * 9})


def test_a_pool_that_is_used_up_is_the_cause_of_a_timeout() -> None:
    lines = [
        "[18-Nov-2023 10:02:11] WARNING: [pool www] server reached pm.max_children setting (5)",
        (
            "2026/12/01 06:38:08 [error] 11#11: *1 upstream timed out (110: Connection timed out) while"
            " reading response header from upstream"
        ),
        *(NGINX.format("198.51.100.7", "GET /", 504) for _ in range(4)),
    ]
    (finding,) = found((SHOP, lines))
    assert "all 5 processes of PHP are busy" in finding.summary
