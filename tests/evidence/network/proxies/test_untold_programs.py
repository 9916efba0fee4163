"""What nginx does not tell the program behind it, and what users meet."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.login_cookies import login_cookies
from diagnose.evidence.network.proxies.nginx.looped_programs import looped_programs
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldPrograms, untold_programs
from diagnose.evidence.network.proxies.nginx.web_symptoms import Symptom
from diagnose.evidence.network.proxies.pages.redirect_loops import RedirectLoop, RedirectLoops
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.processes import Process
from diagnose.questions.sockets import Socket
from tests.checks.network.evidence import container, namespaces_of
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge


def on_net(name: str, number: int, **more: object) -> Container:
    networks = {"net": {"IPAddress": f"172.18.0.{number}", "DNSNames": [name]}}
    ports = more.pop("Ports", {})
    return container(name, NetworkSettings={"Networks": networks, "Ports": ports}, **more)


CHAT = on_net("chat", 2)
SHOP = on_net("shop.test", 5)
INNER = on_net("inner", 3)
HTTPS = {"443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "443"}]}
MOUNTED = {"Type": "bind", "Source": "/srv/edge/nginx.conf", "Destination": "/etc/nginx/nginx.conf"}
EDGE = on_net("edge", 4, Ports=HTTPS, Mounts=[{**MOUNTED, "RW": False}])
TRAEFIK = on_net("traefik", 4, Ports=HTTPS)
NOW = (CHAT.started_at or 0.0) + 300
SOCKET = 'INFO: 172.18.0.4:49070 - "GET /ws/?token=x HTTP/1.0" 404 Not Found'
MOZILLA = '"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"'


def asked(what: str, status: int, by: str = "172.18.0.4") -> str:
    return f'{by} - - [28/Nov/2026:04:59:09 +0000] "{what} HTTP/1.1" {status} 5 "-" {MOZILLA}'


LOGIN = [asked("POST /login", 200), asked("GET /me", 401), asked("GET /", 200)]
REDIRECTED = [
    asked("POST /login", 302),
    asked("GET /home", 302),
    asked("GET /login?next=/home", 200),
]
WRONG_PASSWORD = [asked("POST /login", 302), asked("GET /login", 200)]
SIGN_IN = [asked("GET /login/github", 302)]
ORIGIN = [
    "Forbidden (Origin checking failed - https://a.example does not match any trusted origins.)"
]
SITE = "server {{ {listen} location / {{ {inside} proxy_pass http://{to}:8000; }} }}"
TLS = "listen 443 ssl;"
PLAIN = "listen 80;"
SCHEME = "proxy_set_header X-Forwarded-Proto $scheme;"
UPGRADE = "proxy_set_header Upgrade $http_upgrade;"
V11 = "proxy_http_version 1.1;"
TODAY = time.strftime("%Y%m%d", time.gmtime(NOW))
SIGNED = asked(
    "GET /docs/a.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date="
    f"{TODAY}T{time.strftime('%H%M%S', time.gmtime(NOW))}Z&X-Amz-Expires=600",
    403,
)


def site(listen: str, inside: str, to: str = "chat") -> str:
    return SITE.format(listen=listen, inside=inside, to=to)


def found(
    logs: Mapping[str, list[str]],
    files: Mapping[str, str],
    containers: tuple[Container, ...] = (CHAT, INNER, EDGE, SHOP),
) -> tuple[UntoldPrograms, Made]:
    """files: the main file of each nginx, by the name of its container."""
    host, processes = _with_nginx(files)
    lines = {
        f"{name:0<64}": tuple(
            RecentLine(NOW - 20 + number * 0.1, text) for number, text in enumerate(texts)
        )
        for name, texts in logs.items()
    }
    return untold_programs(
        host, of(*containers), RecentLogs(lines), Clock(NOW, 0.0), processes
    ), host


def _with_nginx(files: Mapping[str, str]) -> tuple[Made, Processes]:
    """A host with these files of nginx, and its processes."""
    by_id = {f"{name:0<64}": text for name, text in files.items()}

    def of_image(question: Question[Json]) -> Json | Failed:
        text = by_id.get(question.id) if question.path.endswith("nginx.conf") else None
        return Failed("gone") if text is None else {"type": "file", "text": text}

    text = only("proxying", files.get("edge", ""))
    host = Made({"file.read": {"text": text}, "api.archive": of_image})
    processes = Processes(
        tuple(Process(pid=number, comm="nginx", container=id) for number, id in enumerate(by_id, 1))
    )
    return host, processes


CASES: dict[str, tuple[dict[str, list[str]], dict[str, str], list[str]]] = {
    "no header Upgrade": ({"chat": [SOCKET] * 6}, {"edge": site(PLAIN, "")}, ["upgrade chat edge"]),
    "by the log of nginx": (
        {"edge": [asked("GET /ws", 400, "203.0.113.9")] * 6}, {"edge": site(PLAIN, "")}, ["upgrade chat edge"],
    ),
    "a message of the program": (
        {"chat": ["WARN 400 GET /socket (172.18.0.4): Can \"Upgrade\" only to \"WebSocket\"."] * 3},
        {"edge": site(PLAIN, "")}, ["upgrade chat edge"],
    ),
    "a header Upgrade with the value of another one": (
        {"chat": [SOCKET] * 6},
        {"edge": site(PLAIN, f"{V11} proxy_set_header Upgrade $connection_upgrade;")},
        ["upgrade chat edge"],
    ),
    "a header Upgrade": ({"chat": [SOCKET] * 6}, {"edge": site(PLAIN, UPGRADE)}, []),
    "a header of the site": (
        {"chat": [SOCKET] * 6}, {"edge": site(f"{PLAIN} {UPGRADE}", "")}, [],
    ),
    "a header of the site that is not inherited": (
        {"chat": [SOCKET] * 6},
        {"edge": site(f"{PLAIN} {UPGRADE}", "proxy_set_header Host $host;")}, ["upgrade chat edge"],
    ),
    "a file that is not read": (
        {"chat": [SOCKET] * 6}, {"inner": site(PLAIN, "include /etc/nginx/conf.d/none.inc;") + "} x {"}, ["upgrade chat inner"],
    ),
    "another location has it": (
        {"chat": [SOCKET] * 6},
        {"edge": f"server {{ {PLAIN} location / {{ proxy_pass http://chat:8000; }} "
                 f"location /ws {{ {UPGRADE} proxy_pass http://chat:8000; }} }}"}, [],
    ),
    "an upstream": (
        {"chat": [SOCKET] * 6},
        {"edge": f"http {{ upstream u {{ server chat:8000; }} {site(PLAIN, '', 'u').replace(':8000', '')} }}"},
        ["upgrade chat edge"],
    ),
    "a variable": (
        {"chat": [SOCKET] * 6},
        {"edge": f"server {{ {PLAIN} set $app chat; location / {{ proxy_pass http://$app:8000; }} }}"},
        ["upgrade chat edge"],
    ),
    "it got WebSocket": (
        {"chat": [SOCKET] * 6 + [SOCKET.replace("404 Not Found", "101")]}, {"edge": site(PLAIN, "")}, [],
    ),
    "too few": ({"chat": [SOCKET] * 3}, {"edge": site(PLAIN, "")}, []),
    "a socket by another name": (
        {"edge": [asked("GET /api/socket/a1", 400, "203.0.113.9")] * 6},
        {"edge": site(PLAIN, UPGRADE)},
        ["upgrade chat edge"],
    ),
    "a page about sockets": (
        {"edge": [asked("GET /shop/socket/12", 404, "203.0.113.9")] * 6},
        {"edge": site(PLAIN, "")},
        [],
    ),
    "a page": ({"chat": [SOCKET.replace("/ws/", "/news/")] * 6}, {"edge": site(PLAIN, "")}, []),
    "no HTTPS told": ({"chat": LOGIN * 4}, {"edge": site(TLS, "")}, ["login chat edge"]),
    "redirects": ({"chat": REDIRECTED * 4}, {"edge": site(TLS, "")}, ["login chat edge"]),
    "others with the same browser": (
        {"chat": [asked("GET /me", 401), asked("POST /login", 200), asked("GET /me", 200)] * 6},
        {"edge": site(TLS, "")}, [],
    ),
    "a session that is renewed": (
        {"chat": [asked("POST /auth/refresh", 200), asked("GET /admin", 401)] * 6}, {"edge": site(TLS, "")}, [],
    ),
    "pages that are not for everybody": (
        {"chat": [asked("POST /login", 200), asked("GET /admin", 403)] * 6}, {"edge": site(TLS, "")}, [],
    ),
    "a wrong password": ({"chat": WRONG_PASSWORD * 6}, {"edge": site(TLS, "")}, []),
    "a wrong password of an API": (
        {"chat": [asked("POST /login", 401)] * 6}, {"edge": site(TLS, "")}, [],
    ),
    "HTTPS told": ({"chat": LOGIN * 4}, {"edge": site(TLS, SCHEME)}, []),
    "HTTPS passed on": (
        {"chat": LOGIN * 4},
        {"edge": site(TLS, SCHEME, "inner"),
         "inner": site(PLAIN, "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;")}, [],
    ),
    "HTTPS overwritten": (
        {"chat": [line.replace("172.18.0.4", "172.18.0.3") for line in LOGIN * 4]},
        {"edge": site(TLS, SCHEME, "inner"), "inner": site(PLAIN, SCHEME)}, ["login chat inner"],
    ),
    "plain HTTP alone": ({"chat": LOGIN * 4}, {"inner": site(PLAIN, SCHEME)}, []),
    "nobody comes back": ({"chat": SIGN_IN * 5}, {"edge": site(TLS, "")}, ["sign-in chat edge"]),
    "a page that wants a login": (
        {"chat": [asked("GET /accounts/5", 302), asked("GET /auth/profile", 302)] * 5}, {"edge": site(TLS, "")}, [],
    ),
    "somebody comes back": (
        {"chat": [*SIGN_IN * 5, asked("GET /login/github/authorized?code=1&state=2", 302)]},
        {"edge": site(TLS, "")}, [],
    ),
    "a form of HTTPS": ({"chat": ORIGIN * 3}, {"inner": site(PLAIN, SCHEME)}, ["origin chat inner"]),
    "a form of HTTPS that is told": ({"chat": ORIGIN * 3}, {"edge": site(TLS, SCHEME)}, []),
    "HTTP/1.0": (
        {"chat": [asked("GET /v2/x", 426)] * 6}, {"edge": site(PLAIN, "")}, ["version chat edge"],
    ),
    "HTTP/1.1": ({"chat": [asked("GET /v2/x", 426)] * 6}, {"edge": site(PLAIN, V11)}, []),
    "HTTP/1.1 of the site": (
        {"chat": [asked("GET /v2/x", 426)] * 6}, {"edge": site(f"{PLAIN} {V11}", "")}, [],
    ),
    "a place that was served": (
        {"chat": [*[asked("GET /v2/x", 426)] * 6, asked("GET /v2/x", 200)]}, {"edge": site(PLAIN, "")}, [],
    ),
    "WebSocket by HTTP/1.0": (
        {"chat": [SOCKET.replace("404", "426")] * 6}, {"edge": site(PLAIN, UPGRADE)}, ["upgrade chat edge"],
    ),
    "WebSocket by HTTP/1.1": (
        {"chat": [SOCKET.replace("404", "426")] * 6}, {"edge": site(PLAIN, f"{UPGRADE} {V11}")}, [],
    ),
    "a signed address": ({"chat": [SIGNED] * 5}, {"edge": site(PLAIN, "")}, ["signature chat edge"]),
    "a signed address by its name": (
        {"chat": [SIGNED] * 5}, {"edge": site(PLAIN, "proxy_set_header Host $http_host;")}, [],
    ),
    "a signed address by the name of the site": (
        {"chat": [SIGNED] * 5},
        {"edge": site(f"{PLAIN} server_name a.test;", "proxy_set_header Host a.test:80;")}, [],
    ),
    "a signed address that was served": (
        {"chat": [*[SIGNED] * 5, SIGNED.replace(" 403 ", " 200 ")]}, {"edge": site(PLAIN, "")}, [],
    ),
    "a signed address of yesterday": (
        {"chat": [SIGNED.replace(f"{TODAY}T", "20250101T")] * 5}, {"edge": site(PLAIN, "")}, [],
    ),
    "a signed address of no day": (
        {"chat": [SIGNED.replace(f"{TODAY}T", "99999999T")] * 5}, {"edge": site(PLAIN, "")}, ["signature chat edge"],
    ),
    "a signed address by the name that another proxy was asked for": (
        {"chat": [SIGNED] * 5},
        {"edge": site(PLAIN, "proxy_set_header Host $http_x_forwarded_host;")}, [],
    ),
    "a signed address by the name in proxy_pass": (
        {"chat": [SIGNED] * 5}, {"edge": site(PLAIN, "proxy_set_header Host $proxy_host;")}, ["signature chat edge"],
    ),
    "an address without a signature": (
        {"chat": [asked("GET /docs/a.pdf?part=1", 403)] * 5}, {"edge": site(PLAIN, "")}, [],
    ),
    "another name": (
        {"shop.test": [asked("GET /", 421)] * 5},
        {"edge": site(PLAIN, "proxy_set_header Host $host;", "shop.test")}, ["misdirected shop.test edge"],
    ),
    "its own name": (
        {"shop.test": [asked("GET /", 421)] * 5}, {"edge": site(PLAIN, "", "shop.test")}, [],
    ),
    "a name of one network": (
        {"chat": [asked("GET /", 421)] * 5},
        {"edge": site(PLAIN, "proxy_set_header Host $host;")}, [],
    ),
    "another name that was served": (
        {"shop.test": [*[asked("GET /", 421)] * 5, asked("GET /", 200)]},
        {"edge": site(PLAIN, "proxy_set_header Host $host;", "shop.test")}, [],
    ),
    "another program": ({"chat": [SOCKET] * 6}, {"edge": site(PLAIN, "", "other")}, []),
    "no nginx": ({"chat": [SOCKET] * 6}, {}, []),
}  # fmt: skip


@pytest.mark.parametrize(("logs", "files", "expected"), CASES.values(), ids=CASES)
def test_chains(logs: dict[str, list[str]], files: dict[str, str], expected: list[str]) -> None:
    items, _ = found(logs, files)
    shown = [
        f"{program.symptom.kind} {program.hop.program.name} {program.hop.proxy.name}"
        for program in items
        if program.hop.program is not None and program.hop.proxy is not None
    ]
    assert shown == expected


def test_traefik_ends_https() -> None:
    lines = {"chat": LOGIN * 4, "inner": [asked("GET /", 200)]}
    (program,) = found(lines, {"inner": site(PLAIN, SCHEME)}, (CHAT, INNER, TRAEFIK))[0]
    assert program.hop.is_of(INNER)


def test_nothing_is_asked_without_a_symptom() -> None:
    items, host = found({"chat": [asked("GET /", 200)] * 9}, {"edge": site(TLS, "")})
    assert not items
    assert not host.asked


def test_requests_are_read_once_for_all_who_ask() -> None:
    lines = (RecentLine(NOW - 1, asked("GET /", 200)), RecentLine(NOW - 1, "ready"))
    logs = RecentLogs({CHAT.id: lines})
    (request,) = logs.requests_of(CHAT)
    assert (request.path, request.status) == ("/", 200)
    assert logs.requests_of(CHAT) is logs.requests_of(CHAT)
    assert logs.requests_of(INNER) == ()


EDITS: dict[str, tuple[str, str, str]] = {
    "in a file of the host": ("edge", site(PLAIN, ""), "mounted_file"),
    "in a file of the image": ("inner", site(PLAIN, ""), "script"),
    "with headers of the site": (
        "edge", site(f"{PLAIN} proxy_set_header Host $host;", ""), "",
    ),
    "twice in one file": ("edge", site(PLAIN, "") + site("listen 81;", ""), ""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "variable"), EDITS.values(), ids=EDITS)
def test_what_can_be_written(name: str, text: str, variable: str) -> None:
    items, _ = found({"chat": [SOCKET] * 6}, {name: text})
    (finding,) = judge("network.upgrade-not-passed-on", untold_programs=items).findings
    edits = {"mounted_file", "script", "host_file"} & set(finding.variables or ())
    assert edits == ({variable} if variable else set())


HOSTS: dict[str, tuple[str, str, str]] = {
    # how nginx tells the host name -> the edit, or nothing but the words for a person
    "no header": (site(PLAIN, ""), "proxy_set_header Host $http_host; &", ""),
    "another header": (site(PLAIN, UPGRADE), "proxy_set_header Host $http_host; &", ""),
    "a header for the name": (
        site(PLAIN, "proxy_set_header Host minio;"), "Host $http_host;|", "/location  */  *{",
    ),
    "headers of the site": (site(f"{PLAIN} {UPGRADE}", ""), "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "edit", "place"), HOSTS.values(), ids=HOSTS)
def test_the_name_is_written_into_one_location(settings: str, edit: str, place: str) -> None:
    items, _ = found({"chat": [SIGNED] * 5}, {"edge": settings})
    (finding,) = judge("network.host-name-refused", untold_programs=items).findings
    assert finding.variables["added"] == "proxy_set_header Host $http_host;"
    assert edit in finding.variables.get("edit", "")
    assert bool(finding.variables.get("edit")) is bool(edit)
    assert place.removeprefix("/") in finding.variables.get("edit", "")


def test_a_site_is_told_its_own_name() -> None:
    settings = site(PLAIN, "proxy_set_header Host $host;", "shop.test")
    items, _ = found({"shop.test": [asked("GET /", 421)] * 5}, {"edge": settings})
    (finding,) = judge("network.host-name-refused", untold_programs=items).findings
    assert finding.variables["edit"].endswith("s|Host  *[$]host;|Host shop.test;|")
    assert not judge("network.https-not-passed-on", untold_programs=items).findings


def test_headers_with_secrets_are_left_out() -> None:
    text = 'proxy_set_header Authorization "Basic made-up"; proxy_pass http://me:made-up@chat/;'
    shown = only("proxying", f"location / {{ {text} }}")
    assert "made-up" not in shown
    assert "proxy_pass http://chat/;" in shown


LOOPS: dict[str, tuple[str, set[str]]] = {
    "no header": (site(TLS, ""), {"mounted_file", "edit", "added"}),
    "the header": (site(TLS, SCHEME), set()),
    "plain HTTP": (site(PLAIN, ""), set()),
}


@pytest.mark.parametrize(("settings", "given"), LOOPS.values(), ids=LOOPS)
def test_the_nginx_before_a_page_that_leads_to_itself(settings: str, given: set[str]) -> None:
    host, processes = _with_nginx({"edge": settings})
    loops = RedirectLoops(
        (RedirectLoop(CHAT, "GET /login?next=/", 9, 1.0, "x", EDGE, agent="", url=""),)
    )
    logs = RecentLogs({})
    looped = looped_programs(host, of(CHAT, INNER, EDGE), logs, processes, loops, None)
    (finding,) = judge(
        "network.redirect-loop", redirect_loops=loops, looped_programs=looped
    ).findings
    assert finding.variables.keys() - {"container", "proxy"} == given
    assert ("file of that nginx" in finding.evidence) is bool(given)


def test_no_file_is_read_where_no_page_leads_to_itself() -> None:
    host, processes = _with_nginx({"edge": site(TLS, "")})
    containers, logs = of(CHAT, EDGE), RecentLogs({})
    assert not looped_programs(host, containers, logs, processes, RedirectLoops(()), None).by_id
    assert not host.asked


def test_a_login_without_an_nginx() -> None:
    items, _ = found({"chat": LOGIN * 4}, {})
    (finding,) = judge("container.login-not-kept", untold_programs=items).findings
    assert finding.subject.name == "chat"
    told, _ = found({"chat": LOGIN * 4}, {"edge": site(TLS, "")})
    assert not judge("container.login-not-kept", untold_programs=told).findings


MARKS: dict[str, tuple[str, str, str]] = {
    "switched on": ("8080", "SESSION_COOKIE_SECURE=true", "SESSION_COOKIE_SECURE=false"),
    "as a number": ("8080", "N8N_SECURE_COOKIE=1", "N8N_SECURE_COOKIE=0"),
    "off": ("8080", "SESSION_COOKIE_SECURE=false", ""),
    "a number of seconds": ("8080", "COOKIE_SECURE_AGE=1", ""),
    "HTTPS": ("443", "SESSION_COOKIE_SECURE=true", ""),
}


@pytest.mark.parametrize(("port", "variable", "unmarked"), MARKS.values(), ids=MARKS)
def test_the_mark_of_a_cookie_is_a_variable(port: str, variable: str, unmarked: str) -> None:
    ports = {"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    chat = on_net("chat", 2, Ports=ports, Config={"Env": [variable]})
    items, _ = found({"chat": LOGIN * 4}, {}, (chat, INNER, EDGE))
    (finding,) = judge("container.login-not-kept", untold_programs=items).findings
    assert finding.variables.get("unmarked", "") == unmarked


DOMAINS: dict[str, tuple[str, int, str]] = {
    "another": ("SESSION_COOKIE_DOMAIN=.chat.example.org", 2, "chat.example.org"),
    "Laravel": ("SESSION_DOMAIN=chat.example.org", 2, "chat.example.org"),
    "empty": ("SESSION_DOMAIN=", 4, ""),
    "none": ("SESSION_DOMAIN=null", 4, ""),
    "of the site": ("DOMAIN=chat.example.org", 4, ""),
}


@pytest.mark.parametrize(("variable", "logins", "domain"), DOMAINS.values(), ids=DOMAINS)
def test_the_domain_of_a_cookie_is_a_variable(variable: str, logins: int, domain: str) -> None:
    chat = on_net("chat", 2, Config={"Env": [variable]})
    items, _ = found({"chat": LOGIN * logins}, {}, (chat, INNER, EDGE))
    (finding,) = judge("container.login-not-kept", untold_programs=items).findings
    assert finding.variables.get("domain", "") == domain
    assert (domain in finding.summary) or not domain
    fewer, _ = found({"chat": LOGIN * (logins - 1)}, {}, (chat, INNER, EDGE))
    assert not fewer.forgotten_logins


def test_a_file_that_cannot_be_read_may_set_the_header() -> None:
    settings = site(PLAIN, "include proxy_params;")
    host_files = {"inner": settings}
    items, host = found({"chat": [SOCKET] * 6}, host_files)
    assert [program.hop.label for program in items] == ['nginx in container "inner"']
    answers = dict(host.answers)

    def closed(question: Question[Json]) -> Json | Failed:
        is_main = question.path.endswith("nginx.conf")
        return {"type": "file", "text": settings} if is_main else Failed("forbidden")

    host.answers = {**answers, "api.archive": closed}
    processes = Processes((Process(pid=1, comm="nginx", container=INNER.id),))
    lines = tuple(RecentLine(NOW - 20 + number, SOCKET) for number in range(6))
    logs = RecentLogs({CHAT.id: lines})
    assert not untold_programs(host, of(CHAT, INNER), logs, Clock(NOW, 0.0), processes)


def test_of_a_rewrite_the_name_alone_is_kept() -> None:
    rule = "rewrite ^/token-made-up/(.*)$ /$1 break;"
    shown = only("proxying", f"location / {{ {rule} proxy_pass http://app; }}")
    assert "rewrite -;" in shown
    assert "made-up" not in shown


MARKS = {
    "for another name": ("Path=/; Domain=.shop.example", "its cookie is for shop.example, and"),
    "for HTTPS alone": ("Path=/; Secure; SameSite=Strict", "not at port 8081"),
    "for everybody": ("Path=/", "a cookie that is marked Secure does not come back"),
    "none": ("", "a cookie that is marked Secure does not come back"),
}


@pytest.mark.parametrize(("marks", "words"), MARKS.values(), ids=MARKS)
def test_the_marks_of_a_cookie_say_why_a_login_is_forgotten(marks: str, words: str) -> None:
    published = {"8000/tcp": [{"HostIp": "", "HostPort": "8081"}]}
    chat = on_net("chat", 2, Ports=published)
    found = UntoldPrograms(forgotten_logins=(Symptom("login", chat, "x", "/login", 6),))
    sockets = (Socket("tcp", "0.0.0.0", 8000),)
    namespaces = namespaces_of(chat, *sockets)
    host = Made({"net.page": {"outcome": "answered", "status": 200, "cookie_marks": marks}})
    cookies = login_cookies(host, found, namespaces)
    (finding,) = judge(
        "container.login-not-kept", untold_programs=found, login_cookies=cookies
    ).findings
    assert words in finding.summary


@pytest.mark.parametrize(
    ("headers", "status", "is_found"),
    [("", 400, True), (f"{V11} {UPGRADE}", 400, False), ("", 101, False), ("", 404, False)],
)
def test_requests_in_the_log_of_nginx_of_the_host(
    headers: str, status: int, is_found: bool
) -> None:
    published = {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]}
    chat = on_net("chat", 2, Ports=published)
    log = "\n".join([asked("GET /ws/room", status, "203.0.113.9")] * 5)
    settings = only("proxying", site(PLAIN, headers, "127.0.0.1"))

    def file_of_host(question: Question[Json]) -> Json | Failed:
        if question.path.endswith("access.log"):
            return {"text": log, "mtime": NOW - 1}
        return {"text": settings}

    host = Made({"file.read": file_of_host})
    processes = Processes((Process(pid=1, comm="nginx"),))
    programs = untold_programs(host, of(chat), RecentLogs({}), Clock(NOW, 0.0), processes)
    assert [program.symptom.container.name for program in programs] == ["chat"] * is_found
