"""The variable by which a program calls itself, where its line names nobody."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.named.loopback_variable import loopback_variable
from tests.checks.container.evidence import container_in

NAMELESS = "psycopg2.OperationalError: connection refused"
CASES = {
    "a host": (["DB_HOST=localhost"], NAMELESS, {"setting": "DB_HOST", "typed": "DB_HOST"}),
    "an address": (
        ["DATABASE_URL=postgres://u:x@127.0.0.1:5432/shop"],
        NAMELESS,
        {"setting": "DATABASE_URL", "typed": "DATABASE_URL"},
    ),
    "several": (["DB_HOST=localhost", "REDIS_HOST=localhost"], NAMELESS, None),
    "another host": (["DB_HOST=db"], NAMELESS, None),
    "its own address": (["APP_URL=http://localhost:3000"], NAMELESS, None),
    "a line that names the place": (
        ["DB_HOST=localhost"],
        "dial tcp 10.0.0.9:5432: connection refused",
        None,
    ),
}


@pytest.mark.parametrize(("env", "line", "steps"), CASES.values(), ids=CASES)
def test_a_variable_that_says_localhost(
    env: list[str], line: str, steps: dict[str, str] | None
) -> None:
    container = container_in("exited", name="api", Config={"Env": env})
    found = loopback_variable(container, LogTail((line,)).failure, Containers((container,)))
    assert (found.steps if found is not None else None) == steps


@pytest.mark.parametrize("value", ["postgres://u:geheim@127.0.0.1:5432/shop", "u:geheim@localhost"])
def test_a_login_is_left_out(value: str) -> None:
    container = container_in("exited", name="api", Config={"Env": [f"DB_SERVER={value}"]})
    found = loopback_variable(container, LogTail((NAMELESS,)).failure, Containers((container,)))
    assert found is not None
    assert "geheim" not in found.clause
