"""Which file system in memory a failed program found too small."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.outgrown_tmpfs import outgrown_tmpfs
from diagnose.evidence.containers.shared_memory import SharedMemory
from tests.inspected import container
from tests.judging import judge

SMALL = {"Tmpfs": {"/scratch": "size=4m"}}
ALONE = {**SMALL, "ReadonlyRootfs": True}
OF_MOUNT = {
    "Mounts": [
        {"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 4194304, "Mode": 448}}
    ]
}
BELOW = [{"Type": "volume", "Source": "/v/_data", "Destination": "/scratch/big", "RW": True}]
NAMED = "dd: error writing '/scratch/f': No space left on device"
UNNAMED = "OSError: [Errno 28] No space left on device"
CASES: dict[str, tuple[dict[str, Any], list[Any], str, str]] = {
    "the line names it": (SMALL, [], NAMED, "/scratch:size=16m"),
    "it is a mount": (OF_MOUNT, [], NAMED, "/scratch:size=16777216,mode=700"),
    "its inodes are limited": (
        {"Tmpfs": {"/scratch": "nr_inodes=40,mode=1777"}},
        [],
        NAMED,
        "/scratch:nr_inodes=160,mode=1777",
    ),
    "it has no limit of its own": ({"Tmpfs": {"/scratch": ""}}, [], NAMED, ""),
    "another folder": (SMALL, [], NAMED.replace("/scratch", "/scratch2"), ""),
    "a volume below it": (SMALL, BELOW, NAMED.replace("/f", "/big/f"), ""),
    "no path, and other places": (SMALL, [], UNNAMED, ""),
    "no path, and it can write nowhere else": (ALONE, [], UNNAMED, "/scratch:size=16m"),
    "another path, and it can write nowhere else": (ALONE, [], f"{UNNAMED}: '/dev/shm/x'", ""),
    "another error": (ALONE, [], "OSError: [Errno 13] Permission denied: '/scratch/f'", ""),
}


@pytest.mark.parametrize(("host", "mounts", "line", "larger"), CASES.values(), ids=CASES)
def test_the_folder_without_room(
    host: dict[str, Any], mounts: list[Any], line: str, larger: str
) -> None:
    ended = container(
        "job", HostConfig=host, Mounts=mounts, State={"Status": "exited", "ExitCode": 1}
    )
    tails = LogTails({ended.id: LogTail((line,))}, {})
    outgrown = outgrown_tmpfs(Containers((ended,)), tails, None)
    found = judge("storage.shm-full", memory=SharedMemory(()), outgrown=outgrown)
    assert [finding.variables["tmpfs"] for finding in found.findings] == (
        [larger] if larger else []
    )
