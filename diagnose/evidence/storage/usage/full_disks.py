"""Contents of full disks beside the data root's: /var/log, /tmp, a disk of a container's mounts."""

import posixpath
from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystem, Filesystems
from diagnose.evidence.storage.usage.file_kinds import CORE
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import FileSize, WalkedFolder, WalkFolder
from diagnose.registry import evidence

__all__ = ["CoreDumps", "FileSize", "FullDisks", "full_disks"]

WORTH_PCT = 85.0
"""From here on the question of what fills it is worth seconds of walking."""
ASIDE_PCT = 95.0
"""The same for /tmp and /var/log, as `storage.disk-full` judges them."""
MOST_DISKS = 2
MOST_FOLDERS = 3
WALK_S = 1.5
_CORE = LazyPattern(CORE)
SHARE = 0.05
"""A folder with less of what is used does not fill a disk."""
_LOG = LazyPattern(r"[^/A-Za-z]*[A-Za-z][^/]*\.log|(?:access|error)_log")
"""Names of logs. Files such as 00000000000000000000.log and 000123.log are data: of Kafka and of
LevelDB."""
_DATA_BESIDE = (".script", ".properties", ".data", ".ldb", ".sst")
"""HSQLDB and LevelDB keep changes in a .log file beside files with such names."""


class CoreDumps(msgspec.Struct, frozen=True):
    """Core dumps among the largest files of a disk."""

    folder: str
    count: int
    bytes: int


class FullDisks(msgspec.Struct, frozen=True):
    """The largest folders and files of each disk that was walked, by mount point."""

    by_point: Mapping[str, tuple[FileSize, ...]] = msgspec.field(default_factory=dict)
    dumps: Mapping[str, CoreDumps] = msgspec.field(default_factory=dict)
    files: frozenset[str] = frozenset()
    """Those of the largest that are files."""
    logs: Mapping[str, FileSize] = msgspec.field(default_factory=dict)
    """The largest log among the largest files."""

    def folder_of(self, file: FileSize) -> str:
        """The folder to look into: a file's own, or the folder itself."""
        return posixpath.dirname(file.path) if file.path in self.files else file.path

    def of(self, point: str) -> tuple[FileSize, ...]:
        return self.by_point.get(point, ())


@evidence
def full_disks(host: Host, filesystems: Filesystems) -> FullDisks:
    """The largest folders of at most two full disks, two folders deep.

    `DiskUsage` is about the data root's disk.
    """
    largest: dict[str, tuple[FileSize, ...]] = {}
    dumps: dict[str, CoreDumps] = {}
    files: set[str] = set()
    logs: dict[str, FileSize] = {}
    fullest_first = sorted(filesystems, key=lambda disk: -disk.usage.used_pct)
    for disk in filter(_is_worth_a_walk, fullest_first):
        if len(largest) == MOST_DISKS:
            break
        walked = host.ask(WalkFolder(disk.point, seconds=WALK_S, depth=2))
        if isinstance(walked, Failed):
            continue
        largest[disk.point] = _largest_folders(disk, walked)
        files |= {file.path for file in walked.largest}
        cores = _core_dumps(walked.largest)
        if cores is not None:
            dumps[disk.point] = cores
        log = largest_log(walked.largest)
        if log is not None:
            logs[disk.point] = log
    return FullDisks(largest, dumps, frozenset(files), logs)


def _is_worth_a_walk(disk: Filesystem) -> bool:
    """Whether the content of a full disk has to be found, and nothing else shows it."""
    if disk.usage.read_only or disk.usage.fstype in FULL_BY_NATURE:
        return False
    return not disk.holds_data_root and disk.usage.used_pct >= (
        ASIDE_PCT if disk.is_aside else WORTH_PCT
    )


def _largest_folders(disk: Filesystem, walked: WalkedFolder) -> tuple[FileSize, ...]:
    """The folders that hold a good part of the disk, the largest first."""
    top = disk.point.rstrip("/")
    sizes = sorted(((size, name) for name, size in walked.by.items()), reverse=True)
    return tuple(
        FileSize(f"{top}/{name}", size)
        for size, name in sizes[:MOST_FOLDERS]
        if size >= SHARE * disk.usage.used
    )


def _core_dumps(largest: Iterable[FileSize]) -> CoreDumps | None:
    """The core dumps among the largest files, in the folder that has most of them."""
    by_folder: dict[str, list[int]] = {}
    for file in largest:
        folder, name = posixpath.split(file.path)
        if _CORE.fullmatch(name):
            by_folder.setdefault(folder, []).append(file.bytes)
    if not by_folder:
        return None
    folder, sizes = max(by_folder.items(), key=lambda entry: sum(entry[1]))
    return CoreDumps(folder, len(sizes), sum(sizes))


def largest_log(files: Iterable[FileSize]) -> FileSize | None:
    """The largest of these files that is called like a log, and is not a database's."""
    all_logs = list(files)
    of_databases = {
        posixpath.dirname(file.path) for file in all_logs if file.path.endswith(_DATA_BESIDE)
    }
    logs = [
        file
        for file in all_logs
        if is_log(file.path) and posixpath.dirname(file.path) not in of_databases
    ]
    return max(logs, key=lambda file: file.bytes, default=None)


def is_log(path: str) -> bool:
    """Whether a file is called like a log."""
    return _LOG.fullmatch(posixpath.basename(path)) is not None
