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


class LostDollar(msgspec.Struct, frozen=True):
    """A variable whose value has a `$` that compose takes for another variable, which is not set.

    The value and the name behind the `$` are left out: they are parts of a secret.
    """

    path: str
    line: int
    name: str
    is_plain: bool
    """Whether the line has neither another reference nor a quote that needs a second look."""
    lefts: list[str] = []
    """NAME=value as versions of compose make it, with a token in the place of a secret."""
    is_number: bool = False
    """Whether a digit follows the `$`: newer versions of compose refuse that."""


class FindLostDollars(Question[list[LostDollar]], frozen=True):
    """The variables in env files and compose files that lose a part of their value so."""

    POLICY = Policy(
        "file.dollars",
        what="variables with a bare dollar sign",
        collector="disk.files:lost_dollars",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The files of one project: a variable that one of them sets is known in all."""
    folder: str = ""
    """Where the names of env files begin that the compose files among them name."""

    def about(self) -> str:
        return f"variables with a bare dollar sign in {', '.join(self.paths)}"


class BlankReference(msgspec.Struct, frozen=True):
    """A command in a compose file with a variable that neither `.env` nor a default value sets."""

    path: str
    line: int
    service: str
    key: str
    """`command` or `entrypoint`."""
    names: list[str]
    """The variables."""
    words: list[str]
    """What compose makes of the command where nothing else sets them either."""


class FindBlankReferences(Question[list[BlankReference]], frozen=True):
    """The commands with blank references in the files of one project."""

    POLICY = Policy(
        "file.references",
        what="variables in the commands of compose files",
        collector="disk.files:blank_references",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files, and the `.env` of the project."""

    def about(self) -> str:
        return f"variables in the commands of {', '.join(self.paths)}"


class ComposeFile(msgspec.Struct, frozen=True):
    """A file that compose reads for a project."""

    path: str
    mtime: float


class ListComposeFiles(Question[list[ComposeFile]], frozen=True):
    """The files of one project that exist: those of compose, `.env`, the env files they name."""

    POLICY = Policy(
        "file.compose",
        what="the files of a compose project",
        collector="disk.files:compose_files",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    folder: str
    """paths, folder: the compose files, and where relative names begin."""

    def about(self) -> str:
        return f"the files that {', '.join(self.paths)} name"


class ComposeVariable(msgspec.Struct, frozen=True):
    """A variable of a service, as a file of its project has it now."""

    path: str
    variable: str
    """NAME=value."""
    is_reference: bool = False
    """A reference to a variable of `.env`, which the shell of whoever calls compose may set too."""


class ReadComposeVariables(Question[list[ComposeVariable]], frozen=True):
    """The variables that compose would give a service; without those that others may set."""

    POLICY = Policy(
        "file.compose-variables",
        what="the variables of a compose service",
        collector="disk.files:compose_variables",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""
    folder: str
    service: str

    def about(self) -> str:
        return f"the variables of service {self.service} in {', '.join(self.paths)}"
