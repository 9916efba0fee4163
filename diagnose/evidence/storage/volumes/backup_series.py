"""Series of backups in mounted folders that have begun to be empty, or that have come to an end.

A series are files of one folder whose names differ by their numbers alone: shop-2026-11-29.sql.gz.
"""

import itertools
import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.numbers import median
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, FolderListing, ListFolder, PathStatus
from diagnose.registry import evidence

MOST = 12
"""Mounted folders that are looked into."""
MOST_FILES = 400
"""Files of one series whose sizes are read: the last ones by the numbers of their names."""
MOST_SIZES = 2000
"""Files of one folder whose sizes are read."""
LEAST = 5
"""Minimum number of files of one name that are a series."""
_FOLDER = LazyPattern(r"(?i)(?:^|[/._-])(?:(?:auto|db|sql)?[_-]?back-?ups?|dumps?|bak)(?:[/._-]|$)")
"""Folders of backups, by the path in the container or on the host."""
_INNER = LazyPattern(
    r"(?i)^(?:hourly|daily|weekly|monthly|last|full|db|sql|mysql|postgres\w*|mongo\w*)$"
)
_DUMP = LazyPattern(
    r"(?i)\.(?:7z|age|archive|bak|bson|bz2|db|dump|enc|gpg|gz|rdb|sql|sqlite3?|tar|tgz|xz|zip|zst)$"
)
"""Names of backups; not logs, sums and locks."""
_PARTIAL = LazyPattern(
    r"(?i)(?:^|[._-])(?:inc|incr|incremental|diff|difftar|dblock|delta|dindex|dlist|sigtar|wal|xlog|binlog|log|journal|audit)\d*(?:[._-]|$)"
    r"|^[0-9A-F]{24}[._]"
)
"""Backups that are almost empty, or absent, after little change: increments, logs, segments of
PostgreSQL, and the files of Duplicati, which writes none where nothing has changed."""
_NUMBER = LazyPattern(r"\d+")
_EMPTY = 64
"""Bytes: what gzip, xz and zip make of nothing is smaller."""
_TINY = 4096
_FULL = 1000
"""Bytes that the earlier backups of a series have at least."""
_AT_WORK_S = 600.0
"""A file that is younger may still be written."""
_SHORTEST_S = 600.0
_NIGHT_S = 20 * 3600.0
"""A series of less knows of no night."""
_WEEK_S = 8 * 86400.0
"""A series of less knows of no weekend."""
_WEEKEND_S = 3.6 * 86400.0
"""From the last evening of a week to the first morning of the next, with some time to spare."""
_COPIED_S = 600.0
"""Seconds between the writing of a file and its arrival from which on it was copied here."""
_REGULAR = 0.75
"""This share of the steps of a series is as long as its median, within a quarter."""


class BackupSeries(msgspec.Struct, frozen=True):
    """A series of backups with a fault."""

    container: Container
    """A container that has the folder mounted, and may write there."""
    folder: str
    """On the host."""
    newest: str
    """The name of the last file."""
    newest_at: float
    """Unix time."""
    size: int
    """Of the last file."""
    usual: int
    """Bytes of a backup of this series before."""
    empty: int = 0
    """How many of the last files are empty; 0 where the series has just ended."""
    step_s: float = 0.0
    """The seconds between two backups."""
    may_rest: bool = False
    """Whether this may be a weekend, of which the series is too short to know."""

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.newest}"


class AllBackupSeries(Items[BackupSeries], frozen=True):
    """The faulty backup series by folder; at most one fault of each."""


class _Backup(msgspec.Struct, frozen=True):
    name: str
    size: int
    at: float
    is_copied: bool = False
    """Whether it was written elsewhere, and arrived later."""


@evidence
def all_backup_series(host: Host, containers: Containers, clock: Clock) -> AllBackupSeries:
    """The backup series in mounted folders that have ended or become empty.

    Folders with a name of backups are listed; their files are looked at, not read.
    """
    mounted = {
        mount.source: (container, mount)
        for container in sorted(containers, key=lambda container: container.is_running)
        for mount in container.mounts
        if _may_hold_backups(mount)
    }
    all_series = []
    for source in host.first(sorted(mounted), MOST, "folders of backups"):
        container, _ = mounted[source]
        folders = dict(_folders(host, source))
        series = {folder: _series(host, folder, names) for folder, names in folders.items()}
        latest = max((files[-1].at for groups in series.values() for files in groups), default=0.0)
        for folder, groups in series.items():
            fault = _first_fault(container, folder, groups, latest, clock)
            if fault is not None:
                all_series.append(fault)
                break
    return AllBackupSeries(tuple(all_series))


def _may_hold_backups(mount: Mount) -> bool:
    """Whether a container may write backups into this mount."""
    paths = (mount.destination, mount.source)
    return mount.rw and mount.has_host_path and any(map(_FOLDER.search, paths))


def _folders(host: Host, source: str) -> Iterator[tuple[str, list[str]]]:
    """The folder, and those of its folders that hold backups as a rule, with their backups."""
    listing = host.ask(ListFolder(source))
    if isinstance(listing, Failed):
        return
    yield source, _dumps(listing)
    inner = [entry.name for entry in listing.entries if entry.type == "folder"]
    for name in [name for name in inner if _INNER.search(name)][:6]:
        below = host.ask(ListFolder(f"/{name}", root=source))
        if not isinstance(below, Failed):
            yield posixpath.join(source, name), _dumps(below)


