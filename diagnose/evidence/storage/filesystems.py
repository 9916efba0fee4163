"""The file systems that the engine and its containers stand on, as statvfs sees them."""

import functools
import posixpath

import msgspec

from diagnose.evidence.engine.data_root import CONTAINERD, DataRoot
from diagnose.evidence.items import Items
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.mounts import Mounts
from diagnose.file_paths import is_within
from diagnose.filesystem_types import is_remote
from diagnose.model import Failed, Subject, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.filesystems import StatFilesystem, Usage
from diagnose.registry import evidence

__all__ = [
    "EVERYBODYS",
    "FULL_BY_NATURE",
    "PART",
    "SYSTEM",
    "Filesystem",
    "Filesystems",
    "Usage",
    "filesystems",
]

FULL_BY_NATURE = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "romfs", "udf"})
"""Images that are made to measure: full from the first day."""
SYSTEM = {
    "/": "system",
    "/run": "runtime state",
    "/tmp": "temporary files",  # noqa: S108
    "/var/log": "system logs",
}
"""Folders of every host that engines and their tools need, and their contents: without room in /run
no container starts."""

PART = " of the data root"
EVERYBODYS = frozenset({"data root", "containerd", SYSTEM["/run"]})


class Filesystem(msgspec.Struct, frozen=True):
    """A file system, and the names of its contents.

    "data root", a folder of it, "containerd", one of `SYSTEM`, or the containers that write there.
    """

    point: str
    usage: Usage
    holds: tuple[str, ...]

    @property
    def subject(self) -> Subject:
        return Subject("filesystem", self.point)

    @property
    def carries_all(self) -> bool:
        """Whether every container depends on it, not only those that mount it."""
        return any(hold in EVERYBODYS or hold.endswith(PART) for hold in self.holds)

    @property
    def is_aside(self) -> bool:
        """Whether only the host's own programs suffer when it is full."""
        return {*self.holds} <= {SYSTEM["/tmp"], SYSTEM["/var/log"]}  # noqa: S108 - a name

    @property
    def holds_data_root(self) -> bool:
        return "data root" in self.holds


class Filesystems(Items[Filesystem], frozen=True, dict=True):
    """The local file systems that matter to Docker, by mount point."""

    unexamined: tuple[Unexamined, ...] = ()
    """The file systems that did not answer."""

    @functools.cached_property
    def by_point(self) -> dict[str, Filesystem]:
        return {filesystem.point: filesystem for filesystem in self.items}

    def holding(self, path: str) -> Filesystem | None:
        """The file system of a path, by its name."""
        above = (filesystem for filesystem in self.items if is_within(path, filesystem.point))
        return max(above, key=lambda mount: len(mount.point), default=None)

    @property
    def of_data_root(self) -> Filesystem | None:
        return next((filesystem for filesystem in self.items if filesystem.holds_data_root), None)


@evidence
def filesystems(
    host: Host, root: DataRoot, mounts: Mounts | None, backing: Backing | None
) -> Filesystems | Unavailable:
    """The usage of local file systems that matter to Docker, by one statvfs each.

    The data root's and those of folders of it, containerd's, the system's own, and those that
    containers write to.
    """
    paths = _paths(root, mounts, backing)
    by_point: dict[str, tuple[Usage, dict[str, None]]] = {}
    silent: list[Unexamined] = []
    failed: Failed | None = None
    for path, usage in host.ask_in_order(paths, StatFilesystem):
        if isinstance(usage, Failed):
            if path == root.path:
                failed = usage
            # an older recording was not asked for every folder of the system
            if usage.reason != "missing" and not (
                usage.reason == "not recorded" and path in SYSTEM
            ):
                silent.append(Unexamined(Subject("filesystem", path), str(usage)))
            continue
        point = usage.point or path
        usage_and_points = by_point.setdefault(point, (usage, {}))
        usage_and_points[1].update(dict.fromkeys(paths[path]))
    if not by_point and failed is not None:
        return Unavailable.of(failed)
    items = (
        Filesystem(point, usage, tuple(sorted(holds))) for point, (usage, holds) in by_point.items()
    )
    return Filesystems(tuple(sorted(items, key=lambda mount: mount.point)), tuple(silent))


def _paths(root: DataRoot, mounts: Mounts | None, backing: Backing | None) -> dict[str, list[str]]:
    """The paths to ask about, with the names of their contents."""
    paths: dict[str, list[str]] = {root.path: ["data root"], CONTAINERD: ["containerd"]}
    for path, purpose in SYSTEM.items():
        paths.setdefault(path, []).append(purpose)
    for mounted in mounts or ():
        folder, name = posixpath.split(mounted.point)
        if folder == root.path and not is_remote(mounted.fstype):
            paths.setdefault(mounted.point, []).append(f"{name}{PART}")
    for backed in backing or ():
        fstype = backed.mounted.fstype
        # a path under autofs is not a file system yet; the mount that follows is remote
        is_of_the_host = not is_remote(fstype) and fstype not in (*FULL_BY_NATURE, "autofs")
        if backed.mount.rw and is_of_the_host:
            paths.setdefault(backed.mounted.point, []).append(backed.container.name)
    return paths
