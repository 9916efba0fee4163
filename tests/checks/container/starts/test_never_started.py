"""Containers that compose created and did not start."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.machine.clock import Clock
from diagnose.questions.compose import WrittenService
from tests.checks.container.written import project
from tests.inspected import container, of
from tests.judging import judge, rows

AT = 1_800_000_000.0
CLOCK = Clock(AT, 0.0)
MADE, SOON, LATER = "2027-01-15T07:00:00Z", "2027-01-15T07:00:02Z", "2027-01-15T07:40:00Z"
NOW = "2027-01-15T07:59:50Z"
CREATED = {"Status": "created", "Pid": 0, "StartedAt": "0001-01-01T00:00:00Z"}
HEALTHY = {"Health": {"Status": "healthy"}, "StartedAt": SOON}
DONE = {"Status": "exited", "Pid": 0, "ExitCode": 0, "StartedAt": SOON, "FinishedAt": LATER}


def member(service: str, state: dict[str, Any], waits: str = "", **labels: str) -> Container:
    """A container of the project shop."""
    given = {"project": "shop", "service": service, "depends_on": waits, "oneoff": "False"}
    marks = {f"com.docker.compose.{name}": value for name, value in (given | labels).items()}
    return container(f"shop-{service}-1", State=state, Created=MADE, Config={"Labels": marks})


APP = member("app", CREATED, "db:service_healthy:false")
JOB = member("app", CREATED, "init:service_completed_successfully:false,db:service_started:true")
FOUND = [("critical", "shop-app-1")]
ADVICE = [("advice", "shop-app-1")]
LONG_AGO = "2026-12-20T07:00:00Z"

RECOVERED = {
    "Status": "healthy",
    "Log": [{"Start": SOON, "ExitCode": 1}, {"Start": LATER, "ExitCode": 0}],
}


def old(state: dict[str, Any]) -> Container:
    """A database of the project that was created weeks ago."""
    return msgspec.structs.replace(member("db", state), created=LONG_AGO)


ROWS = {
    "healthy by now": ([APP, member("db", HEALTHY)], FOUND),
    "the job is done": ([JOB, member("init", DONE), member("db", HEALTHY)], FOUND),
    "not ready yet": ([APP, member("db", {**HEALTHY, "Health": {"Status": "starting"}})], []),
    "unhealthy": ([APP, member("db", {**HEALTHY, "Health": {"Status": "unhealthy"}})], []),
    "the job failed": ([JOB, member("init", {**DONE, "ExitCode": 1}), member("db", HEALTHY)], []),
    "one of two is missing": ([JOB, member("init", DONE), member("db", DONE)], []),
    "ready a moment ago": ([APP, member("db", {**HEALTHY, "StartedAt": NOW})], []),
    "started by hand later": ([APP, member("db", {**HEALTHY, "StartedAt": LATER})], []),
    "started again since": (
        [APP, member("db", {**HEALTHY, "StartedAt": LATER, "FinishedAt": SOON})],
        FOUND,
    ),
    "created beside one that has run for weeks": (
        [APP, old(HEALTHY | {"StartedAt": LONG_AGO})],
        ADVICE,
    ),
    "created beside one that was started again since": (
        [APP, old(HEALTHY | {"StartedAt": LATER, "FinishedAt": LATER})],
        ADVICE,
    ),
    "created while the other one was unhealthy": (
        [APP, old(HEALTHY | {"StartedAt": LONG_AGO, "Health": RECOVERED})],
        FOUND,
    ),
    "order without a condition": (
        [member("app", CREATED, "db:service_started:false"), member("db", HEALTHY)],
        [],
    ),
    "one of a run of one command, left behind": (
        [member("app", CREATED, oneoff="True"), member("db", HEALTHY)],
        [],
    ),
    "left behind by a run that started another one": (
        [member("app", CREATED), member("db", HEALTHY)],
        [("warning", "shop-app-1")],
    ),
    "the other one was started later": (
        [member("app", CREATED), member("db", HEALTHY | {"StartedAt": LATER})],
        [],
    ),
    "the other one is older": (
        [member("app", CREATED), old(HEALTHY | {"StartedAt": LONG_AGO})],
        [],
    ),
    "nothing was started": ([member("app", CREATED), member("db", CREATED)], []),
    "of another project": ([APP, member("db", HEALTHY, project="blog")], []),
    "a command of one run": (
        [member("app", CREATED, "db:service_healthy:false", oneoff="True"), member("db", HEALTHY)],
        [],
    ),
    "refused": (
        [
            member("app", {**CREATED, "ExitCode": 128, "Error": "no"}, "db:service_healthy:false"),
            member("db", HEALTHY),
        ],
        [],
    ),
}


@pytest.mark.parametrize(("members", "expected"), ROWS.values(), ids=ROWS)
def test_never_started(members: list[Container], expected: list[tuple[str, str]]) -> None:
    found = judge("container.never-started", containers=of(*members), clock=CLOCK)
    assert rows(found) == expected


def test_a_probe_that_has_just_succeeded_counts_from_then():
    """The last probes of a database that was healthy for ten seconds."""
    log = [{"Start": SOON, "ExitCode": 1}, {"Start": NOW, "ExitCode": 0}]
    db = member("db", {"StartedAt": SOON, "Health": {"Status": "healthy", "Log": log}})
    assert not rows(judge("container.never-started", containers=of(APP, db), clock=CLOCK))


def test_probes_tell_of_more_than_the_last_one():
    """One each fifteen seconds, the last of which has just ended; the events begin after it."""
    starts = [f"2027-01-15T07:{place}Z" for place in ("58:50", "59:05", "59:20", "59:35", "59:50")]
    log = [{"Start": start, "ExitCode": 0} for start in starts]
    db = member("db", {"StartedAt": SOON, "Health": {"Status": "healthy", "Log": log}})
    for events in (None, Events((), complete_since=AT - 2.0)):
        found = judge("container.never-started", containers=of(APP, db), clock=CLOCK, events=events)
        assert rows(found) == FOUND


_SINCE = {
    "healthy for a minute": (
        Event(AT - 60.0, "container", "health_status", "healthy", id="", attributes={}),
        True,
    ),
    "healthy for ten seconds": (
        Event(AT - 10.0, "container", "health_status", "healthy", id="", attributes={}),
        False,
    ),
    "unhealthy until now": (
        Event(AT - 60.0, "container", "health_status", "unhealthy", id="", attributes={}),
        True,
    ),
}


@pytest.mark.parametrize(("event", "is_found"), _SINCE.values(), ids=_SINCE)
def test_probes_that_come_often_reach_less_far_back_than_events(
    event: Event, is_found: bool
) -> None:
    """The last five probes of one each second cover five seconds."""
    log = [{"Start": NOW, "ExitCode": 0}] * 5
    db = member("db", {"StartedAt": SOON, "Health": {"Status": "healthy", "Log": log}})
    events = Events((msgspec.structs.replace(event, id=db.id),))
    found = judge("container.never-started", containers=of(APP, db), clock=CLOCK, events=events)
    assert bool(rows(found)) is is_found


@pytest.mark.parametrize(("ago", "is_found"), [(60.0, True), (10.0, False)])
def test_a_change_that_the_engine_has_forgotten_lies_before_all_that_it_remembers(
    ago: float, is_found: bool
) -> None:
    log = [{"Start": NOW, "ExitCode": 0}] * 5
    db = member("db", {"StartedAt": SOON, "Health": {"Status": "healthy", "Log": log}})
    events = Events((), complete_since=AT - ago)
    found = judge("container.never-started", containers=of(APP, db), clock=CLOCK, events=events)
    assert bool(rows(found)) is is_found


def test_compose_gives_up_at_the_first_unhealthy() -> None:
    """A database that recovers a moment ago is no longer waited for."""
    log = [{"Start": NOW, "ExitCode": 0}]
    db = member("db", {**HEALTHY, "Health": {"Status": "healthy", "Log": log}})
    at = APP.created_at or 0.0
    for moment, expected in ((at + 5.0, FOUND), (at - 60.0, [])):
        event = Event(moment, "container", "health_status", "unhealthy", id=db.id, attributes={})
        events = Events((event,))
        found = judge("container.never-started", containers=of(APP, db), clock=CLOCK, events=events)
        assert rows(found) == expected


COPIED = {
    "a config of a read-only service": (True, ["caddyfile"], FOUND),
    "a config of another service": (False, ["caddyfile"], []),
    "no config": (True, [], []),
}


@pytest.mark.parametrize(("is_read_only", "contents", "expected"), COPIED.values(), ids=COPIED)
def test_configs_that_cannot_be_copied(
    is_read_only: bool, contents: list[str], expected: list[tuple[str, str]]
) -> None:
    app = member("app", CREATED)
    service = WrittenService("app", contents=contents, is_read_only=is_read_only)
    files = project(app, services=[service])
    result = judge(
        "container.never-started", containers=of(app), clock=CLOCK, written_projects=files
    )
    assert rows(result) == expected


DATABASE = member("db", HEALTHY)
BEGAN = 1_799_996_402.0
"""Unix time of SOON, when the database was started."""


def health_events(*changes: tuple[float, str]) -> Events:
    """So many seconds after the database was started it was called so."""
    return Events(
        tuple(
            Event(BEGAN + after, "container", "health_status", detail, DATABASE.id, {})
            for after, detail in changes
        )
    )


@pytest.mark.parametrize(
    ("changes", "evidence", "needs"),
    [
        (
            [(3, "unhealthy"), (14.2, "healthy")],
            "called unhealthy 3 s after its start, healthy 14 s after its start",
            "29s",
        ),
        ([(14, "healthy")], None, None),
        ([(3, "unhealthy"), (5, "healthy"), (9, "unhealthy"), (14, "healthy")], None, None),
    ],
    ids=["too early", "in time", "to and fro"],
)
def test_a_health_check_that_allows_too_little_time(
    changes: list[tuple[float, str]], evidence: str | None, needs: str | None
) -> None:
    (finding,) = judge(
        "container.never-started",
        containers=of(APP, DATABASE),
        clock=CLOCK,
        events=health_events(*changes),
    ).findings
    assert finding.evidence.get('health check of "shop-db-1"') == evidence
    assert finding.variables.get("needs") == needs


def test_only_what_holds_it_back_is_named() -> None:
    app = member("app", CREATED, "db:service_healthy:false,cache:service_started:false")
    found = judge(
        "container.never-started",
        containers=of(app, DATABASE, member("cache", HEALTHY)),
        clock=CLOCK,
    )
    (finding,) = found.findings
    assert 'gave up waiting for container "shop-db-1", which is ready now' in finding.summary
