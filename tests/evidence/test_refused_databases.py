"""Files of SQLite that the user of a program may not write."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.refused_databases import refused_databases
from diagnose.evidence.machine.processes import Process, Processes
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

LINE = "sqlite3.OperationalError: attempt to write a readonly database"
NODE = "SqliteError: SQLITE_READONLY: attempt to write a readonly database"
DATA = {"Type": "bind", "Source": "/srv/meals", "Destination": "/app/data", "RW": True}
MEDIA = {"Type": "bind", "Source": "/srv/media", "Destination": "/media", "RW": True}
ROOTS = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0}
OWN = {"type": "file", "mode": 0o644, "uid": 1000, "gid": 1000}
LINK = {"type": "link", "mode": 0o777, "uid": 0, "gid": 0}

CASES: dict[str, tuple[list[str], list[int], dict[str, Any], dict[str, Any], str]] = {
    "root's file": ([LINE] * 4, [1000], {"jobs.db": ROOTS}, {}, "/srv/meals/jobs.db"),
    "in Node's words": ([NODE] * 4, [1000], {"db.sqlite3": ROOTS}, {}, "/srv/meals/db.sqlite3"),
    "what lies beside it": (
        [LINE] * 4,
        [1000],
        {"jobs.db": OWN, "jobs.db-wal": ROOTS},
        {},
        "/srv/meals/jobs.db-wal",
    ),
    "one of several mounts": (
        [LINE] * 4,
        [1000],
        {"jobs.db": ROOTS},
        {"Mounts": [MEDIA, DATA]},
        "/srv/meals/jobs.db",
    ),
    "its own file": ([LINE] * 4, [1000], {"jobs.db": OWN}, {}, ""),
    "its own file, beside a server": ([LINE] * 4, [101, 1000], {"jobs.db": OWN}, {}, ""),
    "a link": ([LINE] * 4, [1000], {"jobs.db": LINK}, {}, ""),
    "no database": ([LINE] * 4, [1000], {"notes.txt": ROOTS}, {}, ""),
    "once is by chance": ([LINE], [1000], {"jobs.db": ROOTS}, {}, ""),
    "all run as root": ([LINE] * 4, [0], {"jobs.db": ROOTS}, {}, ""),
    "a mount to read": (
        [LINE] * 4,
        [1000],
        {"jobs.db": ROOTS},
        {"Mounts": [{**DATA, "RW": False}]},
        "",
    ),
}


@pytest.mark.parametrize(("lines", "uids", "files", "own", "path"), CASES.values(), ids=list(CASES))
def test_the_file_that_is_meant(
    lines: list[str], uids: list[int], files: dict[str, Any], own: dict[str, Any], path: str
) -> None:
    app = container("meals", **{"Mounts": [DATA], **own})
    recent = RecentLogs({app.id: tuple(RecentLine(0.0, line) for line in lines)})
    processes = Processes(
        tuple(
            Process(pid=number, comm=f"python{uid}", uid=uid, container=app.id, start=number)
            for number, uid in enumerate(uids)
        )
    )
    entries = [{"name": name, "type": status["type"]} for name, status in files.items()]
    host = Made(
        {
            "file.list": lambda question: {
                "entries": entries if question.path == "/srv/meals" else []
            },
            "file.stats": {f"/srv/meals/{name}": status for name, status in files.items()},
        }
    )
    refused = refused_databases(host, of(app), recent, processes)
    result = judge(
        "container.mount-forbidden",
        containers=of(app),
        log_tails=LogTails({}, {}),
        refused_databases=refused,
    )
    assert rows(result) == ([("critical", "meals")] if path else [])
    for finding in result.findings:
        assert finding.variables["source"] == path
        assert finding.variables["databases"] == "/srv/meals"
        assert finding.variables["owner"] == "1000"
