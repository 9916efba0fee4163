"""The check in checks/dns/names/name_shared_by_projects.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import (
    ContainerConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.networks import Network, Networks
from tests.judging import judge, rows

PROXY = Networks((Network("a" * 64, "proxy", "bridge"), Network("b" * 64, "own", "bridge")))


def member(name: str, project: str, service: str, *networks: str, env: str = "") -> Container:
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
    address = f"10.1.0.{len(project) + len(service)}"
    place = NetworkEndpoint(ip_address=address, aliases=[name, service])
    return Container(
        f"{project}-{service}".ljust(64, "0"),
        f"/{name}",
        state=State(status="running", pid=7),
        config=ContainerConfig(labels=labels, env=[env] if env else None),
        network_settings=NetworkSettings(dict.fromkeys(networks, place)),
    )


CALLS = "DATABASE_URL=postgres://db:5432/shop"
GREEN = member("green-db-1", "green", "db", "proxy")

PROJECTS: dict[str, tuple[list[Container], list[tuple[str, str]]]] = {
    "called": (
        [
            member("blue-db-1", "blue", "db", "proxy"),
            member("blue-api-1", "blue", "api", "proxy", env=CALLS),
            GREEN,
        ],
        [("warning", "proxy")],
    ),
    "reached by a network of its own too": (
        [
            member("blue-db-1", "blue", "db", "proxy", "own"),
            member("blue-api-1", "blue", "api", "proxy", "own", env=CALLS),
            GREEN,
        ],
        [("advice", "proxy")],
    ),
    "called by nobody": (
        [
            member("blue-db-1", "blue", "db", "proxy"),
            member("blue-api-1", "blue", "api", "proxy"),
            GREEN,
        ],
        [],
    ),
    "replicas of one service": (
        [
            member("blue-db-1", "blue", "db", "proxy"),
            member("blue-db-2", "blue", "db", "proxy"),
            member("blue-api-1", "blue", "api", "proxy", env=CALLS),
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_one_name_in_two_projects(name: str) -> None:
    members, wanted = PROJECTS[name]
    result = judge(
        "dns.name-shared-by-projects", containers=Containers(tuple(members)), networks=PROXY
    )
    assert rows(result) == wanted


BLUE = [
    member("blue-db-1", "blue", "db", "proxy", "own"),
    member("blue-api-1", "blue", "api", "proxy", "own"),
]
LINE = 'connection to server at "{}" ({}), port 5432 failed: FATAL: no role "blue"'
LINES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "the other project's": (LINE.format("db", "10.1.0.7"), [("critical", "proxy")]),
    "its address alone, refused": (
        "Error: connect ECONNREFUSED 10.1.0.7:5432",
        [("critical", "proxy")],
    ),
    "its address alone, served": ("GET http://10.1.0.7:80/ 200", []),
    "its own": (LINE.format("db", "10.1.0.6"), []),
    "another name": (LINE.format("db-old", "10.1.0.7"), []),
    "an address that begins like it": (LINE.format("db", "10.1.0.77"), []),
}


@pytest.mark.parametrize(("line", "wanted"), LINES.values(), ids=LINES)
def test_whom_a_caller_reached(line: str, wanted: list[tuple[str, str]]) -> None:
    """The log shows it where no setting names the service."""
    (api,) = BLUE[1:]
    result = judge(
        "dns.name-shared-by-projects",
        containers=Containers((*BLUE, GREEN)),
        networks=PROXY,
        recent_logs=RecentLogs({api.id: (RecentLine(1.0, line),)}),
    )
    assert rows(result) == wanted
    for finding in result.findings:
        assert 'has reached container "green-db-1"' in finding.summary
        assert finding.variables["stranger"] == "green-db-1"


def test_both_projects_call_the_name() -> None:
    green = [
        member("green-db-1", "green", "db", "proxy", "other"),
        member("green-api-1", "green", "api", "proxy", "other"),
    ]
    lines = {
        BLUE[1].id: (RecentLine(1.0, LINE.format("db", "10.1.0.7")),),
        green[1].id: (RecentLine(1.0, LINE.format("db", "10.1.0.6")),),
    }
    result = judge(
        "dns.name-shared-by-projects",
        containers=Containers((*BLUE, *green)),
        networks=PROXY,
        recent_logs=RecentLogs(lines),
    )
    (finding,) = result.findings
    assert (finding.variables["first"], finding.variables["second"]) == ("blue-db-1", "green-db-1")


def test_a_project_calls_its_own_service_by_a_name_that_is_alone() -> None:
    """Both projects meet their services on the shared network alone."""
    members = [
        member("blue-db-1", "blue", "db", "proxy"),
        member("blue-api-1", "blue", "api", "proxy", env=CALLS),
        member("blue-worker-1", "blue", "worker", "proxy", env=CALLS),
        member("green-db-1", "green", "db", "proxy"),
        member("green-api-1", "green", "api", "proxy", env="DB_HOST=db"),
    ]
    (finding,) = judge(
        "dns.name-shared-by-projects", containers=Containers(tuple(members)), networks=PROXY
    ).findings
    assert finding.variables == {
        "network": "proxy",
        "caller": "green-api-1",
        "corrected": "DB_HOST=green-db-1",
        "alone": "green-db-1",
    }
