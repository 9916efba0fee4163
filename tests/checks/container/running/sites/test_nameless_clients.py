"""Clients of PostgreSQL without a name of a user or database, as a server's own log has them."""

from __future__ import annotations

import pytest

from diagnose.first_steps.rows.nameless_clients import nameless_client
from diagnose.programs.failures import FAILURES, recognise
from tests.inspected import container

SERVER = ["POSTGRES_USER=postuser", "POSTGRES_DB=pods", "POSTGRES_PASSWORD=<redacted:1>"]
DATABASE = 'FATAL:  database "postuser" does not exist'
ROLE = 'FATAL:  role "root" does not exist'

CASES = {
    "its own check without a database": (
        ["CMD-SHELL", "pg_isready -U postuser"],
        DATABASE,
        "pg_isready -d pods -U postuser",
    ),
    "the same in words": (
        ["CMD", "pg_isready", "-U", "postuser"],
        DATABASE,
        "pg_isready -d pods -U postuser",
    ),
    "its own check without a user": (
        ["CMD-SHELL", "pg_isready || exit 1"],
        ROLE,
        "pg_isready -U postuser || exit 1",
    ),
    "another client": (["CMD-SHELL", "pg_isready -U postuser -d pods"], DATABASE, ""),
    "a server without a check": (None, ROLE, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_the_health_check_gets_the_name_that_it_lacks(name: str) -> None:
    test, line, probe = CASES[name]
    config = {"Env": SERVER} | ({"Healthcheck": {"Test": test}} if test else {})
    client = nameless_client(container(Config=config), recognise([line], None, FAILURES))
    assert client.clause
    assert client.probe == probe


@pytest.mark.parametrize(
    ("env", "line"),
    [
        (SERVER, 'FATAL:  database "other" does not exist'),
        (["POSTGRES_USER=postuser"], DATABASE),
        (["POSTGRES_USER=root"], ROLE),
        (["DATABASE_URL=<redacted:2>"], DATABASE),
        (SERVER, "FATAL:  sorry, too many clients already"),
    ],
)
def test_a_name_that_was_chosen_is_nobodys_lack(env: list[str], line: str) -> None:
    failure = recognise([line], None, FAILURES)
    assert not nameless_client(container(Config={"Env": env}), failure).clause
