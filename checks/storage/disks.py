"""File systems without inodes, read-only, or silent, and those in memory that are full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.storage.helpers import users
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.btrfs_room import BtrfsRoom, BtrfsRooms
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystem, Filesystems
from diagnose.evidence.storage.inode_usage import InodeHolder, InodeUsage, fullest
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.remote_mounts import RemoteMounts
from diagnose.evidence.storage.unused_volumes import UnusedVolumes
from diagnose.mappings import by_key, present
from diagnose.model import (
    DAEMON,
    CheckResult,
    Finding,
    Json,
    PageVariables,
    Percent,
    Severity,
    Skipped,
    Subject,
    Unexamined,
    container,
)
from diagnose.phrases import named, size
from diagnose.registry import check

READ_ONLY = frozenset({"ro", "emergency_ro", "shutdown"})
"""Options by which a file system says of itself that nothing can be written (emergency_ro: ext4
after an error, Linux 6.15)."""


@check(
    "storage.inodes-exhausted",
    severity=Severity.critical,
    causes=[
        "container.errors-in-log",
        "container.exits-at-start",
        "container.restart-loop",
        "container.unhealthy",
        "daemon.errors-in-log",
    ],
)
def inodes_exhausted(
    filesystems: Filesystems,
    holders: InodeUsage | None,
    unused: UnusedVolumes | None,
    btrfs: BtrfsRooms | None,
    *,
    warn_pct: Percent = Percent(90),
    crit_pct: Percent = Percent(97),
) -> CheckResult:
    """A file system that Docker writes to has no inodes left for new files.

    The kernel says "no space left on device" while df shows room. File systems that make inodes as
    needed (btrfs, zfs) report none. For a btrfs the room for metadata counts, once it cannot get
    more of the disk. xfs reports as many as its free space would hold, so that a low number on a
    full disk says nothing new. The finding names the folders that hold most inodes, and among them
    volumes that no container uses.
    """
    for disk in filesystems:
        pct = disk.usage.inodes_used_pct
        least = crit_pct if disk.is_aside else warn_pct
        is_full_xfs = disk.usage.fstype == "xfs" and disk.usage.used_pct >= warn_pct
        if pct is None or pct < least or disk.usage.read_only or is_full_xfs:
            continue
        most = fullest(holders, disk) if holders is not None else ()
        anonymous = _unused_anonymous(holders, unused) if disk.holds_data_root else ()
        is_critical = pct >= crit_pct and not disk.is_aside
        severity = Severity.critical if is_critical else Severity.warning
        yield _inodes_finding(disk, severity, most, anonymous)
    if btrfs is not None:
        yield from _metadata_findings(filesystems, btrfs, least_left_pct=100 - warn_pct)
    return None


def _metadata_findings(
    filesystems: Filesystems, btrfs: BtrfsRooms, *, least_left_pct: float
) -> Iterator[Finding]:
    for disk in filesystems:
        room = btrfs.by_point.get(disk.point)
        if room is None or disk.usage.read_only:
            continue
        if room.is_out or (room.is_given_away and room.left_pct <= least_left_pct):
            yield _metadata_finding(disk, room, is_critical=room.is_out and not disk.is_aside)


def _metadata_finding(disk: Filesystem, room: BtrfsRoom, *, is_critical: bool) -> Finding:
    """A btrfs whose metadata has no room, beside chunks of data that are not used."""
    state = "has no room" if is_critical else "has hardly any room"
    spare = size(room.data - room.data_used)
    return Finding(
        subject=disk.subject,
        summary=f"{disk.point} {state} for new files: btrfs has allocated the whole disk, and "
        f"{size(room.left)} of {size(room.metadata)} are left for metadata, while {spare} of the "
        "space for data are unused",
        evidence={
            "btrfs metadata": f"{size(room.metadata_used)} of {size(room.metadata)}",
            "btrfs data": f"{size(room.data_used)} of {size(room.data)}",
            "btrfs unallocated": size(room.unallocated),
            **users(disk),
        },
        variables={"metadata_of" if room.has_spare_data else "full_btrfs": disk.point},
        severity=Severity.critical if is_critical else Severity.warning,
        signs=frozenset({"no-space"}),
    )


def _inodes_finding(
    disk: Filesystem,
    severity: Severity,
    most: Sequence[InodeHolder],
    anonymous: Sequence[InodeHolder],
) -> Finding:
    """most: the folders with the most entries; anonymous: those of unused anonymous volumes."""
    usage = disk.usage
    blame = f"; {most[0].path} holds {most[0].entries} of them" if most else ""
    unused = [_entries(folder.path.rpartition("/")[2], folder) for folder in anonymous[:10]]
    figures = {
        "inodes": usage.inodes,
        "inodes_free": usage.inodes_free,
        "used_pct": round(usage.used_pct, 1),
    }
    lists = {
        "most entries": [_entries(folder.path, folder) for folder in most],
        "anonymous volumes without a container": unused,
    }
    return Finding(
        subject=disk.subject,
        summary=f"{disk.point} has {usage.inodes_free} of {usage.inodes} inodes left, and "
        f"{size(usage.available)} of space{blame}",
        evidence={f"statvfs({disk.point})": figures, **users(disk), **present(lists)},
        variables={
            "point": disk.point,
            **({"crowded": most[0].path} if most else {}),
            **_removable(disk, most, anonymous),
        },
        severity=severity,
        signs=frozenset({"no-space"}),
    )


def _entries(name: str, folder: InodeHolder) -> str:
    return f"{name}: {folder.entries} ({size(folder.bytes)})"


PIPES = "/docker/containerd"
"""The end of the folder, below /run, where the engine has the named pipes of its containers."""


def _removable(
    disk: Filesystem, most: Sequence[InodeHolder], anonymous: Sequence[InodeHolder]
) -> PageVariables:
    """The variables of what helps.

    The unused volume with most entries, the pipes of containers that are gone, or, on the disk of
    images and build cache unless a volume leads, a prune of both.
    """
    if anonymous:
        return {"volume": anonymous[0].path.rpartition("/")[2]}
    leading = most[0].path if most else ""
    if leading.endswith(PIPES):
        return {"pipes": leading}
    if not disk.holds_data_root or "/volumes/" in f"{leading}/":
        return {}
    return {"force": "--force"}


def _unused_anonymous(
    holders: InodeUsage | None, unused: UnusedVolumes | None
) -> tuple[InodeHolder, ...]:
    """Anonymous volumes that no container uses, those with most entries first."""
    if holders is None or unused is None:
        return ()
    names = [volume.name for volume in unused if volume.is_anonymous]
    folders = [holders.volumes[name] for name in names if name in holders.volumes]
    return tuple(sorted(folders, key=lambda folder: -folder.entries))


@check(
    "storage.read-only",
    severity=Severity.critical,
    caused_by=["kernel.filesystem-errors"],
    causes=[
        "container.restart-loop",
        "container.unhealthy",
        "daemon.not-running",
        "container.exits-at-start",
    ],
)
def read_only(
    root: DataRoot, mounts: Mounts, filesystems: Filesystems | None, backing: Backing | None
) -> CheckResult:
    """A file system that Docker writes to can no longer be written to.

    Judged by the file system's own options: a read-only bind mount of a container or a read-only
    root is by design, and so is a disk beside the data root that somebody mounted read-only: after
    an error the mount still says rw. From Linux 6.15 on ext4 says emergency_ro. Where the root
    itself is mounted read-only and its file system is not, the tool runs in a service's sandbox
    (ProtectSystem=strict), where the options of mounts say nothing.
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    under_root = mounts.of(disk.point if disk else root.path)
    if under_root is not None:
        by_options = _lost_options(under_root.options) and not _in_sandbox(mounts)
        if _lost_options(under_root.super) or by_options:
            yield _lost_disk_finding(under_root, "the data root", (DAEMON,))
    for point, names in _writers(backing).items():
        mounted = mounts.of(point)
        if mounted is None or mounted == under_root or "ro" in mounted.options.split(","):
            continue
        if _lost_options(mounted.super) and mounted.fstype not in FULL_BY_NATURE:
            yield _lost_disk_finding(mounted, named("container", names))
    return None


