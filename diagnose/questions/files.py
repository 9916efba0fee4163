"""Questions about files and filesystems. The helper process answers them, because the kernel may block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from diagnose.model import Json
from diagnose.questions.question import Policy, Question

FileType = Literal["file", "folder", "link", "socket", "pipe", "device", "other"]


class FileText(msgspec.Struct, frozen=True):
    """The text of a file: UTF-8, invalid bytes replaced."""

    text: str
    size: int = 0
    """Bytes of the whole file."""
    mtime: float | None = None
    """Unix time of the last change."""
    mode: int = 0
    """Permission bits."""
    uid: int = 0
    gid: int = 0
    truncated: bool = False
    """There is more than `text`."""
    link: str | None = None
    """What the path leads to, where it is a link itself."""


class ReadFile(Question[FileText], frozen=True):
    """The beginning or the end of one file."""

    POLICY = Policy("file.read", "a file", "disk.files:read", "file", "host", 1.5, 3, longest=8 * 2**20)
    path: str
    max_bytes: int = 262144
    """At most 8 MiB."""
    tail: bool = False
    """The last bytes instead of the first."""
    follow: bool = True
    """False refuses a link as the last part of the path."""
    root: str | None = None
    """The folder in which path and links are resolved, as chroot would (Linux 5.6), for files that a container controls."""

    def about(self) -> str:
        return f"the file {self.path}"


class PathStatus(msgspec.Struct, frozen=True):
    """What stat says of one path."""

    type: str = ""
    size: int = 0
    blocks_bytes: int = 0
    """Bytes that it takes on disk."""
    mtime: float | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    dev: str = ""
    """The device, "major:minor"."""
    ino: int = 0
    link: str | None = None
    failed: str = ""
    """Why it could not be looked at ("missing", "forbidden", "timed out"); "" if it could."""
    detail: str = ""


class StatPaths(Question[dict[str, PathStatus]], frozen=True):
    """What stat says of many paths at once, by path. A path on a mount that does not answer costs only itself."""

    POLICY = Policy("file.stats", "the attributes of files", "disk.files:stats", "file", "host", 1.5, 3)
    paths: Sequence[str]
    follow: bool | UnsetType = UNSET
    """Whether links are followed; they are unless it is False."""


class FolderEntry(msgspec.Struct, frozen=True):
    """One entry of a folder."""

    name: str
    type: str = ""
    """file, folder, link or other."""


class FolderListing(msgspec.Struct, frozen=True):
    """The entries of a folder, sorted by name."""

    entries: list[FolderEntry] = []
    truncated: bool = False


class ListFolder(Question[FolderListing], frozen=True):
    """The entries of one folder."""

    POLICY = Policy("file.list", "the entries of a folder", "disk.files:list_folder", "file", "host", 1.5, 4)
    path: str
    limit: int = 2000

    def about(self) -> str:
        return f"the entries of folder {self.path}"


class StatFilesystem(Question[Json], frozen=True):
    """What statvfs says of the filesystem that holds a path."""

    POLICY = Policy("fs.usage", "the usage of a filesystem", "disk.files:usage", "file", "host", 1.5, 2)
    path: str

    def about(self) -> str:
        return f"the usage of the filesystem of {self.path}"


class StatFilesystems(Question[Json], frozen=True):
    """What statvfs says of several paths, none of which lies on a mount that may hang."""

    POLICY = Policy("fs.usages", "the usage of filesystems", "disk.files:usages", "file", "host", 1.5, 5)
    paths: Sequence[str]


class ListLayers(Question[Json], frozen=True):
    """The layers of overlay2 below a data root, and which of them the engine's databases know."""

    POLICY = Policy("fs.layers", "the image layers on disk", "disk.files:layers", "probe", "host", 2.5, 5)
    path: str


class SampleFreeSpace(Question[Json], frozen=True):
    """How fast a filesystem fills: two samples of its free bytes."""

    POLICY = Policy("fs.rate", "how fast a filesystem fills", "disk.files:rate", "probe", "host", 3, 6)
    path: str
    seconds: float = 1.0


class WalkFolder(Question[Json], frozen=True):
    """Where the bytes below a folder are. It stays on one device."""

    POLICY = Policy("fs.walk", "the sizes of folders", "disk.files:walk", "last", "host", 3, 9)
    path: str
    seconds: float = 2
    limit: int = 400_000
    depth: int = 1
    skip: Sequence[str] = ()

    def about(self) -> str:
        return f"the sizes of folders below {self.path}"
