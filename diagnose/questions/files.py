"""Questions about files and filesystems.

The helper process answers them, because the kernel may block.
"""

from collections.abc import Sequence, Set

import msgspec
from msgspec import UNSET, UnsetType

from diagnose.questions.file_parts import Parts
from diagnose.questions.question import Policy, Question


class FileText(msgspec.Struct, frozen=True):
    """The text of a file: UTF-8, invalid bytes replaced."""

    text: str
    size: int = 0
    """Bytes of the whole file."""
    mtime: float | None = None
    """Unix time of the last change."""
    ctime: float | None = None
    """Unix time since which this text stands under this name, at the earliest: moving a file into
    the place of another one changes it, and nobody can set it. None in older recordings."""
    mode: int | None = None
    """The mode bits; None in older recordings."""
    uid: int | None = None
    truncated: bool = False
    """Whether the file has more than `text`."""
    link: str | None = None
    """What the path leads to, where it is a link itself."""

    @property
    def lines_of_end(self) -> list[str]:
        """The lines of an answer to `tail`, without a first one that began before the cut."""
        lines = self.text.splitlines()
        return lines[1:] if self.truncated else lines


class ReadFile(Question[FileText], frozen=True):
    """The beginning or the end of one file."""

    POLICY = Policy(
        "file.read",
        what="a file",
        collector="disk.files:read",
        lane="file",
        deadline=1.5,
        priority=3,
        longest=8 * 2**20,
    )
    path: str
    max_bytes: int = 262144
    """At most 8 MiB."""
    tail: bool = False
    """Read the last bytes instead of the first."""
    follow: bool = True
    """False refuses a link as the last part of the path."""
    root: str | None = None
    """The folder in which path and links are resolved, as chroot would, for files that a container
    controls. Before Linux 5.6 links are refused there."""
    parts: Parts | None = None
    """Only these parts of the text."""

    def about(self) -> str:
        return f"the file {self.path}"


class PathStatus(msgspec.Struct, frozen=True):
    """The stat of one path."""

    type: str = ""
    """file, folder, link, socket, pipe, device or other."""
    size: int = 0
    blocks_bytes: int = 0
    """Bytes that it takes on disk."""
    mtime: float | None = None
    ctime: float | None = None  # as of `FileText`
    atime: float | None = None
    """When it was read last, as far as its mount keeps that."""
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

    @property
    def owner(self) -> str:
        """User and group: 1000:1000."""
        return f"{self.uid}:{self.gid}"

    @property
    def permissions(self) -> str:
        """The mode as chmod takes it: 755."""
        return f"{self.mode & 0o7777:o}"

    def lets(self, uid: int, gids: Set[int], rights: int) -> bool:
        """Whether the mode bits let this user do it (r 4, w 2, x 1).

        Root, access lists and labels are not looked at.
        """
        if uid == self.uid:
            shift = 6
        elif self.gid in gids:
            shift = 3
        else:
            shift = 0
        return (self.mode >> shift) & rights == rights


NOT_ASKED = PathStatus()
"""What stands for the status of a path about which nobody could ask."""


class StatPaths(Question[dict[str, PathStatus]], frozen=True):
    """The stat of many paths at once, by path.

    A path on a mount that does not answer costs only itself.
    """

    POLICY = Policy(
        "file.stats",
        what="the attributes of files",
        collector="disk.files:stats",
        lane="file",
        deadline=1.5,
        priority=3,
    )
    paths: Sequence[str]
    follow: bool | UnsetType = UNSET
    """Whether links are followed; they are unless it is False."""


class SocketTrial(msgspec.Struct, frozen=True):
    """Whether a program listens on one Unix socket."""

    failed: str = ""
    """Why a connection fails ("refused", "missing", "forbidden"); "" if a program listens."""


class TrySockets(Question[dict[str, SocketTrial]], frozen=True):
    """Whether programs listen on these Unix sockets, by path.

    Nothing is sent. A listener that /proc/net/unix shows is not connected to.
    """

    POLICY = Policy(
        "file.sockets",
        what="who listens on sockets",
        collector="disk.files:sockets",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: Sequence[str]


class DeviceTrial(msgspec.Struct, frozen=True):
    """Whether this host may open a device."""

    error: str = ""
    """Why it may not, as errno calls it ("EPERM", "ENOENT"); "" if it may."""


HARMLESS_DEVICES = frozenset({"/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/vhost-net"})
"""Devices that do nothing when they are opened; a serial port resets what is at its other end."""


class TryDevices(Question[dict[str, DeviceTrial]], frozen=True):
    """Whether this host may open these harmless devices, by path: they are opened and closed."""

    POLICY = Policy(
        "file.devices",
        what="which devices this host may open",
        collector="disk.files:devices",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: Sequence[str]


class InodeFlags(msgspec.Struct, frozen=True):
    """The attributes of chattr(1) that bind root too."""

    immutable: bool = False
    append_only: bool = False


class ReadFlags(Question[dict[str, InodeFlags]], frozen=True):
    """The flags of regular files and folders, by path."""

    POLICY = Policy(
        "file.flags",
        what="the flags of files",
        collector="disk.files:flags",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: Sequence[str]


class FolderEntry(msgspec.Struct, frozen=True):
    """One entry of a folder."""

    name: str
    type: str = ""
    """file, folder, link or other."""


class FolderListing(msgspec.Struct, frozen=True):
    """The entries of a folder, sorted by name."""

    entries: list[FolderEntry] = []
    truncated: bool = False

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]


class ListFolder(Question[FolderListing], frozen=True):
    """The entries of one folder."""

    POLICY = Policy(
        "file.list",
        what="the entries of a folder",
        collector="disk.files:list_folder",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    path: str
    limit: int = 2000
    root: str | None = None
    """As for `ReadFile`."""

    def about(self) -> str:
        return f"the entries of folder {(self.root or '').rstrip('/')}{self.path}"
