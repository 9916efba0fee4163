"""Errors that a program prints once, between lines of a start that goes well."""

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.logs.single_errors import SingleErrors, single_errors
from diagnose.evidence.machine.clock import Clock
from tests.checks.container.running.repeated_lines import APP, NOW
from tests.inspected import of

BEGIN, END = "starting app 1.0", "listening on :8080"
KNOWN = {
    "key-too-open": (
        'time="2026" level=error msg="The ACME resolver \\"le\\" is skipped from the resolvers list '
        "because: unable to get ACME account: permissions 644 for /acme.json are too open, please "
        'use 600"'
    ),
    "path-denied": "[error] could not open /config/users.yml: permission denied",
    "configuration-syntax": "ERROR: Config file /config/app.yml: mapping values are not allowed here",
    "module-python": "ModuleNotFoundError: No module named 'psycopg2'",
    "command-missing": "sh: curl: not found",
}
HARMLESS = [
    (
        "10-listen-on-ipv6-by-default.sh: info: can not modify /etc/nginx/conf.d/default.conf "
        "(read-only file system?)"
    ),
    "FATAL:  the database system is starting up",
    'ERROR:  database "app" already exists',
    'LOG:  could not bind IPv6 address "::1": Cannot assign requested address',
    (
        'level=error msg="can\'t read dashboard provisioning files from directory" '
        'path=/etc/grafana/provisioning/dashboards error="open /etc/grafana/provisioning/dashboards: '
        'no such file or directory"'
    ),
    "[supervisord] CRIT Supervisor is running as root.  Privileges were not dropped",
    "mkdir: can't create directory '/data': File exists",
    "rm: cannot remove '/tmp/x.pid': No such file or directory",
    "[ERROR] Error fetching feed https://example.com/rss: 404 Not Found",
    "dial tcp 172.18.0.2:5432: connect: connection refused",
    "WARN  Token secret is not set, generating a random one",
]


def found(*lines: str) -> SingleErrors:
    recent = tuple(
        RecentLine(NOW - 30 + place, text) for place, text in enumerate((BEGIN, *lines, END))
    )
    members, clock = of(APP), Clock(NOW, 0.0)
    logs = RecentLogs({APP.id: recent})
    return single_errors(members, logs, repeated_errors(members, logs, clock), clock)


@pytest.mark.parametrize(("name", "line"), KNOWN.items(), ids=KNOWN)
def test_a_line_of_a_known_meaning(name: str, line: str) -> None:
    (error,) = found(line)
    assert error.failure is not None
    assert (error.failure.name, error.times) == (name, 1)


@pytest.mark.parametrize("line", HARMLESS)
def test_lines_of_programs_that_are_well(line: str) -> None:
    assert not found(line).items


def test_an_error_that_is_repeated_is_no_single_one() -> None:
    assert not found(*[KNOWN["path-denied"]] * 4).items
