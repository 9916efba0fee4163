"""The check container.errors-in-log: checks/container/running/errors_in_log.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.logs.single_errors import single_errors
from diagnose.evidence.machine.clock import Clock
from diagnose.phrases import rfc3339
from tests.checks.container.running.repeated_lines import APP, NOW, REFUSED
from tests.inspected import container
from tests.judging import judge, rows

A_MINUTE_AGO = "2027-01-15T07:59:00Z"


ADVICE = [("advice", "app")]


BEHIND = (
    "[error] connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 1.2.3.4, upstream: "http://10.0.0.9:3000/"'
)


LISTED = (
    '[error] directory index of "/www{0}" is forbidden, client: 1.2.3.4, server: shop, '
    'request: "GET {0} HTTP/1.1", host: "shop.example"'
)


NO_QUEUE = "redis: connect ECONNREFUSED 172.21.0.2:6379"
LEFT_WEBSOCKET = (
    "2026/11/28 10:00:01 [error] 77#77: *9 recv() failed (104: Connection reset by peer) while "
    'proxying upgraded connection, client: 192.0.2.7, upstream: "http://10.0.0.5:8123/api/ws"'
)
UNKNOWN_SCRIPT = (
    '[error] 7#7: *1 FastCGI sent in stderr: "Primary script unknown" while reading response header '
    'from upstream, client: 1.2.3.4, server: shop, request: "GET {} HTTP/1.1", '
    'upstream: "fastcgi://10.0.0.9:9000", host: "shop.example"'
)


UNKNOWN_LOGIN = (
    "PHP Warning:  mysqli::__construct(): The server requested authentication method unknown to the "
    "client [caching_sha2_password] in /var/www/html/db.php on line 9"
)


SOON_GONE = (
    '{"log.level":"CRITICAL","message":"index [x] uses a setting that is gone soon",'
    '"event.dataset":"deprecation.elasticsearch"}'
)


LOGS = {
    "an error that comes again": ([REFUSED.format(i, i) for i in range(4)], ADVICE),
    "an error among other lines": (
        ["GET /health 200", *[REFUSED.format(i, i) for i in range(3)], "GET /health 200"],
        ADVICE,
    ),
    "an exception without a level": (["java.io.IOException: Broken pipe"] * 3, ADVICE),
    "a replica that somebody tries to write to": (
        [
            f"2026-11-29 14:07:{i:02}.186 UTC [{i}] ERROR:  cannot execute INSERT in a read-only "
            "transaction"
            for i in range(9)
        ],
        ADVICE,
    ),
    "a refusal that the program calls no error": (
        ["INFO db-b: ERROR:  cannot execute INSERT in a read-only transaction"] * 9,
        ADVICE,
    ),
    "a program whose writes are refused": (
        ["ERROR:  cannot execute INSERT in a read-only transaction"] * 9,
        [("warning", "app")],
    ),
    "an error that came twice": ([REFUSED.format(i, i) for i in range(2)], []),
    "three errors of different kinds": (
        [f"ERROR: {what} failed" for what in ("reading", "writing", "closing")],
        [],
    ),
    "requests": ([f'10.0.0.{i} "GET /orders HTTP/1.1" 200' for i in range(9)], []),
    "information about errors": ([f"INFO checked {i} rows, 0 errors" for i in range(9)], []),
    "a program that waits for another one": (["waiting for postgresql to start up"] * 9, ADVICE),
    "a program that waits, with the lines of its script": (
        ["+ nc -z db 5432", "waiting for db to be ready", "+ sleep 1"] * 4,
        ADVICE,
    ),
    "a program that has waited": ([*["waiting for db to be ready"] * 9, "started on port 80"], []),
    "a worker that waits for work": (["waiting for new jobs to be available"] * 9, []),
    "nothing": ([], []),
    "a password that somebody of the internet guesses": (
        ["[Warning] Access denied for user 'root'@'1.2.3.4' (using password: YES)"] * 4,
        [],
    ),
    "a password of a neighbour that is wrong": (
        ["[Warning] Access denied for user 'root'@'10.0.0.7' (using password: YES)"] * 4,
        ADVICE,
    ),
    "a handshake of a scanner": (
        ["[error] SSL_do_handshake() failed (bad key share), client: 1.2.3.4, server: 0.0.0.0:443"]
        * 4,
        [],
    ),
    "a key of somebody of the internet": (
        ["[W] Failed connection from 1.2.3.4:41122 with error: ssh: unable to authenticate"] * 4,
        [],
    ),
    "builds that fail": (
        ['level=error msg="/moby.buildkit.v1.Control/Solve returned error: exit code: 1"'] * 4,
        [],
    ),
    "a caller that is known by its port": (
        ["[ERR] 1.2.3.4:51999 - cid:813 - authentication error"] * 4,
        [],
    ),
    "a server that is called, with its port": (
        ["ERROR smtp 1.2.3.4:587 authentication error"] * 4,
        ADVICE,
    ),
    "a peer that is called": (["ERROR peer 1.2.3.4:443: handshake failed"] * 4, ADVICE),
    "mail that is not relayed": (
        ["postfix/smtpd[812]: NOQUEUE: reject: RCPT from unknown[1.2.3.4]: 554 Relay access denied"]
        * 4,
        [],
    ),
    "callers without a name": (["postfix/smtpd[812]: connect from unknown[10.0.0.7]"] * 4, []),
    "a user whom a pooler does not know": (
        ["WARNING C-0x7f: (nodb)/(nouser)@1.2.3.4:41122 pooler error: no such user: root"] * 4,
        [],
    ),
    "a site that a scanner asks for by its address": (
        ["ERROR Invalid HTTP_HOST header: '1.2.3.4'. You may need to add '1.2.3.4'"] * 4,
        [],
    ),
    "a scanner that asks for a folder": ([LISTED.format("/uploads/")] * 4, []),
    "a site without a first page": ([LISTED.format("/")] * 4, [("warning", "app")]),
    "a scanner that asks for a program": ([UNKNOWN_SCRIPT.format("/wp-login.php")] * 4, []),
    "a program for the first page": ([UNKNOWN_SCRIPT.format("/")] * 4, ADVICE),
    "a program for all pages": ([UNKNOWN_SCRIPT.format("/index.php?p=1")] * 4, ADVICE),
    "a server of the internet that cannot be called": (
        ["ERROR handshake with 1.2.3.4:443 failed: connection refused"] * 4,
        ADVICE,
    ),
    "a server behind a proxy, and clients of the internet": ([BEHIND] * 4, ADVICE),
    "a job that counts no failure": (
        ['NOTICE [Job "tidy"] Finished, failed: false, error: none'] * 4,
        [],
    ),
    "a warning of a login that no page gets past": ([UNKNOWN_LOGIN] * 4, [("warning", "app")]),
    "a warning of something else": (
        ["PHP Warning:  Undefined array key 7 in /var/www/a.php"] * 4,
        [],
    ),
    "a file that need not be there": (
        ["open /etc/app/more.conf: no such file or directory, using defaults"] * 4,
        [],
    ),
    "a WebSocket that its client leaves": ([LEFT_WEBSOCKET] * 4, []),
    "a certificate that is still good": (["Certificate not yet due for renewal"] * 4, []),
    "an error that a test looked for": (
        ["cart_test.go:41: got expected error: dial tcp: connection refused"] * 4,
        [],
    ),
    "an order that is left out among others": (
        [*["ERROR order 7: no such customer, skipped"] * 4, *["GET /orders 200"] * 8],
        [],
    ),
    "an order that is left out": (["ERROR order 7: no such customer, skipped"] * 4, ADVICE),
    "calls of its start, until it connects": ([*[NO_QUEUE] * 4, "beat: connected"], []),
    "calls that fail again": ([*[NO_QUEUE] * 4, "connected", NO_QUEUE], ADVICE),
    "it never connects": ([*[NO_QUEUE] * 4, "worker 3 is not connected"], ADVICE),
    "another complaint before it connects": (
        [*["ERROR cannot load the plugin prices"] * 4, "connected to the broker"],
        ADVICE,
    ),
    "what a later version of Elasticsearch drops": ([SOON_GONE] * 4, []),
    "what a later version drops": (["PHP Deprecated:  Creation of dynamic property X::$y"] * 4, []),
}


_EXHAUSTED = "PHP message: PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted"
_PASSED_ON = (
    f'[error] 7#7: *1 FastCGI sent in stderr: "{_EXHAUSTED}" while reading response header from '
    'upstream, upstream: "fastcgi://10.0.0.9:9000"'
)


@pytest.mark.parametrize("prints_itself", [True, False])
def test_what_a_web_server_passes_on_is_said_once(*, prints_itself: bool) -> None:
    """The command that raises PHP's limit belongs into PHP's container."""
    web = container("web", NetworkSettings={"Networks": {"shop": {"IPAddress": "10.0.0.8"}}})
    php = container("php", NetworkSettings={"Networks": {"shop": {"IPAddress": "10.0.0.9"}}})
    logs = {web.id: _PASSED_ON} | ({php.id: f"NOTICE: {_EXHAUSTED}"} if prints_itself else {})
    recent = RecentLogs({key: (RecentLine(NOW, line),) * 3 for key, line in logs.items()})
    errors = repeated_errors(Containers([web, php]), recent)
    findings = judge("container.errors-in-log", repeated_errors=errors).findings
    assert [finding.subject.name for finding in findings] == ["php" if prints_itself else "web"]
    assert ("inside_change" in findings[0].variables) == prints_itself


_NO_DRIVER = "PHP message: PHP Fatal error:  Uncaught PDOException: could not find driver in /app/index.php:2"
_TRACE = ("Stack trace:", "#0 /app/index.php(2): PDO->__construct('mysql:host=db')", "#1 {main}")
_ANSWERED = '172.18.0.4 -  29/Nov/2026:10:36:09 +0000 "GET /index.php" 200'


@pytest.mark.parametrize(("answered", "severity"), [(1, "warning"), (3, "advice")])
def test_pages_that_end_with_a_fatal_error(answered: int, severity: str) -> None:
    """php-fpm answers 200 for them; nginx quotes the error, and its trace cuts off whose it is."""
    web, php = container("web"), container("php", Config={"Env": ["PHPIZE_DEPS=autoconf"]})
    request = (f"NOTICE: {_NO_DRIVER}", *_TRACE, *[_ANSWERED] * answered)
    passed_on = (f'[error] 7#7: *1 FastCGI sent in stderr: "{_NO_DRIVER}', *_TRACE)
    logs = {php.id: request * 4, web.id: passed_on * 4}
    recent = RecentLogs(
        {id: tuple(RecentLine(NOW, line) for line in log) for id, log in logs.items()}
    )
    errors = repeated_errors(Containers([web, php]), recent)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert (finding.subject.name, finding.severity.name) == ("php", severity)
    assert finding.variables["php_extension"] == "pdo_mysql"


@pytest.mark.parametrize(("lines", "expected"), LOGS.values(), ids=LOGS)
def test_what_a_container_repeats(lines: list[str], expected: list[tuple[str, str]]) -> None:
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines)})
    errors = repeated_errors(Containers([APP]), logs)
    assert rows(judge("container.errors-in-log", repeated_errors=errors)) == expected


OVER = {
    "over for minutes": ((0.0, 1.0, 2.0), 100.0, []),
    "over for a moment": ((0.0, 1.0, 2.0), 30.0, ADVICE),
    "comes each minute": ((0.0, 60.0, 120.0), 200.0, ADVICE),
    "in bursts": ((0.0, 1.0, 60.0, 61.0), 120.0, ADVICE),
    "nothing was printed since": ((0.0, 1.0, 2.0), 2.0, ADVICE),
}


@pytest.mark.parametrize(("times", "end", "expected"), OVER.values(), ids=OVER)
def test_an_error_that_the_program_has_got_over(
    times: tuple[float, ...], end: float, expected: list[tuple[str, str]]
) -> None:
    said = [RecentLine(NOW + at, REFUSED.format(1, 1)) for at in times]
    logs = RecentLogs({APP.id: (*said, RecentLine(NOW + end, "GET /health 200"))})
    errors = repeated_errors(Containers([APP]), logs)
    assert rows(judge("container.errors-in-log", repeated_errors=errors)) == expected


WAITED = {
    "a job that is done": ("backup ok", 8.0, 30.0, []),
    "the next try is not overdue": ("backup ok", 8.0, 12.0, ADVICE),
    "a job that is not done": ("backup not ok", 8.0, 30.0, ADVICE),
    "a request that needs no queue": ('10.0.0.9 "GET /logo HTTP/1.1" 200', 8.0, 30.0, ADVICE),
    "long after the start": ("backup ok", 300.0, 330.0, ADVICE),
}


@pytest.mark.parametrize(("last", "tried", "now", "expected"), WAITED.values(), ids=WAITED)
def test_a_start_that_waited_for_its_peer(
    last: str, tried: float, now: float, expected: list[tuple[str, str]]
) -> None:
    app = container("app", State={"Status": "running", "StartedAt": rfc3339(NOW)})
    said = [RecentLine(NOW + tried - 6 + at, NO_QUEUE) for at in (0.0, 2.0, 4.0, 6.0)]
    logs = RecentLogs({app.id: (*said, RecentLine(NOW + tried + 1, last))})
    clock = Clock(NOW + now, NOW - 900)
    errors = repeated_errors(Containers([app]), logs, clock)
    assert rows(judge("container.errors-in-log", repeated_errors=errors)) == expected


SERVED = '10.0.0.{} "GET /orders HTTP/1.1" 200'


PROBED = '10.0.0.{} "GET /healthz HTTP/1.1" 200'


INVALID = "ERROR validation failed for request {}"


FORBIDDEN = (
    "[error] 6#6: *{} access forbidden by rule, client: 10.0.0.7, server: shop, "
    'request: "GET /admin HTTP/1.1", host: "shop"'
)


BESIDE = {
    "about requests, others are served": ([INVALID, SERVED, SERVED], {}, True),
    "about jobs, others are done": (
        ["ERROR job {} failed: no such order", "INFO job {} completed", "INFO waiting for work"],
        {},
        True,
    ),
    "others are served, and the status stands first": (
        [INVALID, *['[GIN] 1:2:{} | 200 |  12.1s | 10.0.0.9 | POST     "/api/chat"'] * 2],
        {},
        True,
    ),
    "others fail, and the status stands first": (
        [INVALID, *['[GIN] 1:2:{} | 502 |  12.1s | 10.0.0.9 | POST     "/api/chat"'] * 2],
        {},
        False,
    ),
    "files are served": ([INVALID, *['10.0.0.{} "PROPFIND /dav/ HTTP/1.1" 207'] * 2], {}, True),
    "only a monitor is served": ([INVALID, PROBED, PROBED], {}, False),
    "others are not done": ([INVALID, "ERROR job {} not completed", "waiting"], {}, False),
    "the health check passes": (
        [INVALID, "waiting", "waiting"],
        {"State": {"Status": "running", "Health": {"Status": "healthy"}}},
        True,
    ),
    "the health check fails": (
        [INVALID, "waiting", "waiting"],
        {"State": {"Status": "running", "Health": {"Status": "unhealthy"}}},
        False,
    ),
    "the program was restarted": (
        [INVALID, SERVED, SERVED],
        {"RestartCount": 2, "State": {"Status": "running", "StartedAt": A_MINUTE_AGO}},
        False,
    ),
    "the program was restarted last year": (
        [INVALID, SERVED, SERVED],
        {"RestartCount": 2, "State": {"Status": "running", "StartedAt": "2026-01-02T03:04:05Z"}},
        True,
    ),
    "most of the log": ([INVALID, INVALID, SERVED], {}, False),
    "errors of four kinds are most of the log": (
        [INVALID, "ERROR no price {}", "ERROR no item {}", "ERROR order {} denied", SERVED],
        {},
        False,
    ),
    "errors of two kinds beside requests": ([INVALID, "ERROR no price {}", SERVED], {}, True),
    "about a service that is called": ([REFUSED.format(1, "{}"), SERVED, SERVED], {}, False),
    "about what the program stands on": (
        ["ERROR order {}: index shop.db is malformed on disk", SERVED, SERVED],
        {},
        False,
    ),
    "memory ran out": (["ERROR order {}: Java heap space", SERVED, SERVED], {}, False),
    "a dying disk": (["ERROR write {} failed: I/O error on sda", SERVED, SERVED], {}, False),
    "damaged data": (["ERROR invalid page in block {} of base/16384/7", SERVED, SERVED], {}, False),
    "a refused key": (["ERROR charge {}: Invalid API key provided", SERVED, SERVED], {}, False),
    "a store refuses": (["ERROR S3 PutObject {}: AccessDenied", SERVED, SERVED], {}, False),
    "a service answers with an error": (
        ["ERROR charge {}: provider answered 503", SERVED, SERVED],
        {},
        False,
    ),
    "no backup is made": (["ERROR backup {} of shop failed", SERVED, SERVED], {}, False),
    "other requests fail, with pages of 299 bytes": (
        [INVALID, *['10.0.0.{} "GET /orders HTTP/1.1" 503 299'] * 2],
        {},
        False,
    ),
    "a request for an order of that number": (
        [INVALID, *['10.0.0.{} "GET /orders/503 HTTP/1.1" 200'] * 2],
        {},
        True,
    ),
    "a request as JSON": (
        [INVALID, *['{{"method":"GET","path":"/","n":{},"size":512,"status":200}}'] * 2],
        {},
        True,
    ),
    "another request fails, as JSON": (
        [INVALID, *['{{"method":"GET","status":502,"n":{},"size":312}}'] * 2],
        {},
        False,
    ),
    "a page that is not there": (
        ['FATAL -- : [{}] RoutingError (No route matches [GET] "/wp-login.php"):', SERVED, SERVED],
        {},
        True,
    ),
    "a page that is closed to a client of the house": ([FORBIDDEN, SERVED, SERVED], {}, True),
    "the gravest words": (["FATAL order {} was lost", SERVED, SERVED], {}, False),
    "a known failure": (['ERROR: relation "orders{}" does not exist', SERVED, SERVED], {}, False),
}


@pytest.mark.parametrize(("lines", "more", "expected"), BESIDE.values(), ids=BESIDE)
def test_a_program_that_works_all_the_same(
    lines: list[str], more: dict[str, Any], expected: bool
) -> None:
    app = container("app", **more)
    said = [RecentLine(NOW, line.format(number)) for number in range(4) for line in lines]
    logs = RecentLogs({app.id: tuple(said)})
    judged = judge(
        "container.errors-in-log", repeated_errors=repeated_errors(Containers([app]), logs)
    )
    (finding,) = judged.findings
    assert (finding.aside is not None) == expected


def test_somebody_at_the_login_is_no_container() -> None:
    """Nothing else is printed; the same line about another container's address is its trouble."""
    line = "ERROR Incorrect username or password from 10.0.1.5"
    network = {"Networks": {"net": {"NetworkID": "1", "IPAddress": "10.0.1.5"}}}
    app, other = (container(name, NetworkSettings=network) for name in ("app", "other"))
    logs = RecentLogs({app.id: (RecentLine(NOW, line),) * 4})
    asides = [
        judge("container.errors-in-log", repeated_errors=repeated_errors(there, logs))
        .findings[0]
        .aside
        for there in (Containers([container("app")]), Containers([app, other]))
    ]
    assert asides[0] is not None
    assert asides[1] is None


