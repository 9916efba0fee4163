"""Mounted filesystems of the host, by mount point."""

import functools
from collections.abc import Iterator

from diagnose.evidence.containers.container import Container
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ListMounts, Mounted
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

__all__ = [
    "WITHOUT_OWNERS",
    "Mounted",
    "Mounts",
    "mount_table",
    "mount_table_of",
    "mounts",
    "parse",
]

WITHOUT_OWNERS = vocabulary(
    "9p cifs exfat fuse.rclone fuseblk msdos ntfs ntfs3 smb3 smbfs vfat vboxsf"
)
"""File systems whose files have the owner and the mode of the mount options: mount.cifs(8),
mount(8)."""
_OCTAL = LazyPattern(r"\\([0-7]{3})")


class Mounts(Items[Mounted], frozen=True, dict=True):
    """All mounts, in the order in which they were made."""

    @functools.cached_property
    def _by_dev(self) -> dict[str, list[Mounted]]:
        return by_key((mount.dev, mount) for mount in self)

    def showing(self, dev: str) -> Mounted | None:
        """The mount that shows most of the file system on this device."""
        return min(self._by_dev.get(dev, ()), key=lambda mount: len(mount.root), default=None)

    def whole(self, mounted: Mounted) -> Mounted:
        """The mount around it of the same file system.

        A folder that is bound on itself is not one of its own.
        """
        mounts_around = (
            mount
            for mount in self._by_dev.get(mounted.dev, ())
            if is_within(mounted.root, mount.root) and is_within(mounted.point, mount.point)
        )
        return min(
            mounts_around, key=lambda mount: (len(mount.root), -len(mount.point)), default=mounted
        )

    @functools.cached_property
    def _by_point(self) -> dict[str, Mounted]:
        return {mount.point: mount for mount in self.items}

    def of(self, path: str) -> Mounted | None:
        """The mount that holds this path, by its name alone.

        The collector asks nothing of a filesystem that may be dead.
        """
        while path:
            if path in self._by_point:
                return self._by_point[path]
            path = path.rpartition("/")[0] or ("/" if path != "/" else "")
        return None

    def has_point(self, path: str) -> bool:
        """Whether something is mounted at just this path."""
        return path in self._by_point

    def point_of(self, path: str) -> str | None:
        mount = self.of(path)
        return mount.point if mount else None


@evidence
def mounts(host: Host) -> Mounts | Unavailable:
    """The mounts of the tool's own namespace, which is the host's where `locality` says so."""
    rows = host.require(ListMounts())
    return Mounts(tuple(rows))


def mount_table_of(container: Container) -> ReadFile:
    """The question for the mount table of a running container, as `parse` reads it."""
    return mount_table(container.state.pid)


def mount_table(pid: int) -> ReadFile:
    """The question for the mount table of one process, as `parse` reads it."""
    return ReadFile(f"/proc/{pid}/mountinfo")


def parse(text: str) -> Iterator[Mounted]:
    """The mounts of another process's mountinfo (proc(5)), in its order."""
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields_before = before.split(" ")
        right = after.split(" ")
        if separator and len(fields_before) > 5 and len(right) > 2:
            yield Mounted(
                unescaped_path(fields_before[4]),
                fstype=right[0],
                source=unescaped_path(right[1]),
                root=unescaped_path(fields_before[3]),
                dev=fields_before[2],
                options=fields_before[5],
                super=right[2],
            )


def unescaped_path(text: str) -> str:
    """A path as mountinfo and fstab write it, with its spaces as \\040."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
