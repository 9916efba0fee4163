"""Lines of JSON: the message, its reason, and its level, as the loggers of several languages have
them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.log_message import ERROR, FATAL, INFO, message

TRACE = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\nOSError: {}'
WHY = 'password authentication failed for user "shop"'
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "Logback": (
        {
            "@timestamp": "2024-05-01T10:00:00.000Z",
            "message": "Application run failed",
            "level": "ERROR",
            "stack_trace": f"org.x.PSQLException: no connection\n\tat org.x.A\nCaused by: FATAL: {WHY}\n\tat org.x.B",
        },
        ERROR,
    ),
    "structlog": (
        {"event": "boot failed", "level": "error", "exception": TRACE.format(WHY)},
        ERROR,
    ),
    "Python's own": (
        {"levelname": "ERROR", "message": "boot failed", "exc_info": TRACE.format(WHY)},
        ERROR,
    ),
    "Elastic's names": (
        {
            "message": "Application run failed",
            "log.level": "ERROR",
            "error.message": "no connection",
            "error.stack_trace": f"org.x.PSQLException: no connection\n\tat org.x.A\nCaused by: FATAL: {WHY}\n\tat org.x.B",
        },
        ERROR,
    ),
    "an exception in a context": (
        {
            "severity": "ERROR",
            "message": "server exited",
            "context": {"exception": {"class": "PG::ConnectionBad", "message": WHY}},
        },
        ERROR,
    ),
    "Monolog": ({"message": WHY, "level": 500, "level_name": "CRITICAL"}, FATAL),
    "Serilog": (
        {
            "@t": "2024-05-01T10:00:00Z",
            "@mt": "Host terminated",
            "@l": "Fatal",
            "@x": f"X: {WHY}\n   at Y()",
        },
        FATAL,
    ),
    ".NET": (
        {
            "LogLevel": "Critical",
            "Message": "startup exception",
            "Exception": f"X: {WHY}    at Y()",
        },
        FATAL,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reason_and_the_level_are_read(name: str) -> None:
    fields, level = CASES[name]
    line = json.dumps(fields)
    assert message(line).level == level
    assert WHY in message(line).text
    failure = LogTail((line,)).failure
    assert failure is not None
    assert failure.name == "postgres-login"


def test_a_line_of_serilog_without_a_level_is_information() -> None:
    line = json.dumps({"@t": "2024-05-01T10:00:00Z", "@mt": "retry after connection refused"})
    assert message(line).level == INFO


def test_the_name_of_a_process_before_a_line_is_left_out() -> None:
    """foreman and honcho print the lines of several programs."""
    lines = (
        "13:58:01 web.1  | Traceback (most recent call last):",
        '13:58:01 web.1  |   File "/srv/shop/__init__.py", line 20, in <module>',
        "13:58:01 web.1  | KeyError: 'DEBUG_MODE'",
        "13:58:02 web.1  | exited with code 1",
        "13:58:02 system | sending SIGTERM to all processes",
    )
    failure = LogTail(lines).failure
    assert failure is not None
    assert (failure.name, failure.values["variable"]) == ("python-keyerror", "DEBUG_MODE")
    assert message("a.b | c").text == "a.b | c"
