"""Flags of files that stat(2) does not give and that bind root too (chattr(1))."""

# Called for paths that a log names; pathlib has no words for descriptors.

import fcntl
import os
import stat
import struct

from diagnose.live import ERRNO_REASONS
from diagnose.live.disk.opening import open_folder, open_regular
from diagnose.model import Json

_LONG = struct.Struct("l")
GETFLAGS = 2 << 30 | _LONG.size << 16 | ord("f") << 8 | 1
"""FS_IOC_GETFLAGS, _IOR('f', 1, long) of linux/fs.h."""
IMMUTABLE = 0x10
APPEND_ONLY = 0x20
"""FS_IMMUTABLE_FL, FS_APPEND_FL."""


def flags(args: Json) -> Json:
    """See `files.flags`."""
    return {path: _flags(path) for path in args["paths"]}


def _flags(path: str) -> Json:
    """The flags of an inode (`chattr`), or the reason why they cannot be read."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
        descriptor = open_folder(path) if is_folder else open_regular(path, follow=False)
        try:
            (value,) = _LONG.unpack(fcntl.ioctl(descriptor, GETFLAGS, bytes(_LONG.size)))
        finally:
            os.close(descriptor)
    except OSError as error:  # a file system without flags says ENOTTY
        return {"failed": ERRNO_REASONS.get(error.errno or 0, "refused")}
    return {"immutable": bool(value & IMMUTABLE), "append_only": bool(value & APPEND_ONLY)}
