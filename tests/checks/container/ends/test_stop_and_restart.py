"""The checks in checks/container/ends/stop_and_restart.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from tests.checks.container.evidence import (
    COMPOSE,
    EARLY,
    RUNS,
    container_in,
    events_of,
    exit_event,
    restart_policy,
    swarm_task,
)
from tests.inspected import of
from tests.judging import judge, rows

FILES = [
    {
        "Type": "volume",
        "Source": "/var/lib/docker/volumes/db/_data",
        "Destination": "/data",
        "RW": True,
    }
]
UNTIMELY = {
    "a database with its files": ("postgres:17", 0, FILES, [("advice", "web")]),
    "the engine's ten seconds": ("postgres:17", None, FILES, []),
    "as long as it takes": ("postgres:17", -1, FILES, []),
    "a database without files on the host": ("postgres:17", 0, [], []),
    "no database": ("nginx:1.27", 0, FILES, []),
}


@pytest.mark.parametrize(
    ("image", "seconds", "mounts", "expected"), UNTIMELY.values(), ids=UNTIMELY
)
def test_no_time_to_stop(
    image: str, seconds: int | None, mounts: list[Any], expected: list[tuple[str, str]]
) -> None:
    config = {"Image": image, "StopTimeout": seconds}
    database = container_in("running", Config=config, Mounts=mounts)
    assert rows(judge("container.no-time-to-stop", containers=of(database))) == expected


TERM, KILL = (70, "kill", {"signal": "15"}), (60, "kill", {"signal": "9"})


@pytest.mark.parametrize(
    ("name", "happened", "number"),
    [
        ("killed after ten seconds", [TERM, KILL, exit_event(60, 137)], 1),
        ("ended in time", [TERM, exit_event(69, 143)], 0),
        ("killed at once", [(60.1, "kill", {"signal": "15"}), KILL, exit_event(60, 137)], 0),
        ("docker kill", [KILL, exit_event(60, 137)], 0),
    ],
)
def test_ignores_stop_signal(
    name: str, happened: list[tuple[float, str, dict[str, str]]], number: int
):
    result = judge(
        "container.ignores-stop-signal", containers=of(EARLY), events=events_of(EARLY, *happened)
    )
    assert rows(result) == [("advice", "web")] * number


@pytest.mark.parametrize(
    ("name", "container", "number"),
    [
        (
            "publishes a port",
            container_in("running", HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}),
            1,
        ),
        ("a service of compose", container_in("running", Config={"Labels": COMPOSE}), 1),
        (
            "has a policy",
            container_in("running", Config={"Labels": COMPOSE}, **restart_policy("unless-stopped")),
            0,
        ),
        ("a job", RUNS, 0),
        (
            "is removed at its end",
            container_in("running", Config={"Labels": COMPOSE}, HostConfig={"AutoRemove": True}),
            0,
        ),
        ("swarm sees to it", swarm_task("shop_web.1", 1, "running"), 0),
    ],
)
def test_no_restart_policy(name: str, container: Container, number: int):
    result = judge("container.no-restart-policy", containers=of(container))
    assert rows(result) == [("advice", "web")] * number
