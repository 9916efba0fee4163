"""The rights that a database's administrator gives: `first_steps/rows/database_grants.py`."""

from __future__ import annotations

import pytest

from diagnose.first_steps.rows.database_grants import grant_steps
from diagnose.programs.failures import FAILURES, recognise
from tests.inspected import container

SCHEMA = "ERROR:  permission denied for schema public"
TABLE = 'org.postgresql.util.PSQLException: ERROR: permission denied for table "orders"'
OWNER = "ERROR: must be owner of table orders"
CLOSED_ROLE = 'FATAL:  role "shop" is not permitted to log in'
CLOSED_BASE = "ERROR 1044 (42000): Access denied for user 'shop'@'%' to database 'ledger'"
COMMAND = "ERROR 1142 (42000): INSERT command denied to user 'shop'@'172.18.0.3' for table 'orders'"
URL = "DATABASE_URL=postgres://shop:<redacted:password:1a2b>@db:5432/ledger"
PARTS = (
    "SPRING_DATASOURCE_URL=jdbc:postgresql://db:5432/ledger",
    "SPRING_DATASOURCE_USERNAME=shop",
)
MYSQL = ("WORDPRESS_DB_HOST=db", "WORDPRESS_DB_USER=shop", "WORDPRESS_DB_NAME=ledger")
ON_ALL = 'GRANT ALL ON `ledger`.* TO "shop"@"%"'

GRANTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "a schema, by an address": (SCHEMA, (URL,), (), 'GRANT ALL ON SCHEMA "public" TO "shop"'),
    "a schema, by parts": (SCHEMA, PARTS, (), 'GRANT ALL ON SCHEMA "public" TO "shop"'),
    "a table": (
        TABLE,
        (URL,),
        (),
        (
            'GRANT ALL ON ALL TABLES IN SCHEMA public TO "shop"; '
            'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "shop"'
        ),
    ),
    "a table of another": (OWNER, (URL,), (), 'ALTER TABLE "orders" OWNER TO "shop"'),
    "a role that may not log in": (CLOSED_ROLE, (URL,), (), 'ALTER ROLE "shop" LOGIN'),
    "the superuser itself": (SCHEMA, (URL,), ("POSTGRES_USER=shop",), ""),
    "two users": (SCHEMA, (URL, "DB_USER=report"), (), ""),
    "no user": (SCHEMA, ("DB_HOST=db",), (), ""),
    "two databases": (SCHEMA, (URL, "DB_NAME=archive"), (), ""),
    "a user with a quote": (SCHEMA, ('DB_USER=x"; DROP TABLE a; --',), (), ""),
    "a database of MySQL": (CLOSED_BASE, MYSQL, (), ON_ALL),
    "a table of MySQL": (COMMAND, MYSQL, (), ON_ALL),
    "a user whom only the line names": (CLOSED_BASE, ("DB_USER=report",), (), ""),
    "an account of one host": (CLOSED_BASE.replace("'%'", "'10.0.0.9'"), MYSQL, (), ""),
}


@pytest.mark.parametrize(("line", "own", "servers", "grant"), GRANTS.values(), ids=GRANTS)
def test_who_is_given_what(
    line: str, own: tuple[str, ...], servers: tuple[str, ...], grant: str
) -> None:
    is_mysql = own is MYSQL or "1044" in line
    image = "mariadb:11" if is_mysql else "postgres:16"
    caller = container("app", Config={"Env": list(own)})
    server = container("db", Config={"Image": image, "Env": list(servers)})
    failure = recognise([line], None, FAILURES)
    assert failure is not None
    steps = grant_steps(failure, caller, server)
    assert steps.get("grant", "") == grant
    assert ("mysql_granting" in steps) is (is_mysql and bool(grant))


def test_the_database_and_its_administrator_are_those_of_the_server_where_nothing_names_others() -> (
    None
):
    caller = container("app", Config={"Env": ["DB_USER=shop"]})
    env = ["POSTGRES_USER=boss", "POSTGRES_DB=ledger"]
    server = container("db", Config={"Image": "postgres:16", "Env": env})
    failure = recognise([SCHEMA], None, FAILURES)
    assert failure is not None
    steps = grant_steps(failure, caller, server)
    assert (steps["superuser"], steps["base"], steps["granting"]) == ("boss", "ledger", "db")