def _writers(backing: Backing | None) -> dict[str, list[str]]:
    """The running containers that may write to a file system, by its mount point."""
    return by_key(
        (behind.mounted.point, behind.container.name)
        for behind in backing or ()
        if behind.mount.rw and behind.container.is_running
    )


def _in_sandbox(mounts: Mounts) -> bool:
    base = mounts.of("/")
    return (
        base is not None and "ro" in base.options.split(",") and "ro" not in base.super.split(",")
    )


def _lost_options(options: str) -> frozenset[str]:
    return READ_ONLY.intersection(options.split(","))


def _is_mounted_so(mounted: Mounted) -> bool:
    """Whether somebody mounted it read-only; after an error the mount still says rw."""
    return "ro" in mounted.options.split(",") and _lost_options(mounted.super) <= {"ro"}


def _lost_disk_finding(mounted: Mounted, user: str, touches: tuple[Subject, ...] = ()) -> Finding:
    lost = _lost_options(mounted.super) | _lost_options(mounted.options)
    return Finding(
        subject=Subject("filesystem", mounted.point),
        summary=(
            f"{mounted.point} ({mounted.fstype} on {mounted.source}), used by {user}, is read-only: "
            f"{', '.join(sorted(lost))}"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mounted.point} {mounted.options} {mounted.source} {mounted.super}",
            "used by": user,
        },
        variables={
            "point": mounted.point,
            "device": mounted.source,
            ("remounted" if _is_mounted_so(mounted) else "damaged"): mounted.point,
        },
        signs=frozenset({"read-only", "io-error"}),
        touches=touches,
    )


