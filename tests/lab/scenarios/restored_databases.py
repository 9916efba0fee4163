"""Databases that run after a restore, an update or a lost source, and fail their programs; and
look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE, POSTGRES, logs, run

_BEHIND = "container.sequence-behind"
_ERRORS = "container.errors-in-log"
_FAILING = "container.failing-inside"
_SERVER = f"""
{POSTGRES}/initdb -D /tmp/data --locale-provider=icu --icu-locale=en -E UTF8 -A trust -U postgres >/dev/null
echo 'host all all all trust' >>/tmp/data/pg_hba.conf
exec {POSTGRES}/postgres -D /tmp/data -k /tmp -c listen_addresses='*'
"""


def _database(box: Box, name: str) -> None:
    """A real PostgreSQL whose texts are sorted by the rules of ICU."""
    load(box, "postgres:15", Recipe())
    box.docker("network", "create", f"of-{name}")
    options = ("--memory=256m", "--pids-limit=64", "--user=1000", "--tmpfs=/tmp:mode=1777")
    path = f"--env=PATH=/bin:{POSTGRES}"
    more = (path, "--env=PGHOST=/tmp", f"--network=of-{name}")
    run(box, name, *options, *more, *MACHINE, "postgres:15", "/bin/sh", "-c", _SERVER)
    box.wait_for(lambda: "ready to accept" in logs(box, name), what="PostgreSQL to be ready")


def _sql(box: Box, name: str, statement: str, base: str = "postgres") -> str:
    words = ("psql", "-U", "postgres", "-d", base, "-Atc", statement)
    done = box.docker("exec", name, *words, check=False)
    return str(done.stdout + done.stderr)


@fault(_BEHIND, subject="container:restored8")
def sequence_behind_its_table(box: Box) -> None:
    """Rows were restored with their numbers; the command of the report lets new ones in."""
    _database(box, "restored8")
    _sql(box, "restored8", "create table orders (id serial primary key, what text)")
    insert = "insert into orders(what) values ('tea')"
    _sql(box, "restored8", "insert into orders select n, 'old' from generate_series(1, 900) n")
    for _ in range(4):
        assert "already exists" in _sql(box, "restored8", insert)
    box.sh(first_command(box, _BEHIND, "restored8"))
    assert "INSERT" in _sql(box, "restored8", insert)
    _sql(box, "restored8", "select setval('orders_id_seq', 40)")
    for _ in range(4):
        assert "already exists" in _sql(box, "restored8", insert)


@healthy()
def row_that_is_added_twice(box: Box) -> None:
    """A program adds the same row again and again, with a number of its own."""
    _database(box, "restored9")
    _sql(box, "restored9", "create table orders (id serial primary key, what text)")
    for _ in range(4):
        _sql(box, "restored9", "insert into orders values (7, 'tea')")


@fault(_ERRORS, subject="container:sorted8", also=[_ERRORS])
def database_sorted_by_other_rules(box: Box) -> None:
    """The library that sorts texts is another one than when the database was made; the command of
    the report builds its indexes again."""
    _database(box, "sorted8")
    _sql(box, "sorted8", "create database shop")
    other = "update pg_database set datcollversion = '2.31' where datname = 'shop'"
    _sql(box, "sorted8", other)
    for _ in range(4):
        assert "collation version mismatch" in _sql(box, "sorted8", "select 1", "shop")
    box.sh(first_command(box, _ERRORS, "sorted8"), timeout=60)
    assert "mismatch" not in _sql(box, "sorted8", "select 1", "shop")
    _sql(box, "sorted8", other)
    for _ in range(4):
        _sql(box, "sorted8", "select 1", "shop")


# -- replicas and copies --------------------------------------------------------------

_REPLICA = """#!/bin/sh
# the words are those of MySQL 8.0
t() { date -u +%FT%T.000000Z; }
echo "$(t) 0 [System] [MY-010931] [Server] mysqld: ready for connections. Version: '8.0.19'  port: 3306"
echo "$(t) 5 [System] [MY-010562] [Repl] Slave I/O thread for channel '': connected to master 'r@first:3306'"
echo "$(t) 6 [ERROR] [MY-010584] [Repl] Slave SQL for channel '': Error 'Unknown database 'shop'' on query. Default database: 'shop'. Query: 'CREATE TABLE t (id INT)', Error_code: MY-001049"
echo "$(t) 6 [ERROR] [MY-010586] [Repl] Error running query, slave SQL thread aborted. Fix the problem, and restart the slave SQL thread with \\"SLAVE START\\". We stopped at log 'bin.000003' position 4512."
[ -z "$BACK" ] || echo "$(t) 9 [System] [MY-010597] [Repl] Slave SQL thread for channel '' initialized, starting replication in log 'bin.000003' at position 4512"
exec sleep 1000
"""


def _replica(box: Box, name: str, *options: str) -> None:
    """A stand-in for a replica of MySQL, whose process is called like it."""
    load(box, "replica:8.0", Recipe({"bin/mysqld": (_REPLICA.encode(), 0o755)}))
    run(box, name, *SAFE, *options, "replica:8.0", "mysqld")
    box.wait_for(lambda: "aborted" in logs(box, name), what="the thread to stop")


@fault(_FAILING, subject="container:second8", shareable=True)
def replica_that_applies_nothing(box: Box) -> None:
    """A replica of MySQL runs, answers, and has stopped to apply the changes of its source."""
    _replica(box, "second8")


@healthy(shareable=True)
def replica_that_applies_again(box: Box) -> None:
    """Somebody has mended it, and its thread was started again."""
    _replica(box, "second9", "--env=BACK=1")


_COPY = """
echo 'cmd: schedule @daily'
while :; do
  echo "$(date '+%Y/%m/%d %H:%M:%S') 24: Creating dump of shop database from db..."
  echo 'pg_dump: error: server version: 15.4 (Debian 15.4-1.pgdg110+1); pg_dump version: 13.2 (Debian 13.2-1.pgdg100+1)'
  echo 'pg_dump: error: aborting because of server version mismatch'
  sleep 2
done
"""


@fault(_ERRORS, subject="container:copies8", shareable=True)
def copies_by_a_program_that_is_too_old(box: Box) -> None:
    """A backup container has an older pg_dump than the server, and makes no copy."""
    run(box, "copies8", *SAFE, "bb:1.36", "/bin/sh", "-c", _COPY)
    box.wait_for(lambda: logs(box, "copies8").count("mismatch") > 3, what="the refusals")
