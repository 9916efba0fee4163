"""Delivering a bundle: to stdout, or to a file that is whole or not there."""

import contextlib
import errno
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec

from diagnose import session
from diagnose.model import Check, Report
from diagnose.phrases import and_more, joined, size
from diagnose.plain_file import new_file
from diagnose.questions.run import Options
from diagnose.redact import Redactor
from diagnose.ticket import bundle, seal
from diagnose.ticket.create import OpenRecorder, Taken, take
from diagnose.ticket.texts import file_name


class NotWrittenError(Exception):
    """No bundle was left behind; one sentence says why."""


STDOUT = Path("-")


class Order(msgspec.Struct, frozen=True):
    """The options of a bundle."""

    output: Path | None = None
    """A file, STDOUT, None for a name of its own in the current folder."""
    max_size: int = bundle.MAX_SIZE
    review: bool = False
    """List the files on stderr and ask there before anything is written."""
    anonymize: bool = False
    """With other names than the host's."""
    map: Path | None = None
    """A file for the old names and the new."""
    recipients: tuple[str, ...] = ()
    """Whom the archive is encrypted to, nobody for none."""
    signer: Path | None = None
    """An ssh key that signs what is written."""


def deliver(
    checks: Mapping[str, Check],
    options: Options,
    order: Order,
    *,
    began: float,
    open_recorder: OpenRecorder = session.live,
    redactor: Redactor | None = None,
) -> str:
    """Make, prove and deliver it; one sentence about what was written.

    NotWrittenError or session.InvalidRequestError if not.
    """
    cipher = _cipher(order)
    _check_places(order)
    with _unwritten_with_reason():
        bundle = take(
            checks,
            options,
            began=began,
            max_size=order.max_size,
            anonymize=order.anonymize,
            open_recorder=open_recorder,
            redactor=redactor,
        )
    if order.review and not _is_agreed(bundle.sealed):
        raise NotWrittenError("not written: you did not agree to it")
    if order.map and bundle.names is not None:
        names = json.dumps(bundle.names, indent=1, ensure_ascii=False) + "\n"
        _write_file(order.map, names.encode("utf-8", "replace"))
    try:
        return _handed_over(bundle, order, cipher)
    except NotWrittenError:
        if order.map:
            order.map.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _unwritten_with_reason() -> Iterator[None]:
    """NotWrittenError in the place of the errors of a bundle that may not or cannot be made."""
    try:
        yield
    except bundle.LeakError as error:
        raise NotWrittenError(
            f"a secret that was redacted still stands in the bundle, which was not written: {error}"
        ) from error
    except bundle.TooLargeError as error:
        raise NotWrittenError(f"not written: {error}") from error


def _check_places(order: Order) -> None:
    """NotWrittenError where what is asked for could not be written, before anything is asked."""
    if order.output == STDOUT:
        _require_stream()
    paths = [order.output or Path("diagnose.tar.gz"), order.map]
    if order.output and order.signer:
        paths.append(_signature_of(order.output))
    for path in paths:
        if path is not None and path != STDOUT:
            is_default = order.output is None and path is paths[0]
            _refuse_unwritable(path, named=not is_default)


def _cipher(order: Order) -> seal.Cipher | None:
    """How the archive will be encrypted, tried before the run on nothing.

    NotWrittenError for a recipient or a program that is missing.
    """
    if order.signer is not None and order.output == STDOUT:
        raise NotWrittenError("a signature is a file of its own: name one with -o FILE")
    if order.signer is not None and not order.signer.is_file():
        raise NotWrittenError(f"there is no key {order.signer} to sign with")
    if not order.recipients:
        return None
    try:
        by = seal.cipher(order.recipients)
        seal.encrypted(b"", by)
    except seal.SealError as error:
        raise NotWrittenError(f"not written: {error}") from None
    return by


