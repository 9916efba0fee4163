"""network.host-proxy-fails, on the error logs of web servers of the host."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.proxies.host_proxies import host_proxy_failures
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.files import ReadFile
from diagnose.questions.sockets import Socket
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

PORTS = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}]}
SHOP = container("shop", NetworkSettings={"Ports": PORTS}, HostConfig={"PortBindings": PORTS})
NGINX = (
    "2026/01/02 03:20:0{} [error] 391#391: *29 {} while reading response header from upstream, "
    'client: 192.0.2.1, server: shop.test, request: "GET / HTTP/1.1", '
    'upstream: "http://127.0.0.1:{}/", host: "shop.test"'
)
APACHE = (
    "[Fri Jan 02 03:20:0{}.123456 2026] [proxy:error] [pid 7:tid 9] (111)Connection refused: AH00957: "
    "HTTP: attempt to connect to 127.0.0.1:8081 (127.0.0.1) failed"
)
LARGE = "upstream sent too big header"
LOGS: dict[str, tuple[str, list[str], float, list[tuple[str, str]]]] = {
    "nginx": (
        "nginx",
        [NGINX.format(at, LARGE, 8081) for at in range(4)],
        5,
        [("warning", "shop")],
    ),
    "Apache": ("apache2", [APACHE.format(at) for at in range(4)], 5, [("warning", "shop")]),
    "idle websockets": (
        "nginx",
        [
            NGINX.format(at, "upstream timed out (110: Connection timed out)", 8081).replace(
                "reading response header from upstream", "proxying upgraded connection"
            )
            for at in range(4)
        ],
        5,
        [],
    ),
    "twice": ("nginx", [NGINX.format(at, LARGE, 8081) for at in range(2)], 5, []),
    "minutes ago": ("nginx", [NGINX.format(at, LARGE, 8081) for at in range(4)], 120, []),
    "another program": ("nginx", [NGINX.format(at, LARGE, 9999) for at in range(4)], 5, []),
    "none of its lines": ("caddy", [NGINX.format(at, LARGE, 8081) for at in range(4)], 5, []),
}


@pytest.mark.parametrize("name", LOGS)
def test_web_servers_of_the_host(name: str) -> None:
    program, lines, age, expected = LOGS[name]
    file = {"text": "\n".join(lines) + "\n", "mtime": 1000.0 - age}
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": file,
    }
    assert rows(_judged(program, answers)) == expected


def test_a_log_that_may_not_be_read_is_not_called_calm() -> None:
    result = _judged("nginx", {"file.list": Failed("forbidden", "root's")})
    assert result.verdict.value == "unknown"


def _judged(
    program: str,
    answers: dict[str, Any],
    shop: Container = SHOP,
    namespaces: Namespaces | None = None,
) -> Any:
    processes = Processes((Process(pid=5, comm=program),))
    failures = host_proxy_failures(
        Made(answers), of(shop), processes, Clock(1000.0, 0.0), Interfaces(), namespaces
    )
    return judge("network.host-proxy-fails", host_proxy_failures=failures)


def test_a_container_that_does_not_run_comes_first() -> None:
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": {"text": "\n".join(APACHE.format(at) for at in range(4)), "mtime": 995.0},
    }
    stopped = container("shop", State={"Status": "exited"}, HostConfig={"PortBindings": PORTS})
    (finding,) = _judged("apache2", answers, stopped).findings
    assert finding.variables["stopped"] == "shop"
    assert finding.summary.endswith("it is not running")


SERVED_INSIDE = {
    "refused": ("connect() failed (111: Connection refused)", [("warning", "shop")]),
    "another error": (LARGE, []),
}


@pytest.mark.parametrize(("error", "expected"), SERVED_INSIDE.values(), ids=SERVED_INSIDE)
def test_a_port_that_a_container_serves_and_does_not_publish(
    error: str, expected: list[tuple[str, str]]
) -> None:
    """Only a refusal says that nobody listens at the host's own port."""
    shop = container("shop")
    sockets = (Socket("tcp", "0.0.0.0", 8081),)
    namespaces = Namespaces(
        {shop.id: ContainerNetns(shop, 1, links=(), addresses=(), routes=(), listeners=sockets)}
    )
    lines = "\n".join(NGINX.format(at, error, 8081) for at in range(4))
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": {"text": f"{lines}\n", "mtime": 995.0},
    }
    assert rows(_judged("nginx", answers, shop, namespaces)) == expected


