"""The checks in checks/container/restarts_exhausted.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from tests.checks.container.evidence import CLOCK, QUIET, die, history, made, policy, told
from tests.inspected import of
from tests.judging import judge

GIVEN_UP = made("exited", code=4, RestartCount=2, **policy("on-failure", 2))


@pytest.mark.parametrize(
    ("name", "container", "events", "expected"),
    [
        ("given up", GIVEN_UP, Events(()), ["critical"]),
        (
            "given up a month ago",
            made("exited", code=4, age=30 * 86400, RestartCount=2, **policy("on-failure", 2)),
            Events(()),
            ["advice"],
        ),
        (
            "stopped by hand",
            GIVEN_UP,
            history(GIVEN_UP, (62, "kill", {"signal": "15"}), die(60, 143)),
            [],
        ),
        ("done at last", made("exited", RestartCount=2, **policy("on-failure", 2)), Events(()), []),
        (
            "has tries left",
            made("exited", code=4, RestartCount=1, **policy("on-failure", 2)),
            Events(()),
            [],
        ),
        (
            "no maximum",
            made("exited", code=4, RestartCount=9, **policy("on-failure")),
            Events(()),
            [],
        ),
    ],
)
def test_restarts_exhausted(name: str, container: Container, events: Events, expected: list[str]):
    assert [
        found
        for found, _ in told(
            judge(
                "container.restarts-exhausted",
                containers=of(container),
                clock=CLOCK,
                log_tails=QUIET,
                events=events,
            )
        )
    ] == expected
