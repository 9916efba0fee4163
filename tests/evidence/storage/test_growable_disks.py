"""Room of a disk that its file system does not use, by what sysfs shows of devices."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.usage.growable_disks import GrowableDisk, growable_disks
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.hosts import Made

GIB = 1 << 30


def _sectors(gib: float) -> str:
    return f"{int(gib * GIB) // 512}\n"


WHOLE = {"/sys/dev/block/8:16/size": _sectors(100)}
PARTITION = {
    "/sys/dev/block/8:1/size": _sectors(10),
    "/sys/dev/block/8:1/start": _sectors(1),
    "/sys/dev/block/8:1/partition": "1\n",
    "/sys/class/block/sda/size": _sectors(50),
    "/sys/class/block/sda14/start": _sectors(0.5),
    "/sys/class/block/sda1/start": _sectors(1),
}
FOLLOWED = {**PARTITION, "/sys/class/block/sda2/start": _sectors(11)}
LINKS = {"8:16": "../../devices/virtual/block/sdb", "8:1": "../../devices/pci/block/sda/sda1"}


def _host(files: dict[str, str]) -> Made:
    def text(question: Question[Any]) -> Json | Failed:
        path = question.args["path"]
        return {"text": files[path]} if path in files else Failed("missing", path)

    def links(question: Question[Any]) -> Json:
        return {path: {"link": LINKS[path.rpartition("/")[2]]} for path in question.args["paths"]}

    names = {path.split("/")[4] for path in files if path.startswith("/sys/class/block/")}
    entries = [{"name": name, "type": "folder"} for name in sorted(names)]
    return Made(
        {
            "file.read": text,
            "file.stats": links,
            "file.list": {"entries": entries, "truncated": False},
        }
    )


def _full(
    dev: str, gib: float, pct: int = 99, fstype: str = "ext4", *, read_only: bool = False
) -> Filesystems:
    size = int(gib * GIB)
    used = size * pct // 100
    free = size - used
    usage = Usage(
        "/srv",
        fstype,
        "/dev/root",
        size,
        used,
        free,
        free,
        inodes=0,
        inodes_free=0,
        dev=dev,
        read_only=read_only,
    )
    return Filesystems((Filesystem("/srv", usage, ("data root",)),))


CASES: dict[str, tuple[dict[str, str], Filesystems, GrowableDisk | None]] = {
    "the disk is larger": (
        WHOLE,
        _full("8:16", 40),
        GrowableDisk("/dev/sdb", "ext4", 100 * GIB, 60 * GIB),
    ),
    "ext4's own tables": (WHOLE, _full("8:16", 93), None),
    "not full": (WHOLE, _full("8:16", 40, pct=70), None),
    "read-only": (WHOLE, _full("8:16", 40, read_only=True), None),
    "cannot grow": (WHOLE, _full("8:16", 40, fstype="vfat"), None),
    "the disk of a partition is larger": (
        PARTITION,
        _full("8:1", 10, fstype="xfs"),
        GrowableDisk("/dev/sda1", "xfs", 10 * GIB, 39 * GIB, "/dev/sda", "1"),
    ),
    "another partition follows": (FOLLOWED, _full("8:1", 10), None),
    "sysfs is not to be seen": ({}, _full("8:16", 40), None),
}


@pytest.mark.parametrize(("files", "disks", "expected"), CASES.values(), ids=CASES)
def test_room_that_a_file_system_does_not_use(
    files: dict[str, str], disks: Filesystems, expected: GrowableDisk | None
) -> None:
    found = growable_disks(_host(files), disks).by_point
    assert found == ({"/srv": expected} if expected is not None else {})
