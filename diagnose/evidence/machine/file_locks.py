"""File locks and their owners, as in /proc/locks (proc_locks(5)). Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.lazy_pattern import LazyPattern

LOCKS = "/proc/locks"
_HELD = LazyPattern(
    r"^\d{1,9}: FLOCK +ADVISORY +WRITE +(?P<pid>\d{1,9}) "
    r"(?P<major>[0-9a-f]{2,4}):(?P<minor>[0-9a-f]{2,6}):(?P<inode>\d{1,20}) "
)
"""A lock of a whole file that is held (flock(2)); a line with an arrow is of one that waits."""


class FileLock(msgspec.Struct, frozen=True):
    """A file that one process has locked for itself."""

    pid: int
    device: str
    """The device as "major:minor", in decimal numbers."""
    inode: int


def file_locks(text: str) -> Iterator[FileLock]:
    """The locks of whole files that are held."""
    for match in filter(None, map(_HELD.match, text.splitlines())):
        device = f"{int(match['major'], 16)}:{int(match['minor'], 16)}"
        yield FileLock(int(match["pid"]), device, int(match["inode"]))
