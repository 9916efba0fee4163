"""Data of which a part lies behind a link that leads nowhere; and one that leads to a volume."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import MACHINE, POSTGRES, logs, run

DANGLING = "container.link-dangling"
_OWN = ("--network=none", "--user=1000:1000", "--memory=256m", "--pids-limit=100", *MACHINE)


def _database(box: Box, name: str, *options: str) -> None:
    """PostgreSQL whose WAL lies in /opt/wal by a link, made again with the volume of its data."""
    load(box, "postgres:15", Recipe())
    box.sh(f"mkdir -p /srv/{name}/data /srv/{name}/wal && chown -R 1000:1000 /srv/{name}")
    data = ("-v", f"/srv/{name}/data:/data", "-e", "POSTGRES_INITDB_WALDIR=/opt/wal")
    wal = ("-v", f"/srv/{name}/wal:/opt/wal")
    initdb = f"{POSTGRES}/initdb -D /data/pg -A trust -X /opt/wal/pg_wal >/dev/null"
    box.docker("run", "--rm", *_OWN, *data, *wal, "postgres:15", "sh", "-c", initdb)
    server = (f"{POSTGRES}/postgres", "-D", "/data/pg", "-k", "/tmp")
    run(box, name, *_OWN, *data, "-e", "PGDATA=/data/pg", *options, "postgres:15", *server)


@fault(
    DANGLING,
    subject="container:ledger71",
    also=["container.exits-at-start", "container.files-lost"],
    shareable=True,
)
def log_of_a_database_that_went_with_its_container(box: Box) -> None:
    """The folder of the WAL was in the layer of the container before: its link leads nowhere."""
    _database(box, "ledger71")
    box.wait_state("ledger71", "exited")
    assert "pg_wal" in logs(box, "ledger71")


@fault(
    DANGLING,
    subject="container:ledger73",
    also=["container.exits-at-start", "container.files-lost"],
)
def log_of_a_database_in_its_former_container(box: Box) -> None:
    """The same, and the container before is kept, stopped, with the folder in its layer."""
    load(box, "postgres:15", Recipe())
    box.sh("mkdir -p /srv/ledger73/data && chown -R 1000:1000 /srv/ledger73")
    data = ("-v", "/srv/ledger73/data:/data", "-e", "POSTGRES_INITDB_WALDIR=/tmp/wal")
    initdb = f"{POSTGRES}/initdb -D /data/pg -A trust -X /tmp/wal/pg_wal"
    run(box, "ledger73-before", *_OWN, *data, "postgres:15", "sh", "-c", initdb)
    box.wait_state("ledger73-before", "exited")
    assert "Success" in logs(box, "ledger73-before")
    server = (f"{POSTGRES}/postgres", "-D", "/data/pg", "-k", "/tmp")
    run(box, "ledger73", *_OWN, *data, "-e", "PGDATA=/data/pg", "postgres:15", *server)
    box.wait_state("ledger73", "exited")
    assert "pg_wal" in logs(box, "ledger73")


@healthy(shareable=True)
def log_of_a_database_in_a_volume(box: Box) -> None:
    """The same link, and the folder of the WAL is mounted."""
    _database(box, "ledger72", "-v", "/srv/ledger72/wal:/opt/wal")
    box.wait_for(lambda: "ready to accept" in logs(box, "ledger72"), what="the database")
