"""A disk that was mounted over the data root of a running engine."""

from __future__ import annotations

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.databases import FILE_LOCK, NETWORKS, VOLUMES
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

RECORDS = (NETWORKS, VOLUMES)
"""What a living engine holds locked, below its data root (flock(2) of bbolt)."""


class CoveredDataRoot(msgspec.Struct, frozen=True):
    """path: the data root. mount: what lies over the engine's own files, None for nothing."""

    path: str
    mount: Mounted | None = None


@evidence
def covered_data_root(
    host: Host, daemon: Daemon, root: DataRoot, mounts: Mounts
) -> CoveredDataRoot | Unavailable:
    """The engine's locks tell on which device its files are, and a look at them what is there now.

    The paths are looked up as the engine does, in its own mount namespace. /proc/locks and
    /proc/self/mountinfo name the device of the superblock, stat(2) on btrfs another one: so files
    are compared by their inode alone. Nothing is asked where the data root is on the root file
    system, over which nobody mounts another one.
    """
    engine = daemon.processes.engine
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    mount = mounts.of(root.path)
    if daemon.is_down or mount is None or mount.point == "/":
        return CoveredDataRoot(root.path)
    if engine is None:
        return Unavailable("missing", "no process of the engine is known")
    table = host.ask(ReadFile("/proc/locks"))
    if isinstance(table, Failed):
        return Unavailable.of(table)
    paths = [f"/proc/{engine.pid}/root{root.path}/{record}" for record in RECORDS]
    statuses = host.ask(StatPaths(paths))
    if isinstance(statuses, Failed):
        return Unavailable.of(statuses)
    forbidden = [status for status in statuses.values() if status.failed not in ("", "missing")]
    if forbidden:
        return Unavailable("forbidden", f"the records in {root.path}")
    locks = [lock for lock in FILE_LOCK.finditer(table.text) if int(lock["pid"]) == engine.pid]
    devices = {f"{int(lock['major'], 16)}:{int(lock['minor'], 16)}" for lock in locks}
    inodes = {int(lock["inode"]) for lock in locks}
    own = [status for status in statuses.values() if not status.failed and status.ino in inodes]
    if not locks or own or mount.dev in devices:
        return CoveredDataRoot(root.path)
    return CoveredDataRoot(root.path, mount)
