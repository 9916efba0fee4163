"""Copies of evidence in which disks have room again: pure edits."""

from msgspec.structs import replace

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.read_only_disks import READ_ONLY
from diagnose.model import Edit, Finding
from diagnose.registry import without

SIZES = ("stat(", "writable layer, bytes")
"""Names in evidence for the bytes that a file or a layer takes."""
HEALTHY_PCT = 60
"""The assumed usage of a disk after somebody made room."""


def _with_used(disk: Filesystem, used: int) -> Filesystem:
    """The disk with this number of bytes in use; every user may use the freed ones."""
    freed = disk.usage.used - used
    usage = replace(
        disk.usage,
        used=used,
        free=disk.usage.free + freed,
        available=disk.usage.available + freed,
        read_only=False,
    )
    return replace(disk, usage=usage)


@without("storage.disk-full")
def disk_has_room(finding: Finding, filesystems: Filesystems) -> Edit:
    """The disk of the finding is `HEALTHY_PCT` full."""

    def roomy(disk: Filesystem) -> Filesystem:
        usable = disk.usage.used + disk.usage.available
        if disk.subject == finding.subject:
            return _with_used(disk, usable * HEALTHY_PCT // 100)
        return disk

    return {Filesystems: replace(filesystems, items=tuple(roomy(disk) for disk in filesystems))}


@without("storage.inodes-exhausted")
def disk_has_inodes(finding: Finding, filesystems: Filesystems) -> Edit:
    """Half of the inodes of the finding's disk are free."""

    def spacious(disk: Filesystem) -> Filesystem:
        if disk.subject != finding.subject:
            return disk
        return replace(disk, usage=replace(disk.usage, inodes_free=disk.usage.inodes // 2))

    return {Filesystems: replace(filesystems, items=tuple(spacious(disk) for disk in filesystems))}


@without("storage.read-only", "kernel.filesystem-errors")
def disk_is_writable(finding: Finding, mounts: Mounts) -> Edit:
    """The file systems that the finding is about are mounted for writing, and have no error."""
    points = {
        subject.name
        for subject in (finding.subject, *finding.touches)
        if subject.kind == "filesystem"
    }
    mended = tuple(
        _writable_mount(mounted) if mounted.point in points else mounted for mounted in mounts
    )
    return {Mounts: replace(mounts, items=mended)}


def _writable_mount(mounted: Mounted) -> Mounted:
    options = _without_stop(mounted.options)
    of_filesystem = _without_stop(mounted.super)
    return replace(mounted, options=options, super=of_filesystem)


def _without_stop(options: str) -> str:
    return ",".join(option for option in options.split(",") if option not in READ_ONLY)


@without("storage.deleted-files-held", "storage.writable-layer-large", "logging.unbounded")
def file_is_gone(finding: Finding, filesystems: Filesystems) -> Edit:
    """The bytes of the finding's file are free again on the disk that it fills."""
    sizes = {
        path: value
        for path, value in finding.evidence.items()
        if path.startswith(SIZES) and _is_number(value)
    }
    total = sum(int(size) for size in sizes.values())

    def emptied(disk: Filesystem) -> Filesystem:
        if disk.subject in finding.touches:
            return _with_used(disk, max(0, disk.usage.used - total))
        return disk

    return {Filesystems: replace(filesystems, items=tuple(emptied(disk) for disk in filesystems))}


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