@check(
    "storage.network-volume-stale",
    severity=Severity.critical,
    causes=[
        "daemon.hung",
        "container.unhealthy",
        "container.restart-loop",
        "container.exits-at-start",
    ],
)
def network_volume_stale(mounts: RemoteMounts) -> CheckResult:
    """A network file system under a volume or a container's mount does not answer.

    Whatever touches it waits in the kernel for ever and cannot be killed; a stale handle or a dead
    FUSE server fails at once.
    """
    if not len(mounts):
        return Skipped("no container or volume uses a network file system")
    for remote in mounts:
        if remote.failed is None or remote.failed.reason == "missing":
            continue
        if remote.failed.reason in ("forbidden", "budget", "not recorded", "shed"):
            yield Unexamined(remote.subject, str(remote.failed))
            continue
        mount = remote.mount
        state = "does not answer" if remote.failed.reason == "timed out" else "fails"
        users = f", used by {named('container', remote.users)}" if remote.users else ""
        yield Finding(
            subject=remote.subject,
            summary=f"{mount.source} ({mount.fstype}) at {mount.point} {state}{users}",
            evidence={f"statvfs({mount.point})": str(remote.failed)},
            variables={"point": mount.point, "source": mount.source},
            touches=(
                DAEMON,
                Subject("filesystem", mount.point),
                *(container(name) for name in remote.users),
            ),
        )
    return None


@check(
    "storage.shm-full",
    severity=Severity.warning,
    causes=["container.restart-loop", "container.unhealthy"],
)
def shm_full(memory: SharedMemory, *, full_pct: Percent = Percent(95)) -> CheckResult:
    """A file system that a container has in memory is full.

    The engine gives each container 64 MiB of /dev/shm unless configured otherwise; databases and
    browsers need more and die of a bus error or "no space left on device" while every disk has
    room. What `--tmpfs` gives may be a cache that is meant to be full: advice, unless the container
    is not well.
    """
    for area in memory:
        usage, owner = area.usage, area.container
        if not usage.size or usage.used_pct < full_pct:
            continue
        place = "its shared memory" if area.is_shm else area.path
        figures = {"size": usage.size, "available": usage.available}
        evidence: dict[str, Json] = {f"statvfs(/proc/{owner.state.pid}/root{area.path})": figures}
        if area.is_shm:
            evidence["HostConfig.ShmSize"] = owner.host_config.shm_size
        finding = Finding.about(
            owner,
            f"{owner} has used {size(usage.used)} of the {size(usage.size)} of {place}",
            evidence,
            severity=Severity.warning if area.is_shm or owner.is_unwell else Severity.advice,
            signs=frozenset({"no-space"}),
            discriminator="" if area.is_shm else area.path,
            stable=(owner.life,),
            path=area.path,
        )
        yield finding.with_variables(_larger(area))
    return None


def _larger(area: InMemory) -> PageVariables:
    """The variable with which the page makes it four times as large."""
    if area.is_shm:
        return {"shm": area.container.name}
    return {"tmpfs": f"{area.path}:size={4 * area.usage.size // 1024}k"}