def test_words_of_requests_that_went_well_are_no_errors() -> None:
    line = '{{"level":"{}","logger":"http.log.access","msg":"handled request, error page"}}'
    said = [line.format(level) for level in ("error", *["info"] * 5)]
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, text) for text in said)})
    assert not repeated_errors(Containers([APP]), logs)


NO_CARD = "[AVHWDeviceContext] No VA display found for device /dev/dri/renderD128."


@pytest.mark.parametrize(
    ("devices", "is_lack"), [([], True), ([{"PathInContainer": "/dev/dri/renderD128"}], False)]
)
def test_a_device_that_the_container_has_is_not_what_it_lacks(
    devices: list[dict[str, str]], is_lack: bool
) -> None:
    app = container("app", HostConfig={"Devices": devices})
    logs = RecentLogs({app.id: tuple(RecentLine(NOW + at, NO_CARD) for at in range(60))})
    errors = repeated_errors(Containers([app]), logs)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert finding.does_nothing_else == is_lack
    assert ("this means" in finding.evidence) == is_lack


_SYNC = "# Error condition on socket for SYNC: Connection refused"


_SERVES = "LOG:  database system is ready to accept connections"
_STARTS = "FATAL:  the database system is starting up, connection refused"


RECOVERED = {
    "a replica that was made a master": ([*[_SYNC] * 4, "* MASTER MODE enabled (user request)"], []),
    "a replica that fails again": (
        [*[_SYNC] * 3, "* MASTER <-> REPLICA sync: Finished with success", *[_SYNC] * 3], ADVICE,
    ),
    "a replica that fails": ([_SYNC] * 4, ADVICE),
    "a server that has started": (
        [*[_STARTS] * 4, _SERVES], [],
    ),
    "a server that starts": ([_STARTS] * 4, ADVICE),
    "a server that crashed once": ([_SERVES, *[_STARTS] * 4, _SERVES], []),
    "a server that crashes again and again": (
        [_SERVES, *[_STARTS] * 4, _SERVES, *[_STARTS] * 4, _SERVES], ADVICE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), RECOVERED.values(), ids=RECOVERED)