CADDY = (
    '{{"level":"error","ts":1795975896.{0},"logger":"http.log.error.log0","msg":"{1}","request":'
    '{{"method":"GET","host":"shop.test","uri":"/"}},"duration":0.0002,"status":502}}'
)
REFUSED = "dial tcp 127.0.0.1:8081: connect: connection refused"
HAPROXY = (
    "192.0.2.1:4{0} [29/Nov/2026:18:21:3{0}.739] f films/{1} 0/0/0/-1/0 {2} 217 - - SH-- 1/1/0/0/0 0/0 "
    '"GET / HTTP/1.1"'
)
TRAEFIK = (
    '192.0.2.1 - - [29/Nov/2026:18:21:3{0} +0000] "GET / HTTP/1.1" {1} 11 "-" "-" 7 "films@file" '
    '"http://127.0.0.1:8081" 2ms'
)
TRAEFIK_JSON = (
    '{{"DownstreamStatus":502,"OriginContentSize":{1},"OriginDuration":400,"OriginStatus":502,'
    '"ServiceAddr":"127.0.0.1:8081","time":"2026-11-29T18:21:3{0}Z"}}'
)
OF_HAPROXY = (
    "backend films\n  server s1 127.0.0.1:8081 check\nbackend two\n  server s1 127.0.0.1:99\n"
)
PROXIES: dict[str, tuple[str, list[str], bool]] = {
    "Caddy": ("caddy", [CADDY.format(at, REFUSED) for at in range(4)], True),
    "a template of Caddy fails": (
        "caddy",
        [CADDY.format(at, "template: no such function").replace("502", "500") for at in range(4)],
        False,
    ),
    "Caddy without the place": ("caddy", [CADDY.format(at, "EOF") for at in range(4)], True),
    "HAProxy": ("haproxy", [HAPROXY.format(at, "s1", 502) for at in range(4)], True),
    "HAProxy without a server": (
        "haproxy",
        [HAPROXY.format(at, "<NOSRV>", 503) for at in range(4)],
        True,
    ),
    "HAProxy passes an error page on": (
        "haproxy",
        [HAPROXY.format(at, "s1", 503).replace("SH--", "----") for at in range(4)],
        False,
    ),
    "HAProxy is well": ("haproxy", [HAPROXY.format(at, "s1", 200) for at in range(4)], False),
    "Traefik": ("traefik", [TRAEFIK.format(at, 502) for at in range(4)], True),
    "Traefik, in JSON": ("traefik", [TRAEFIK_JSON.format(at, 11) for at in range(4)], True),
    "Traefik passes an error page on": (
        "traefik",
        [TRAEFIK.format(at, 502).replace(" 11 ", " 1240 ") for at in range(4)],
        False,
    ),
    "Traefik passes an error page on, in JSON": (
        "traefik",
        [TRAEFIK_JSON.format(at, 1240) for at in range(4)],
        False,
    ),
    "Traefik is well": ("traefik", [TRAEFIK.format(at, 200) for at in range(4)], False),
}


@pytest.mark.parametrize("in_journal", [False, True])
@pytest.mark.parametrize(("program", "lines", "fails"), PROXIES.values(), ids=PROXIES)
def test_proxies_of_the_host(program: str, lines: list[str], fails: bool, in_journal: bool) -> None:
    def read(question: Any) -> Any:
        if question.path.endswith("Caddyfile"):
            return {"text": only("loopback", "reverse_proxy 127.0.0.1:8081")}
        if question.path.endswith(".cfg"):
            return {"text": only("servers", OF_HAPROXY)}
        return {"text": "\n".join(lines), "mtime": 995.0}

    entries = [{"at": 990.0 + at, "message": line} for at, line in enumerate(lines)]
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": f"{program}.log", "type": "file"}]},
        "file.read": read,
        "journal": Failed("missing", "no journal"),
    }
    if in_journal:
        missing = Failed("missing", "no such file")
        answers["file.list"] = missing
        answers["journal"] = {"entries": entries}
        answers["file.read"] = lambda question: (
            read(question) if question.parts is not None else missing
        )
    findings = _judged(program, answers).findings
    assert len(findings) == fails
    assert all(("unit" in finding.variables) == in_journal for finding in findings)
    assert all(finding.variables["upstream"] == "127.0.0.1:8081" for finding in findings)


