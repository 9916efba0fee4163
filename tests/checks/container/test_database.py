"""The checks in checks/container/database.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.sockets.callers import Callers
from tests.checks.container.evidence import CLOCK, FOUND, ON_SHOP, failed, made
from tests.inspected import of
from tests.judging import judge, rows

NO_DATABASE = 'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  database "shop" does not exist'


WRONG = 'error: password authentication failed for user "shop"'


@pytest.mark.parametrize(
    ("line", "server", "env", "expected", "variables"),
    [
        (
            NO_DATABASE,
            {"status": "running"},
            None,
            FOUND,
            {"server": "db", "owner": "postgres", "database": "shop"},
        ),
        (NO_DATABASE, {"status": "exited"}, None, [], {}),
        (
            WRONG,
            {"status": "running"},
            ["DATABASE_URL=postgres://shop@db/shop"],
            FOUND,
            {"server": "db", "user": "shop"},
        ),
        (WRONG, {"status": "running"}, None, [], {}),
    ],
    ids=["named in the line", "the server is down", "named in the configuration", "named nowhere"],
)
def test_a_database_that_refuses(
    line: str,
    server: dict[str, str],
    env: list[str] | None,
    expected: list[tuple[str, str]],
    variables: dict[str, str],
):
    container, log_tails = failed(line, Config={"Env": env}, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    database = made(server["status"], name="db", **image, **ON_SHOP)
    result = judge(
        "container.database-refused",
        containers=of(container, database),
        clock=CLOCK,
        log_tails=log_tails,
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [
        {"container": "web", **variables}
    ] * len(expected)


CROWDED = {
    "one container holds most": ({"report": 40, "web": 3}, {"holder": "report"}),
    "nobody holds most": ({"report": 4, "web": 4}, {}),
    "somebody beside the containers": ({"192.0.2.7": 40}, {}),
    "not seen": ({}, {}),
}


@pytest.mark.parametrize(("held", "expected"), CROWDED.values(), ids=CROWDED)
def test_who_holds_the_connections(held: dict[str, int], expected: dict[str, str]) -> None:
    line = 'connection to server at "db", port 5432 failed: FATAL:  sorry, too many clients already'
    container, log_tails = failed(line, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    database = made("running", name="db", **image, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(container, database, made("running", name="report", **ON_SHOP)),
        clock=CLOCK,
        log_tails=log_tails,
        callers=Callers({database.id: held}),
    ).findings
    assert {name: finding.variables[name] for name in expected} == expected
    assert ("holder" in finding.variables) == bool(expected)