def test_an_error_of_a_server_that_serves_by_now(
    lines: list[str], expected: list[tuple[str, str]]
) -> None:
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines)})
    errors = repeated_errors(Containers([APP]), logs)
    assert rows(judge("container.errors-in-log", repeated_errors=errors)) == expected


MEANT = {
    "a page that cannot be read": (
        "ERROR Failed to parse source for import analysis: invalid JS syntax",
        "",
    ),
    "a value of a request": ("ERROR IllegalArgumentException: id must be positive", ""),
    "a statement of a client": ("ERROR:  syntax error at or near SELEC", ""),
    "a key that is there already": ("ERROR:  duplicate key value violates unique key", ""),
    "a request without a login": ("ERROR [Api] Unauthorized error: authentication required", ""),
    "a login at a broker": ("[error] PLAIN login refused: user 'guest' - invalid credentials", ""),
    "a file of settings": ("ERROR app.yaml: failed to parse line 3", "configuration"),
    "a setting": ("ERROR invalid value for option CACHE_SIZE", "setting"),
    "a login at a server": ("ERROR mail: authentication failed", "password or token is refused"),
}


@pytest.mark.parametrize(("line", "means"), MEANT.values(), ids=MEANT)
def test_what_a_line_means(line: str, means: str) -> None:
    logs = RecentLogs({APP.id: (RecentLine(NOW, line),) * 4})
    errors = repeated_errors(Containers([APP]), logs)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    said = str(finding.evidence.get("this means", ""))
    assert means in said
    assert bool(means) == bool(said)