REFUSED = "connect() failed (111: Connection refused)"
CHOSEN = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32770"}]}
ANY_PORT = {"8080/tcp": [{"HostIp": "", "HostPort": ""}]}
NOBODY: dict[str, tuple[int, dict[str, Any], list[tuple[str, str]], str]] = {
    "a port of nobody": (3000, {}, [("warning", "host")], "no container publishes that port"),
    "a port that the engine chose": (
        32768,
        {"NetworkSettings": {"Ports": CHOSEN}, "HostConfig": {"PortBindings": ANY_PORT}},
        [("warning", "shop")],
        "is published at port 32770",
    ),
    "a port that the user chose": (
        32768,
        {"NetworkSettings": {"Ports": PORTS}, "HostConfig": {"PortBindings": PORTS}},
        [("warning", "host")],
        "no container publishes that port",
    ),
}


@pytest.mark.parametrize(("port", "fields", "expected", "words"), NOBODY.values(), ids=NOBODY)
def test_a_port_where_nobody_listens(
    port: int, fields: dict[str, Any], expected: list[tuple[str, str]], words: str
) -> None:
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": {
            "text": "\n".join(NGINX.format(at, REFUSED, port) for at in range(4)),
            "mtime": 995.0,
        },
    }
    result = _judged("nginx", answers, container("shop", **fields))
    assert rows(result) == expected
    assert words in result.findings[0].summary


REFUSAL = (
    "2026/01/02 03:{}:0{} [error] 391#391: *29 client intended to send too large body: 3000000 bytes, "
    'client: 192.0.2.1, server: {}, request: "PUT /files/1.jpg HTTP/1.1", host: "shop.test"'
)
SITE = "http {{ server {{ server_name shop.test; location {} {{ proxy_pass http://127.0.0.1:8081; }} }} }}"
OF_NGINX = {
    "three uploads": ([REFUSAL.format(20, at, "shop.test") for at in range(3)], "/", True),
    "half a minute apart": (
        [REFUSAL.format(20 + at, 0, "shop.test") for at in range(3)],
        "/",
        True,
    ),
    "two uploads": ([REFUSAL.format(20, at, "shop.test") for at in range(2)], "/", False),
    "another site": ([REFUSAL.format(20, at, "blog.test") for at in range(3)], "/", False),
    "another place of the site": (
        [REFUSAL.format(20, at, "shop.test") for at in range(3)],
        "/api/",
        False,
    ),
}


@pytest.mark.parametrize(("lines", "location", "is_found"), OF_NGINX.values(), ids=OF_NGINX)
def test_what_nginx_itself_refuses(lines: list[str], location: str, is_found: bool) -> None:
    """The configuration says to which container the requests would have gone."""

    def file(question: Question) -> Json:
        assert isinstance(question, ReadFile)
        if question.path.endswith("error.log"):
            return {"text": "\n".join(lines) + "\n", "mtime": 1000.0 - 400}
        return {"text": SITE.format(location), "mtime": 1.0}

    listing = {"entries": [{"name": "error.log", "type": "file"}]}
    result = _judged("nginx", {"file.list": listing, "file.read": file})
    assert rows(result) == ([("warning", "shop")] if is_found else [])
    for finding in result.findings:
        assert "refuses requests for 127.0.0.1:8081" in finding.summary
        assert finding.variables["host_file"] == "/etc/nginx/nginx.conf"


LIMITED = "http { client_max_body_size 2m; server { server_name shop.test; location / { proxy_pass http://127.0.0.1:8081; } } }"


def test_a_limit_that_somebody_has_set_is_advice() -> None:
    """No command sets it a second time."""

    def file(question: Question) -> Json:
        assert isinstance(question, ReadFile)
        if question.path.endswith("error.log"):
            lines = [REFUSAL.format(20, at, "shop.test") for at in range(3)]
            return {"text": "\n".join(lines) + "\n", "mtime": 1000.0 - 400}
        return {"text": LIMITED, "mtime": 1.0}

    listing = {"entries": [{"name": "error.log", "type": "file"}]}
    result = _judged("nginx", {"file.list": listing, "file.read": file})
    assert rows(result) == [("advice", "shop")]
    assert "added" not in result.findings[0].variables
