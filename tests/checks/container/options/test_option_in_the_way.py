"""The check in checks/container/options/option_in_the_way.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.config import DaemonConfig
from tests.checks.container.evidence import CLOCK, FOUND, NOW, QUIET, container_in, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows

SUDO = (
    "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set "
    "or an NFS file system without root privileges?"
)
LARGE = "File size limit exceeded"
PATH = "/etc/docker/daemon.json"
NO_NEW = DaemonConfig(PATH, values={"no-new-privileges": True})
SMALL = DaemonConfig(PATH, values={"default-ulimits": {"fsize": {"Name": "fsize", "Soft": 1024}}})
LIMIT = {"Ulimits": [{"Name": "fsize", "Soft": 1024, "Hard": 1024}]}
UNLIMITED = {"Ulimits": [{"Name": "fsize", "Soft": -1, "Hard": -1}]}

LIBRARY = "UnsatisfiedLinkError: /tmp/a.so: /tmp/a.so: failed to map segment from shared object"

CASES: dict[str, tuple[str, dict[str, Any], DaemonConfig | None, list[tuple[str, str]]]] = {
    "its own option": (SUDO, {"SecurityOpt": ["no-new-privileges"]}, None, FOUND),
    "the engine's default": (SUDO, {}, NO_NEW, FOUND),
    "taken back": (SUDO, {"SecurityOpt": ["no-new-privileges=false"]}, NO_NEW, []),
    "no such option: a file without its setuid bit": (SUDO, {}, None, []),
    "its own limit": (LARGE, LIMIT, None, FOUND),
    "the engine's limit": (LARGE, {}, SMALL, FOUND),
    "without a limit": (LARGE, UNLIMITED, SMALL, []),
    "a file system with a limit of its own": (LARGE, {}, None, []),
    "a tmpfs": (LIBRARY, {"Tmpfs": {"/tmp": ""}}, None, FOUND),
    "a tmpfs with exec": (LIBRARY, {"Tmpfs": {"/tmp": "size=64m,exec"}}, None, []),
    "a tmpfs elsewhere": (LIBRARY, {"Tmpfs": {"/run": ""}}, None, []),
    "another complaint": ("error: no such table", LIMIT, NO_NEW, []),
}


@pytest.mark.parametrize(("line", "host", "config", "expected"), CASES.values(), ids=CASES)
def test_an_option_in_the_way(
    line: str, host: dict[str, Any], config: DaemonConfig | None, expected: list[tuple[str, str]]
) -> None:
    container, log_tails = failed_with_log(line, HostConfig=host)
    result = judge(
        "container.option-in-the-way",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        config=config,
    )
    assert rows(result) == expected


DENIED = "/boot: exec: line 1: /run/app: Permission denied"
EXECUTED = {
    "on a tmpfs": (126, {"/run": ""}, FOUND),
    "on a tmpfs with exec": (126, {"/run": "exec"}, []),
    "elsewhere": (126, {"/tmp": ""}, []),
    "opened, not executed": (1, {"/run": ""}, []),
}


@pytest.mark.parametrize(("code", "tmpfs", "expected"), EXECUTED.values(), ids=EXECUTED)
def test_a_program_that_a_shell_could_not_execute(
    code: int, tmpfs: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    ended = container_in("exited", code=code, HostConfig={"Tmpfs": tmpfs})
    tails = LogTails({ended.id: LogTail((DENIED,))}, {})
    result = judge(
        "container.option-in-the-way", containers=of(ended), clock=CLOCK, log_tails=tails
    )
    assert rows(result) == expected


@pytest.mark.parametrize(("code", "expected"), [(153, FOUND), (1, [])])
def test_a_program_that_the_kernel_ended_in_silence(
    code: int, expected: list[tuple[str, str]]
) -> None:
    ended = container_in("exited", code=code, HostConfig=LIMIT)
    result = judge(
        "container.option-in-the-way", containers=of(ended), clock=CLOCK, log_tails=QUIET
    )
    assert rows(result) == expected


CPU = {"Ulimits": [{"Name": "cpu", "Soft": 60, "Hard": 60}]}
ENDS = {
    "killed at its limit": (137, CPU, False, FOUND),
    "told at its limit": (152, CPU, False, FOUND),
    "killed, without a limit": (137, {}, False, []),
    "no limit": (137, {"Ulimits": [{"Name": "cpu", "Soft": -1, "Hard": -1}]}, False, []),
    "another end": (1, CPU, False, []),
    "killed for memory": (137, CPU, True, []),
    "stopped by somebody": (137, CPU, None, []),
}


def test_a_kill_after_a_moment_is_not_of_the_cpu_time() -> None:
    """An hour of CPU time cannot be used up in two seconds: somebody else sent SIGKILL."""
    hour = {"Ulimits": [{"Name": "cpu", "Soft": 3600, "Hard": 3600}]}
    times = {"StartedAt": "2026-09-23T11:59:50Z", "FinishedAt": "2026-09-23T11:59:52Z"}
    state = {"Status": "exited", "ExitCode": 137, **times}
    ended = container_in("exited", code=137, HostConfig=hour, State=state)
    died = Event(NOW - 9, "container", "die", "", ended.id, {"exitCode": "137"})
    result = judge(
        "container.option-in-the-way",
        containers=of(ended),
        clock=CLOCK,
        log_tails=QUIET,
        events=Events((died,)),
    )
    assert rows(result) == []


@pytest.mark.parametrize(("code", "host", "is_oom", "expected"), ENDS.values(), ids=ENDS)
def test_a_program_that_used_up_its_time(
    code: int, host: dict[str, Any], is_oom: bool | None, expected: list[tuple[str, str]]
) -> None:
    times = {"StartedAt": "2026-09-23T11:50:00Z", "FinishedAt": "2026-09-23T11:59:51Z"}
    state = {"Status": "exited", "ExitCode": code, "OOMKilled": bool(is_oom), **times}
    ended = container_in("exited", code=code, HostConfig=host, State=state)
    actions = ["kill", "die"] if is_oom is None else ["die"]
    happened = [
        Event(NOW - 9, "container", action, "", ended.id, {"exitCode": str(code)})
        for action in actions
    ]
    result = judge(
        "container.option-in-the-way",
        containers=of(ended),
        clock=CLOCK,
        log_tails=QUIET,
        events=Events(tuple(happened)),
    )
    assert rows(result) == expected