@pytest.mark.parametrize(
    ("before", "means"),
    [
        (["[1] [CRITICAL] WORKER TIMEOUT (pid:10)"], "requests take longer than its timeout"),
        ([], "killed with SIGKILL: usually by the kernel"),
    ],
    ids=["by gunicorn", "by the kernel"],
)
def test_who_killed_a_worker_of_gunicorn(before: list[str], means: str) -> None:
    killed = "[1] [ERROR] Worker (pid:10) was sent SIGKILL! Perhaps out of memory?"
    lines = [*before, killed, "[1011] [INFO] Booting worker with pid: 1011"] * 4
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines)})
    errors = repeated_errors(Containers([APP]), logs)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert means in str(finding.evidence["this means"])


PLACES = {
    "an address": ("sync: dial 192.0.2.80:5434: ECONNREFUSED", ("192.0.2.80", "5434")),
    "a name": ("ERROR connect to mq.example:5672: i/o timeout", ("mq.example", "5672")),
    "the container itself": ("ERROR connect to 127.0.0.1:5672: connection refused", ("", "")),
    "no port": ("ERROR no route to host 192.0.2.80", ("", "")),
    "no call": ("ERROR 192.0.2.80:5434 sent nonsense", ("", "")),
}


@pytest.mark.parametrize(("line", "place"), PLACES.values(), ids=PLACES)
def test_the_place_of_a_failed_call(line: str, place: tuple[str, str]) -> None:
    logs = RecentLogs({APP.id: (RecentLine(NOW, line),) * 4})
    errors = repeated_errors(Containers([APP]), logs)
    for finding in judge("container.errors-in-log", repeated_errors=errors).findings:
        variables = finding.variables
        assert (variables.get("called", ""), variables.get("port", "")) == place


