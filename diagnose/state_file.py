"""Writing a file that others read at any moment.

It is whole or not there, and replaces only a file of the same kind.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from diagnose.plain_file import new_file

READABLE = 0o644
"""Others read it: node_exporter runs as a user of its own."""


class NotReplacedError(Exception):
    """The file at the path is not ours to replace; the message says so with its path."""


def replace(path: Path, text: str, first_line: str) -> None:
    """Write a file beside the path, and rename it over the path.

    first_line: how a file begins that may be replaced. The new file has another ending meanwhile,
    so that no reader takes it. OSError or NotReplacedError rise; then the old file is as it was.
    """
    _check(path, first_line)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = new_file(temporary)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), READABLE)
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _check(path: Path, first_line: str) -> None:
    """NotReplacedError for a link, a device, or a file that begins with something else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotReplacedError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        is_plain = stat.S_ISREG(os.fstat(handle).st_mode)
        begins = file.read(len(first_line)) if is_plain else b""
    if not is_plain:
        raise NotReplacedError(f"cannot write {path}: it is not a plain file")
    if begins and begins != first_line.encode():
        raise NotReplacedError(
            f"cannot write {path}: it exists, and was not written by this command"
        )
