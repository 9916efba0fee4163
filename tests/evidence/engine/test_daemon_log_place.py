"""The log of a daemon: found behind its standard error or in the journal."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.engine.log import DaemonLog, daemon_log
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed, Unavailable
from tests.evidence.engine.daemon_hosts import file
from tests.hosts import Made
from tests.judging import judge

AT = 1795476864.0


def test_log_is_found_behind_standard_error() -> None:
    def stats(_: Any) -> Any:
        return {"/proc/7/fd/2": {"type": "link", "link": "/var/log/engine.log"}}

    host = Made(
        {
            "journal": Failed("missing", "no journalctl"),
            "locality": {"same_host": True, "engine_pid": 7},
            "file.stats": stats,
            "file.read": file('time="2026-11-23T23:34:24Z" level=info msg="Starting up"\n'),
        }
    )
    log = daemon_log(host)
    assert isinstance(log, DaemonLog)
    assert log.source == "/var/log/engine.log"
    assert [question.args["path"] for question in host.asked if question.kind == "file.read"] == [
        "/var/log/engine.log"
    ]


def test_last_words_in_the_journal_are_the_engines_and_not_the_service_managers() -> None:
    said = [
        (69, 'time="2026-11-23T23:34:24Z" level=info msg="Starting up"'),
        (69, "mkdir /srv/docker: read-only file system"),
        (1, "docker.service: Main process exited, code=exited, status=1/FAILURE"),
        (1, "Failed to start docker.service - Docker Application Container Engine."),
    ]
    entries = [
        {"at": AT, "message": text, "pid": pid, "cursor": f"s={at}"}
        for at, (pid, text) in enumerate(said)
    ]
    log = daemon_log(Made({"journal": {"entries": entries}}))
    assert isinstance(log, DaemonLog)
    assert log.last_failure is not None
    assert (log.last_failure.text, log.last_failure.place) == (
        "mkdir /srv/docker: read-only file system",
        "s=1",
    )


def test_log_that_is_nowhere_is_not_an_empty_log() -> None:
    answers = {
        "journal": Failed("missing", ""),
        "locality": {"engine_pid": None},
        "file.read": Failed("missing", ""),
    }
    log = daemon_log(Made(answers))
    assert isinstance(log, Unavailable)
    assert log.reason == "missing"


def test_journal_that_may_not_be_read_is_the_reason() -> None:
    answers = {
        "journal": Failed("forbidden", "no"),
        "locality": {},
        "file.read": Failed("missing", ""),
    }
    log = daemon_log(Made(answers))
    assert isinstance(log, Unavailable)
    assert log.reason == "forbidden"


def test_podman_has_no_log_to_look_for() -> None:
    """So that what would be in it does not apply, and a healthy host is not half unknown."""
    host = Made({"api.ping": {"libpod": "5.2.0"}, "journal": {"entries": []}})
    log = daemon_log(host)
    assert isinstance(log, Unavailable)
    assert log.reason == "not applicable"
    result = judge("image.pull-no-space", pulls=log, clock=Clock(AT, 0.0))
    assert (result.verdict, result.why) == ("skipped", log.detail)