NAMELESS = '"tags":["error"],"message":"[ConnectionError]: getaddrinfo ENOTFOUND node1"'
ON_SEARCH = {"NetworkSettings": {"Networks": {"search": {}}}}
STRAYS: dict[str, tuple[list[str], list[str], list[tuple[str, str]], str]] = {
    "a name of its settings": (
        ["HOSTS=https://node1:9200"], [NAMELESS] * 4, [("warning", "app")],
        "HOSTS=https://search:9200",
    ),
    "a program that works all the same": (
        ["HOSTS=https://node1:9200"], [*[NAMELESS] * 3, "saved 3 items", "saved 4 items"],
        ADVICE, "",
    ),
    "a name that its settings do not have": ([], [NAMELESS] * 4, ADVICE, ""),
    "a name of the internet": (
        ["HOSTS=https://node1.example:9200"], [NAMELESS.replace("node1", "node1.example")] * 4,
        ADVICE, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("env", "lines", "expected", "assignment"), STRAYS.values(), ids=STRAYS)
def test_a_name_that_no_container_has(
    env: list[str], lines: list[str], expected: list[tuple[str, str]], assignment: str
) -> None:
    app = container("app", Config={"Env": env}, **ON_SEARCH)
    search = container("search", Config={"ExposedPorts": {"9200/tcp": {}}}, **ON_SEARCH)
    containers = Containers([app, search])
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line) for line in lines)})
    found = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(containers, logs),
        containers=containers,
    )
    assert rows(found) == expected
    assert found.findings[0].variables.get("assignment", "") == assignment


