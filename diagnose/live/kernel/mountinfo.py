"""The mount table of the tool's own mount namespace: /proc/self/mountinfo never blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from diagnose.filesystem_types import may_hang

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

    A later one at the same point covers an earlier one.
    """
    entries = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if not separator or len(left) < 6 or len(right) < 3:
            continue
        entries.append(
            MountEntry(
                int(left[0]),
                parent=int(left[1]),
                dev=left[2],
                root=_unescaped(left[3]),
                point=_unescaped(left[4]),
                options=tuple(left[5].split(",")),
                fstype=right[0],
                source=_unescaped(right[1]),
                super=tuple(_unescaped(option) for option in right[2].split(",")),
            )
        )
    return entries


def mounts() -> list[MountEntry]:
    """The mounts the tool sees now."""
    return parse(Path("/proc/thread-self/mountinfo").read_text(errors="replace"))


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


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text) if "\\" in text else text
