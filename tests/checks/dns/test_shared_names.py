"""What the check says of one service name in two projects."""

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
from diagnose.evidence.network.networks import Network, Networks
from tests.judging import judge, rows

PROXY = Networks((Network("a" * 64, "proxy", "bridge"), Network("b" * 64, "own", "bridge")))


def member(name: str, project: str, service: str, *networks: str, env: str = "") -> Container:
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
    place = NetworkEndpoint(ip_address="10.1.0.2", aliases=[name, service])
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
