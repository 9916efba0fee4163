"""Full file systems on a disk that was enlarged, while the file system was not."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.storage.block_devices import SECTOR, numbers_in
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_status
from diagnose.registry import evidence

__all__ = ["GrowableDisk", "GrowableDisks", "growable_disks"]

WORTH_PCT = 85.0
"""The percentage from which on a file system counts as full."""
KINDS = ("ext2", "ext3", "ext4", "xfs")
"""The types of file systems that grow while they are mounted."""
LEAST = 256 << 20
"""A smaller difference is the file system's own overhead: the log of xfs has at least 64 MiB."""
LEAST_SHARE = 0.15
"""ext4's tables of inodes and its journal take up to an eighth of a small disk."""


class GrowableDisk(msgspec.Struct, frozen=True):
    """A file system that could be larger without a new disk."""

    device: str
    """The mounted device, such as /dev/sda1."""
    fstype: str
    device_bytes: int
    unused: int
    """Bytes of the disk that the file system does not use."""
    disk: str = ""
    """The disk, such as /dev/sda, if the free room is behind a partition."""
    number: str = ""
    """The number of that partition."""


class GrowableDisks(msgspec.Struct, frozen=True):
    """The growable disks by mount point."""

    by_point: Mapping[str, GrowableDisk] = msgspec.field(default_factory=dict)


class _Device(msgspec.Struct, frozen=True):
    """A block device of sysfs. Start and size in bytes."""

    name: str
    size: int
    parent: str = ""
    start: int = 0
    number: str = ""


@evidence
def growable_disks(host: Host, filesystems: Filesystems) -> GrowableDisks:
    """The full file systems on a disk that was enlarged.

    The collector asks only for those on a block device. A partition that another one follows cannot
    grow.
    """
    disks: dict[str, GrowableDisk] = {}
    for disk in filter(_is_worth_a_look, filesystems):
        device = _device(host, disk.usage.dev)
        if device is None:
            continue
        room_behind = _room_behind(host, device) if device.parent else 0
        unused = device.size - disk.usage.size + room_behind
        if unused < max(LEAST, LEAST_SHARE * (device.size + room_behind)):
            continue
        is_partition = room_behind >= LEAST
        disks[disk.point] = GrowableDisk(
            f"/dev/{device.name}",
            disk.usage.fstype or "",
            device_bytes=device.size,
            unused=unused,
            disk=f"/dev/{device.parent}" if is_partition else "",
            number=device.number if is_partition else "",
        )
    return GrowableDisks(disks)


def _is_worth_a_look(disk: Filesystem) -> bool:
    figures = disk.usage
    is_on_device = figures.fstype in KINDS and not figures.dev.startswith("0:")
    return is_on_device and not figures.read_only and figures.used_pct >= WORTH_PCT


def _device(host: Host, device_number: str) -> _Device | None:
    """The device of this number, such as 8:1; None where sysfs does not show it."""
    folder = f"/sys/dev/block/{device_number}"
    link = path_status(host, folder).link
    size_file = f"{folder}/size"
    start_file = f"{folder}/start"
    partition_file = f"{folder}/partition"
    numbers = numbers_in(host, [size_file, start_file, partition_file])
    if not link or size_file not in numbers:
        return None
    *_, parent, name = link.split("/")
    size = numbers[size_file] * SECTOR
    if start_file not in numbers or partition_file not in numbers:
        return _Device(name, size)
    start = numbers[start_file] * SECTOR
    return _Device(name, size, parent, start, number=str(numbers[partition_file]))


def _room_behind(host: Host, device: _Device) -> int:
    """Bytes of the disk behind a partition; 0 where another one follows it."""
    size = f"/sys/class/block/{device.parent}/size"
    whole = numbers_in(host, [size]).get(size)
    end = device.start + device.size
    if whole is None or any(start >= end for start in _starts(host, device.parent)):
        return 0
    return whole * SECTOR - end


def _starts(host: Host, disk: str) -> list[int]:
    """The offsets of a disk's partitions, in bytes."""
    listing = folder_listing(host, f"/sys/class/block/{disk}")
    partitions = [name for name in listing.names if name.startswith(disk)]
    starts = numbers_in(host, [f"/sys/class/block/{name}/start" for name in partitions])
    return [start * SECTOR for start in starts.values()]
