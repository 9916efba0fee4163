"""Contents of the largest volume, where volumes fill the data root's disk."""

import posixpath
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.usage.file_kinds import WRITE_AHEAD_LOG, FileKind, leading_kind
from diagnose.evidence.storage.usage.written_layers import (
    DEPTH,
    WALK_S,
    WORTH_PCT,
    leading_file,
    leading_folder,
)
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import WalkFolder
from diagnose.questions.file_answers import folder_listing
from diagnose.registry import evidence

_DATA = "_data"
"""The folder of a volume's files, in the folder of the volume."""


class FilledVolume(msgspec.Struct, frozen=True):
    """The largest volume of a disk."""

    name: str
    users: tuple[str, ...]
    """The containers that have it, by name, running ones first."""
    top: str
    """The folder of its files on the host."""
    bytes: int
    folder: str
    """The folder with most of the bytes, below the top: `/pg_wal`; "/" where no folder leads."""
    file: str = ""
    """The one file that holds most of the bytes, below the top; "" where there is none."""
    kind: FileKind | None = None
    """The kind of most of its largest files."""
    unarchived: int = 0
    """Segments of PostgreSQL's write-ahead log that wait for its archive command."""
    slots: tuple[str, ...] = ()
    """PostgreSQL's replication slots: it keeps the log that their readers have not read."""

    @property
    def database(self) -> str:
        """The folder of PostgreSQL's files on the host, which may lie below the top."""
        return posixpath.dirname(self.kind.folder) if self.kind is not None else self.top

    def on_host(self, path: str) -> str:
        return f"{self.top}{path}".rstrip("/")


class FilledVolumes(msgspec.Struct, frozen=True):
    """The volume that was looked into, if volumes fill the disk."""

    largest: FilledVolume | None = None


@evidence
def filled_volumes(
    host: Host,
    filesystems: Filesystems,
    usage: DiskUsage | None,
    containers: Containers | None,
    root: DataRoot,
) -> FilledVolumes:
    """The volume that fills a full disk, by a walk of one second.

    PostgreSQL's own folders are listed where most of it is the write-ahead log: each segment that
    waits has a file NAME.ready in archive_status, and each slot a folder in pg_replslot.
    """
    disk = filesystems.of_data_root
    if disk is None or disk.usage.used_pct < WORTH_PCT or usage is None:
        return FilledVolumes()
    if not usage.volumes or not usage.is_led_by("volumes"):
        return FilledVolumes()
    name = max(usage.volumes, key=lambda name: usage.volumes[name])
    top = f"{root.path}/volumes/{name}/{_DATA}"
    walked = host.ask(WalkFolder(top, seconds=WALK_S, depth=DEPTH))
    if isinstance(walked, Failed) or not walked.bytes:
        return FilledVolumes()
    folder = leading_folder(walked.by).path
    kind = leading_kind(walked.largest)
    volume = FilledVolume(
        name,
        _users(containers, name),
        top=top,
        bytes=walked.bytes,
        folder=folder,
        file=leading_file(walked, top),
        kind=kind,
    )
    if kind is not None and kind.name == WRITE_AHEAD_LOG:
        volume = _with_readers(host, volume, kind.folder)
    return FilledVolumes(volume)


def _users(containers: Containers | None, volume: str) -> tuple[str, ...]:
    using = [container for container in containers or () if container.mounts_volume(volume)]
    using.sort(key=lambda container: (not container.is_running, container.name))
    return tuple(container.name for container in using)


def _with_readers(host: Host, volume: FilledVolume, log: str) -> FilledVolume:
    """The volume, with the readers for which PostgreSQL keeps its log.

    log: the folder of the segments.
    """
    waiting = _names(host, f"{log}/archive_status")
    slots = _names(host, f"{posixpath.dirname(log)}/pg_replslot")
    return msgspec.structs.replace(
        volume,
        unarchived=sum(name.endswith(".ready") for name in waiting),
        slots=tuple(sorted(slots)),
    )


def _names(host: Host, folder: str) -> Iterable[str]:
    return folder_listing(host, folder).names
