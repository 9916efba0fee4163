"""What the kernel calls the disks that file systems lie on: mount tables say /dev/mapper/vg-data or /dev/root, its log dm-0."""

from __future__ import annotations

import msgspec

from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

STACKED = ("dm-", "md", "bcache")
"""Devices that are made of others: volumes, encryption, RAID."""
DEEPEST = 4


class BlockDevices(msgspec.Struct, frozen=True):
    """The mount of each device by the names that the kernel's log may use: the mounted device's own, and those of what it
    is made of."""

    by_name: dict[str, Mounted]


class _Stat(msgspec.Struct):
    failed: str | None = None
    link: str | None = None


@evidence
def block_devices(host: Host, mounts: Mounts) -> BlockDevices:
    """sysfs knows a device by its number; where it is not to be seen, the name in the mount table has to do."""
    found: dict[str, Mounted] = {}
    for each in mounts:
        if each.source.startswith("/"):
            found.setdefault(each.source.rpartition("/")[2], each)
    disks = {f"/sys/dev/block/{each.dev}": each for each in found.values() if not each.dev.startswith("0:")}
    answer = host.ask(question("file.stats", paths=sorted(disks))) if disks else {}
    if isinstance(answer, Failed):
        return BlockDevices(found)
    named = {
        stat.link.rpartition("/")[2]: disks[path]
        for path, stat in msgspec.convert(answer, dict[str, _Stat]).items()
        if stat.link
    }
    for _ in range(DEEPEST):
        found = named | found
        named = _below(host, named)
    return BlockDevices(found)


def _below(host: Host, named: dict[str, Mounted]) -> dict[str, Mounted]:
    asked = {
        question("file.list", path=f"/sys/class/block/{name}/slaves"): mounted
        for name, mounted in named.items()
        if name.startswith(STACKED)
    }
    below: dict[str, Mounted] = {}
    for each, answer in host.ask_many(asked):
        if not isinstance(answer, Failed):
            below |= {entry["name"]: asked[each] for entry in answer["entries"]}
    return below
