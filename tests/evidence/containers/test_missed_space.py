"""Which containers miss space that is not missing on a disk."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.missed_space import missed_space
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.programs.telling_line import TellingLine
from tests.inspected import container
from tests.judging import judge, rows

OWNER = container("build")
FULL = "tar: pkg/x: Wrote only 4096 of 10240 bytes: No space left on device"
CASES: dict[str, tuple[str, int, str]] = {
    "complains": (FULL, 50, "warning"),
    "complains of something else": ("ERROR: connection refused", 50, "advice"),
    "a disk is full too": (FULL, 99, "advice"),
}


def usage(fstype: str, used: int) -> Usage:
    free = 100 - used
    return Usage(
        "/", fstype, "", 100, used, free, free, inodes=0, inodes_free=0, dev="8:1", read_only=False
    )


@pytest.mark.parametrize(("line", "used", "severity"), CASES.values(), ids=CASES)
def test_scratch_in_memory_that_is_full(line: str, used: int, severity: str) -> None:
    error = RepeatedError(OWNER, TellingLine(line), times=4, of=6)
    disk = Filesystem("/", usage("ext4", used), ())
    area = InMemory(OWNER, "/scratch", usage("tmpfs", 100))
    found = judge(
        "storage.shm-full",
        memory=SharedMemory((area,)),
        missed=missed_space(RepeatedErrors((error,)), Filesystems((disk,))),
    )
    assert rows(found) == [(severity, "build")]
