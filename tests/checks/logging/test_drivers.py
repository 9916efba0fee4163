"""The checks in checks/logging/drivers.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Failed, Severity
from tests.checks.container.evidence import container_in
from tests.checks.storage.evidence import assert_found, assert_silent, inspect_with, logging
from tests.inspected import of
from tests.judging import judge

UNBORN = {"Status": "created", "ExitCode": 128, "Pid": 0}


NO_OPTION = (
    "failed to create task for container: failed to initialize logging driver: invalid size: '-1'"
)


NO_NAME = (
    "failed to create task for container: failed to initialize logging driver: gelf: cannot connect to GELF endpoint: "
    "graylog.example:12201 dial udp: lookup graylog.example on 192.0.2.53:53: server misbehaving"
)


NO_LOGGER = (
    "failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused"
)


FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "nothing listens": (
        "logging.driver-blocks-start",
        {"api__container": inspect_with(State=UNBORN | {"Error": NO_LOGGER}, **logging("fluentd"))},
        "container:web",
        Severity.critical,
        "fluentd did not reach its receiver at 127.0.0.1:24224",
    ),
    "a name that has no address": (
        "logging.driver-blocks-start",
        {
            "api__container": inspect_with(
                State=UNBORN | {"Error": NO_NAME},
                **logging("gelf", **{"gelf-address": "udp://graylog.example:12201"}),
            )
        },
        "container:web",
        Severity.critical,
        "udp://graylog.example:12201; the name graylog.example does not resolve on this host",
    ),
    "no cache": (
        "logging.driver-unreadable",
        {"api__container": inspect_with(**logging("gelf", **{"cache-disabled": "true"}))},
        "container:web",
        Severity.advice,
        "gelf",
    ),
    "stands still": (
        "logging.backpressure",
        {
            "api__container": inspect_with(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": {"77": 0},
        },
        "container:web",
        Severity.warning,
        "syslog",
    ),
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    assert_found(id_, answers, subject, severity, said)


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "another error": (
        "logging.driver-blocks-start",
        {"api__container": inspect_with(State=UNBORN | {"Error": "no such file"})},
        "passed",
    ),
    "options that the driver does not know": (
        "logging.driver-blocks-start",
        {"api__container": inspect_with(State=UNBORN | {"Error": NO_OPTION}, **logging("local"))},
        "passed",
    ),
    "cached": (
        "logging.driver-unreadable",
        {"api__container": inspect_with(**logging("gelf"))},
        "passed",
    ),
    "driver none": (
        "logging.driver-unreadable",
        {"api__container": inspect_with(**logging("none"))},
        "passed",
    ),
    "no remote logs": ("logging.backpressure", {}, "skipped"),
    "at work": (
        "logging.backpressure",
        {
            "api__container": inspect_with(**logging("syslog")),
            "process": {"state": "S", "wchan": "ep_poll", "cmdline": ["x"]},
        },
        "passed",
    ),
    "writes much": (
        "logging.backpressure",
        {
            "api__container": inspect_with(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": {"77": 40},
        },
        "passed",
    ),
    "nobody can look twice": (
        "logging.backpressure",
        {
            "api__container": inspect_with(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": Failed("timed out", "no answer in 2.0 s"),
        },
        "unknown",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)


@pytest.mark.parametrize(
    ("status", "clause", "variables"),
    [
        (
            "exited",
            'container "taker", which publishes that port, is not running',
            {"receiver": "taker"},
        ),
        ("running", 'container "taker", which publishes that port, runs now', {"late": "web"}),
    ],
)
def test_the_container_that_takes_the_log_is_named(
    status: str, clause: str, variables: dict[str, str]
) -> None:
    published = {"24224/tcp": [{"HostIp": "", "HostPort": "24224"}]}
    taker = container_in(status, name="taker", HostConfig={"PortBindings": published})
    refused = container_in(
        "created", code=128, State={"Error": NO_LOGGER}, HostConfig=logging("fluentd")["HostConfig"]
    )
    judged = {"containers": of(refused, taker)}
    (finding,) = judge("logging.driver-blocks-start", **judged).findings
    assert clause in finding.summary
    assert finding.calls == (taker.subject,)
    assert finding.variables == {"container": "web", "driver": "fluentd"} | variables
