"""A disk that was mounted over the data root of a running engine."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.databases import NETWORKS, VOLUMES
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.machine.file_locks import LOCKS, file_locks
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import NoEvidenceError, Unavailable
from diagnose.phrases import joined
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

RECORDS = (NETWORKS, VOLUMES)
"""Files below its data root that a living engine holds locked (flock(2) of bbolt)."""


class CoveredDataRoot(msgspec.Struct, frozen=True):
    """The data root, and the mount over files that an engine has open there."""

    path: str
    """The data root."""
    mount: Mounted | None = None
    """The mount over the engine's own files, None without one."""


class _Locks(msgspec.Struct, frozen=True):
    """The files that an engine holds locked."""

    devices: frozenset[str]
    """The devices of the locked files, as "major:minor"."""
    inodes: frozenset[int]


@evidence
def covered_data_root(
    host: Host, daemon: Daemon, root: DataRoot, mounts: Mounts
) -> CoveredDataRoot | Unavailable:
    """The files that the engine holds locked, compared with those at the same paths now.

    The paths are looked up as the engine does, in its own mount namespace. /proc/locks and
    /proc/self/mountinfo name the device of the superblock, stat(2) on btrfs another one: so files
    are compared only by their inode. The collector asks nothing where the data root is on the root
    file system, which no other mount covers.
    """
    engine = daemon.processes.engine
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    mount = mounts.of(root.path)
    if daemon.is_down or daemon.is_podman:
        return CoveredDataRoot(root.path)
    if mount is None or mount.point == "/":
        return CoveredDataRoot(root.path)
    if engine is None:
        return Unavailable("missing", "no process of the engine is known")
    locks = _locks_of(host, engine.pid)
    visible = _inodes(host, [f"/proc/{engine.pid}/root{root.path}/{record}" for record in RECORDS])
    is_hidden = mount.dev not in locks.devices and visible.isdisjoint(locks.inodes)
    return CoveredDataRoot(root.path, mount if is_hidden else None)


def _locks_of(host: Host, pid: int) -> _Locks:
    table = host.require(ReadFile(LOCKS))
    locks = [lock for lock in file_locks(table.text) if lock.pid == pid]
    if not locks:
        raise NoEvidenceError(Unavailable("missing", "/proc/locks shows no lock of the engine"))
    devices = frozenset(lock.device for lock in locks)
    return _Locks(devices, frozenset(lock.inode for lock in locks))


def _inodes(host: Host, paths: Sequence[str]) -> frozenset[int]:
    """The inodes of the files that are at these paths now."""
    statuses = host.require(StatPaths(paths))
    if any(status.failed not in ("", "missing") for status in statuses.values()):
        hidden = f"the engine's records, {joined(paths)}: only root may see them"
        raise NoEvidenceError(Unavailable("forbidden", hidden))
    return frozenset(status.ino for status in statuses.values() if not status.failed)
