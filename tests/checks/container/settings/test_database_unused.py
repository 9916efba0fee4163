"""The check container.database-unused, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.peers.unused_servers import unused_servers
from diagnose.model import Failed, Json
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

OLD, NEW = 1_700_000_000.0, 1_900_000_000.0
EMPTY = {"base": ["1", "5", "16384"], "1": ["1259", "2619_fsm"], "5": ["1259"], "16384": ["1259"]}
FULL = {**EMPTY, "16384": ["1259", "16385", "16385_fsm"]}
MYSQL = {"mysql": ["mysql", "sys", "shop", "#innodb_redo"], "shop": ["db.opt"]}
URL = "DATABASE_URL=postgres://u@db/shop"
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a server without a table": ({}, ["/app/db.sqlite3"]),
    "a server with a table": ({"server": FULL}, []),
    "a server that nobody can read": ({"server": {}}, []),
    "no file": ({"file": "app.py"}, []),
    "an old file": ({"written": OLD}, []),
    "an empty file": ({"size": 0}, []),
    "a write-ahead log": ({"file": "shop.db-wal"}, ["/app/shop.db"]),
    "the schedule of Celery": ({"file": "celerybeat-schedule.db"}, []),
    "another project": ({"project": "other"}, []),
    "a program that does not want it": ({"env": [], "after": ""}, []),
    "a program that is started after it": ({"env": []}, ["/app/db.sqlite3"]),
    "MySQL without a table": ({"image": "mariadb:11", "server": MYSQL}, ["/app/db.sqlite3"]),
    "MySQL with a table": ({"image": "mysql:8", "server": {**MYSQL, "shop": ["users.ibd"]}}, []),
    "another kind of server": ({"image": "redis:7"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_servers(case: dict[str, Any], expected: list[str]) -> None:
    def labels(project: str, service: str, after: str = "") -> dict[str, str]:
        marks = {"project": project, "service": service, "depends_on": after}
        return {f"com.docker.compose.{name}": value for name, value in marks.items()}

    image = case.get("image", "postgres:16")
    network = {"Networks": {"shop": {"Aliases": ["db"]}}}
    server = container(
        "db",
        Image="sha256:2",
        Config={"Image": image, "Labels": labels("shop", "db")},
        NetworkSettings=network,
    )
    after = case.get("after", "db:service_started:false")
    web = container(
        "web",
        Created="2026-01-01T00:00:00Z",
        State={"Status": "running", "Pid": 200},
        Config={
            "WorkingDir": "/app",
            "Env": case.get("env", [URL]),
            "Labels": labels(case.get("project", "shop"), "web", after),
        },
    )
    found = unused_servers(_host(case), of(server, web))
    result = judge("container.database-unused", unused_servers=found)
    assert [unused.file for unused in found] == expected
    assert len(result.findings) == len(expected)


def _host(case: dict[str, Any]) -> Made:
    data: dict[str, list[str]] = case.get("server", EMPTY)

    def listed(question: Any) -> Json | Failed:
        name = question.path.rpartition("/")[2]
        if question.root.startswith("/proc/100/") and name in data:
            kind = "folder" if name in ("base", "mysql") else "file"
            return {"entries": [{"name": entry, "type": kind} for entry in data[name]]}
        if question.root.startswith("/proc/200/") and question.path == "/app":
            return {"entries": [{"name": case.get("file", "db.sqlite3"), "type": "file"}]}
        return Failed("missing")

    status = {"type": "file", "size": case.get("size", 90_000), "mtime": case.get("written", NEW)}
    return Made(
        {"file.list": listed, "file.stats": lambda question: dict.fromkeys(question.paths, status)}
    )
