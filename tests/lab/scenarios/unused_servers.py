"""Database servers that nobody uses, beside programs with a file of their own; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE, labels

CHECK = "container.database-unused"
_BASE = "var/lib/postgresql/data/base"
_WRITES = "mkdir -p /app && head -c 20000 /dev/zero >/app/db.sqlite3; exec sleep 1000"


def _stack(box: Box, number: int, *tables: str) -> None:
    """A program with a file, and a server with the folders of PostgreSQL, of one project."""
    files = {f"{_BASE}/1/1259": (b"x", 0o600), f"{_BASE}/16384/1259": (b"x", 0o600)}
    files |= {f"{_BASE}/16384/{table}": (b"x", 0o600) for table in tables}
    load(box, f"postgres:{number}", Recipe(files, ('CMD ["sleep","1000"]',)))
    project = f"unused{number}"
    server, program = f"{project}-db-1", f"{project}-web-1"
    box.docker("run", "-d", f"--name={server}", *SAFE, *labels(project, "db"), f"postgres:{number}")
    after = {"depends_on": "db:service_started:false"}
    marks = labels(project, "web", **after)
    box.docker("run", "-d", f"--name={program}", *SAFE, *marks, "bb:1.36", "sh", "-c", _WRITES)
    look = f"docker exec {program} ls /app || true"
    box.wait_for(lambda: "db.sqlite3" in box.sh(look), what="the file")


@fault(CHECK, subject="container:unused71-web-1", shareable=True)
def server_without_a_table(box: Box) -> None:
    """The program writes a file, and the server that is started before it has no table."""
    _stack(box, 71)


@healthy(shareable=True)
def server_with_a_table(box: Box) -> None:
    """The program has a file of its own beside the tables that it has in the server."""
    _stack(box, 72, "16385")
    report = box.diagnose("check", CHECK, "--format", "json")
    names = [finding["subject"]["name"] for finding in report.findings]
    assert "unused72-web-1" not in names
