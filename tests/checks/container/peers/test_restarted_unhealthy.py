"""container.restarted-unhealthy: restarts in the events, or in the log of their program."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from diagnose.evidence.containers.ends.healed_containers import healed_containers
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.engine.socket_clients import SocketClients, StopOrder
from diagnose.evidence.machine.clock import Clock
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_000_000.0
APP = container(
    "app",
    Config={"Healthcheck": {"Test": ["CMD-SHELL", "true"]}},
    State={"Status": "running", "Pid": 7, "Health": {"Status": "starting"}},
)
HEALER = container("healer")
SICK = ("health_status: unhealthy", "kill", "die", "stop", "start", "restart")
WELL = ("health_status: healthy",)
FOUND = [("critical", "app")]


def _events(actions: Sequence[str], every: float, ago: float) -> Events:
    """Events of the container; the last one is `ago` seconds old."""
    first = NOW - ago - every * (len(actions) - 1)
    return Events(
        tuple(
            Event(first + every * number, "container", name, detail.strip(), APP.id, {})
            for number, (name, _, detail) in enumerate(it.partition(":") for it in actions)
        )
    )


CASES: dict[str, tuple[Sequence[str], float, list[tuple[str, str]]]] = {
    "never healthy": (SICK * 3, 5, FOUND),
    "twice": (SICK * 2, 5, []),
    "healthy in between": ((*SICK * 2, *WELL, *SICK), 5, []),
    "healthy before": ((*WELL, *SICK * 3), 5, FOUND),
    "restarted without being unhealthy": (SICK[1:] * 3, 5, []),
    "no longer": (SICK * 3, 500, []),
}


@pytest.mark.parametrize(("actions", "ago", "expected"), CASES.values(), ids=CASES)
def test_events(actions: Sequence[str], ago: float, expected: list[tuple[str, str]]) -> None:
    healed = healed_containers(of(APP), Clock(NOW, booted=0.0), _events(actions, 2, ago), None)
    assert rows(judge("container.restarted-unhealthy", healed=healed)) == expected


LOGS: dict[str, tuple[str, Sequence[float], list[tuple[str, str]]]] = {
    "every minute": ("Container /app found to be unhealthy - Restarting", (130, 70, 10), FOUND),
    "once a week": ("Container /app found to be unhealthy - Restarting", (9e5, 3e5, 10), []),
    "long ago": ("Container /app found to be unhealthy - Restarting", (960, 930, 900), []),
    "another container": ("Container /app-2 is unhealthy - Restarting", (130, 70, 10), []),
    "stops it": ("Stopping /app", (130, 70, 10), []),
}


@pytest.mark.parametrize(("text", "ago", "expected"), LOGS.values(), ids=LOGS)
def test_log(text: str, ago: Sequence[float], expected: list[tuple[str, str]]) -> None:
    orders = tuple(StopOrder(HEALER, NOW - seconds, text) for seconds in ago)
    clients = SocketClients((HEALER,), orders=orders)
    healed = healed_containers(of(APP, HEALER), Clock(NOW, booted=0.0), None, clients)
    found = judge("container.restarted-unhealthy", healed=healed)
    assert rows(found) == expected
    assert all("healer" in finding.summary for finding in found.findings)
