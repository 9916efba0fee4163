"""The check in checks/container/running/init_scripts_unrun.py, and the evidence that it reads."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.mounts.data.unrun_scripts import UnrunScripts, unrun_scripts
from diagnose.live.disk.parts.chosen import only
from tests.hosts import Made
from tests.inspected import EXITED, bind, container
from tests.judging import judge, rows

NOW = 1_800_000_000.0
ON = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.3", "Aliases": ["db"]}}}}
MOUNTS = [
    *bind("/srv/db", Destination="/var/lib/postgresql/data")["Mounts"],
    *bind("/srv/init.sql", Destination="/docker-entrypoint-initdb.d/init.sql")["Mounts"],
]
TABLE = 'psycopg2.errors.UndefinedTable: relation "users" does not exist'
SQL = "create table IF NOT EXISTS public.users (id int);\n"
OLD, NEW = 1_600_000_000.0, 1_700_000_000.0


def found(
    line: str, sql: str, changed: float, image: str = "postgres:16", table_at: float = OLD
) -> UnrunScripts:
    """What is found where a program repeats a line, and a script of the database has this text.

    table_at: when a file of the database was last made.
    """
    database = container("db", Config={"Image": image}, Mounts=MOUNTS, **ON)
    network = {"Networks": {"shop": {"IPAddress": "10.0.0.4"}}}
    settings = {"Env": ["DATABASE_URL=postgres://db/shop"]}
    caller = container("app", Config=settings, NetworkSettings=network)
    containers = Containers([database, caller])
    logs = RecentLogs({caller.id: tuple(RecentLine(NOW, line) for _ in "abcd")})

    def stats(question: Any) -> dict[str, object]:
        times = {
            "/srv/db/PG_VERSION": OLD,
            "/srv/init.sql": changed,
            "/srv/db/base/5": table_at,
            "/srv/db/base/pgsql_tmp": NOW + 9,
        }
        return {
            path: {"type": "file", "mtime": times[path]} if path in times else {"failed": "missing"}
            for path in question.paths
        }

    folders = [{"name": name, "type": "folder"} for name in ("5", "pgsql_tmp")]
    host = Made(
        {
            "file.stats": stats,
            "file.read": {"text": only("created", sql)},
            "file.list": {"entries": folders},
        }
    )
    return unrun_scripts(host, containers, None, repeated_errors(containers, logs))


SCRIPTS = {
    "a table": (TABLE, SQL, NEW, True),
    "a role": ('FATAL:  role "shop" does not exist', "CREATE USER shop;", NEW, True),
    "a database of MySQL": (
        "ERROR 1049 (42000): Unknown database 'shop'",
        "CREATE DATABASE `shop`;",
        NEW,
        True,
    ),
    "a shell script that makes a database": (
        'FATAL:  database "shop" does not exist',
        "createdb shop\n",
        NEW,
        True,
    ),
    "a script that makes another database": (
        'FATAL:  database "shop" does not exist',
        "CREATE DATABASE orders; CREATE SCHEMA app;",
        NEW,
        False,
    ),
    "a script that is older than the data": (TABLE, SQL, OLD - 9, False),
    "a script that makes another table": (TABLE, "create table orders (id int);", NEW, False),
    "a script that names the table": (TABLE, "insert into users values (1);", NEW, False),
    "another failure": ("ERROR: the queue users failed", SQL, NEW, False),
}


@pytest.mark.parametrize(("line", "sql", "changed", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_that_was_never_run(line: str, sql: str, changed: float, expected: bool) -> None:
    image = "mysql:8" if "1049" in line else "postgres:16"
    scripts = found(line, sql, changed, image)
    result = judge("container.init-scripts-unrun", unrun_scripts=scripts)
    assert rows(result) == ([("warning", "db")] if expected else [])


@pytest.mark.parametrize(("table_at", "number"), [(NOW - 5, 1), (NOW + 5, 0)])
def test_a_table_that_was_made_after_the_last_complaint(table_at: float, number: int) -> None:
    """The database does not say that somebody has made it."""
    assert len(found(TABLE, SQL, NEW, table_at=table_at)) == number


@pytest.mark.parametrize(
    ("sql", "image", "begins"),
    [
        (SQL, "postgres:16", "psql "),
        (SQL, "mariadb:11", "MYSQL_PWD="),
        (SQL + "DROP TABLE old;", "postgres:16", ""),
    ],
)
def test_the_command_that_runs_it(sql: str, image: str, begins: str) -> None:
    result = judge("container.init-scripts-unrun", unrun_scripts=found(TABLE, sql, NEW, image))
    (finding,) = result.findings
    assert finding.variables.get("run", "")[: len(begins) or None] == begins


def test_a_link_in_a_mounted_folder_leads_nowhere_else() -> None:
    """What the container may write is read as it sees it."""
    folder = bind("/srv/init", Destination="/docker-entrypoint-initdb.d")["Mounts"]
    database = container("db", Mounts=[*MOUNTS[:1], *folder], **ON)
    line = RecentLine(NOW, TABLE)
    logs = RecentLogs({database.id: (line,) * 4})
    containers = Containers([database])
    asked = []

    def stats(question: Any) -> dict[str, object]:
        times = {"/srv/db/PG_VERSION": OLD, "/srv/init/1.sql": NEW}
        return {
            path: {"type": "file", "mtime": times[path]} if path in times else {"failed": "missing"}
            for path in question.paths
        }

    def read(question: Any) -> dict[str, object]:
        asked.append((question.root, question.path))
        return {"text": SQL}

    entries = {"entries": [{"name": "1.sql", "type": "link"}]}
    host = Made({"file.stats": stats, "file.read": read, "file.list": entries})
    (script,) = unrun_scripts(host, containers, None, repeated_errors(containers, logs))
    assert (script.path, script.path_inside) == (
        "/srv/init/1.sql",
        "/docker-entrypoint-initdb.d/1.sql",
    )
    assert asked == [("/srv/init", "/1.sql")]


def test_a_database_that_is_down_runs_nothing() -> None:
    script = next(iter(found(TABLE, SQL, NEW)))
    stopped = container("db", Config={"Image": "postgres:16"}, **EXITED)
    scripts = UnrunScripts((replace(script, database=stopped),))
    (finding,) = judge("container.init-scripts-unrun", unrun_scripts=scripts).findings
    assert "run" not in finding.variables
