"""The kernel's names of the disks under file systems.

Mount tables say /dev/mapper/vg-data or /dev/root, the kernel log dm-0.
"""

import posixpath
from collections.abc import Iterable

import msgspec

from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

STACKED = ("dm-", "md", "bcache")
"""Devices that consist of others: volumes, encryption, RAID."""
DEEPEST = 4
SECTOR = 512
"""Bytes of the unit in which sysfs has sizes of devices, whatever their own blocks are."""


class BlockDevices(msgspec.Struct, frozen=True):
    """The mount of each device by the names that the kernel's log may use.

    The mounted device's own name, and those of the devices below it.
    """

    by_name: dict[str, Mounted]


@evidence
def block_devices(host: Host, mounts: Mounts) -> BlockDevices:
    """The mounts of block devices by the kernel's names, which sysfs gives by number.

    Without sysfs the name in the mount table is used.
    """
    devices: dict[str, Mounted] = {}
    for mount in mounts:
        if mount.source.startswith("/"):
            devices.setdefault(posixpath.basename(mount.source), mount)
    disks = {
        f"/sys/dev/block/{mount.dev}": mount
        for mount in devices.values()
        if not mount.dev.startswith("0:")
    }
    statuses = path_statuses(host, sorted(disks))
    disks_by_name = {
        posixpath.basename(status.link): disks[path]
        for path, status in statuses.items()
        if status.link
    }
    for _ in range(DEEPEST):
        devices = disks_by_name | devices
        disks_by_name = _devices_below(host, disks_by_name)
    return BlockDevices(devices)


def _devices_below(host: Host, mounted_by_device: dict[str, Mounted]) -> dict[str, Mounted]:
    """The devices below a stacked one (LVM, RAID, encryption)."""
    stacked = [name for name in mounted_by_device if name.startswith(STACKED)]
    below: dict[str, Mounted] = {}
    for name, folder in host.ask_about(
        stacked, lambda name: ListFolder(f"/sys/class/block/{name}/slaves")
    ):
        if not isinstance(folder, Failed):
            below |= {entry.name: mounted_by_device[name] for entry in folder.entries}
    return below


def numbers_in(host: Host, paths: Iterable[str]) -> dict[str, int]:
    """The numbers that files of sysfs hold, by path; without those that cannot be read."""
    texts = {
        path: answer.text.strip()
        for path, answer in host.ask_about(paths, ReadFile)
        if not isinstance(answer, Failed)
    }
    return {path: int(text) for path, text in texts.items() if text.isdigit()}