CALLED_PEERS = {
    "a neighbour": ("curl: (7) Failed to connect to search port 9201: Couldn't connect", "search"),
    "nobody here": ("curl: (7) Failed to connect to find.example port 9201: Couldn't connect", ""),
}


@pytest.mark.parametrize(("words", "callee"), CALLED_PEERS.values(), ids=CALLED_PEERS)
def test_the_connection_to_a_named_neighbour_is_traced(words: str, callee: str) -> None:
    app, search = container("app", **ON_SEARCH), container("search", **ON_SEARCH)
    containers = Containers([app, search])
    logs = RecentLogs({app.id: (RecentLine(NOW, f"{words} to server"),) * 4})
    (finding,) = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(containers, logs),
        containers=containers,
    ).findings
    place = f"{callee}:9201" if callee else ""
    assert finding.variables.get("callee", "") == callee
    assert finding.variables.get("callee_place", "") == place


@pytest.mark.parametrize(("pid", "called"), [(0, ["db"]), (7, [])])
def test_what_it_called_is_a_peer_that_does_not_run(pid: int, called: list[str]) -> None:
    """The resolver forgets the names of a container whose program has ended."""
    status = {"Status": "running" if pid else "restarting", "Pid": pid}
    endpoint = {"Networks": {"search": {"Aliases": ["postgresql"]}}}
    app, db = container("app", **ON_SEARCH), container("db", State=status, NetworkSettings=endpoint)
    line = 'could not translate host name "postgresql" to address: Temporary failure in name resolution'
    logs = RecentLogs({app.id: (RecentLine(NOW, line),) * 4})
    containers = Containers([app, db])
    errors = repeated_errors(containers, logs)
    found = judge("container.errors-in-log", repeated_errors=errors, containers=containers)
    assert [subject.name for subject in found.findings[0].calls] == called


