"""The check in checks/storage/data_root_in_memory.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.mounts import Mounted, Mounts
from tests.inspected import container, of
from tests.judging import judge, rows

ROOT = "/var/lib/docker"
DISK = Mounted("/", "ext4", "/dev/vda1")
MEMORY = Mounted(ROOT, "tmpfs", "tmpfs")
VAR = Mounted("/var", "tmpfs", "tmpfs")
FOUND = [("advice", "docker")]
MOUNTS: dict[str, tuple[list[Mounted], list[tuple[str, str]], dict[str, str]]] = {
    "a tmpfs of its own": ([DISK, MEMORY], FOUND, {"root": ROOT, "copy": f"{ROOT}.copy"}),
    "/var in memory": ([DISK, VAR], FOUND, {"root": ROOT}),
    "a tmpfs on a tmpfs": ([DISK, VAR, MEMORY], FOUND, {"root": ROOT}),
    "on the disk": ([DISK], [], {}),
    "on a disk of its own": ([VAR, Mounted(ROOT, "xfs", "/dev/vdb1")], [], {}),
    "a tmpfs elsewhere": ([DISK, Mounted("/var/lib", "ext4", "/dev/vdb1")], [], {}),
}


@pytest.mark.parametrize(("mounts", "expected", "variables"), MOUNTS.values(), ids=MOUNTS)
def test_where_the_data_root_lies(
    mounts: list[Mounted], expected: list[tuple[str, str]], variables: dict[str, str]
) -> None:
    result = judge(
        "storage.data-root-in-memory", root=DataRoot(ROOT, "info"), mounts=Mounts(tuple(mounts))
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [variables] * len(expected)


def test_the_volumes_that_would_be_lost_are_named() -> None:
    volume = {"Type": "volume", "Name": "orders", "Driver": "local", "Destination": "/data"}
    shared = {**volume, "Name": "media", "Driver": "rclone"}
    anonymous = {**volume, "Name": "e5" * 32}
    result = judge(
        "storage.data-root-in-memory",
        root=DataRoot(ROOT, "info"),
        mounts=Mounts((DISK, MEMORY)),
        containers=of(container("db", Mounts=[volume, shared, anonymous])),
    )
    assert result.findings[0].evidence["volumes in use"] == ["orders"]