def _dumps(listing: FolderListing) -> list[str]:
    """The names of the dumps in a folder. Empty if the list is cut: the newest may be gone."""
    if listing.truncated:
        return []
    files = [entry.name for entry in listing.entries if entry.type == "file"]
    return [name for name in files if _DUMP.search(name) and not _PARTIAL.search(name)]


def _series(host: Host, folder: str, names: Sequence[str]) -> list[list[_Backup]]:
    """The series of a folder, each from its oldest file to its newest."""
    candidates: list[str] = []
    for same_shape in by_key((_NUMBER.sub("#", name), name) for name in names).values():
        if len(same_shape) >= LEAST:
            candidates += sorted(same_shape, key=_numbers)[-MOST_FILES:]
    candidates = candidates[:MOST_SIZES]
    if not candidates:
        return []
    statuses = path_statuses(host, [f"{folder}/{name}" for name in candidates])
    backups = []
    for name in candidates:
        status = statuses.get(f"{folder}/{name}", NOT_ASKED)
        if status.type == "file" and status.mtime is not None:
            is_copied = _is_copied(status)
            backups.append(_Backup(name, status.size, status.mtime, is_copied=is_copied))
    groups = by_key((_NUMBER.sub("#", backup.name), backup) for backup in backups)
    series = [
        sorted(group, key=lambda backup: backup.at)
        for group in groups.values()
        if len(group) >= LEAST
    ]
    return [files for files in series if len(files) < MOST_FILES or _are_in_order(files)]


def _is_copied(status: PathStatus) -> bool:
    """Whether a file has had its name only since long after it was written."""
    since = status.ctime
    written = status.mtime
    return since is not None and written is not None and since - written > _COPIED_S


def _numbers(name: str) -> list[int]:
    """The numbers of a name: the ninth comes before the tenth."""
    return [int(number[-18:]) for number in _NUMBER.findall(name)]


def _are_in_order(backups: Sequence[_Backup]) -> bool:
    """Whether the last ones by their names are the newest: 01-12-2026 comes before 30-11-2026."""
    names = [backup.name for backup in backups]
    return names == sorted(names, key=_numbers)


def _first_fault(
    container: Container,
    folder: str,
    groups: Sequence[Sequence[_Backup]],
    latest: float,
    clock: Clock,
) -> BackupSeries | None:
    """The first series whose newest backups are empty or overdue.

    latest: when the last file of any series here was written: another may have replaced it.
    """
    for backups in groups:
        newest = backups[-1]
        if _usual_step(backups) < _SHORTEST_S:
            continue  # one run creates them all: a file for each database
        usual = int(median(backup.size for backup in backups[:-1]))
        series = BackupSeries(
            container, folder, newest.name, newest.at, size=newest.size, usual=usual
        )
        empty = _empty_ones(backups, usual)
        if empty and (len(empty) > 1 or clock.has_passed(newest.at, _AT_WORK_S)):
            return msgspec.structs.replace(series, empty=len(empty))
        step = _step(backups)
        is_replaced = latest > newest.at + step
        if step and not is_replaced and _is_overdue(backups, step, container, clock):
            may_rest = _span(backups) < _WEEK_S and clock.is_within(newest.at, _WEEKEND_S)
            return msgspec.structs.replace(series, step_s=step, may_rest=may_rest)
    return None


def _empty_ones(backups: Sequence[_Backup], usual: int) -> list[_Backup]:
    """The last backups, as far as all of them hold nothing, where earlier ones did."""
    if usual < _FULL:
        return []
    is_empty = [
        backup.size <= _EMPTY or (backup.size < _TINY and backup.size * 100 < usual)
        for backup in backups
    ]
    count = sum(1 for _ in itertools.takewhile(bool, reversed(is_empty)))
    return list(backups[len(backups) - count :])


def _usual_step(backups: Sequence[_Backup]) -> float:
    """The median of the times between two, in seconds."""
    return median(after.at - before.at for before, after in itertools.pairwise(backups))


def _span(backups: Sequence[_Backup]) -> float:
    """The time from the first to the last, in seconds."""
    return backups[-1].at - backups[0].at


def _step(backups: Sequence[_Backup]) -> float:
    """The usual seconds between two backups; 0 for an irregular series.

    A series that is shorter than a day may be a person's own, or may rest at night. Files that are
    copied here come when that job runs, whenever they were written.
    """
    if sum(backup.is_copied for backup in backups) * 2 >= len(backups):
        return 0.0
    steps = [after.at - before.at for before, after in itertools.pairwise(backups)]
    usual = _usual_step(backups)
    regular = [step for step in steps if 0.75 * usual <= step <= 1.25 * usual]
    is_regular = len(regular) >= _REGULAR * len(steps)
    return usual if is_regular and _span(backups) >= _NIGHT_S else 0.0


def _is_overdue(
    backups: Sequence[_Backup], step: float, container: Container, clock: Clock
) -> bool:
    """Whether more than one backup is missing, and no program that may write it has just started.

    A series may rest at night or at a weekend, as it did before.
    """
    longest = max(after.at - before.at for before, after in itertools.pairwise(backups))
    is_late = clock.has_passed(backups[-1].at, max(2.5 * step, 1.2 * longest))
    is_new = container.is_running and clock.is_within(container.started_at, step)
    return is_late and not is_new
