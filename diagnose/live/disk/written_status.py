"""How answers write what stat(2) and readlink(2) say."""

# ruff: noqa: PTH115 - pathlib triples the cost of tens of thousands of calls

import os
import stat
from typing import Any

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
"""The types of files in words, by the bits of the mode."""


def link_target(path: str) -> str | None:
    """The target of a link. None for a path that is not a link."""
    try:
        return printable(os.readlink(path))
    except OSError:
        return None


def type_name(mode: int) -> str:
    """The type of a file by its mode, in a word."""
    return TYPES.get(stat.S_IFMT(mode), "other")


def device_number(device: int) -> str:
    """Major and minor number of a device: 8:1."""
    return f"{os.major(device)}:{os.minor(device)}"


def printable(name: str | bytes | Any) -> str:
    """A name as text, whatever bytes it holds."""
    if isinstance(name, str) and name.isascii():
        return name
    return os.fsencode(name).decode("utf-8", "replace")