def _handed_over(bundle: Taken, order: Order, cipher: seal.Cipher | None) -> str:
    """Write the bundle, encrypted and signed as ordered, and say what was written."""
    try:
        data = bundle.sealed.data if cipher is None else seal.encrypted(bundle.sealed.data, cipher)
        signature = None if order.signer is None else seal.signature(data, order.signer)
    except seal.SealError as error:
        raise NotWrittenError(f"not written: {error}") from None
    left_out = _left_out(bundle.sealed)
    if order.output == STDOUT:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise NotWrittenError(f"cannot write to stdout: {error.strerror}") from error
        return f"wrote {size(len(data))} to stdout{left_out}"
    ending = ".tar.gz" if cipher is None else f".tar.gz{cipher.ending}"
    target = order.output or Path(
        f"diagnose-{file_name(bundle.report.host.name)}-{_stamp(bundle.report)}{ending}"
    )
    _write_file(target, data)
    how = "" if cipher is None else f", encrypted by {cipher.program}"
    if signature is None:
        return f"wrote {target}, {size(len(data))}{how}{left_out}"
    signed = _signature_of(target)
    try:
        _write_file(signed, signature)
    except NotWrittenError:
        target.unlink(missing_ok=True)
        raise
    return f"wrote {target}, {size(len(data))}{how}, and its signature {signed}{left_out}"


def _left_out(sealed: bundle.Bundle) -> str:
    """The end of the sentence that says what was written: what was not, and why."""
    words = ""
    if sealed.shed:
        words += f"; left out to keep the size: {and_more(sealed.shed)}"
    if sealed.late:
        words += f"; left out to keep the time limit: {joined(sealed.late)}"
    return words


def _signature_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.sig")


def _write_file(target: Path, data: bytes) -> None:
    try:
        write(target, data)
    except OSError as error:
        raise NotWrittenError(
            f"cannot write {target}: {error.strerror}; `-o -` needs no disk"
        ) from error


def _require_stream() -> None:
    """NotWrittenError, before the run, where stdout is nothing that an archive can go to."""
    if sys.stdout.isatty():
        raise NotWrittenError(
            "not written: stdout is a terminal; redirect it, or name a file with -o FILE"
        )
    if sys.stdout.name == os.devnull:
        raise NotWrittenError("not written: stdout is closed")


def _refuse_unwritable(target: Path, *, named: bool) -> None:
    """Refuse, before the run, a place where nothing can be written.

    NotWrittenError. named: not by ourselves, so that it must not exist.
    """
    try:
        if named and (target.exists() or target.is_symlink()):
            why = "it exists, and a bundle overwrites nothing"
        elif not target.parent.is_dir():
            why = f"{target.parent} is not a folder"
        elif not os.access(target.parent, os.W_OK | os.X_OK):
            why = f"{target.parent.absolute()} is not writable; `-o -` needs no disk"
        else:
            return
    except OSError as error:
        why = error.strerror or str(error)
    raise NotWrittenError(f"cannot write {target}: {why}")


def _stamp(report: Report) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(report.taken_at or time.time()))


def write(target: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Under a temporary name beside the target, then renamed; an existing target is not
    overwritten. Mode 0600. OSError rises.
    """
    if target.exists() or target.is_symlink():
        raise FileExistsError(17, "File exists")
    partial = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    with _stopped_by_exception():
        try:
            handle = new_file(partial)
            with os.fdopen(handle, "wb") as stream:
                os.fchmod(handle, 0o600)  # whatever the umask took
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            _rename(partial, target)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _stopped_by_exception() -> Iterator[None]:
    """While it lasts, an interrupt is raised, so that what was begun is cleaned up."""

    def stop(number: int, _: object) -> NoReturn:
        raise InterruptedError(errno.EINTR, f"stopped by {signal.Signals(number).name}")

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop) for number in numbers} if main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _rename(partial: Path, target: Path) -> None:
    """A hard link refuses a target that came to be meanwhile; not every file system has them."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:
        partial.rename(target)


def _is_agreed(sealed: bundle.Bundle) -> bool:
    """Whether whoever sits there agrees to what would be written."""
    for member in sealed.members:
        row = f"{size(member.bytes):>10}  {member.redactions:>4} redacted  {member.name}"
        sys.stderr.write(f"{row}\n")
    sys.stderr.write(f"{size(len(sealed.data)):>10}  the archive\nwrite it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
