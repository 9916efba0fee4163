"""The sizes of all folders below a folder."""

import errno
import heapq
import os
import stat
import time
from typing import NamedTuple

from diagnose.live.disk.written_status import printable
from diagnose.model import Json

LARGEST = 20


def walk(args: Json) -> Json:
    """See `files.walk`."""
    until = time.monotonic() + float(args.get("seconds", 2))
    limit = int(args.get("limit", 400_000))
    tree = _Tree(
        str(args["path"]), int(args.get("depth", 1)), skipped=frozenset(args.get("skip", ()))
    )
    while tree.folders and tree.entries < limit and time.monotonic() <= until:
        tree.read_next()
    return {
        "bytes": sum(tree.bytes.values()),
        "entries": tree.entries,
        "complete": not tree.folders and not tree.refused,
        "refused": tree.refused,
        "by": tree.bytes,
        "files": tree.files,
        "largest": [
            {"path": printable(path), "bytes": size}
            for size, path in sorted(tree.largest, reverse=True)
        ],
    }


class _Folder(NamedTuple):
    """A folder yet to be read."""

    path: str
    name: str
    """What its bytes are counted under."""
    level: int
    """How deep that name is."""


class _Tree:
    """The counts of a folder and all below it, on its own file system.

    depth: the number of folders by which bytes and files are summed.
    """

    def __init__(self, top: str, depth: int, *, skipped: frozenset[str]) -> None:
        self.depth = depth
        self.skipped = skipped
        self.device = os.lstat(top).st_dev
        self.bytes: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.largest: list[tuple[int, str]] = []
        self.entries = 0
        self.refused = 0
        self.folders = [_Folder(top, name="", level=0)]
        """A stack of folders yet to be read."""
        self._linked: set[int] = set()

    def read_next(self) -> None:
        """Count the entries of one folder."""
        path, name, level = self.folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            self.refused += error.errno in (errno.EACCES, errno.EPERM)
            return
        is_named = level < self.depth
        for entry in entries:
            try:
                figures = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if figures.st_dev == self.device and entry.path not in self.skipped:
                self.entries += 1
                under = f"{name}/{printable(entry.name)}".lstrip("/") if is_named else name
                self._count(entry.path, figures, under, level)

    def _count(self, path: str, figures: os.stat_result, under: str, level: int) -> None:
        """Add one file or folder to the sums; a file with several names counts once."""
        is_folder = stat.S_ISDIR(figures.st_mode)
        if not is_folder and figures.st_nlink > 1:
            if figures.st_ino in self._linked:
                return
            self._linked.add(figures.st_ino)
        size = figures.st_blocks * 512
        self.bytes[under] = self.bytes.get(under, 0) + size
        self.files[under] = self.files.get(under, 0) + 1
        if is_folder:
            self.folders.append(_Folder(path, under, level + 1))
        elif len(self.largest) < LARGEST:
            heapq.heappush(self.largest, (size, path))
        else:
            heapq.heappushpop(self.largest, (size, path))
