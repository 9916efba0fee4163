"""File systems that say of themselves that nothing can be written."""

from collections.abc import Iterator

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import by_key

OWN_FOLDERS = frozenset({"buildkit", "containerd", "containers", "image", "network", "tmp"})
"""Folders of a data root that the engine writes to itself, for whatever it is asked to do."""
READ_ONLY = {
    "ro": "it is mounted with option ro",
    "emergency_ro": "the kernel has stopped all writing after an error (emergency_ro)",
    "shutdown": "it was shut down after an error (shutdown)",
}
"""Options with which a file system reports that nothing can be written, in words (emergency_ro:
ext4 since Linux 6.15)."""


def own_mounts(root: DataRoot, mounts: Mounts) -> Iterator[Mounted]:
    """The mounts at folders of the data root to which only the engine writes."""
    if is_sandboxed(mounts):
        return
    for mounted in mounts:
        inside = mounted.point.removeprefix(f"{root.path.rstrip('/')}/")
        is_own = inside != mounted.point and inside.partition("/")[0] in OWN_FOLDERS
        if is_own and inside.count("/") <= 1 and mounted.fstype != "overlay":
            yield mounted


def written_disks(backing: Backing | None, mounts: Mounts) -> Iterator[tuple[Mounted, list[str]]]:
    """File systems to which running containers may write, each with these containers."""
    writers = by_key(
        (backed.mounted.point, backed.container.name)
        for backed in backing or ()
        if backed.mount.rw and backed.container.is_running
    )
    for point, names in writers.items():
        mounted = mounts.of(point)
        if mounted is not None:
            yield mounted, names


def is_lost_to_writers(mounted: Mounted) -> bool:
    """Whether a file system went read-only after an error: its mount still says rw."""
    is_writable = not mounted.has_flag_ro and mounted.fstype not in FULL_BY_NATURE
    return is_writable and bool(lost_options(mounted.super))


def is_sandboxed(mounts: Mounts) -> bool:
    """Whether the root is mounted read-only for this tool alone, as in a sandbox of systemd."""
    base = mounts.of("/")
    return base is not None and base.has_flag_ro and not base.has_read_only_superblock


def lost_options(options: str) -> frozenset[str]:
    """The options of a mount that say that nothing can be written."""
    return frozenset(options.split(",")) & READ_ONLY.keys()


def is_mounted_read_only(mounted: Mounted) -> bool:
    """Whether a mount is read-only on purpose; after an error the mount still says rw."""
    return mounted.has_flag_ro and lost_options(mounted.super) <= {"ro"}
