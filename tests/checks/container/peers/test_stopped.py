"""Containers that somebody stopped: who misses them, and what ended otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.socket_clients import SocketClients, socket_clients
from diagnose.evidence.machine.cron_calls import JobCall, JobCalls
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.phrases import rfc3339
from tests.checks.container.evidence import CLOCK, OPTIONS
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SOCKET = {"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock"}
LINE = "could not connect to cache:6379: Connection refused"
FOUND = [("critical", "shop-cache-1")]


def member(name: str, network: str = "back", **parts: Any) -> Container:
    """A container of compose project shop on a network of that name."""
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": name}
    networks = {network: {"Aliases": [name], "DNSNames": [name]}}
    config = {"Image": "shop:1.4", "Labels": labels}
    return container(
        f"shop-{name}-1", Config=config, NetworkSettings={"Networks": networks}, **parts
    )


def ended(code: int, policy: str = "unless-stopped", network: str = "back") -> Container:
    state = {
        "Status": "exited",
        "Pid": 0,
        "ExitCode": code,
        "StartedAt": rfc3339(CLOCK.wall - 900),
        "FinishedAt": rfc3339(CLOCK.wall - 30),
    }
    restart = {"RestartPolicy": {"Name": policy}}
    return member("cache", network, State=state, HostConfig=restart)


API = member("api")
CASES: dict[str, tuple[Container, bool, str, list[tuple[str, str]]]] = {
    "killed, and called": (ended(137), True, LINE, FOUND),
    "ended well, and called": (ended(0), False, LINE, FOUND),
    "ended by itself": (ended(137), False, LINE, []),
    "done, and nothing restarts it": (ended(0, "on-failure"), False, LINE, []),
    "stopped, and nobody calls it": (ended(137), True, "", [("advice", "shop-cache-1")]),
    "stopped, and not meant to run on": (ended(137, "no"), True, "", []),
    "stopped on the default network": (
        ended(137, network="bridge"),
        True,
        LINE,
        [("advice", "shop-cache-1")],
    ),
}


@pytest.mark.parametrize(("down", "asked", "line", "expected"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("by_tail", [True, False])
def test_stopped(
    down: Container, asked: bool, line: str, expected: list[tuple[str, str]], by_tail: bool
) -> None:
    caller = member("api", next(iter(down.endpoints)))
    failures = (
        LoggedFailure(
            caller, "refused", "cache", 6379, line, times=4, of=9, first=1.0, called=(down,)
        ),
    )
    tails = {caller.id: LogTail((line,))} if line and by_tail else {}
    result = judge(
        "container.stopped",
        containers=Containers((down, caller)),
        stops=Stops({down.id: asked}),
        log_tails=LogTails(tails, {}),
        logged_failures=LoggedFailures(failures if line and not by_tail else ()),
        clock=CLOCK,
        options=OPTIONS,
    )
    assert rows(result) == expected


def missed(down: Container, *others: Container) -> list[tuple[str, str]]:
    """What is found of a stopped container that the log of another one misses."""
    result = judge(
        "container.stopped",
        containers=Containers((down, API, *others)),
        stops=Stops({down.id: True}),
        log_tails=LogTails({API.id: LogTail((LINE,))}, {}),
        logged_failures=LoggedFailures(),
        clock=CLOCK,
        options=OPTIONS,
    )
    return rows(result)


def test_another_replica_is_called_in_its_place() -> None:
    down, names = ended(137, "no"), {"Aliases": ["cache"], "DNSNames": ["cache"]}
    replica = container("shop-cache-2", NetworkSettings={"Networks": {"back": names}})
    elsewhere = container("other-cache-1", NetworkSettings={"Networks": {"front": names}})
    assert missed(down, elsewhere) == FOUND
    assert missed(down, elsewhere, replica) == []


def test_a_task_that_the_swarm_has_replaced_is_not_started_by_hand() -> None:
    down = ended(137, "no")
    labels = {**down.labels, "com.docker.swarm.service.name": "cache"}
    task = replace(down, config=replace(down.config, labels=labels))
    assert missed(down) == FOUND
    assert missed(task) == []


BACKUP, SLEEP = "docker-volume-backup.stop-during-backup", "sablier.enable"
ADVICE = [("advice", "shop-cache-1")]
PLANNED: dict[str, tuple[str, bool, float, list[tuple[str, str]], list[tuple[str, str]]]] = {
    "a backup": (BACKUP, True, 30, ADVICE, ADVICE),
    "a backup that never started it again": (BACKUP, True, 7200, FOUND, ADVICE),
    "nobody who could": (BACKUP, False, 30, FOUND, ADVICE),
    "asleep": (SLEEP, True, 7200, ADVICE, []),
    "asleep, and nobody wakes it": (SLEEP, False, 7200, FOUND, ADVICE),
    "a label of an updater": ("com.centurylinklabs.watchtower.enable", True, 30, FOUND, ADVICE),
    "a label about a backup": ("backup.schedule", True, 30, FOUND, ADVICE),
}


@pytest.mark.parametrize(
    ("label", "held", "age", "called", "uncalled"), PLANNED.values(), ids=PLANNED
)
def test_a_program_that_stops_containers_and_starts_them_again(
    label: str,
    held: bool,
    age: float,
    called: list[tuple[str, str]],
    uncalled: list[tuple[str, str]],
) -> None:
    """It counts only where a running container holds the engine's socket."""
    down = ended(137)
    state = replace(down.state, finished_at=rfc3339(CLOCK.wall - age))
    config = replace(down.config, labels={**down.labels, label: "true"})
    down = replace(down, state=state, config=config)
    holders = (container("backup"),) if held else ()
    for line, expected in ((LINE, called), ("", uncalled)):
        result = judge(
            "container.stopped",
            containers=Containers((down, API)),
            stops=Stops({down.id: True}),
            log_tails=LogTails({API.id: LogTail((line,))} if line else {}, {}),
            logged_failures=LoggedFailures(),
            clock=CLOCK,
            options=OPTIONS,
            socket_clients=SocketClients(holders),
        )
        assert rows(result) == expected


