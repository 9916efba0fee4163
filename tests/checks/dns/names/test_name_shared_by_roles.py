"""The check in checks/dns/names/name_shared_by_roles.py."""

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

NETWORKS = Networks((Network("a" * 64, "db", "bridge"),))
REFUSED = "ERROR: cannot execute INSERT in a read-only transaction"


def member(
    name: str, alias: str, image: str = "postgres:16", env: str = "", words: list[str] | None = None
) -> Container:
    place = NetworkEndpoint(ip_address=f"10.1.0.{len(name)}", aliases=[alias])
    return Container(
        name.ljust(64, "0"),
        f"/{name}",
        image=f"sha256:{image}",
        state=State(status="running", pid=7),
        config=ContainerConfig(image=image, env=[env] if env else None, cmd=words),
        network_settings=NetworkSettings({"db": place}),
    )


APP = member("app", "app", "shop:3", "DATABASE_URL=postgres://store:5432/shop")
WAL = member("pg-wal", "store", words=["postgres", "-c", "wal_level=replica"])
MAIN, COPY = member("pg-main", "store"), member("pg-replica", "store")
OLD, NEW = member("web-a", "store", "shop:1"), member("web-bb", "store", "shop:2")
ROLES: dict[str, tuple[list[Container], str, list[tuple[str, str]], str]] = {
    "refused writes": ([MAIN, COPY, APP], REFUSED, [("warning", "db")], "pg-replica"),
    "nothing is refused": ([MAIN, COPY, APP], "", [("advice", "db")], ""),
    "a primary with settings for copies": (
        [WAL, COPY, APP], REFUSED, [("warning", "db")], "pg-replica",
    ),
    "only its settings for copies differ": (
        [WAL, member("pg-second", "store"), APP], REFUSED, [], "",
    ),
    "a role by a variable": (
        [MAIN, member("pg-second", "store", env="REPLICATION_MODE=slave"), APP],
        REFUSED, [("warning", "db")], "pg-second",
    ),
    "a user for copies": (
        [member("pg-one", "store", env="REPLICATION_USER=replica"), MAIN, APP], REFUSED, [], "",
    ),
    "called by nobody": ([MAIN, COPY], "", [], ""),
    "two releases": ([OLD, NEW, APP], "", [("advice", "db")], ""),
    "two programs": (
        [MAIN, member("cache", "store", "redis:7"), APP], "", [("advice", "db")], "",
    ),
    "two of one kind": ([MAIN, member("pg-second", "store"), APP], REFUSED, [], ""),
}  # fmt: skip


@pytest.mark.parametrize(("items", "line", "expected", "leaving"), ROLES.values(), ids=ROLES)
def test_roles(
    items: list[Container], line: str, expected: list[tuple[str, str]], leaving: str
) -> None:
    lines = tuple(RecentLine(float(at), line) for at in range(3)) if line else ()
    results = judge(
        "dns.name-shared-by-roles",
        containers=Containers(tuple(items)),
        networks=NETWORKS,
        recent_logs=RecentLogs({APP.id: lines}),
    )
    assert rows(results) == expected
    assert [finding.variables.get("leaving", "") for finding in results.findings] == [
        leaving for _ in expected
    ]
