"""The checks in checks/container/exits_at_start.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from tests.checks.container.evidence import (
    CLOCK,
    COMPOSE,
    EARLY,
    OPTIONS,
    QUIET,
    UNKNOWN,
    die,
    history,
    items,
    made,
    policy,
    task,
    told,
)
from tests.inspected import of
from tests.judging import judge


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "publishes a port",
            made("exited", code=1, HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}),
            ["critical"],
        ),
        (
            "has a health check",
            made("exited", code=1, Config={"Healthcheck": {"Test": ["CMD", "x"]}}),
            ["critical"],
        ),
        (
            "a service of compose",
            made("exited", code=1, Config={"Labels": COMPOSE, "AttachStdout": True}),
            ["warning"],
        ),
        ("detached", EARLY, ["warning"]),
        ("crashed with a segmentation fault", made("exited", code=139), ["warning"]),
        ("a code of its own above the signals", made("exited", code=232), ["warning"]),
        ("in the foreground", made("exited", code=1, Config={"AttachStdout": True}), ["advice"]),
        ("done", made("exited"), []),
        ("ended by SIGTERM", made("exited", code=143), []),
        ("killed", made("exited", code=137), []),
        ("worked for an hour first", made("exited", code=1, ran=3600), []),
        ("last week", made("exited", code=1, age=7 * 86400), []),
        ("a terminal", made("exited", code=1, Config={"Tty": True, "AttachStdout": True}), []),
        (
            "a one-off of compose",
            made(
                "exited",
                code=1,
                Config={"Labels": {**COMPOSE, "com.docker.compose.oneoff": "True"}},
            ),
            [],
        ),
        ("held by hand in its loop", made("exited", code=1, **policy("always")), []),
        ("a task of swarm", task("shop_web.1", 1), []),
        (
            "the engine refused it",
            made("exited", code=128, State={"Error": "network x not found"}),
            [],
        ),
    ],
)
def test_exits_at_start(name: str, container: Container, expected: list[str]):
    assert [
        found
        for found, _ in told(
            judge(
                "container.exits-at-start",
                containers=of(container),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                events=Events(()),
            )
        )
    ] == expected


def test_a_stop_that_is_remembered_is_no_failure():
    stopped = history(EARLY, (61, "kill", {"signal": "15"}), die(60, 1))
    assert (
        told(
            judge(
                "container.exits-at-start",
                containers=of(EARLY),
                clock=CLOCK,
                options=OPTIONS,
                log_tails=QUIET,
                events=stopped,
            )
        )
        == []
    )


def test_the_services_that_wait_for_one_are_told():
    project = {"com.docker.compose.project": "shop"}
    depends = {
        "com.docker.compose.depends_on": "db:service_healthy:false,init:service_completed_successfully:false"
    }
    init = made(
        "exited",
        code=1,
        name="init",
        Config={"Labels": {**project, "com.docker.compose.service": "init"}},
    )
    app = made("created", name="app", Config={"Labels": {**project, **depends}})
    other = made("created", name="other", Config={"Labels": depends})
    (finding,) = items(
        judge(
            "container.exits-at-start",
            containers=of(init, app, other),
            clock=CLOCK,
            options=OPTIONS,
            log_tails=QUIET,
            events=UNKNOWN,
        )
    )
    assert finding.evidence["wait for it, never started"] == ["app"]