ORDERS = {
    "Watchtower": (
        'time="x" level=info msg="Stopping /shop-cache-1 (0badcafe) with SIGTERM"',
        25,
        True,
    ),
    "by its id": ("Container {id} found to be unhealthy - Restarting container now", 35, True),
    "another container": ("Stopping /shop-queue-1 with SIGTERM", 25, False),
    "an hour ago": ("Stopping /shop-cache-1 with SIGTERM", 3600, False),
    "it only looks": ("Found new image for /shop-cache-1", 25, False),
}


@pytest.mark.parametrize(("line", "age", "is_named"), ORDERS.values(), ids=ORDERS)
def test_who_says_that_it_has_ended_another(line: str, age: float, is_named: bool) -> None:
    down, keeper = ended(137), container("watchtower", Mounts=[SOCKET])
    at = rfc3339(CLOCK.wall - age)
    host = Made({"api.logs": {"text": f"{at} {line.format(id=down.id[:12])}"}})
    clients = socket_clients(host, of(down, keeper, API))
    (finding,) = judge(
        "container.stopped",
        containers=Containers((down, API)),
        stops=Stops({down.id: True}),
        log_tails=LogTails({API.id: LogTail((LINE,))}, {}),
        clock=CLOCK,
        options=OPTIONS,
        socket_clients=clients,
    ).findings
    assert (
        'container "watchtower" says that it stopped the container' in finding.summary
    ) == is_named
    assert (keeper.subject in finding.touches) == is_named


def server(name: str = "forum", image: str = "forum:3", **parts: Any) -> Container:
    """A container of no project that publishes a port."""
    host = {
        "RestartPolicy": {"Name": "unless-stopped"},
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
    }
    return container(
        name, Config={"Image": image}, HostConfig={**host, **parts.pop("host", {})}, **parts
    )


STATE = {
    "Status": "exited",
    "Pid": 0,
    "ExitCode": 0,
    "StartedAt": rfc3339(CLOCK.wall - 900),
    "FinishedAt": rfc3339(CLOCK.wall - 30),
}
ALONE: dict[str, tuple[Container, tuple[Container, ...], list[tuple[str, str]]]] = {
    "a server": (server(State=STATE), (), [("advice", "forum")]),
    "another one at its port": (server(State=STATE), (server("new", "forum-next:1"),), []),
    "a newer version": (
        server(State=STATE),
        (server("forum-green", "forum:4", host={"PortBindings": {}}),),
        [],
    ),
    "no port": (server(State=STATE, host={"PortBindings": {}}), (), []),
    "not meant to run on": (server(State=STATE, host={"RestartPolicy": {"Name": "no"}}), (), []),
}


@pytest.mark.parametrize(("down", "others", "expected"), ALONE.values(), ids=ALONE)
def test_a_server_of_no_project(
    down: Container, others: tuple[Container, ...], expected: list[tuple[str, str]]
) -> None:
    jobs = JobCalls((JobCall("/etc/crontab", 9, "stop", "forum"),))
    result = judge(
        "container.stopped",
        containers=Containers((down, *others)),
        stops=Stops({down.id: True}),
        clock=CLOCK,
        options=OPTIONS,
        job_calls=jobs,
    )
    assert rows(result) == expected
    assert all("line 9 of /etc/crontab" in finding.summary for finding in result.findings)


@pytest.mark.parametrize(("source", "expected"), [("api", ["advice"]), ("disk", [])])
def test_nobody_stopped_what_went_down_with_the_engine(source: str, expected: list[str]) -> None:
    """An engine that is down restarts nothing, whatever the policy."""
    result = judge(
        "container.stopped",
        containers=Containers((server(State=STATE),), source=source),
        stops=Stops({}),
        clock=CLOCK,
        options=OPTIONS,
        job_calls=JobCalls(()),
    )
    assert [severity for severity, _ in rows(result)] == expected
