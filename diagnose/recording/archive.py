"""Reading a bundle that somebody sent.

Nothing of it is ever written to disk, and nothing in it is trusted.
"""

import gzip
import hashlib
import math
import re
import stat
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from diagnose.model import Json
from diagnose.recording import answer_files
from diagnose.recording.answer_files import RecordingError

MAX_MEMBERS = 5_000
MAX_MEMBER = answer_files.MAX_FILE
MAX_TOTAL = 128 * 2**20
"""Bytes unpacked, over all members: a bundle of 10 MB that holds more was made to hurt."""
_BLOCK = tarfile.BLOCKSIZE
_NAME = re.compile(
    r"[^./\0][^/\0]*/((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*)\Z"
)
"""One top folder, then plain names: no `..`, no leading dot, slash or link can be meant by it."""
_AGE = b"age-encryption.org/v1"
_PGP = (b"\x84", b"\x85", b"\xc1")
"""How an OpenPGP message begins: the packet of a session key for a recipient."""
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


class _Stream:
    """Unpacked bytes in order, no more of them than a bundle may hold."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._left = MAX_TOTAL

    def take(self, size: int) -> bytes:
        """Exactly so many bytes.

        RecordingError when they are not there, or when the bound is passed.
        """
        if size > self._left:
            raise RecordingError(f"it unpacks to more than {MAX_TOTAL // 2**20} MiB")
        self._left -= size
        data = self._packed.read(size)
        if len(data) < size:
            raise RecordingError("it is cut off")
        return data

    def is_spent(self) -> bool:
        """Whether only zeros follow, to the end, whose checksum is right."""
        while data := self._packed.read(min(2**20, self._left + 1)):
            self._left -= len(data)
            if self._left < 0 or data.strip(b"\0"):
                return False
        return True


def _plain_name(info: tarfile.TarInfo) -> str:
    """The name of a member below the top folder; RecordingError where it is not a plain file."""
    shown = repr(info.name[:80])
    name = _NAME.match(info.name)
    if info.type not in _PLAIN or name is None:
        raise RecordingError(f"its member {shown} is not a plain file of a bundle")
    if not 0 <= info.size <= MAX_MEMBER:
        raise RecordingError(f"its member {shown} is larger than {MAX_MEMBER // 2**20} MiB")
    return name[1]


def members(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """(name below the top folder, bytes) of each file.

    RecordingError on anything that a bundle does not contain.

    Only headers of plain files and folders are understood: what else tar has (links, devices,
    sparse files, extended headers that rename or resize the next member) is refused by its type
    before anything of it is read.
    """
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as packed:
            source = _Stream(packed)
            for _ in range(MAX_MEMBERS):
                block = source.take(_BLOCK)
                if not block.strip(b"\0"):
                    if not source.is_spent():
                        raise RecordingError("something follows after its end")
                    return
                info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
                if info.isdir() and info.size == 0 and not info.name.startswith(("/", "..")):
                    continue
                yield _plain_name(info), source.take(info.size)
                source.take(-info.size % _BLOCK)
            raise RecordingError(f"it has more than {MAX_MEMBERS} members")
    except gzip.BadGzipFile as error:
        raise RecordingError("it is neither a bundle nor a recorded folder") from error
    except EOFError as error:
        raise RecordingError("it is cut off") from error
    except (OSError, tarfile.TarError, zlib.error, ValueError, OverflowError, MemoryError) as error:
        raise RecordingError(
            f"it is not a whole bundle ({type(error).__name__}: {error})"
        ) from error


def _refuse_encrypted(beginning: bytes) -> None:
    """RecordingError that says how an encrypted bundle is read."""
    if beginning == _AGE:
        raise RecordingError("it is encrypted by age: age -d -i KEY FILE > FILE.tar.gz comes first")
    if beginning[:1] in _PGP:
        raise RecordingError("it is encrypted by gpg: gpg -d FILE > FILE.tar.gz comes first")


def read(path: Path, ends: float = math.inf) -> answer_files.RecordedHost:
    """The recording in an archive.

    ends: as for `answer_files.parse`. The archive is unpacked and compared with its manifest in
    any case, which takes 0.2 s for 50 MiB.

    RecordingError in one sentence if it is none, is newer, or was altered.
    """
    answers: list[tuple[str, str]] = []
    hashes: dict[str, str] = {}
    head = None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordingError("it is neither a file nor a folder")
        with path.open("rb") as stream:
            _refuse_encrypted(stream.peek(len(_AGE))[: len(_AGE)])
            for name, data in members(stream):
                if name in hashes:
                    raise RecordingError(f"it holds {name} twice")
                hashes[name] = hashlib.sha256(data).hexdigest()
                if name == "manifest.json":
                    head = data.decode("utf-8", "replace")
                elif name.startswith("answers/"):
                    answers.append((name, data.decode("utf-8", "replace")))
    except OSError as error:
        raise RecordingError(error.strerror or str(error)) from error
    if head is None:
        raise RecordingError("it holds no manifest.json: it is not a bundle of diagnose")
    manifest = answer_files.check_manifest(head)
    _require_unaltered(hashes, manifest)
    if not answers:
        raise RecordingError("it holds no answers")
    return answer_files.RecordedHost(answer_files.parse(answers, ends), manifest)


def _require_unaltered(hashes: Mapping[str, str], manifest: Mapping[str, Json]) -> None:
    """RecordingError if a file is missing, added or changed against the manifest's hashes."""
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise RecordingError("its manifest lists no files")
    for name, row in files.items():
        sha256 = row.get("sha256") if isinstance(row, dict) else None
        if name not in hashes or hashes[name] != sha256:
            raise RecordingError(
                f"{str(name)[:80]!r} was altered or lost after the bundle was sealed"
            )
    extra = set(hashes) - set(files) - {"manifest.json"}
    if extra:
        raise RecordingError(f"{min(extra)[:80]!r} was added after the bundle was sealed")
