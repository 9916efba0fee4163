"""The checks in checks/container/ends/crashed.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from checks.container.ends.fallen_projects import by_project
from diagnose.evidence.containers.ends.stops import Stops, stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.installed.engine_upgrades import engine_upgrades
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.checks.container.evidence import (
    CLOCK,
    COMPOSE,
    NOW,
    OPTIONS,
    QUIET,
    container_in,
    events_of,
    exit_event,
    moment,
    restart_policy,
    summaries,
)
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

DATA = DataRoot("/var/lib/docker", "default")
PORT = {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}


SEEN: dict[str, Any] = {"Config": {"AttachStdout": True}}


TERMINAL: dict[str, Any] = {"Config": {"Tty": True}}


INTERACTIVE: dict[str, Any] = {"Config": {"Tty": True, "AttachStdout": True}}


def _crashes(containers: Containers, known: Stops) -> list[tuple[str, str]]:
    """Severity and summary of what is found where nothing was logged."""
    result = judge(
        "container.crashed",
        containers=containers,
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        stops=known,
    )
    return summaries(result)


@pytest.mark.parametrize(
    ("name", "container", "asked", "expected"),
    [
        (
            "a service",
            container_in("exited", code=1, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "a service of compose",
            container_in("exited", code=1, ran=60, Config={"Labels": COMPOSE}),
            False,
            ["warning"],
        ),
        (
            "killed from outside",
            container_in("exited", code=137, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "the host went down",
            container_in("exited", code=255, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "a service with a code of its own",
            container_in("exited", code=232, ran=3600, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "a job with a segmentation fault",
            container_in("exited", code=139, ran=3600),
            False,
            ["warning"],
        ),
        (
            "nobody remembers",
            container_in("exited", code=1, ran=3600, HostConfig=PORT),
            None,
            ["advice"],
        ),
        (
            "nobody remembers who killed it",
            container_in("exited", code=137, ran=3600, HostConfig=PORT),
            None,
            [],
        ),
        ("stopped", container_in("exited", code=1, ran=3600, HostConfig=PORT), True, []),
        (
            "a job that failed where nobody saw it",
            container_in("exited", code=1, ran=3600),
            False,
            ["warning"],
        ),
        (
            "a job that failed before somebody's eyes",
            container_in("exited", code=1, ran=3600, **SEEN),
            False,
            [],
        ),
        (
            "a service with a terminal",
            container_in("exited", code=1, ran=60, **TERMINAL, HostConfig=PORT),
            False,
            ["critical"],
        ),
        (
            "an interactive shell",
            container_in("exited", code=1, ran=60, **INTERACTIVE, HostConfig=PORT),
            False,
            [],
        ),
        ("done", container_in("exited", code=0, ran=3600, HostConfig=PORT), False, []),
        ("failed at its start", container_in("exited", code=1, ran=3, HostConfig=PORT), False, []),
        (
            "last week",
            container_in("exited", code=1, ran=3600, age=7 * 86400, HostConfig=PORT),
            False,
            [],
        ),
        (
            "held by hand in its loop",
            container_in("exited", code=1, ran=3600, **restart_policy("always")),
            False,
            [],
        ),
        ("runs", container_in("running", HostConfig=PORT), None, []),
    ],
)
def test_crashed(name: str, container: Container, asked: bool | None, expected: list[str]):
    known = Stops({} if asked is None else {container.id: asked})
    assert [found for found, _ in _crashes(of(container), known)] == expected


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        ("ended well", container_in("exited", ran=3600, HostConfig=PORT), ["critical"]),
        (
            "ended by the signal",
            container_in("exited", code=143, ran=3, HostConfig=PORT),
            ["critical"],
        ),
        (
            "on-failure",
            container_in(
                "exited", HostConfig={**PORT, **restart_policy("on-failure")["HostConfig"]}
            ),
            ["critical"],
        ),
        (
            "on-failure, and it failed",
            container_in("exited", code=1, **restart_policy("on-failure")),
            [],
        ),
        (
            "will be started",
            container_in("exited", HostConfig={**PORT, **restart_policy("always")["HostConfig"]}),
            [],
        ),
        ("a job", container_in("exited", ran=3600), []),
    ],
)
def test_what_fell_with_the_engine_and_did_not_come_back(
    name: str, container: Container, expected: list[str]
):
    known = Stops({container.id: False}, frozenset({container.id}))
    assert [found for found, _ in _crashes(of(container), known)] == expected
    assert not _crashes(Containers((container,), source="disk"), known)


@pytest.mark.parametrize(
    ("by_hand", "age", "expected"), [(False, 60, True), (True, 60, False), (False, 600, False)]
)
def test_who_fell_with_the_engine(by_hand: bool, age: float, expected: bool):
    container = container_in("exited", age=age, ran=3600)
    note = json.dumps({"HasBeenManuallyStopped": by_hand})
    log = DaemonLog((LogLine(NOW - 62, "info", "Processing signal 'terminated'"),), "docker.log")
    host = Made({"file.read": {"text": note}})
    known = stops(host, of(container), CLOCK, OPTIONS, Events(()), DATA, log, Processes(()))
    assert (container.id in known.stopped_with_daemon) == expected


@pytest.mark.parametrize(("ended", "expected"), [(302, True), (295, True), (900, False)])
def test_the_containers_that_came_back_tell_of_a_shutdown(ended: float, expected: bool):
    """The journal of the time before the reboot is gone."""
    worker = container_in("exited", name="worker", age=ended, ran=9000)
    back = {"StartedAt": moment(199), "FinishedAt": moment(300)}
    web = container_in("running", name="web", State=back)
    engine = Process(pid=50, comm="dockerd", start=NOW - 200 - CLOCK.booted)
    host = Made({"file.read": {"text": json.dumps({"HasBeenManuallyStopped": False})}})
    known = stops(
        host,
        of(worker, web),
        CLOCK,
        OPTIONS,
        Events(()),
        DATA,
        DaemonLog((), ""),
        Processes((engine,)),
    )
    assert (worker.id in known.stopped_with_daemon) == expected


@pytest.mark.parametrize(("ran", "expected"), [(30000, [("warning", "worker")]), (3600, [])])
def test_a_program_that_had_run_long_counts_where_it_fell_with_the_engine(
    ran: float, expected: list[tuple[str, str]]
):
    worker = container_in("exited", name="worker", age=60, ran=ran)
    result = judge(
        "container.crashed",
        containers=of(worker),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        stops=Stops({worker.id: False}, frozenset({worker.id})),
    )
    assert rows(result) == expected


def test_a_job_that_began_after_the_engines_restart_did_not_stop_with_it():
    job = container_in("exited", age=30, ran=2)
    log = DaemonLog((LogLine(NOW - 62, "info", "Processing signal 'terminated'"),), "docker.log")
    host = Made({"file.read": {"text": json.dumps({"HasBeenManuallyStopped": False})}})
    known = stops(host, of(job), CLOCK, OPTIONS, Events(()), DATA, log, Processes(()))
    assert job.id not in known.stopped_with_daemon


def test_a_word_to_read_the_log_file_anew_is_no_stop():
    container = container_in("exited", code=1, ran=3600)
    assert not events_of(
        container, (3000, "kill", {"signal": "10"}), exit_event(60, 1)
    ).was_stopped(container.id)
    assert events_of(container, (61, "kill", {"signal": "10"}), exit_event(60, 138)).was_stopped(
        container.id
    )


def _dpkg(name: str, at: float) -> dict[str, Any]:
    written = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {"text": f"{written} upgrade {name}:amd64 28.5.1 28.5.2\n", "mtime": at}


UPGRADES = {
    "at that moment": (
        "docker.io",
        70,
        "when an upgrade (docker.io 28.5.1 to 28.5.2) restarted the engine",
    ),
    "an hour before": ("docker.io", 3600, ""),
    "of another program": ("curl", 70, ""),
}


@pytest.mark.parametrize(("name", "age", "said"), UPGRADES.values(), ids=UPGRADES)
def test_an_upgrade_that_restarted_the_engine(name: str, age: float, said: str) -> None:
    container = container_in("exited", age=60, ran=3600, HostConfig=PORT)
    known = Stops({container.id: False}, frozenset({container.id}))

    def read(question: Question[Any]) -> Json | Failed:
        path = question.args["path"]
        return _dpkg(name, NOW - age) if "dpkg" in path else Failed("missing", path)

    (finding,) = judge(
        "container.crashed",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        stops=known,
        upgrades=engine_upgrades(Made({"file.read": read}), known),
    ).findings
    assert said in finding.summary
    assert ("upgrade" in finding.summary) == bool(said)


@pytest.mark.parametrize(
    ("options", "means"), [(None, True), (["seccomp=unconfined"], False)], ids=["on", "off"]
)
def test_a_filter_that_is_off_is_not_blamed(options: list[str] | None, *, means: bool) -> None:
    line = "runtime/cgo: pthread_create failed: Operation not permitted"
    host_config = {**PORT, "SecurityOpt": options}
    crashed = container_in("exited", code=2, ran=3600, HostConfig=host_config)
    (finding,) = judge(
        "container.crashed",
        containers=of(crashed),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=LogTails({crashed.id: LogTail((line,))}, {}),
        stops=Stops(by_id={crashed.id: False}),
    ).findings
    assert ("this means" in finding.evidence) == means
    assert ("seccomp" in finding.evidence) != means


def _member(service: str, **more: Any) -> Container:
    """A container of project shop that ended 60 s ago."""
    labels = {**COMPOSE, "com.docker.compose.service": service, **more.pop("labels", {})}
    return container_in(
        "exited", age=60, ran=3600, name=f"shop-{service}-1", id=service, Config={"Labels": labels},
        **more,
    )  # fmt: skip


def test_a_project_that_fell_with_the_engine_is_one_finding() -> None:
    """What others need is started first; a stranger has a finding of its own."""
    waits = {"com.docker.compose.depends_on": "redis:service_started:false"}
    web = _member("web", labels=waits, HostConfig=PORT)
    redis = _member("redis")
    other = container_in("exited", age=60, ran=3600, name="other", id="other", HostConfig=PORT)
    ids = [web.id, redis.id, other.id]
    project, alone = judge(
        "container.crashed",
        containers=of(web, redis, other),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        stops=Stops(dict.fromkeys(ids, False), frozenset(ids)),
    ).findings
    assert (project.subject.name, project.variables["fallen"]) == (
        "shop-web-1",
        "shop-redis-1 shop-web-1",
    )
    assert 'containers "shop-redis-1" and "shop-web-1" of compose project "shop"' in project.summary
    assert (alone.subject.name, alone.variables["alone"]) == ("other", "other")


def test_services_that_wait_for_each_other_are_started_by_name() -> None:
    of_each = {"a": "b:service_started:false", "b": "a:service_started:false"}
    circle = [
        _member(name, labels={"com.docker.compose.depends_on": waits})
        for name, waits in of_each.items()
    ]
    (group,) = by_project(reversed(circle))
    assert [own.name for own in group] == ["shop-a-1", "shop-b-1"]
