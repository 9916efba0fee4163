"""Opening files and folders that somebody else may have put there, and nothing else."""

# Called for many files; pathlib has no words for places.

import errno
import os
import stat
import struct

from diagnose.live import Refused
from diagnose.live.disk.written_status import type_name

_EMPTIED_BY_READING = ("/kmsg", "/trace_pipe")
"""Files of the kernel that give each line once: to a logger, or to whoever comes first."""


def open_regular(path: str, root: str | None = None, *, follow: bool = True) -> int:
    """A descriptor for reading a regular file; Refused("malformed") for anything else.

    Nothing else is opened: to open a device may start what it drives (a watchdog, a tape), and to
    open a pipe wakes whoever writes to it.

    root: the folder that path and links are resolved in, as a chroot would. follow: False refuses a
    link as last part.
    """
    descriptor = _place(path, root, 0 if follow else os.O_NOFOLLOW)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if not stat.S_ISREG(mode):
            raise Refused("malformed", f"{path} is a {type_name(mode)}, not a file")
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(_EMPTIED_BY_READING):  # noqa: PTH115
            raise Refused("not allowed", f"{path}: who reads it takes its lines from others")
        return _reopened_file(descriptor, path)
    finally:
        os.close(descriptor)


def why_unread(path: str) -> str:
    """Why what lies at a path cannot be read; "" for a file that can, and where nothing is."""
    try:
        os.close(open_regular(path))
    except Refused as refused:
        return refused.failed.detail
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""


def read_all(descriptor: int, limit: int) -> bytes:
    """Up to so many bytes."""
    parts = []
    while limit > 0 and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def read_text(path: str, limit: int, root: str | None = None) -> str | None:
    """The beginning of a regular file, up to so many bytes; None where it cannot be read.

    root: as for `open_regular`.
    """
    try:
        descriptor = open_regular(path, root)
    except (OSError, Refused):
        return None
    try:
        return read_all(descriptor, limit).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def open_folder(path: str, root: str | None = None) -> int:
    """A descriptor for listing a folder. root: as for `open_regular`."""
    if root is None:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    descriptor = _place(path, root, os.O_DIRECTORY)
    try:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _place(path: str, root: str | None, flags: int) -> int:
    """A descriptor that is only a place: nothing is opened yet."""
    flags |= os.O_PATH | os.O_CLOEXEC
    if root is None:
        return os.open(path, flags)
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _open_inside(top, path, flags)
    finally:
        os.close(top)


def _reopened_file(descriptor: int, path: str) -> int:
    """The file of a descriptor that is only a place, opened for reading.

    Its time of the last reading stays, as that shows whether a program has read its settings. The
    kernel allows that to the owner and to root.
    """
    place = f"/proc/self/fd/{descriptor}"
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        try:
            return os.open(place, flags | os.O_NOCTTY | os.O_NOATIME)
        except PermissionError:
            return os.open(place, flags | os.O_NOCTTY)
    except OSError as error:
        error.filename = path
        raise


OPENAT2 = 437
OPEN_HOW = struct.Struct("=QQQ")
"""flags, mode, resolve of openat2(2), Linux 5.6."""
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10


def _open_inside(top: int, path: str, flags: int) -> int:
    """Open as a chroot into `top` would see it: no link of the container leads out of it."""
    import ctypes  # costs 10 ms, and only a few files are asked so

    open_how = OPEN_HOW.pack(flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.syscall(OPENAT2, top, os.fsencode(path), open_how, len(open_how)))
    if descriptor >= 0:
        return descriptor
    if ctypes.get_errno() == errno.ENOSYS:
        return _open_without_links(top, path)
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def _open_without_links(top: int, path: str) -> int:
    """A place below `top` on an older kernel, folder by folder. OSError where a link is one."""
    folder = os.dup(top)
    for name in path.split("/"):
        if name in ("", "."):
            continue
        above = folder
        try:
            if name == "..":
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
            folder = os.open(name, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            error.filename = path
            raise
        finally:
            os.close(above)
    return folder
