"""What was removed, by the engine's events and by the log of Watchtower."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from diagnose.evidence.containers.ends.removals import Removal, Removals, removals
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from tests.hosts import Made
from tests.inspected import container, of

NOW = 1_800_000_000.0
ID = "6b1d3b4b1c2f" + "0" * 52
LABELS = {
    "name": "shop-db-1",
    "image": "postgres:16",
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "db",
    "com.docker.compose.project.working_dir": "/srv/shop",
}


def event(at: float, action: str, **attributes: str) -> Event:
    return Event(at, "container", action, "", ID, LABELS | attributes)


PRUNE = Event(105.0, "container", "prune", detail="", id="", attributes={"reclaimed": "0"})
WEB = container("web")
UPDATER = container("watchtower", Config={"Image": "containrrr/watchtower:1.7.1"})


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z"


def removed(
    events: Sequence[Event],
    *members: Container,
    lines: Sequence[str] = (),
    days: float = 0.0,
    apart: float = 1.0,
) -> Removals:
    """days: so long ago the first line was written; apart: seconds between two lines."""
    first = NOW - days * 86400
    stamped = [f"{_stamp(first + number * apart)} {line}" for number, line in enumerate(lines)]
    host = Made({"api.logs": {"text": "\n".join(stamped)}})
    return removals(host, of(WEB, *members), Events(tuple(events)), Clock(NOW, 0.0))


BY_EVENTS: dict[str, tuple[list[Event], list[tuple[str, bool]]]] = {
    "by a user, with force": (
        [event(100.0, "kill", signal="9"), event(100.2, "die"), event(100.4, "destroy")],
        [("shop-db-1", False)],
    ),
    "by a prune, long after its end": (
        [event(40.0, "die", exitCode="1"), event(100.0, "destroy"), PRUNE],
        [("shop-db-1", True)],
    ),
    "by a prune that came long after": (
        [event(20.0, "kill"), event(20.1, "die"), event(80.0, "destroy"), PRUNE],
        [("shop-db-1", False)],
    ),
    "a job that goes at its own end": ([event(100.0, "die"), event(100.1, "destroy")], []),
    "it still ran when others were pruned": (
        [event(103.0, "kill"), event(103.1, "die"), event(103.2, "destroy"), PRUNE],
        [("shop-db-1", False)],
    ),
}


@pytest.mark.parametrize(("events", "expected"), BY_EVENTS.values(), ids=BY_EVENTS)
def test_removals_by_events(events: list[Event], expected: list[tuple[str, bool]]) -> None:
    found = removed(events)
    assert [(removal.name, removal.pruned) for removal in found] == expected


def test_a_removal_knows_how_it_was_called() -> None:
    (removal,) = removed(BY_EVENTS["by a user, with force"][0])
    names = ("shop-db-1", "db", ID[:12])
    assert all(removal.was_called(name, container("api")) for name in names)
    other = container("api", Config={"Labels": {"com.docker.compose.project": "blog"}})
    assert [removal.was_called(name, other) for name in names] == [True, False, True]
    assert (removal.compose_folder, removal.compose_service) == ("/srv/shop", "db")


@pytest.mark.parametrize(
    ("name", "labels"),
    [("shop-db-1", {}), ("shop-db-2", LABELS)],
    ids=["its name", "its place in the project"],
)
def test_a_container_that_was_replaced_is_not_gone(name: str, labels: dict[str, str]) -> None:
    successor = container(name, Config={"Labels": labels})
    assert not list(removed(BY_EVENTS["by a user, with force"][0], successor))


STOPPED = 'time="2026-11-28T13:15:54Z" level=info msg="Stopping /blog (6b1d3b4b1c2f) with SIGTERM"'
CREATED = 'time="2026-11-28T13:16:04Z" level=info msg="Creating /blog"'
REFUSED = (
    'time="2026-11-28T13:16:04Z" level=error msg="Error response from daemon: could not get'
    ' container for mariadb1: No such container: mariadb1"'
)
FORK = (
    'time="2026-11-28T13:16:04Z" level=error msg="Failed to create container" container=blog'
    ' error="Conflict"'
)
UNABLE = 'time="2026-11-28T13:15:50Z" level=error msg="Unable to update container"'
BY_LOG: dict[str, tuple[list[str], list[str]]] = {
    "the engine refused the new one": (
        [STOPPED, CREATED, REFUSED],
        ["Error response from daemon: could not get container for mariadb1: No such container: mariadb1"],
    ),
    "a fork names it in a field": ([FORK], ["Conflict"]),
    "all went well": ([STOPPED, CREATED], []),
    "the old one was not stopped": ([STOPPED, REFUSED], []),
    "an error about no container": ([UNABLE, STOPPED, CREATED], []),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "errors"), BY_LOG.values(), ids=BY_LOG)
def test_failed_updates(lines: list[str], errors: list[str]) -> None:
    found: list[Removal] = list(removed([], UPDATER, lines=lines))
    assert [removal.update.error for removal in found if removal.update is not None] == errors
    assert {removal.name for removal in found} <= {"blog"}


def test_an_update_that_somebody_has_mended() -> None:
    blog = container("blog")
    assert not list(removed([], UPDATER, blog, lines=[STOPPED, CREATED, REFUSED]))


@pytest.mark.parametrize(
    ("days", "apart"), [(8.0, 1.0), (1.0, 300.0)], ids=["long ago", "an error of another round"]
)
def test_an_error_that_is_not_of_this_update(days: float, apart: float) -> None:
    lines = [STOPPED, CREATED, REFUSED]
    assert not list(removed([], UPDATER, lines=lines, days=days, apart=apart))
