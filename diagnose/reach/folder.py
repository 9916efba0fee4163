"""The folder with its own Python, as an archive that another host is sent."""

import gzip
import io
import platform
import re
import sys
import tarfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from diagnose.reach.itself import launcher
from diagnose.version import __version__

NAME = re.compile(r"diagnose-(?P<version>.+)-linux-(?P<machine>[a-z0-9_]+)\.tar\.gz")
_PACKING = threading.Lock()


class NoFolderError(Exception):
    """There is nothing to ship; one sentence says what to do."""


@dataclass(frozen=True)
class Folder:
    """The folder with its own Python, packed."""

    machine: str
    """What `uname -m` says where it runs."""
    data: bytes
    """The gzipped tar."""
    room_kb: int
    """KiB that it takes unpacked."""


def find(chosen: Path | None) -> Folder:
    """The archive to send to the other host.

    The one that the user named, else the folder that this process runs from, else one built in
    the sources.

    Packed or read once, however many hosts are visited. NoFolderError if there is none, or if it
    holds another version.
    """
    with _PACKING:
        return _find(chosen)


@cache
def _find(chosen: Path | None) -> Folder:
    """The folder to be sent: the named one, the running one, or the one that was built here."""
    if chosen is not None:
        return _read(chosen)
    if launcher() is not None:
        return _pack(Path(sys.prefix))
    built = (
        Path(__file__).parents[2]
        / "dist"
        / f"diagnose-{__version__}-linux-{platform.machine()}.tar.gz"
    )
    if built.is_file():
        return _read(built)
    raise NoFolderError(
        f"diagnose {__version__} is not installed there, and this one was installed "
        f"without the folder that is shipped; name it: --folder {built.name}"
    )


def _read(path: Path) -> Folder:
    """The folder in an archive of this version. NoFolderError for any other file."""
    name = NAME.fullmatch(path.name)
    if name is None:
        raise NoFolderError(
            f"{path.name} is not named as the archive of the folder: "
            "diagnose-VERSION-linux-MACHINE.tar.gz"
        )
    if name["version"] != __version__:
        raise NoFolderError(
            f"{path.name} is version {name['version']}, and this is diagnose {__version__}"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoFolderError(f"cannot read {path}: {error.strerror}") from None
    if data[:2] != b"\x1f\x8b":
        raise NoFolderError(f"{path} is not a gzip archive")
    # The last four bytes of a gzip file are the size of what is in it.
    return Folder(name["machine"], data, _room(int.from_bytes(data[-4:], "little")))


def _pack(folder: Path) -> Folder:
    """The folder that this process runs from."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 1, packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        archive.add(folder, "diagnose")
    data = packed.getvalue()
    return Folder(platform.machine(), data, _room(int.from_bytes(data[-4:], "little")))


def _room(size: int) -> int:
    """KiB that an archive of that many bytes takes in memory: files end in the middle of a page."""
    return size * 115 // 100 // 1024
