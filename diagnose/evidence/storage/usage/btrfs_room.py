"""Room for metadata on file systems of the kind btrfs, as sysfs shows it.

btrfs gives its disk to data and to metadata in chunks. When the whole disk is given away and the
metadata's chunks are full, no file can be made, whatever df says of the data's.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from diagnose.evidence.storage.block_devices import SECTOR, numbers_in
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

__all__ = ["BtrfsRoom", "BtrfsRooms", "btrfs_rooms"]

SYSFS = "/sys/fs/btrfs"
ID_LENGTH = 36
ENOUGH = 8 << 20
ENOUGH_PCT = 3.0
"""Room that the kernel does not hand out: on Linux 6.18, creating files failed with 4 MiB left."""
CHUNK = 64 << 20
"""The kernel allocates chunks of 256 MiB and more, and smaller ones on small disks."""


class BtrfsRoom(msgspec.Struct, frozen=True):
    """The room of one btrfs, in bytes."""

    metadata: int
    """The size of all chunks of metadata."""
    metadata_used: int
    """Bytes of that which are used, or reserved by the kernel."""
    unallocated: int
    """Bytes of all disks that belong to no chunk yet."""
    data: int = 0
    data_used: int = 0
    is_full: bool = False
    """Whether statfs reports 0 bytes available: the kernel does so if metadata is full, too."""

    @property
    def left(self) -> int:
        """The metadata that new files can still use."""
        return max(self.metadata - self.metadata_used, 0)

    @property
    def left_pct(self) -> float:
        return 100.0 * self.left / self.metadata if self.metadata else 100.0

    @property
    def is_given_away(self) -> bool:
        """Whether the disk has no room for another chunk."""
        return self.unallocated < CHUNK

    @property
    def has_spare_data(self) -> bool:
        """Whether chunks of data are empty enough that a balance frees some."""
        return self.data - self.data_used >= max(CHUNK, self.data // 10)

    @property
    def is_out(self) -> bool:
        """Whether the kernel refuses new files although there is room for data."""
        if not self.is_given_away:
            return False  # some kernels before 5.6 report nothing available while a chunk is left
        says_so = self.is_full and self.has_spare_data
        return says_so or self.left < ENOUGH or self.left_pct <= ENOUGH_PCT


class BtrfsRooms(msgspec.Struct, frozen=True):
    """The rooms of btrfs file systems by mount point."""

    by_point: Mapping[str, BtrfsRoom] = msgspec.field(default_factory=dict)


@evidence
def btrfs_rooms(host: Host, filesystems: Filesystems) -> BtrfsRooms:
    """The room of btrfs file systems."""
    disks = [disk for disk in filesystems if disk.usage.fstype == "btrfs"]
    if not disks:
        return BtrfsRooms()
    rooms: dict[str, BtrfsRoom] = {}
    for id, names in _devices(host).items():
        device_names = {*names, *_mapped_names(host, id, names)}
        mounted = [
            disk for disk in disks if posixpath.basename(disk.usage.source or "") in device_names
        ]
        room = _room(host, id, names) if mounted else None
        if room is not None:
            rooms |= {
                disk.point: replace(room, is_full=disk.usage.available == 0) for disk in mounted
            }
    return BtrfsRooms(rooms)


def _devices(host: Host) -> dict[str, list[str]]:
    """The names of the devices of each btrfs, by its id."""
    names = folder_listing(host, SYSFS).names
    ids = [name for name in names if len(name) == ID_LENGTH]
    folders = host.answers_about(ids, lambda id: ListFolder(f"{SYSFS}/{id}/devices"))
    return {id: folder.names for id, folder in folders.items()}


def _mapped_names(host: Host, id: str, devices: Iterable[str]) -> Iterator[str]:
    """The names below /dev/mapper of encrypted disks and logical volumes, such as dm-0."""
    for device in devices:
        if device.startswith("dm-"):
            name = host.ask(ReadFile(f"{SYSFS}/{id}/devices/{device}/dm/name"))
            if not isinstance(name, Failed):
                yield name.text.strip()


def _room(host: Host, id: str, devices: Iterable[str]) -> BtrfsRoom | None:
    """None where one of the figures cannot be read."""
    allocation = f"{SYSFS}/{id}/allocation"
    paths = {
        name: f"{allocation}/{name}"
        for name in (
            "metadata/total_bytes",
            "metadata/bytes_used",
            "global_rsv_size",
            "data/total_bytes",
            "data/bytes_used",
            "data/disk_total",
            "metadata/disk_total",
            "system/disk_total",
        )
    }
    sizes = [f"{SYSFS}/{id}/devices/{device}/size" for device in devices]
    numbers = numbers_in(host, [*paths.values(), *sizes])
    if len(numbers) < len(paths) + len(sizes):
        return None
    figures = {name: numbers[path] for name, path in paths.items()}
    size = sum(numbers[path] for path in sizes) * SECTOR
    allocated = sum(figures[name] for name in figures if name.endswith("disk_total"))
    return BtrfsRoom(
        metadata=figures["metadata/total_bytes"],
        metadata_used=figures["metadata/bytes_used"] + figures["global_rsv_size"],
        unallocated=max(size - allocated, 0),
        data=figures["data/total_bytes"],
        data_used=figures["data/bytes_used"],
    )
