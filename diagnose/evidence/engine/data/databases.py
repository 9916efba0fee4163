"""The database files of the engine and of its containerd.

Damaged ones, and ones that another process holds locked.

All are bbolt files. bbolt locks a whole file with flock(2) while it is open; a second process
waits, for ever or until its caller gives up. A damaged file is refused ("invalid database") or
makes the reader panic.
"""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_processes import CONTAINERDS, DAEMONS
from diagnose.evidence.engine.data_root import CONTAINERD, DataRoot
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.machine.file_locks import LOCKS, file_locks
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

BOOK = "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db"
"""The record of an engine's own containerd, below the data root."""
SYSTEM_BOOK = f"{CONTAINERD}/io.containerd.metadata.v1.bolt/meta.db"
SNAPSHOTS = "containerd/daemon/io.containerd.snapshotter.v1.overlayfs/metadata.db"
NETWORKS = "network/files/local-kv.db"
VOLUMES = "volumes/metadata.db"
BUILDS = (
    "buildkit/cache.db",
    "buildkit/metadata_v2.db",
    "buildkit/snapshots.db",
    "buildkit/containerdmeta.db",
)
FILES = (NETWORKS, VOLUMES, *BUILDS, BOOK, SNAPSHOTS)
REFUSAL = LazyPattern(r"\binvalid database\b")
"""The error of bbolt about a file that is not a database. In the middle of a damaged file it panics
in many words."""
_PATH = LazyPattern(r"/\S{1,500}\.db\b")
_CULPRITS = (
    (r"docker/volume/service\.NewStore|volume store metadata", VOLUMES),
    (r"libkv/store/boltdb|libnetwork/.*(?:boltdb|datastore)|network controller", NETWORKS),
    (r"bboltcachestorage", BUILDS[0]),
    (r"cache/metadata\.NewStore", BUILDS[1]),
    (r"adapters/snapshot\.NewSnapshotter", BUILDS[2]),
    (r"snapshots/storage\.|snapshotter\.v1\.overlayfs", SNAPSHOTS),
    (r"(?:containerd/v2/plugins|containerd/containerd)/metadata|metadata\.v1\.bolt", BOOK),
    (r"services/server\.LoadPlugins\.func", BOOK),  # where containerd 1.6 opens it
    (r"builder-next\.new\w*Controller|buildkit instance|^invalid database$", BUILDS[3]),
)
"""Patterns of a stack or a message, and the file that such a caller opens (engines 20.10, 26.1 and
28.5), the first that fits."""


class DamagedDatabase(msgspec.Struct, frozen=True):
    """A file that could not be read, and the log line that reports it."""

    path: str
    """The file's path; empty where the line does not name the file."""
    line: LogLine

    @property
    def is_panic(self) -> bool:
        """Whether the reader panicked in the middle of it, without an error."""
        return self.line.message.startswith(("panic:", "fatal error:"))


class LockedDatabase(msgspec.Struct, frozen=True):
    """A file that a process other than the engine holds locked."""

    path: str
    pid: int
    comm: str = ""
    """The name of the process that holds the lock; empty where the process cannot be seen."""


class EngineDatabases(msgspec.Struct, frozen=True):
    """Damaged and locked databases that keep the engine from reading its records."""

    damaged: DamagedDatabase | None = None
    """The file that stopped the newest start of the engine."""
    locked: tuple[LockedDatabase, ...] = ()
    """The collector looks only where the engine does not answer: a living engine holds these locks
    itself.
    """
    log_source: str = ""


@evidence
def engine_databases(
    host: Host, daemon: Daemon, root: DataRoot, log: DaemonLog | None, processes: Processes | None
) -> EngineDatabases | Unavailable:
    """The databases that keep the engine from starting.

    Damaged ones by its log, locked ones by /proc/locks.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    system = daemon.processes.managed is False
    damaged = _damaged_database(log, daemon, root.path, system=system) if log is not None else None
    has_failed = log is not None and log.last_failure is not None
    locked: tuple[LockedDatabase, ...] = ()
    if not daemon.answers:
        locked = tuple(_locked_databases(host, daemon, root.path, processes, has_failed=has_failed))
    return EngineDatabases(damaged, locked, log.source if log is not None else "")


def _damaged_database(
    log: DaemonLog, daemon: Daemon, root: str, *, system: bool
) -> DamagedDatabase | None:
    """The first line of the newest start attempt about a damaged file, if that still matters."""
    for line in log.last_start:
        stack = line.fields.get("stack", "")
        text = f"{line.text} {stack} {line.fields.get('id', '')}"
        if not (REFUSAL.search(text) or "bbolt" in stack) or not _is_still_damaged(line, daemon):
            continue
        path = _PATH.search(line.text)
        if path:
            return DamagedDatabase(path[0].rstrip(":,"), line)
        file = next((file for pattern, file in _CULPRITS if re.search(pattern, text.strip())), "")
        if file == BOOK and system:
            return DamagedDatabase(SYSTEM_BOOK, line)
        return DamagedDatabase(f"{root}/{file}" if file else "", line)
    return None


def _is_still_damaged(line: LogLine, daemon: Daemon) -> bool:
    """Whether the damage still holds.

    An engine that answers may have replaced a broken build cache itself. A containerd without its
    record does not work at all.
    """
    if "resetting to empty" in line.message:
        return False
    if not daemon.answers:
        return True
    return (
        "failed to load plugin" in line.message
        and "metadata.v1.bolt" in f"{line.message} {line.fields.get('id', '')}"
    )


def _locked_databases(
    host: Host, daemon: Daemon, root: str, processes: Processes | None, *, has_failed: bool
) -> Iterator[LockedDatabase]:
    """The databases of the engine that another process has locked.

    has_failed: the newest start attempt has ended.

    Before that a dockerd with a lock may be the one that is starting.
    """
    table = host.ask(ReadFile(LOCKS))
    paths = [f"{root}/{file}" for file in FILES] + [SYSTEM_BOOK]
    stats = host.ask(StatPaths(paths))
    if isinstance(table, Failed) or isinstance(stats, Failed):
        return
    files = {
        (status.dev, status.ino): path
        for path, status in paired(paths, stats.get)
        if not status.failed
    }
    own_pids = _own_pids(daemon)
    for lock in file_locks(table.text):
        path = files.get((lock.device, lock.inode))
        if not path or not lock.pid or lock.pid in own_pids:
            continue
        comm = _comm(processes, lock.pid)
        may_be_starting = comm in (*DAEMONS, *CONTAINERDS) and not has_failed
        if not may_be_starting:
            yield LockedDatabase(path, lock.pid, comm)


def _own_pids(daemon: Daemon) -> set[int]:
    """The engine and its containerds, which hold their databases rightly."""
    processes = (daemon.processes.engine, *(daemon.processes.containerds or ()))
    return {process.pid for process in processes if process is not None}


def _comm(processes: Processes | None, pid: int) -> str:
    process = processes.by_pid.get(pid) if processes is not None else None
    return process.comm if process is not None else ""
