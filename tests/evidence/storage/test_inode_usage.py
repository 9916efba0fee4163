"""The folders that hold most inodes of a file system."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing, Behind
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.mounts import Mounted
from diagnose.evidence.storage.usage.inode_usage import InodeHolder, inode_usage
from tests.hosts import Made
from tests.inspected import container

ROOT = DataRoot("/data/docker", "daemon.json")
DISK = Filesystem(
    "/data",
    Usage(
        point="/data", fstype="ext4", source="/dev/sdb", size=1000, used=500, free=500,
        available=500, inodes=6000, inodes_free=0, dev="8:16", read_only=False,
    ),
    ("data root", "gogs"),
)  # fmt: skip
MOUNT = {"Type": "bind", "Source": "/data/gogs", "Destination": "/data", "RW": True}
GOGS = container("gogs", Mounts=[MOUNT])


def _walked(files: dict[str, int]) -> dict[str, Any]:
    return {"bytes": 9, "complete": True, "by": {}, "largest": [], "files": files}


def _usage(in_root: int) -> tuple[InodeHolder, ...]:
    def walk(question: Any) -> dict[str, Any]:
        if question.path == "/data/gogs":
            return _walked({"git": 5000, "attachments": 12})
        return _walked({"overlay2/9f": in_root})

    mounted = Mounted("/data", "ext4", "/dev/sdb", "rw", "8:16")
    backing = Backing((Behind(GOGS, GOGS.mounts[0], mounted),))
    found = inode_usage(Made({"fs.walk": walk}), Filesystems((DISK,)), ROOT, backing)
    return found.by_point["/data"]


def test_a_folder_beside_the_data_root_is_named_with_its_container() -> None:
    first = _usage(in_root=285)[0]
    assert (first.path, first.entries, first.users) == ("/data/gogs", 5012, ("gogs",))


def test_other_folders_are_not_walked_where_the_data_root_has_the_inodes() -> None:
    assert [holder.path for holder in _usage(in_root=4000)] == ["/data/docker/overlay2/9f"]


def test_a_monitor_of_the_whole_disk_is_not_named() -> None:
    whole = container("exporter", Mounts=[{**MOUNT, "Source": "/data", "RW": True}])
    reader = container("backup", Mounts=[{**MOUNT, "RW": False}])
    mounted = Mounted("/data", "ext4", "/dev/sdb", "rw", "8:16")
    backing = Backing(tuple(Behind(user, user.mounts[0], mounted) for user in (whole, reader)))
    host = Made({"fs.walk": _walked({"overlay2/9f": 285})})
    found = inode_usage(host, Filesystems((DISK,)), ROOT, backing)
    assert [holder.path for holder in found.by_point["/data"]] == ["/data/docker/overlay2/9f"]
