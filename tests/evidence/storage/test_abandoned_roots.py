"""Data roots that no engine uses any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.mounts import Mounts
from diagnose.evidence.storage.usage.abandoned_roots import AbandonedRoot, abandoned_roots
from diagnose.model import Failed
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import container, of

GIB = 2**30
ROOT = DataRoot("/data/docker", "daemon.json")


def disk(pct: float, dev: str = "8:1") -> Filesystem:
    usage = Usage(
        point="/", fstype="ext4", source="/dev/sda1", size=100 * GIB, used=int(pct * GIB),
        free=int((100 - pct) * GIB), available=int((100 - pct) * GIB), inodes=0,
        inodes_free=0, dev=dev, read_only=False,
    )  # fmt: skip
    return Filesystem("/", usage, ("system",))


def folder(ino: int, dev: str = "8:1") -> dict[str, Any]:
    return {"type": "folder", "dev": dev, "ino": ino}


MISSING = {"failed": "missing"}
OLD = {
    "/data/docker/image/overlay2": folder(1, "8:17"),
    "/var/lib/docker/image/overlay2": folder(2),
}
WALKED = {"bytes": 80 * GIB, "entries": 9, "complete": True, "refused": 0, "by": {}, "largest": []}
WEB = container("web")
MOUNTED = container("web", Mounts=[{"Type": "bind", "Source": "/var/lib/docker/volumes/a/_data"}])
CASES: dict[str, tuple[Mapping[str, Any], float, list[Container], str]] = {
    "moved to another disk": (OLD, 96, [WEB], "/var/lib/docker"),
    "kept under another name": (
        {"/data/docker/image/overlay2": folder(1), "/var/lib/docker.old/image/overlay2": folder(2)},
        96,
        [WEB],
        "/var/lib/docker.old",
    ),
    "room enough": (OLD, 60, [WEB], ""),
    "a link to the one in use": (
        {"/data/docker/image/overlay2": folder(2), "/var/lib/docker/image/overlay2": folder(2)},
        96,
        [WEB],
        "",
    ),
    "on a disk with room": (
        {
            "/data/docker/image/overlay2": folder(1),
            "/var/lib/docker/image/overlay2": folder(2, "8:33"),
        },
        96,
        [WEB],
        "",
    ),
    "a container mounts it": (OLD, 96, [MOUNTED], ""),
    "of an engine that may have lost its own": (OLD, 96, [], ""),
    "a folder of projects, one of them called image": (
        {"/data/docker/image/overlay2": folder(1, "8:17"), "/srv/docker/image": folder(2)},
        96,
        [WEB],
        "",
    ),
}


@pytest.mark.parametrize(("known", "pct", "containers", "path"), CASES.values(), ids=CASES)
def test_old_data_roots(
    known: Mapping[str, Any], pct: float, containers: list[Container], path: str
) -> None:
    def stats(question: Any) -> dict[str, Any]:
        return {path: known.get(path, MISSING) for path in question.paths}

    host = Made({"file.stats": stats, "fs.walk": WALKED})
    disks = Filesystems((disk(pct),))
    found = abandoned_roots(host, ROOT, ALIVE, Mounts(()), disks, of(*containers))
    left = AbandonedRoot(path, 80 * GIB)
    assert found.by_point == ({"/": left} if path else {})


def test_one_that_holds_the_one_in_use_and_what_cannot_be_walked() -> None:
    known = {
        "/var/lib/docker/100000.100000/image/overlay2": folder(1),
        "/var/lib/docker/image/overlay2": folder(2),
    }
    root = DataRoot("/var/lib/docker/100000.100000", "info")
    answers = {
        "file.stats": lambda question: {at: known.get(at, MISSING) for at in question.paths},
        "fs.walk": {
            "bytes": 5,
            "entries": 1,
            "complete": True,
            "refused": 0,
            "by": {},
            "largest": [],
        },
    }
    args = (root, ALIVE, Mounts(()), Filesystems((disk(96),)), of(WEB))
    left = abandoned_roots(Made(answers), *args).by_point["/"]
    assert left == AbandonedRoot("/var/lib/docker", 5)
    for kind in answers:
        host = Made({**answers, kind: Failed("timed out", "")})
        assert not abandoned_roots(host, *args).by_point


def test_what_an_engine_that_is_down_used_is_not_left_over() -> None:
    def stats(question: Any) -> dict[str, Any]:
        return {path: OLD.get(path, MISSING) for path in question.paths}

    host, disks = Made({"file.stats": stats, "fs.walk": WALKED}), Filesystems((disk(96),))
    for containers in (None, replace(of(WEB), source="disk")):
        assert not abandoned_roots(host, ROOT, ALIVE, Mounts(()), disks, containers).by_point
    assert abandoned_roots(host, ROOT, ALIVE, Mounts(()), disks, of(WEB)).by_point
