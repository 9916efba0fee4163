"""The sources of reports: files, folders, patterns, a list on stdin, a bucket.

Gives the bytes of each, never more than a bound.
"""

import errno
import glob
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from diagnose.fleet.packed import ENDINGS, Packed, SourceError, Unusable

LARGEST = 32 * 2**20
"""Bytes of one report, unpacked: a host of 8,000 containers with two findings each writes 16 MiB.
"""
_GZIP = b"\x1f\x8b"
_TAR_MAGIC = slice(257, 262)


def read(words: Iterable[str], stdin: TextIO) -> Iterator[Packed | Unusable]:
    """Everything that these words name, each place once. SourceError where a word names nothing."""
    known_reports: set[str] = set()
    for word in words:
        places = (line.rstrip("\n") for line in stdin) if word == "-" else iter((word,))
        for place in places:
            if place:
                yield from _reports_of(place, known_reports)


def _reports_of(place: str, known_reports: set[str]) -> Iterator[Packed | Unusable]:
    """The reports at a place, each file once."""
    if place.startswith("s3://"):
        from diagnose.fleet import bucket

        yield from bucket.read(place, LARGEST)
        return
    for path in _paths(place):
        real = os.path.realpath(path)
        if real not in known_reports:
            known_reports.add(real)
            yield _file(path)


def _paths(place: str) -> Iterator[str]:
    """The files that a path or a pattern names. SourceError where there are none."""
    if Path(place).is_dir():
        yield from _reports_below(place)
    elif os.path.lexists(place):
        yield place
    elif glob.has_magic(place):
        places = sorted(glob.glob(place, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        if not places:
            raise SourceError(f"no file matches {place}")
        for path in places:
            yield from _reports_below(path) if Path(path).is_dir() else (path,)
    else:
        raise SourceError(f"cannot read {place}: there is no such file or folder")


def _reports_below(folder: str) -> Iterator[str]:
    """The reports below a folder, in the order of their names.

    Links to folders are not followed.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (str(Path(parent, name)) for name in sorted(names) if name.endswith(ENDINGS))


def _file(path: str) -> Packed | Unusable:
    """A regular file: a pipe would be waited for without end, and a device may never end."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        words = "it leads to nothing" if error.errno == errno.ENOENT else error.strerror
        return Unusable(path, f"cannot be read: {words}")
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return Unusable(path, "is not a plain file", may_be_a_host=False)
        data = file.read(LARGEST + 1)
    if len(data) <= LARGEST:
        return Packed(path, data)
    return Unusable(path, f"is larger than {LARGEST // 2**20} MiB")


def unpacked(packed: Packed) -> bytes | Unusable:
    """The JSON text in UTF-8.

    Gzip is unpacked up to the bound, and what a Windows shell saves is UTF-16.
    """
    data = packed.data
    if data.startswith(_GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            data = stream.decompress(data, LARGEST + 1)
        except zlib.error:
            return Unusable(packed.place, "is damaged: its gzip data cannot be unpacked")
        if len(data) > LARGEST:
            return Unusable(packed.place, f"is larger than {LARGEST // 2**20} MiB unpacked")
        if not stream.eof:
            return Unusable(packed.place, "is cut off: its gzip data does not end")
    if data[_TAR_MAGIC] == b"ustar":
        return Unusable(
            packed.place,
            "is a bundle: `diagnose all --from FILE --format json` makes a report of it",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")