def test_the_line_is_shown_with_how_often_it_came() -> None:
    lines = [*[REFUSED.format(i, i) for i in range(4)], "GET /health 200"]
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines)})
    (error,) = repeated_errors(Containers([APP]), logs).items
    assert (error.times, error.of) == (4, 5)
    assert "no connection to mq.example:5672" in error.line.text


def test_lines_from_before_the_last_start_do_not_count() -> None:
    state = {"FinishedAt": "2027-01-15T07:59:58.5Z", "StartedAt": "2027-01-15T08:00:00Z"}
    started = container("app", State=state)
    assert started.started_at == NOW
    ages = {"before": (300, 200, 100), "across the start": (100, 2, 1), "since": (1, -1, -2)}
    expected = {"before": 0, "across the start": 0, "since": 3}
    for name, seconds in ages.items():
        lines = tuple(RecentLine(NOW - age, REFUSED.format(1, 1)) for age in seconds)
        errors = repeated_errors(Containers([started]), RecentLogs({started.id: lines}))
        assert sum(error.times for error in errors) == expected[name], name


def test_a_log_that_was_not_read_is_no_pass() -> None:
    errors = repeated_errors(Containers([APP]), RecentLogs(unread={APP.id: "it timed out"}))
    result = judge("container.errors-in-log", repeated_errors=errors)
    assert result.verdict.value == "unknown"


def test_a_line_that_came_once_leaves_the_report_calm() -> None:
    lines = ("starting", "[error] could not open /config/users.yml: permission denied", "listening")
    recent = tuple(RecentLine(NOW - 30 + place, text) for place, text in enumerate(lines))
    members, clock, logs = Containers((APP,)), Clock(NOW, 0.0), RecentLogs({APP.id: recent})
    repeated = repeated_errors(members, logs, clock)
    result = judge(
        "container.errors-in-log",
        repeated_errors=repeated,
        single_errors=single_errors(members, logs, repeated, clock),
    )
    (finding,) = result.findings
    assert rows(result) == ADVICE
    assert (
        "printed an error once: the program's user may not use /config/users.yml" in finding.summary
    )
    assert finding.aside is not None
    assert not (finding.does_nothing_else)
    assert not (finding.is_own_fault)
