"""Files of SQLite that the user of a program may not write."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.refused_databases import refused_databases
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
OWN_FOLDER = {"type": "folder", "mode": 0o755, "uid": 1000, "gid": 1000}
ROOTS_FOLDER = {"type": "folder", "mode": 0o755, "uid": 0, "gid": 0}
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
            "file.stats": {
                "/srv/meals": OWN_FOLDER,
                "/srv/media": OWN_FOLDER,
                **{f"/srv/meals/{name}": status for name, status in files.items()},
            },
        }
    )
    refused = refused_databases(
        host, of(app), recent, processes, log_tails=None, info=None, numbers=None
    )
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


LOCKED = "sqlite3.OperationalError: database is locked"
AFTERWARDS: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "a folder of root": (["jobs.db"], ROOTS_FOLDER, "/srv/meals"),
    "no database there": ([], ROOTS_FOLDER, ""),
    "its own folder": (["jobs.db"], OWN_FOLDER, ""),
    "a journal that is there": (["jobs.db", "jobs.db-wal"], ROOTS_FOLDER, ""),
}


@pytest.mark.parametrize(("files", "folder", "path"), AFTERWARDS.values(), ids=AFTERWARDS)
def test_a_lock_that_follows_from_a_closed_folder(
    files: list[str], folder: dict[str, Any], path: str
) -> None:
    app = container("meals", Mounts=[DATA])
    recent = RecentLogs({app.id: (RecentLine(0.0, LOCKED),) * 4})
    process = Process(pid=1, comm="python3", uid=1000, container=app.id, start=1)
    entries = [{"name": name, "type": "file"} for name in files]
    statuses = {"/srv/meals": folder, **{f"/srv/meals/{name}": OWN for name in files}}
    host = Made({"file.list": {"entries": entries}, "file.stats": statuses})
    refused = refused_databases(
        host, of(app), recent, Processes((process,)), log_tails=None, info=None, numbers=None
    )
    assert [database.denied.path for database in refused] == [path] * bool(path)


FOLDERS: dict[str, tuple[list[str], dict[str, Any], list[dict[str, str]], str]] = {
    "root's folder around its own file": (["jobs.db"], ROOTS_FOLDER, [DATA], "/srv/meals"),
    "root's folder, and no file yet": ([], ROOTS_FOLDER, [DATA], "/srv/meals"),
    "its own folder": (["jobs.db"], OWN_FOLDER, [DATA], ""),
    "a group's folder": (["jobs.db"], {**ROOTS_FOLDER, "mode": 0o775}, [DATA], ""),
    "the one that has a database": (["jobs.db"], ROOTS_FOLDER, [MEDIA, DATA], "/srv/meals"),
    "either of two": ([], ROOTS_FOLDER, [MEDIA, DATA], ""),
}


@pytest.mark.parametrize(("files", "folder", "mounts", "path"), FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("is_running", [True, False])
def test_the_folder_that_is_meant(
    files: list[str], folder: dict[str, Any], mounts: list[Any], path: str, *, is_running: bool
) -> None:
    """SQLite makes a journal beside the database; who runs it shows, or is the container's user.

    One that has ended and has one mount is judged by its line.
    """
    path = path if is_running or len(mounts) > 1 else ""
    user = "" if is_running else "1000"
    status = "running" if is_running else "exited"
    app = container("meals", Mounts=mounts, Config={"User": user}, State={"Status": status})
    recent = RecentLogs({app.id: (RecentLine(0.0, LINE),) * 4} if is_running else {})
    tails = LogTails({} if is_running else {app.id: LogTail((LINE,))}, {})
    process = Process(pid=1, comm="python3", uid=1000, container=app.id, start=1)
    host = Made(
        {
            "file.list": lambda question: {
                "entries": [
                    {"name": name, "type": "file"}
                    for name in (files if question.path == "/srv/meals" else [])
                ]
            },
            "file.stats": {
                "/srv/meals": folder,
                "/srv/media": folder,
                **{f"/srv/meals/{name}": OWN for name in files},
            },
        }
    )
    refused = refused_databases(
        host, of(app), recent, Processes((process,)), tails, info=None, numbers=None
    )
    result = judge(
        "container.mount-forbidden", containers=of(app), log_tails=tails, refused_databases=refused
    )
    assert [finding.variables["source"] for finding in result.findings] == [path] * bool(path)
