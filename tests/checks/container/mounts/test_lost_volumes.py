"""Volumes whose folder in the data root was deleted while containers have them mounted."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose import runbooks
from diagnose.evidence.containers.mounts.lost_volumes import lost_volumes
from diagnose.evidence.containers.mounts.stale_mounts import StaleMounts
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ROOT = "/var/lib/docker/volumes"
FOLDER = f"{ROOT}/orders/_data"
GONE = {"failed": "missing"}
THERE = {"type": "folder"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, list[tuple[str, str]]]] = {
    "deleted": (GONE, THERE, "local", [("critical", "db")]),
    "there": (THERE, THERE, "local", []),
    "the data root is not seen here": (GONE, GONE, "local", []),
    "not allowed to look": ({"failed": "forbidden"}, {"failed": "forbidden"}, "local", []),
    "of another driver": (GONE, THERE, "nfs", []),
}


@pytest.mark.parametrize(("folder", "root", "driver", "expected"), CASES.values(), ids=CASES)
def test_deleted_folders_of_volumes(
    folder: dict[str, Any], root: dict[str, Any], driver: str, expected: list[tuple[str, str]]
) -> None:
    mount = {
        "Type": "volume", "Name": "orders", "Source": FOLDER, "Destination": "/data", "Driver": driver,
    }  # fmt: skip
    host = Made({"file.stats": {FOLDER: folder, ROOT: root}})
    found = lost_volumes(host, of(container("db", Mounts=[mount])))
    result = judge("container.mount-stale", stale_mounts=StaleMounts(()), lost_volumes=found)
    assert rows(result) == expected
    for finding in result.findings:
        assert runbooks.cure("container.mount-stale", finding.variables, runbooks.Place()) is None
        assert runbooks.by_hand("container.mount-stale", finding.variables).startswith(
            "Do not restart db yet"
        )
