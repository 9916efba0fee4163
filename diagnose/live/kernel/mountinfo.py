"""The mount table of the tool's own mount namespace: /proc/self/mountinfo never blocks."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from diagnose.filesystem_types import may_hang

KEPT = 20
"""For so many times as long as its reading took, a table counts as the present one."""
_LATEST: list[tuple[float, list[MountEntry]]] = []
"""The last table, and until when it counts."""
_READING = threading.Lock()
_OCTAL = re.compile(r"\\([0-7]{3})")


class MountEntry(msgspec.Struct, frozen=True):
    """One mount.

    Ids, device as "major:minor", root inside its file system, mount point, options of the mount
    and of the super block.
    """

    id: int
    parent: int
    dev: str
    root: str
    point: str
    options: tuple[str, ...]
    fstype: str
    source: str
    super: tuple[str, ...]

    @property
    def may_hang(self) -> bool:
        """Whether a question to it waits for another machine or process."""
        return may_hang(self.fstype)


def parse(text: str) -> list[MountEntry]:
    """The mounts of a mountinfo text (proc(5)), in its order.

    A later one at the same point covers an earlier one. Thousands of mounts share a few lists of
    options.
    """
    entries = []
    lists: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields_before = before.split(" ")
        right = after.split(" ")
        if not separator or len(fields_before) < 6 or len(right) < 3:
            continue
        options = fields_before[5]
        of_device = right[2]
        if options not in lists:
            lists[options] = tuple(options.split(","))
        if of_device not in lists:
            lists[of_device] = tuple(_unescaped_path(option) for option in of_device.split(","))
        root = fields_before[3]
        point = fields_before[4]
        source = right[1]
        if "\\" in line:
            root, point, source = map(_unescaped_path, (root, point, source))
        entries.append(
            MountEntry(
                int(fields_before[0]),
                parent=int(fields_before[1]),
                dev=fields_before[2],
                root=root,
                point=point,
                options=lists[options],
                fstype=right[0],
                source=source,
                super=lists[of_device],
            )
        )
    return entries


def mounts() -> list[MountEntry]:
    """The mounts the tool sees now.

    A table of 100,000 takes a second to read: each one counts as the present one for a while.
    """
    with _READING:
        now = time.monotonic()
        for until, table in _LATEST:
            if now < until:
                return table
        table = parse(Path("/proc/thread-self/mountinfo").read_text(errors="replace"))
        ended = time.monotonic()
        _LATEST[:] = [(ended + KEPT * (ended - now), table)]
        return table


def by_point(table: list[MountEntry]) -> dict[str, MountEntry]:
    """The mounts that are seen, by mount point: of several at one point the last."""
    return {mount.point: mount for mount in table}


def holding(path: str, points: Mapping[str, MountEntry]) -> MountEntry | None:
    """The mount that holds an absolute path, by its text alone.

    No link is followed and nothing can block.

    points: as `by_point` gives them; a host of 1,000 containers asks for thousands of paths on
    hundreds of mounts.
    """
    while path.startswith("/"):
        if path in points:
            return points[path]
        path = path.rpartition("/")[0] or ("/" if path != "/" else "")
    return None


def _unescaped_path(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text) if "\\" in text else text
