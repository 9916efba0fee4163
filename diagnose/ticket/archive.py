"""Reading a bundle that somebody sent: nothing of it is ever written to disk, and nothing in it is trusted."""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from diagnose import tape
from diagnose.host import Question
from diagnose.model import Json
from diagnose.recorder import Entry
from diagnose.tape import TapeError

MAX_MEMBERS = 5_000
MAX_MEMBER = 128 * 2**20
MAX_TOTAL = 512 * 2**20
"""Bytes unpacked, over all members: a bundle of 10 MB that holds more was made to hurt."""
_NAME = re.compile(r"[^/\0]+/((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*)\Z")
"""One top folder, then plain names: no `..`, no leading dot, slash or link can be meant by it."""


class _Bounded:
    """A stream that ends the reading when more comes out of it than a bundle may hold."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = MAX_TOTAL

    def read(self, size: int = -1) -> bytes:
        """Bytes of the inner stream. TapeError when the bound is passed."""
        data = self._stream.read(min(size if size >= 0 else self._left + 1, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise TapeError(f"it unpacks to more than {MAX_TOTAL // 2**20} MiB")
        return data


def members(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """(name below the top folder, bytes) of each regular file. TapeError on anything that a bundle does not contain."""
    try:
        with (
            gzip.GzipFile(fileobj=stream, mode="rb") as packed,
            tarfile.open(fileobj=_Bounded(packed), mode="r|", errorlevel=2) as archive,  # type: ignore[call-overload]
        ):
            for count, info in enumerate(archive):
                if count >= MAX_MEMBERS:
                    raise TapeError(f"it has more than {MAX_MEMBERS} members")
                name = _NAME.match(info.name)
                if info.isdir() and not info.name.startswith(("/", "..")):
                    continue
                if not info.isreg() or info.issparse() or name is None:
                    raise TapeError(f"its member {info.name[:80]!r} is not a plain file of a bundle")
                if not 0 <= info.size <= MAX_MEMBER:
                    raise TapeError(f"its member {info.name[:80]!r} is larger than {MAX_MEMBER // 2**20} MiB")
                held = archive.extractfile(info)
                yield name[1], held.read() if held is not None else b""
    except TapeError:
        raise
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, OverflowError, MemoryError) as error:
        raise TapeError(f"it is not a whole bundle ({type(error).__name__}: {error})") from error


def read(path: Path) -> tuple[dict[Question, Entry], dict[str, Json]]:
    """The tape and the manifest of an archive. TapeError in one sentence if it is none, is newer, or was altered."""
    try:
        with path.open("rb") as stream:
            held: dict[str, bytes] = {}
            for name, data in members(stream):
                if name in held:
                    raise TapeError(f"it holds {name} twice")
                held[name] = data
    except OSError as error:
        raise TapeError(str(error)) from error
    if "manifest.json" not in held:
        raise TapeError("it holds no manifest.json: it is not a bundle of diagnose")
    manifest = tape.check_manifest(held["manifest.json"].decode("utf-8", "replace"))
    _unaltered(held, manifest)
    answers = [(name, data.decode("utf-8", "replace")) for name, data in held.items() if name.startswith("answers/")]
    if not answers:
        raise TapeError("it holds no answers")
    return tape.parse(sorted(answers)), manifest


def _unaltered(held: dict[str, bytes], manifest: dict[str, Json]) -> None:
    """TapeError if a file is missing, added or changed against the manifest's hashes."""
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise TapeError("its manifest lists no files")
    for name, row in files.items():
        if name == "manifest.json":
            continue
        wanted = row.get("sha256") if isinstance(row, dict) else None
        if name not in held or hashlib.sha256(held[name]).hexdigest() != wanted:
            raise TapeError(f"{str(name)[:80]} was altered or lost after the bundle was sealed")
    extra = set(held) - set(files) - {"manifest.json"}
    if extra:
        raise TapeError(f"{min(extra)[:80]} was added after the bundle was sealed")
