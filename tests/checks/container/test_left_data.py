"""The check in checks/container/left_data.py, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.left_volumes import LeftVolumes, left_volumes
from diagnose.evidence.storage.volumes import UnusedVolumes, Volume
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NEW, OLD = "a" * 64, "b" * 64
POSTGRES = ["PG_VERSION", "base", "global", "pg_wal"]
MYSQL = ["ibdata1", "mysql", "sys", "auto.cnf"]
WARNING = [("warning", "db")]
HOUR = 3600.0


def at(age: float) -> str:
    return datetime.fromtimestamp(NOW - age, UTC).isoformat()


def place(name: str) -> str:
    return f"/var/lib/docker/volumes/{name}/_data"


def database(age: float, volume: str = NEW) -> Container:
    mount = {"Type": "volume", "Name": volume, "Source": place(volume), "Destination": "/data"}
    return container("db", Created=at(age), Mounts=[mount])


def found(
    made: Container, entries: Mapping[str, list[str]], changed: float, unused: str = OLD
) -> LeftVolumes:
    def listing(question: AnyQuestion) -> Json:
        names = entries.get(str(question.args["path"]).split("/")[-2], [])
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        return {str(path): {"type": "file", "mtime": NOW - changed} for path in paths}

    volumes = UnusedVolumes((Volume(unused, "local", place(unused), at(30 * 86400.0)),))
    host = Made({"file.list": listing, "file.stats": stats})
    result = left_volumes(host, of(made), volumes, CLOCK)
    assert isinstance(result, LeftVolumes)
    return result


BOTH = {NEW: POSTGRES, OLD: POSTGRES}
CASES: dict[str, tuple[LeftVolumes, list[tuple[str, str]]]] = {
    "made again a minute after": (found(database(HOUR), BOTH, HOUR + 60), WARNING),
    "left a day before": (found(database(HOUR), BOTH, 25 * HOUR), []),
    "data of another program": (
        found(database(HOUR), {NEW: POSTGRES, OLD: MYSQL}, HOUR + 60),
        [],
    ),
    "too little to tell": (found(database(HOUR), {NEW: ["a"], OLD: ["a"]}, HOUR + 60), []),
    "an old container": (found(database(30 * 24 * HOUR), BOTH, 30 * 24 * HOUR + 60), []),
    "a volume with a name": (found(database(HOUR, "db-data"), BOTH, HOUR + 60), []),
    "an unused volume with a name": (
        found(database(HOUR), BOTH | {"db-old": POSTGRES}, HOUR + 60, "db-old"),
        [],
    ),
}


@pytest.mark.parametrize(("left", "expected"), CASES.values(), ids=CASES)
def test_former_data(left: LeftVolumes, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("container.data-left-behind", left=left, clock=CLOCK)) == expected
