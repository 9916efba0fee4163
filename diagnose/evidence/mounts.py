"""Mounted filesystems of the host, by mount point."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from diagnose.host import Host, question
from diagnose.model import Failed, Unavailable
from diagnose.registry import evidence


class Mounted(msgspec.Struct, frozen=True):
    """One line of /proc/self/mountinfo. super: the superblock's own options (ro there means the filesystem itself)."""

    point: str
    fstype: str = ""
    source: str = ""
    root: str = "/"
    dev: str = ""
    options: str = ""
    super: str = ""


class Mounts(msgspec.Struct, frozen=True, dict=True):
    """All mounts, in the order in which they were made."""

    items: tuple[Mounted, ...]

    def __iter__(self) -> Iterator[Mounted]:
        return iter(self.items)

    @functools.cached_property
    def _by_point(self) -> dict[str, Mounted]:
        return {each.point: each for each in self.items}

    def of(self, path: str) -> Mounted | None:
        """The mount that holds this path, by its name alone: nothing is asked of a filesystem that may be dead."""
        while path:
            if path in self._by_point:
                return self._by_point[path]
            path = path.rpartition("/")[0] or ("/" if path != "/" else "")
        return None

    def point_of(self, path: str) -> str | None:
        held = self.of(path)
        return held.point if held else None


@evidence
def mounts(host: Host) -> Mounts | Unavailable:
    """The tool's own mount namespace, which is the host's where `locality` says so."""
    answer = host.ask(question("mounts"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return Mounts(tuple(msgspec.convert(answer, list[Mounted])))
