"""Complaints that a program got past explain no failure; the same words at its end do."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail

END = ("processing stops: no articles for season winter", "fatal: stage pricing ended")
PASSED = {
    "its own words": ("WARN cannot write /var/cache/app: Permission denied, continuing",),
    "a setting that is not needed": ("env: FEATURE_X is not set, using default",),
    "a service that is not needed": (
        "ERROR telemetry.example:443: connection refused, telemetry disabled",
    ),
    "advice": ("WARNING: running as root is not recommended",),
    "a tool of a script that went on": (
        "chown: changing ownership of '/data/x': Operation not permitted",
        "loaded 41 articles",
    ),
    "a script that finds nothing to remove": (
        "rm: can't remove '/root/Library/Application Support/Plex Media Server/plexmediaserver.pid': No such file or directory",
        "8192",
    ),
    "a shell that went on": ("sh: 1: git: not found", "version unknown to this build"),
    "a call that succeeded later": (
        'psql: error: connection to server at "db", port 5432 failed: Connection refused',
        "connected to the database after 2 attempts",
    ),
    "a part that is left out": ("ERROR [loader] the integration x was blocked from loading",),
    "a test that is well": ("[test] OSError: [Errno 28] No space left on device ... ok",),
}
ENDED = {
    "no word of going on": (
        ("ERROR cannot write /var/cache/app: Permission denied",),
        "path-denied",
    ),
    "a tool of a script that ended": (
        ("sh: 1: git: not found", "[cont-init.d] 10-config: exited 127"),
        "command-missing",
    ),
    "a tool of a script that says no other reason": (
        ("/start.sh: line 7: gunicorn: command not found", "cleanup done"),
        "command-missing",
    ),
    "a place in a file of YAML, which no shell names": (
        (
            "ERROR feed: connection refused, feed disabled",
            "yaml: line 7: did not find expected key",
            "stopped",
        ),
        "configuration-line-alone",
    ),
    "another call that succeeded": (
        ("ERROR mq:5672: connection refused", "connected to the database"),
        "peer-refused",
    ),
}


@pytest.mark.parametrize("name", PASSED)
def test_what_a_program_got_past_is_no_cause(name: str):
    tail = LogTail((*PASSED[name], *END))
    assert tail.telling is not None
    assert tail.telling.text in END
    assert tail.failure is None


UNANSWERED = 'level=error msg="request failed" error="dial tcp 127.0.0.1:{}: connection refused"'
CALLS = tuple(UNANSWERED.format(3000) for _ in range(3))
AFTER_CALLS = {
    "another error": ("panic: open /etc/app/config.toml: permission denied", 3),
    "no room": ("java.lang.OutOfMemoryError: Java heap space", 3),
    "what they led to": ("fatal: giving up", 0),
    "what the program calls a warning": ("WARN /var/cache/app: permission denied", 0),
}


@pytest.mark.parametrize("name", AFTER_CALLS)
def test_calls_that_failed_again_and_again_explain_no_other_failure(name: str):
    last, chosen = AFTER_CALLS[name]
    telling = LogTail((*CALLS, last)).telling
    assert telling is not None
    assert telling.index == chosen


@pytest.mark.parametrize("name", ENDED)
def test_what_a_program_ended_on_is_a_cause(name: str):
    lines, family = ENDED[name]
    failure = LogTail(lines).failure
    assert failure is not None
    assert failure.name == family
