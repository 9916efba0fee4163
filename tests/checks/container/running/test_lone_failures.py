"""Programs that do nothing but fail: which advice about a log is said to be that."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import Complaints
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.phrases import rfc3339
from tests.checks.container.running.repeated_lines import NOW
from tests.inspected import container
from tests.judging import judge

NO_API = "curl: (6) Could not resolve host: api.lab.test"
DENIED = "touch: cannot touch '/data/i': Permission denied"
UNTRUSTED = "GET https://api.lab.test failed: unable to get local issuer certificate"
HANDSHAKE = "http: TLS handshake error from 172.18.0.3:{}: remote error: tls: bad certificate"
REFUSED_LOGIN = 'FATAL:  password authentication failed for user "shop"'
NO_UPSTREAM = (
    "2026/11/28 20:08:29 [error] 7#7: *29 connect() failed (111: Connection refused) while connecting "
    'to upstream, client: 192.0.2.7, server: , upstream: "http://192.0.2.1:3000/", host: "shop.test"'
)
TRACE = [
    "Error: connect ECONNREFUSED 192.0.2.80:5432",
    "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)",
    "    at fetchRates (/app/rates.js:7:11)",
]
MONITOR = [f"WARN monitor: connect ECONNREFUSED 203.0.113.{machine}:443" for machine in range(4)]
MONITOR_OF_KINDS = [
    "WARN monitor: connect ECONNREFUSED",
    "WARN monitor: timeout of 48000ms exceeded, timed out",
    "WARN monitor: certificate has expired",
]
EMPTY = "ERROR poll timed out, no records; will retry"
COUNTED = "DEBUG request 4 took 12 ms connection refused=0 timeout=30s"
UNKNOWN = "ERROR order 17 has no items"
SERVES = '10.0.0.9 "GET /orders HTTP/1.1" 200'
WAY = {"ExposedPorts": {"8080/tcp": {}}}
SERVER = {"Config": WAY}
GIVEN = {"Config": {**WAY, "Env": ["RATES_URL=https://api.lab.test/v1"]}}
CALLER = {"Config": {"Env": ["RATES_URL=https://api.lab.test/v1"]}}
LAN = {"Path": "fetch", "Args": ["--from=192.0.2.80:5432"]}
BY_FILE = {"Mounts": [{"Type": "bind", "Source": "/srv/a", "Destination": "/etc/rates.d"}]}
BY_TIME = {"Mounts": [{"Type": "bind", "Source": "/etc/a", "Destination": "/etc/localtime"}]}
BY_MONITOR = {"Config": {"Image": "louislam/uptime-kuma:1"}}
NO_NEIGHBOUR = "curl: (6) Could not resolve host: rates"
ON_HOST = {"HostConfig": {"NetworkMode": "host"}}
HEALTHY = {"State": {"Status": "running", "Health": {"Status": "healthy"}}}

NO_SECRET = "Error: SESSION_SECRET is missing in ENV."
OLD_KEY = "Error: The data could not be decrypted: a different encryption key was used"
OLD_CODE = "PHP Fatal error:  Failed opening required '/var/www/html/lib/version.php'"
BADLY_SET = [
    "Traceback (most recent call last):",
    '  File "/app/manage.py", line 21, in main',
    "    execute_from_command_line(sys.argv)",
    "django.core.exceptions.ImproperlyConfigured: settings.DATABASES is improperly configured.",
]
NO_ROLE = 'FATAL:  role "shop" does not exist'
DATABASE = {"Config": {"ExposedPorts": {"5432/tcp": {}}}}
STATUS = "checks 4 feeds"
RENDERED = "  2026-11-28 20:08:29 App\\Jobs\\RenderPage .............. 12.3ms DONE"

ALONE = {
    "a server that misses a setting": ([NO_SECRET] * 3, SERVER, 60.0, True),
    "a server that misses a setting, below its frames": (
        [NO_SECRET, "    at file:///app/server.js:94:9"] * 3,
        SERVER,
        60.0,
        True,
    ),
    "a server with another key": ([OLD_KEY] * 3, SERVER, 60.0, True),
    "a server with the code of another version": ([OLD_CODE] * 3, SERVER, 60.0, True),
    "a server with a trace about its settings": (BADLY_SET * 3, SERVER, 60.0, True),
    "a server that indents all that it prints": ([f" ⨯ {NO_SECRET}"] * 3, SERVER, 60.0, True),
    "a server whose messages stand below frames alone": (
        ["Traceback (most recent call last):", f"    {NO_SECRET}"] * 3,
        SERVER,
        60.0,
        True,
    ),
    "a worker whose indented lines are jobs that went well": (
        [f"  {NO_NEIGHBOUR}", *[RENDERED] * 3] * 3,
        {},
        60.0,
        False,
    ),
    "a server that misses a setting, and serves": ([NO_SECRET, SERVES] * 3, SERVER, 60.0, False),
    "a server that says other things more often": (
        [NO_SECRET, *[STATUS] * 4] * 3,
        SERVER,
        60.0,
        False,
    ),
    "a server that misses a setting at its start": ([NO_SECRET] * 3, SERVER, 10.0, False),
    "a server of data whose clients ask for a role": ([NO_ROLE] * 6, DATABASE, 60.0, False),
    "a worker that calls a name of its variables": ([NO_API] * 6, CALLER, 60.0, True),
    "a worker that calls a neighbour's name": ([NO_NEIGHBOUR] * 6, {}, 60.0, True),
    "a worker that misses somebody else": ([NO_API] * 6, {}, 60.0, False),
    "a worker whose settings are a file of the host": ([NO_API] * 6, BY_FILE, 60.0, True),
    "a worker that keeps the host's time": ([NO_API] * 6, BY_TIME, 60.0, False),
    "a monitor that misses one neighbour": ([NO_NEIGHBOUR] * 6, BY_MONITOR, 60.0, False),
    "a worker that calls an unknown authority": ([UNTRUSTED] * 6, {}, 60.0, True),
    "a worker with a trace for each call": (TRACE * 3, LAN, 60.0, True),
    "a worker with a trace about somebody else": (TRACE * 3, {}, 60.0, False),
    "a worker that says what it begins": ([*TRACE, "fetching"] * 3, {}, 60.0, False),
    "a worker that calls everything an error": ([NO_API, *[UNKNOWN] * 3] * 3, {}, 60.0, False),
    "a worker that counts no timeout": ([NO_API, *[COUNTED] * 4] * 3, {}, 60.0, False),
    "a monitor of many machines": (MONITOR * 3, {}, 60.0, False),
    "a monitor of many kinds": (MONITOR_OF_KINDS * 3, {}, 60.0, False),
    "a worker whose queue is empty": ([EMPTY] * 6, {}, 60.0, False),
    "a server that may not write": ([DENIED] * 6, SERVER, 60.0, True),
    "a server that calls what a variable gives": ([NO_API] * 6, GIVEN, 60.0, True),
    "a program on the host's network": ([NO_API] * 6, ON_HOST, 60.0, False),
    "a server that calls something": ([NO_API] * 6, SERVER, 60.0, False),
    "a moment after the start": ([NO_API] * 6, {}, 10.0, False),
    "not often enough": ([NO_API] * 4, {}, 60.0, False),
    "some lines are about something else": ([NO_API, "poll"] * 6, {}, 60.0, False),
    "requests go well": ([*[NO_API] * 11, SERVES], {}, 60.0, False),
    "the health check passes": ([NO_API] * 6, HEALTHY, 60.0, False),
    "a server that turns others away": ([HANDSHAKE] * 6, SERVER, 60.0, False),
    "a worker that is turned away": ([REFUSED_LOGIN] * 6, {}, 60.0, True),
    "a proxy that reaches nobody": ([NO_UPSTREAM] * 6, SERVER, 60.0, True),
    "nobody knows what the line means": ([UNKNOWN] * 6, {}, 60.0, False),
}


def running(fields: dict[str, Any]) -> Container:
    state = {"Status": "running", **fields.get("State", {}), "StartedAt": rfc3339(NOW)}
    return container("app", **{**fields, "State": state})


@pytest.mark.parametrize(("lines", "fields", "after", "expected"), ALONE.values(), ids=ALONE)
def test_a_program_that_prints_nothing_but_an_error(
    lines: list[str], fields: dict[str, Any], after: float, expected: bool
) -> None:
    app = running(fields)
    recent = tuple(RecentLine(NOW + after, line) for line in lines)
    errors = repeated_errors(Containers([app]), RecentLogs({app.id: recent}))
    findings = judge("container.errors-in-log", repeated_errors=errors).findings
    assert [finding.does_nothing_else for finding in findings] == [expected]


SAID = Complaints(9, frozenset({"192.0.2.80"}), frozenset({"unreachable"}))
AT = {"Config": {**WAY, "Env": ["DATABASE=postgres://192.0.2.80/shop"]}}
CALLS = {
    "a worker whose command has the address": (LAN, 9, 60.0, True),
    "a worker that calls somebody else": ({}, 9, 60.0, False),
    "a server that is given the address": (AT, 9, 60.0, True),
    "another server": (SERVER, 9, 60.0, False),
    "a moment after the start": ({}, 9, 10.0, False),
    "some of the lines": ({}, 20, 60.0, False),
}


@pytest.mark.parametrize(("fields", "of", "after", "expected"), CALLS.values(), ids=CALLS)
def test_a_program_whose_calls_all_fail(
    fields: dict[str, Any], of: int, after: float, expected: bool
) -> None:
    app = running(fields)
    line = "connect to 192.0.2.80 port 5432: No route to host"
    place = ("192.0.2.80", 5432)
    failure = LoggedFailure(app, "unreachable", *place, line, 9, of, NOW, complaints=SAID)
    result = judge(
        "network.calls-failing",
        logged_failures=LoggedFailures((failure,)),
        unanswered_calls=UnansweredCalls(()),
        clock=Clock(wall=NOW + after, booted=0.0),
    )
    assert [finding.does_nothing_else for finding in result.findings] == [expected]
