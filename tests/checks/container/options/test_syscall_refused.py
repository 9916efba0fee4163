"""The checks in checks/container/options/syscall_refused.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.first_steps.failed_run import failed_run
from tests.checks.container.evidence import CLOCK, FOUND, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows

THREAD = "runtime/cgo: pthread_create failed: Operation not permitted"


@pytest.mark.parametrize(
    ("options", "security", "expected"),
    [
        (None, ["name=seccomp,profile=default"], FOUND),
        (["seccomp=unconfined"], ["name=seccomp,profile=default"], []),
        (['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'], [], FOUND),
        (None, [], []),
    ],
)
def test_a_filter_has_to_be_in_force(
    options: list[str] | None, security: list[str], expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(
        "runtime/cgo: pthread_create failed: Operation not permitted",
        HostConfig={"SecurityOpt": options},
    )
    result = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=security, server_version="20.10.7"),
    )
    assert rows(result) == expected


def test_an_engine_that_filters_nothing_refuses_nothing() -> None:
    container, log_tails = failed_with_log(THREAD)
    info = Info(security_options=["name=seccomp,profile=unconfined"])
    result = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=info,
    )
    assert rows(result) == []


@pytest.mark.parametrize(
    ("own", "profile", "is_off"),
    [
        (None, "unconfined", True),
        (["seccomp=unconfined"], "builtin", True),
        (None, "builtin", False),
        (['seccomp={"defaultAction":"SCMP_ACT_ERRNO"}'], "unconfined", False),
    ],
)
def test_what_the_line_means_where_nothing_filters(
    own: list[str] | None, profile: str, *, is_off: bool
) -> None:
    container, log_tails = failed_with_log(THREAD, HostConfig={"SecurityOpt": own})
    info = Info(security_options=[f"name=seccomp,profile={profile}"])
    evidence = failed_run(container, of(container), RunContext(log_tails, info=info)).evidence(
        of(container), CLOCK
    )
    assert ("this means" in evidence) != is_off
    assert ("seccomp" in evidence) == is_off


PROFILE = "/etc/docker/seccomp.json"
GIVEN_TO_ALL = {
    "in the file": ({"seccomp-profile": PROFILE}, {}, "28.5.2", True),
    "on the command line": ({}, {"seccomp-profile": [PROFILE]}, "28.5.2", False),
    "an old engine too": ({"seccomp-profile": PROFILE}, {}, "20.10.7", False),
}


@pytest.mark.parametrize(
    ("values", "flags", "version", "offered"), GIVEN_TO_ALL.values(), ids=GIVEN_TO_ALL
)
def test_a_profile_that_the_engine_gives_to_every_container(
    values: dict[str, str], flags: dict[str, list[str]], version: str, *, offered: bool
) -> None:
    container, log_tails = failed_with_log(THREAD)
    (finding,) = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=[f"name=seccomp,profile={PROFILE}"], server_version=version),
        ping=Ping("1.51", version, ""),
        config=DaemonConfig("/etc/docker/daemon.json", values=values, flags=flags),
    ).findings
    assert PROFILE in finding.summary
    assert "that profile is older than the image's C library" in finding.summary
    assert ("profile_json" in finding.variables) == offered
    assert "engines_filter" not in finding.variables


OWN = ['seccomp={"defaultAction":"SCMP_ACT_ERRNO"}']
URING = "io_uring_queue_init failed: Operation not permitted"


@pytest.mark.parametrize(
    ("options", "line", "version", "offered"),
    [
        (OWN, THREAD, "28.5.2", "own_profile"),
        (OWN, THREAD, "20.10.7", None),
        (OWN, URING, "28.5.2", None),
        (None, THREAD, "20.10.7", "engines_filter"),
    ],
    ids=["an old profile", "an old engine too", "a call that no default allows", "the engine's"],
)
def test_whose_filter_is_changed(
    options: list[str] | None, line: str, version: str, offered: str | None
):
    """Newer packages of the engine change nothing about a profile of the container's own."""
    container, log_tails = failed_with_log(line, HostConfig={"SecurityOpt": options})
    (finding,) = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=["name=seccomp,profile=default"], server_version=version),
        ping=Ping("1.51", version, ""),
    ).findings
    given = finding.variables.keys() & {"own_profile", "engines_filter"}
    assert given == ({offered} if offered else set())
