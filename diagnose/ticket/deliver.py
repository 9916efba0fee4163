"""Delivering a bundle: to stdout, or to a file that is whole or not there."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from diagnose import run
from diagnose.model import Check, Report
from diagnose.ticket.bundle import Bundle, LeakError, TooLargeError
from diagnose.ticket.texts import file_name
from diagnose.times import size


class NotWrittenError(Exception):
    """No bundle was left behind; one sentence says why."""


def bundle(
    known: Mapping[str, Check], asked: run.Asked, output: str | None, *, began: float, max_size: int, review: bool
) -> str:
    """Make, prove and deliver it; one sentence about what was written. NotWrittenError or run.AskedWrongError if not."""
    try:
        report, sealed = run.bundle(known, asked, began=began, max_size=max_size)
    except LeakError as error:
        raise NotWrittenError(
            f"a secret that was redacted still stands in the bundle, which was not written: {error}"
        ) from error
    except TooLargeError as error:
        raise NotWrittenError(f"not written: {error}") from error
    if review and not _agreed(sealed):
        raise NotWrittenError("not written: not agreed to")
    shed = f", {len(sealed.shed)} files left out to keep the size" if sealed.shed else ""
    if output == "-":
        sys.stdout.buffer.write(sealed.data)
        sys.stdout.buffer.flush()
        return f"{size(len(sealed.data))} written to stdout{shed}"
    target = Path(output or f"diagnose-{file_name(report.host.name)}-{_stamp(report)}.tar.gz")
    try:
        _write(target, sealed.data)
    except OSError as error:
        raise NotWrittenError(f"cannot write {target}: {error.strerror}; `-o -` needs no disk") from error
    return f"{target}: {size(len(sealed.data))}{shed}"


def _stamp(report: Report) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(report.taken_at or time.time()))


def _write(target: Path, data: bytes) -> None:
    """Under a temporary name beside the target, then renamed; an existing target is not overwritten. OSError rises."""
    if target.exists() or target.is_symlink():
        raise FileExistsError(17, "File exists")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _agreed(sealed: Bundle) -> bool:
    """Whether whoever sits there agrees to what would be written."""
    for name, length, redactions in sealed.members:
        sys.stderr.write(f"{size(length):>10}  {redactions:>4} redacted  {name}\n")
    sys.stderr.write(f"{size(len(sealed.data)):>10}  the archive\nwrite it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
