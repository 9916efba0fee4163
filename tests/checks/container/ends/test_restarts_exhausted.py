"""The checks in checks/container/ends/restarts_exhausted.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from tests.checks.container.evidence import (
    CLOCK,
    QUIET,
    container_in,
    events_of,
    exit_event,
    restart_policy,
    summaries,
)
from tests.inspected import of
from tests.judging import judge

GIVEN_UP = container_in("exited", code=4, RestartCount=2, **restart_policy("on-failure", 2))


@pytest.mark.parametrize(
    ("name", "container", "events", "expected"),
    [
        ("given up", GIVEN_UP, Events(()), ["critical"]),
        (
            "given up a month ago",
            container_in(
                "exited", code=4, age=30 * 86400, RestartCount=2, **restart_policy("on-failure", 2)
            ),
            Events(()),
            ["advice"],
        ),
        (
            "stopped by hand",
            GIVEN_UP,
            events_of(GIVEN_UP, (62, "kill", {"signal": "15"}), exit_event(60, 143)),
            [],
        ),
        (
            "done at last",
            container_in("exited", RestartCount=2, **restart_policy("on-failure", 2)),
            Events(()),
            [],
        ),
        (
            "has tries left",
            container_in("exited", code=4, RestartCount=1, **restart_policy("on-failure", 2)),
            Events(()),
            [],
        ),
        (
            "no maximum",
            container_in("exited", code=4, RestartCount=9, **restart_policy("on-failure")),
            Events(()),
            [],
        ),
    ],
)
def test_restarts_exhausted(name: str, container: Container, events: Events, expected: list[str]):
    result = judge(
        "container.restarts-exhausted",
        containers=of(container),
        clock=CLOCK,
        log_tails=QUIET,
        events=events,
    )
    assert [found for found, _ in summaries(result)] == expected
