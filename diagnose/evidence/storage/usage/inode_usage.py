"""The folders with the most inodes, on a file system that runs out of inodes."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.file_paths import is_within
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.data_root import WalkFolder
from diagnose.registry import evidence

WORTH_PCT = 90.0
"""From here on it is worth seconds of walking."""
WALK_S = 2.4
MOST = 5
SOURCES = 8
"""Folders outside the data root that are walked on one file system, at most."""


class InodeHolder(msgspec.Struct, frozen=True):
    """A folder with the entries and the bytes below it."""

    path: str
    entries: int
    bytes: int
    users: tuple[str, ...] = ()
    """The names of the containers that mount it, for a folder outside the data root."""


class InodeUsage(msgspec.Struct, frozen=True):
    """The folders with most entries, by the mount point of their file system, the largest first.

    The figures are lower bounds where a walk did not come to its end.
    """

    by_point: Mapping[str, tuple[InodeHolder, ...]] = msgspec.field(default_factory=dict)
    volumes: Mapping[str, InodeHolder] = msgspec.field(default_factory=dict)
    """The engine's volumes among all folders that were walked, by name."""


@evidence
def inode_usage(
    host: Host, filesystems: Filesystems, root: DataRoot, backing: Backing | None
) -> InodeUsage | Unavailable:
    """The folders with most inodes of a file system from `WORTH_PCT` of its inodes on.

    The walk begins at the data root where it lies there, else at the top. Where the data root has
    less than half of the inodes, folders of the host that containers mount are walked too.
    """
    by_folder: dict[str, tuple[InodeHolder, ...]] = {}
    volumes: dict[str, InodeHolder] = {}
    for disk in filesystems:
        if (disk.usage.inodes_used_pct or 0.0) < WORTH_PCT:
            continue
        top = root.path if is_within(root.path, disk.point) and disk.holds_data_root else disk.point
        answer = host.ask(WalkFolder(top, seconds=WALK_S, depth=2))
        if isinstance(answer, Failed):
            continue
        holders = [
            InodeHolder(f"{top}/{name}", entries, answer.by.get(name, 0))
            for name, entries in answer.files.items()
        ]
        volumes |= _volumes(holders, f"{root.path}/volumes/")
        in_use = disk.usage.inodes - disk.usage.inodes_free
        if top != disk.point and 2 * sum(answer.files.values()) < in_use:
            holders += _mounted_folders(host, disk, root, backing)
        by_folder[disk.point] = tuple(sorted(holders, key=lambda holder: -holder.entries)[:MOST])
    return InodeUsage(by_folder, volumes)


def _mounted_folders(
    host: Host, disk: Filesystem, root: DataRoot, backing: Backing | None
) -> Iterator[InodeHolder]:
    """Folders of this file system beside the data root, with the containers that write there.

    A monitor that mounts the whole disk fills nothing.
    """
    users: dict[str, list[str]] = {}
    for backed in backing or ():
        source = backed.mount.source
        is_beside = not is_within(source, root.path) and not is_within(root.path, source)
        if backed.mounted.point == disk.point and is_beside and backed.mount.rw:
            users.setdefault(source, []).append(backed.container.name)
    sources = host.first(sorted(users), SOURCES, f"mounted folders on {disk.point}")
    for source, answer in host.ask_in_order(sources, _walk_of):
        if not isinstance(answer, Failed):
            entries = sum(answer.files.values())
            yield InodeHolder(source, entries, answer.bytes, tuple(users[source]))


def _walk_of(source: str) -> WalkFolder:
    return WalkFolder(source, seconds=WALK_S / 2)


def _volumes(holders: list[InodeHolder], folder: str) -> dict[str, InodeHolder]:
    return {
        holder.path.removeprefix(folder): holder
        for holder in holders
        if holder.path.startswith(folder)
    }


def fullest(usage: InodeUsage, disk: Filesystem) -> tuple[InodeHolder, ...]:
    """The folders that hold most of a disk's inodes; empty if it was not walked."""
    return usage.by_point.get(disk.point, ())
