"""What containers have mounted for themselves (checks/container/mounts/mount_unshared.py)."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.inner_mounts import inner_mounts
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed, Unavailable
from diagnose.questions import Question
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ROOT = "20 1 8:1 / / rw - ext4 /dev/sda1 rw"
FOLDER = "31 30 8:1 /srv/media /mnt/remote rw - ext4 /dev/sda1 rw"
CLOUD = "32 31 0:77 / /mnt/remote rw - fuse.rclone gdrive: rw"
READER = "31 30 8:1 /srv/media /media ro - ext4 /dev/sda1 rw"
HOST = Mounts((Mounted("/", fstype="ext4", source="/dev/sda1", dev="8:1"),))
WITH_CLOUD = Mounts(
    (*HOST.items, Mounted("/srv/media", fstype="fuse.rclone", source="gdrive:", dev="0:77"))
)


def _member(name: str, pid: int, source: str, place: str, propagation: str = "") -> Container:
    mount = {"Type": "bind", "Source": source, "Destination": place, "Propagation": propagation}
    rights = ["CAP_SYS_ADMIN"] if name == "uploader" else None
    return container(name, State={"Pid": pid}, Mounts=[mount], HostConfig={"CapAdd": rights})


UPLOADER = _member("uploader", 1, "/srv/media", "/mnt/remote", "rprivate")
CINEMA = _member("cinema", 2, "/srv", "/media")
MONITOR = _member("monitor", 2, "/", "/host")
NAS = _member("uploader", 1, "/mnt/nas", "/data", "rprivate")
ELSEWHERE = _member("cinema", 2, "/srv/shop", "/media")

CASES: dict[str, tuple[tuple[Container, ...], dict[int, str], Mounts, list[tuple[str, str]]]] = {
    "another container reads it": (
        (UPLOADER, CINEMA),
        {1: CLOUD, 2: READER},
        HOST,
        [("warning", "uploader")],
    ),
    "nobody else has the folder": (
        (UPLOADER, ELSEWHERE),
        {1: CLOUD, 2: READER},
        HOST,
        [("advice", "uploader")],
    ),
    "a monitor has the whole host": (
        (UPLOADER, MONITOR),
        {1: CLOUD, 2: READER},
        HOST,
        [("advice", "uploader")],
    ),
    "it came from the host": ((UPLOADER, CINEMA), {1: CLOUD, 2: READER}, WITH_CLOUD, []),
    "the bind mount is shared": (
        (_member("uploader", 1, "/srv/media", "/mnt/remote", "rshared"), CINEMA),
        {1: CLOUD, 2: READER},
        HOST,
        [],
    ),
    "beside the bind mount": (
        (UPLOADER, CINEMA),
        {1: CLOUD.replace("/mnt/remote", "/mnt/remote2"), 2: READER},
        HOST,
        [],
    ),
    "an engine's own": (
        (UPLOADER, CINEMA),
        {1: CLOUD.replace("fuse.rclone", "fuse.fuse-overlayfs"), 2: READER},
        HOST,
        [],
    ),
    "a desktop's own": (
        (UPLOADER, CINEMA),
        {1: CLOUD.replace("fuse.rclone", "fuse.portal"), 2: READER},
        HOST,
        [],
    ),
    "the host has mounted its own again since": (
        (NAS, CINEMA),
        {1: CLOUD.replace("/mnt/remote", "/data").replace("fuse.rclone", "nfs4"), 2: READER},
        HOST,
        [],
    ),
    "a local file system": (
        (UPLOADER, CINEMA),
        {1: CLOUD.replace("fuse.rclone", "tmpfs"), 2: READER},
        HOST,
        [],
    ),
    "the table cannot be read": ((UPLOADER, CINEMA), {2: READER}, HOST, []),
}


@pytest.mark.parametrize(("members", "inside", "mounts", "expected"), CASES.values(), ids=CASES)
def test_mount_that_others_do_not_see(
    members: tuple[Container, ...],
    inside: dict[int, str],
    mounts: Mounts,
    expected: list[tuple[str, str]],
) -> None:
    def table(question: Question[Any]) -> Any:
        text = inside.get(int(question.path.split("/")[2]))  # type: ignore[attr-defined]
        if text is None:
            return Failed("forbidden", "")
        return {"text": f"{ROOT}\n{FOLDER}\n{text}\n"}

    found = inner_mounts(Made({"file.read": table}), of(*members), mounts)
    assert rows(judge("container.mount-unshared", inner_mounts=found)) == expected


def test_fix_shares_the_mount_and_restarts_the_reader() -> None:
    table = {"text": f"{ROOT}\n{FOLDER}\n{CLOUD.replace('/mnt/remote', '/mnt/remote/deep')}\n"}
    tables = {"/proc/1/mountinfo": table, "/proc/2/mountinfo": {"text": f"{ROOT}\n{READER}\n"}}
    host = Made({"file.read": lambda question: tables[question.path]})  # type: ignore[attr-defined]
    found = inner_mounts(host, of(UPLOADER, CINEMA), HOST)
    (finding,) = judge("container.mount-unshared", inner_mounts=found).findings
    assert finding.variables == {
        "container": "uploader",
        "inside": "/mnt/remote",
        "shared": "/srv/media:/mnt/remote:rshared",
        "visible": "/srv/media/deep",
        "reader": "cinema",
    }


def test_a_table_for_which_time_was_short_is_unknown() -> None:
    late = Made({"file.read": Failed("budget", "the time is over")})
    found = inner_mounts(late, of(UPLOADER, CINEMA), HOST)
    assert found == Unavailable("budget", "the time is over")
    assert judge("container.mount-unshared", inner_mounts=found).verdict == "unknown"
