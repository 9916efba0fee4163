"""Which file system the engine's records are on, and which one is at their path."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.daemon import ProcessDetail
from diagnose.evidence.engine.data.covered_data_root import CoveredDataRoot, covered_data_root
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Unavailable
from tests.checks.daemon.evidence import daemon
from tests.hosts import Made

LIVING = daemon(silence=None, process=ProcessDetail(100, "dockerd"))
ROOT = DataRoot("/var/lib/docker", "info")
BOOK = "/proc/100/root/var/lib/docker/volumes/metadata.db"
LOCKS = "1: FLOCK  ADVISORY  WRITE 100 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 7 08:09:5 0 EOF\n"
SAME = Mounted("/", "ext4", "/dev/sda1", dev="8:1")
OTHER = Mounted("/var/lib/docker", "ext4", "/dev/sdb1", dev="8:17")
BTRFS = Mounted("/var/lib/docker", "btrfs", "/dev/sda1", dev="8:1")

CASES: dict[str, tuple[list[Mounted], str, dict[str, Any], Mounted | None]] = {
    "a disk over it": ([SAME, OTHER], LOCKS, {}, OTHER),
    "a disk with records of its own": ([SAME, OTHER], LOCKS, {BOOK: {"ino": 12}}, OTHER),
    "nothing over it": ([SAME], LOCKS, {BOOK: {"ino": 77}}, None),
    "removed by hand": ([SAME], LOCKS, {}, None),
    "a device that stat names otherwise": (
        [SAME, BTRFS],
        LOCKS,
        {BOOK: {"ino": 77, "dev": "0:40"}},
        None,
    ),
}


@pytest.mark.parametrize(("mounts", "locks", "files", "covering"), CASES.values(), ids=CASES)
def test_what_lies_over_the_data_root(
    mounts: list[Mounted], locks: str, files: dict[str, Any], covering: Mounted | None
) -> None:
    host = Made(
        {
            "file.read": {"text": locks},
            "file.stats": lambda question: {
                path: files.get(path, {"failed": "missing"}) for path in question.args["paths"]
            },
        }
    )
    covered = covered_data_root(host, LIVING, ROOT, Mounts(tuple(mounts)))
    assert covered == CoveredDataRoot(ROOT.path, covering)


def test_records_that_may_not_be_looked_at() -> None:
    host = Made(
        {
            "file.read": {"text": LOCKS},
            "file.stats": lambda question: {
                path: {"failed": "forbidden"} for path in question.args["paths"]
            },
        }
    )
    covered = covered_data_root(host, LIVING, ROOT, Mounts((SAME, OTHER)))
    assert isinstance(covered, Unavailable)


def test_a_data_root_on_the_root_file_system_needs_no_question() -> None:
    host = Made({})
    assert covered_data_root(host, LIVING, ROOT, Mounts((SAME,))).mount is None
    assert not host.asked


def test_an_engine_without_a_lock_is_not_judged() -> None:
    locks = LOCKS.replace("WRITE 100", "WRITE 101")
    host = Made({"file.read": {"text": locks}, "file.stats": lambda _: {}})
    covered = covered_data_root(host, LIVING, ROOT, Mounts((SAME, OTHER)))
    assert isinstance(covered, Unavailable)
