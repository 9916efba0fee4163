"""Data roots that no engine of this host uses any more, on a disk that is full."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.data_root_candidates import likely_roots, taken_roots
from diagnose.evidence.engine.data_root import DEFAULT, DataRoot
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.mounts import Mounts
from diagnose.file_paths import is_within
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import WalkFolder
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import PathStatus
from diagnose.registry import evidence

WORTH_PCT = 85.0
"""From here on it is worth seconds to know what fills a disk."""
WALK_S = 1.0
_RECORDS = "image/overlay2"
"""The engine's records of images, by storage driver: a folder of a person's own, such as
/srv/docker with compose files and a folder "image", has none."""
_COPIES = tuple(f"{DEFAULT}{end}" for end in (".old", ".bak", "-old", "-bak", ".backup", "-backup"))
"""Names that people give to the old folder while they move it."""


class AbandonedRoot(msgspec.Struct, frozen=True):
    """A folder that an engine has kept its data in."""

    path: str
    bytes: int
    """Minimum number of its bytes; without the data root in use, which may be below it."""


class AbandonedRoots(msgspec.Struct, frozen=True):
    """The largest one on each full disk, by mount point."""

    by_point: Mapping[str, AbandonedRoot] = msgspec.field(default_factory=dict)


@evidence
def abandoned_roots(
    host: Host,
    root: DataRoot,
    daemon: Daemon,
    mounts: Mounts,
    filesystems: Filesystems,
    containers: Containers | None,
) -> AbandonedRoots:
    """The abandoned data roots, at common places of data roots.

    A data root of another living engine is left out, and so is one that a container has mounted. An
    engine that is down or has no container may be the one that lost its data root: then none is
    left over.
    """
    full = [disk for disk in filesystems if disk.usage.used_pct >= WORTH_PCT]
    if not full or not daemon.same_host:
        return AbandonedRoots()
    if not containers or containers.source == "disk":
        return AbandonedRoots()
    used_roots = taken_roots(host, daemon)
    mounted = containers.mount_sources
    measured: list[tuple[str, AbandonedRoot]] = []
    for path, disk in _left_roots(host, root, mounts, full):
        if path in used_roots or any(is_within(source, path) for source in mounted):
            continue
        walked = host.ask(WalkFolder(path, seconds=WALK_S, skip=[root.path]))
        if not isinstance(walked, Failed):
            measured.append((disk.point, AbandonedRoot(path, walked.bytes)))
    by_point = by_key(measured).items()
    return AbandonedRoots({point: max(roots, key=_size) for point, roots in by_point})


def _size(root: AbandonedRoot) -> int:
    return root.bytes


def _left_roots(
    host: Host, root: DataRoot, mounts: Mounts, full: list[Filesystem]
) -> Iterator[tuple[str, Filesystem]]:
    """Data roots beside the one in use, each once, with its full disk."""
    likely = (*likely_roots(root.path, mounts), *_COPIES)
    paths = [path for path in likely if path != root.path]
    records = [f"{path}/{_RECORDS}" for path in (root.path, *paths)]
    statuses = path_statuses(host, records)
    disks = {disk.usage.dev: disk for disk in full}
    known_places = {_place(statuses.get(records[0]))}
    for path, record in zip(paths, records[1:], strict=True):
        status = statuses.get(record)
        place = _place(status)
        if status is None or status.type != "folder" or place in known_places:
            continue
        known_places.add(place)
        if disk := disks.get(status.dev):
            yield path, disk


def _place(status: PathStatus | None) -> tuple[str, int]:
    """The device and inode of a folder: two paths may lead to it."""
    return (status.dev, status.ino) if status is not None else ("", 0)
