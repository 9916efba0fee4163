"""The checks in checks/container/ends/exits_at_start.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_context import RunContext
from tests.checks.container.evidence import (
    CLOCK,
    COMPOSE,
    EARLY,
    OPTIONS,
    QUIET,
    UNKNOWN,
    container_in,
    events_of,
    exit_event,
    items,
    log_of,
    restart_policy,
    summaries,
    swarm_task,
)
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "publishes a port",
            container_in(
                "exited", code=1, HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}
            ),
            ["critical"],
        ),
        (
            "has a health check",
            container_in("exited", code=1, Config={"Healthcheck": {"Test": ["CMD", "x"]}}),
            ["critical"],
        ),
        (
            "a service of compose",
            container_in("exited", code=1, Config={"Labels": COMPOSE, "AttachStdout": True}),
            ["warning"],
        ),
        ("detached", EARLY, ["warning"]),
        ("crashed with a segmentation fault", container_in("exited", code=139), ["warning"]),
        ("git cannot clone", container_in("exited", code=128), ["warning"]),
        ("the code of .NET without its version", container_in("exited", code=150), ["warning"]),
        ("a broken pipe", container_in("exited", code=141), ["warning"]),
        ("a signal that users send", container_in("exited", code=130), []),
        ("a code of its own above the signals", container_in("exited", code=232), ["warning"]),
        (
            "in the foreground",
            container_in("exited", code=1, Config={"AttachStdout": True}),
            ["advice"],
        ),
        ("done", container_in("exited"), []),
        ("ended by SIGTERM", container_in("exited", code=143), []),
        ("killed", container_in("exited", code=137), []),
        ("worked for an hour first", container_in("exited", code=1, ran=3600), []),
        ("last week", container_in("exited", code=1, age=7 * 86400), []),
        (
            "a terminal",
            container_in("exited", code=1, Config={"Tty": True, "AttachStdout": True}),
            [],
        ),
        (
            "a one-off of compose",
            container_in(
                "exited",
                code=1,
                Config={"Labels": {**COMPOSE, "com.docker.compose.oneoff": "True"}},
            ),
            [],
        ),
        (
            "held by hand in its loop",
            container_in("exited", code=1, **restart_policy("always")),
            [],
        ),
        ("a task of swarm", swarm_task("shop_web.1", 1), []),
        (
            "the engine refused it",
            container_in("exited", code=128, State={"Error": "network x not found"}),
            [],
        ),
    ],
)
def test_exits_at_start(name: str, container: Container, expected: list[str]):
    result = judge(
        "container.exits-at-start",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        events=Events(()),
    )
    assert [found for found, _ in summaries(result)] == expected


def test_a_stop_that_is_remembered_is_no_failure():
    stopped = events_of(EARLY, (61, "kill", {"signal": "15"}), exit_event(60, 1))
    result = judge(
        "container.exits-at-start",
        containers=of(EARLY),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        events=stopped,
    )
    assert summaries(result) == []


KILLS = {
    "nobody asked for": ((exit_event(60, 137),), {}, ["warning"]),
    "a user asked for": (((61, "kill", {"signal": "9"}), exit_event(60, 137)), {}, []),
    "for want of memory": ((exit_event(60, 137),), {"OOMKilled": True}, []),
    "for want of memory, by the event alone": (((59, "oom", {}), exit_event(60, 137)), {}, []),
}


@pytest.mark.parametrize("name", KILLS)
def test_a_kill_that_nobody_asked_for_is_a_failure(name: str):
    rows, state, expected = KILLS[name]
    container = container_in("exited", code=137, State=state)
    found = judge(
        "container.exits-at-start",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        events=events_of(container, *rows),
    )
    assert [severity for severity, _ in summaries(found)] == expected


def test_the_services_that_wait_for_one_are_told():
    project = {"com.docker.compose.project": "shop"}
    depends = {
        "com.docker.compose.depends_on": "db:service_healthy:false,init:service_completed_successfully:false"
    }
    init = container_in(
        "exited",
        code=1,
        name="init",
        Config={"Labels": {**project, "com.docker.compose.service": "init"}},
    )
    app = container_in("created", name="app", Config={"Labels": {**project, **depends}})
    other = container_in("created", name="other", Config={"Labels": depends})
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


HEAP = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"


UNNAMED = 'no container on this host has the name "mysqldb", which it calls'
UNKNOWN_HOST = "Caused by: java.net.UnknownHostException: mysqldb"
MEANINGS = {
    "a known failure": ((HEAP,), "app", "Node.js has used up its heap"),
    "a name that nobody has": ((UNKNOWN_HOST,), "app", UNNAMED),
    "a name that a neighbour has": ((UNKNOWN_HOST,), "mysqldb", "after its start"),
}


@pytest.mark.parametrize(("lines", "neighbour", "expected"), MEANINGS.values(), ids=MEANINGS)
def test_the_sentence_says_what_the_log_means(
    lines: tuple[str, ...], neighbour: str, expected: str
) -> None:
    """The exit code says no more than that it failed, and it stands first on the screen."""
    program = container_in("exited", code=139)
    tails = LogTails({program.id: LogTail(lines)}, {})
    judged = judge(
        "container.exits-at-start",
        containers=of(program, container_in("running", name=neighbour)),
        clock=CLOCK,
        options=OPTIONS,
        context=RunContext(log_tails=tails),
        events=Events(()),
    )
    ((_, said),) = summaries(judged)
    assert said.endswith(expected)


@pytest.mark.parametrize(
    ("later", "pod", "expected"),
    [
        ("running", "web-7d9", []),
        ("exited", "web-7d9", ["warning", "warning"]),
        ("running", "web-8e0", ["warning"]),
    ],
    ids=["runs again", "failed again", "another pod"],
)
def test_kubelet_starts_a_container_of_a_pod_again_as_another(
    later: str, pod: str, expected: list[str]
) -> None:
    def attempt(number: int, status: str, pod: str) -> Container:
        labels = {
            "io.kubernetes.pod.namespace": "prod",
            "io.kubernetes.pod.name": pod,
            "io.kubernetes.container.name": "web",
        }
        made = f"2026-01-02T03:0{number}:05Z"
        name = f"k8s_web_{pod}_{number}"
        return container_in(status, code=1, name=name, Created=made, Config={"Labels": labels})

    first, second = attempt(0, "exited", "web-7d9"), attempt(1, later, pod)
    found = judge(
        "container.exits-at-start",
        containers=of(first, second),
        clock=CLOCK,
        options=OPTIONS,
        events=UNKNOWN,
    )
    assert [finding.severity.name for finding in found.findings] == expected


NOMAD = "com.hashicorp.nomad.alloc_id"
ECS = ("com.amazonaws.ecs.container-name", "com.amazonaws.ecs.task-definition-family")


@pytest.mark.parametrize(
    ("former", "later", "expected"),
    [
        (("api-11aa", {NOMAD: "11aa"}), ("api-22bb", {NOMAD: "22bb"}), []),
        (("api-11aa", {NOMAD: "11aa"}), ("mail-22bb", {NOMAD: "22bb"}), ["warning"]),
        (("ecs-1", dict.fromkeys(ECS, "web")), ("ecs-2", dict.fromkeys(ECS, "web")), []),
        (("api-1", {}), ("api-2", {}), ["warning"]),
    ],
    ids=["Nomad", "another job of Nomad", "ECS", "no orchestrator"],
)
def test_orchestrators_keep_a_former_attempt(
    former: tuple[str, dict[str, str]], later: tuple[str, dict[str, str]], expected: list[str]
) -> None:
    def made(attempt: tuple[str, dict[str, str]], status: str, created: str) -> Container:
        name, labels = attempt
        config = {"Labels": labels}
        return container_in(status, code=1, name=name, Created=created, Config=config)

    containers = (
        made(former, "exited", "2026-01-02T03:04:05Z"),
        made(later, "running", "2026-01-02T03:05:05Z"),
    )
    found = judge(
        "container.exits-at-start",
        containers=of(*containers),
        clock=CLOCK,
        options=OPTIONS,
        events=UNKNOWN,
    )
    assert [finding.severity.name for finding in found.findings] == expected


PORTS: dict[str, Any] = {"PortBindings": {"5000/tcp": [{"HostPort": "5000"}]}}
INVALID = (
    "INFO frigate.app: Starting Frigate (0.11.1)",
    "***    Your config file is not valid!                     ***",
    "***    Config Validation Errors                           ***",
    "1 validation error for FrigateConfig",
    "cameras",
    "  field required (type=value_error.missing)",
)
QUIET_ENDS: dict[str, tuple[dict[str, Any], tuple[str, ...], bool | None, list[str]]] = {
    "a server whose settings are invalid": (PORTS, INVALID, False, ["critical"]),
    "one that a user stopped": (PORTS, INVALID, True, []),
    "one of which no source remembers the end": (PORTS, INVALID, None, []),
    "a job": ({}, INVALID, False, []),
    "a server that says nothing": (PORTS, ("starting", "listening on :5000"), False, []),
}


@pytest.mark.parametrize("name", QUIET_ENDS)
def test_a_server_that_ends_with_0_and_says_what_is_wrong(name: str):
    host_config, lines, was_asked, expected = QUIET_ENDS[name]
    container = container_in("exited", HostConfig=host_config)
    tails = log_of(container, *lines)
    known: dict[str, Any] = {
        "containers": of(container),
        "clock": CLOCK,
        "options": OPTIONS,
        "stops": Stops({} if was_asked is None else {container.id: was_asked}),
        "log_tails": tails,
    }
    result = judge("container.exits-at-start", context=RunContext(log_tails=tails), **known)
    assert [severity for severity, _ in rows(result)] == expected
    if expected:
        assert rows(judge("container.daemonized", **known)) == []
