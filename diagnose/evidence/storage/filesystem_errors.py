"""Errors of mounted file systems and of their disks, by the kernel log. Pure."""

import re
from collections.abc import Mapping

import msgspec

from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.storage.block_devices import BlockDevices
from diagnose.evidence.storage.mounts import Mounted
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key

_ERROR = LazyPattern(
    r"""
    ^ (?! .* (?: DISCARD | WRITE_ZEROES | SECURE_ERASE ) )  # many a disk refuses these: nothing is lost
    .{0,300}
    (?:
        EXT4-fs[ ]error
        | EXT4-fs[ ]\( (?P<ext>[\w.-]+) \):[ ]Remounting[ ]filesystem[ ]read-only
        | XFS[ ]\( (?P<xfs>[\w.-]{1,64}) \):[ ] .{0,300} (?: Corruption | Shutting[ ]down | [Ee]rror )
        | BTRFS[ ] (?: error | critical )
        | Buffer[ ]I/O[ ]error[ ]on[ ] (?: dev | device ) [ ]
        | (?: I/O | critical[ ][a-z ]+ | device[ ]offline | timeout | recoverable[ ]transport
            | protection ) [ ]error,[ ]dev[ ]               # block/blk-core.c
        | device-mapper:[ ]thin:[ ]\d+: (?P<pool>\d+) :[ ]switching[ ]pool[ ]to[ ]
            (?: out-of-data-space | read-only | fail )
    )
    (?: [ ]? \( (?:device[ ])? (?P<named>[\w.-]+) | (?P<bare>[\w.-]+) )?    # the device
    """,
    re.VERBOSE,
)
_ERROR_SIGNS = ("rror", "critical", "Remounting", "Corruption", "Shutting", "thin:")
_FULL_FOLDER = LazyPattern(
    r"EXT4-fs warning \(device (?P<named>[\w.-]{1,64})\): ext4_dx_add_entry:(?:\d+:)? ?Directory "
    r"(?:\(ino: (?P<inode>\d{1,20})\) )?index full"
)
"""Linux 4.15 and newer say the number of the folder."""
_MOUNTED = LazyPattern(
    r"EXT4-fs \((?P<ext>[\w.-]+)\): mounted filesystem|XFS \((?P<xfs>[\w.-]+)\): Mounting V|"
    r"BTRFS info \(device (?P<named>[\w.-]+)\): first mount|"
    r"device-mapper: thin: \d+:(?P<pool>\d+): switching pool to write mode"
)
"""Lines that end such errors: the file system was mounted again, the pool of its thin volume has
room again."""
_MOUNT_SIGNS = ("mounted", "Mounting", "first mount", "thin:")


class FilesystemErrors(msgspec.Struct, frozen=True):
    """The errors of one device that is mounted now."""

    mounted: Mounted
    lines: tuple[str, ...]
    last_at: float
    """Unix time."""


def filesystem_errors(
    log: KernelLog, disks: BlockDevices, since: float
) -> dict[str, FilesystemErrors]:
    """The errors since this Unix time and since the present mount, by device.

    The log also mentions a stick that was pulled out, and a disk that has been repaired since.
    """
    mounted_at = {
        _device(match): record.at for record, match in log.matching(_MOUNTED, _MOUNT_SIGNS)
    }
    records = by_key(
        (_mounted_device(_device(match), disks.by_name), record)
        for record, match in log.matching(_ERROR, _ERROR_SIGNS)
    )
    errors = {}
    for device, logged in records.items():
        begin = max(since, mounted_at.get(device, 0.0))
        recent = [record for record in logged if record.at >= begin]
        if device and recent:
            lines = tuple(record.text for record in recent)
            errors[device] = FilesystemErrors(disks.by_name[device], lines, recent[-1].at)
    return errors


class FullIndex(msgspec.Struct, frozen=True):
    """A folder whose index takes no more names."""

    mounted: Mounted
    inode: str
    """Its number; "" where the kernel did not say."""
    line: str
    last_at: float
    """Unix time."""
    times: int


def full_indexes(log: KernelLog, disks: BlockDevices, since: float) -> list[FullIndex]:
    """The folders of mounted devices with a full index, by the kernel log since this Unix time."""
    mounted_at = {
        _device(match): record.at for record, match in log.matching(_MOUNTED, _MOUNT_SIGNS)
    }
    records = by_key(
        ((match["named"], match["inode"] or ""), record)
        for record, match in log.matching(_FULL_FOLDER, ("index full",))
    )
    full = []
    for (device, inode), logged in records.items():
        begin = max(since, mounted_at.get(device, 0.0))
        recent = [record for record in logged if record.at >= begin]
        if recent and device in disks.by_name:
            last = recent[-1]
            mounted = disks.by_name[device]
            full.append(FullIndex(mounted, inode, last.text, last.at, len(recent)))
    return full


def _device(match: re.Match[str]) -> str:
    """The device that a line names, as the kernel calls it.

    The pool of a thin volume has numbers.
    """
    fields = match.groupdict()
    if fields["pool"]:
        return f"dm-{fields['pool']}"
    return next((name for name in fields.values() if name), "")


def _mounted_device(device: str, by_name: Mapping[str, Mounted]) -> str:
    """The mounted device that the kernel names.

    Itself, or a partition of the disk (sda -> sda1, nvme0n1 -> nvme0n1p1; dm-10 is not a partition
    of dm-1).
    """
    if device in by_name or not device:
        return device
    partition = re.compile(re.escape(device) + ("p" if device[-1].isdigit() else "") + r"\d+\Z")
    return next((name for name in by_name if partition.match(name)), "")
