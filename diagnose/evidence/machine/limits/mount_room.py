"""The number of mounts on the host, and the kernel's limit for a mount namespace."""

from collections import Counter

import msgspec

from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

LIMIT = "fs.mount-max"
MANY = 10_000
"""With fewer, no host comes near the limit: 100,000 unless it was changed (fs/namespace.c)."""


class MountRoom(msgspec.Struct, frozen=True):
    """The mounts of the host, and their limit."""

    mounts: int
    most: int | None = None
    """None where there are few mounts, or where the kernel has no limit (before Linux 4.9)."""
    folder: str = ""
    """The deepest folder with more than half of them; "" where none has, or there are few."""
    within: int = 0
    """The number of mounts there."""


@evidence
def mount_room(host: Host, mounts: Mounts) -> MountRoom | Unavailable:
    """The limit is asked for only where there are many mounts."""
    count = len(mounts)
    if count < MANY:
        return MountRoom(count)
    value = host.require(ReadSysctls([LIMIT])).get(LIMIT)
    fullest = _fullest_folder(mounts)
    return MountRoom(count, int(value) if value else None, fullest.folder, fullest.within)


class _Fullest(msgspec.Struct, frozen=True):
    """The deepest folder that holds more than half of the mounts, and how many that are."""

    folder: str
    within: int


def _fullest_folder(mounts: Mounts) -> _Fullest:
    points = [mount.point.split("/") for mount in mounts]
    folder = ""
    within = len(points)
    for depth in range(2, max(map(len, points)) + 1):
        counts = Counter("/".join(parts[:depth]) for parts in points if len(parts) >= depth)
        deeper, number = counts.most_common(1)[0]
        if 2 * number <= len(points):
            break
        folder = deeper
        within = number
    return _Fullest(folder.rstrip("/"), within if folder else 0)
