"""Files that somebody named: only a regular one is read, up to a bound, and only a new one made."""

import os
import stat
from pathlib import Path

LARGEST = 64 * 2**20
"""Bytes of one file of a recording: one that holds more was made to hurt."""


class NotPlainError(Exception):
    """The path is not a regular file, or the file is too large; the message says so with its
    path."""


def plain_text(path: Path, largest: int = LARGEST, *, follow: bool = False) -> str:
    """The text of a regular file.

    A pipe would be waited for without end, and a device may never end.

    follow: whether the path may be a link. OSError, UnicodeDecodeError or NotPlainError rise.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotPlainError(f"{path} is not a plain file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise NotPlainError(f"{path} is larger than {largest // 2**20} MiB")
    return data.decode("utf-8")


def new_file(path: Path) -> int:
    """A descriptor for writing a file that was not there, which only its owner may read.

    FileExistsError for whatever is at the path, a link to nothing too; OSError rises.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)
