"""Filesystems that are full, read-only, or silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.shared_memory import SharedMemory
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.disk_usage import DiskUsage
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystem, Filesystems
from diagnose.evidence.storage.fill_rate import FillRate
from diagnose.evidence.storage.inode_usage import InodeHolder, InodeUsage, fullest
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.remote_mounts import RemoteMounts
from diagnose.evidence.storage.volumes import UnusedVolumes
from diagnose.model import (
    DAEMON,
    Bytes,
    CheckItem,
    CheckResult,
    Finding,
    Json,
    Percent,
    Severity,
    Skipped,
    Subject,
    Unavailable,
    Unexamined,
    container,
)
from diagnose.phrases import size
from diagnose.registry import check

READ_ONLY = frozenset({"ro", "emergency_ro", "shutdown"})
"""Options by which a file system says of itself that nothing can be written (emergency_ro: ext4 after an
error, Linux 6.15)."""


@check(
    "storage.disk-full",
    severity=Severity.critical,
    caused_by=["logging.unbounded", "storage.deleted-files-held"],
    causes=["container.restart-loop", "container.unhealthy", "container.exits-at-start", "image.corrupt"],
)
def disk_full(
    filesystems: Filesystems,
    usage: DiskUsage | Unavailable,
    rates: FillRate | Unavailable,
    *,
    warn_pct: Percent = Percent(85),
    crit_pct: Percent = Percent(95),
    roomy: Bytes = Bytes(100 << 30),
) -> Iterable[Finding]:
    """A file system that Docker writes to is full or nearly full.

    Used as df counts it: blocks reserved for root are nobody's, a container cannot write there although
    dockerd still can (seen on engine 20.10.24). With more than `roomy` bytes available it is a warning at
    most, and so is a full /tmp or /var/log of its own, which the engine can do without. File systems that are read-only
    by design are left out.
    """
    for disk in filesystems:
        figures = disk.usage
        if figures.read_only or figures.fstype in FULL_BY_NATURE:
            continue
        if figures.used_pct < (crit_pct if disk.is_aside else warn_pct):
            continue
        left = f"{size(figures.available)} left of {size(figures.size)}"
        rate = rates.by_point.get(disk.point) if isinstance(rates, FillRate) else None
        soon = f"; full in about {_duration(figures.available / rate)} at the rate of this moment" if rate else ""
        evidence: dict[str, Json] = {
            f"statvfs({disk.point})": {
                "used_pct": round(figures.used_pct, 1),
                "available": figures.available,
                "reserved": figures.free - figures.available,
            }
        }
        if rate is not None and isinstance(rates, FillRate):
            evidence[f"statvfs({disk.point}) bytes a second over {rates.seconds:.1f} s"] = round(rate)
        evidence |= _users(disk) | _attribution(disk, usage)
        critical = figures.used_pct >= crit_pct and figures.available < roomy and not disk.is_aside
        yield Finding(
            subject=disk.subject,
            summary=f"{disk.point} is {figures.used_pct:.0f} % full, {left}{soon}",
            evidence=evidence,
            variables={"point": disk.point, "where": _where(disk, usage)},
            severity=Severity.critical if critical else Severity.warning,
            signs=frozenset({"no-space"}),
        )


def _users(disk: Filesystem) -> dict[str, Json]:
    """What lies on a disk that is not the data root's."""
    return {"used by": [*disk.holds]} if disk.holds and not disk.holds_data_root else {}


def _attribution(disk: Filesystem, usage: DiskUsage | Unavailable) -> dict[str, Json]:
    if isinstance(usage, Unavailable):
        return {"not measured": str(usage)} if disk.holds_data_root else {}
    if usage.point != disk.point or usage.not_asked:
        return {}
    parts = [
        {
            "name": part.name,
            "bytes": part.bytes,
            "note": ("at least; " if part.at_least else "")
            + ", ".join(f"{name} {size(count)}" for name, count in part.subjects),
        }
        for part in usage.parts
    ]
    return {"attribution": parts} | ({"not measured": list(usage.unmeasured)} if usage.unmeasured else {})


def _where(disk: Filesystem, usage: DiskUsage | Unavailable) -> str:
    """Where to look first: in what takes most of the disk, as far as it was measured."""
    parts = usage.parts if isinstance(usage, DiskUsage) and usage.point == disk.point else ()
    most = max(parts, key=lambda part: part.bytes, default=None)
    return most.path if most and most.path else disk.point


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


@check(
    "storage.inodes-exhausted",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.unhealthy", "container.exits-at-start"],
)
def inodes_exhausted(
    filesystems: Filesystems,
    holders: InodeUsage | None,
    unused: UnusedVolumes | None,
    *,
    warn_pct: Percent = Percent(90),
    crit_pct: Percent = Percent(97),
) -> CheckResult:
    """A file system that Docker writes to has no inodes left for new files.

    The kernel says "no space left on device" while df shows room. File systems that make inodes as needed
    (btrfs, zfs) report none and are left out; xfs counts those that its free space would hold, so that few of them on
    a full disk tell nothing new. The folders that hold most of them are named, and volumes that no container uses among them.
    """
    for disk in filesystems:
        pct = disk.usage.inodes_used_pct
        if pct is None or disk.usage.read_only or pct < (crit_pct if disk.is_aside else warn_pct):
            continue
        if disk.usage.fstype == "xfs" and disk.usage.used_pct >= warn_pct:
            continue
        figures = {
            "inodes": disk.usage.inodes,
            "inodes_free": disk.usage.inodes_free,
            "used_pct": round(disk.usage.used_pct, 1),
        }
        evidence: dict[str, Json] = {f"statvfs({disk.point})": figures, **_users(disk)}
        most = fullest(holders, disk) if holders is not None else ()
        if most:
            evidence["most entries"] = [f"{folder.path}: {folder.entries} ({size(folder.bytes)})" for folder in most]
        anonymous = _unused_anonymous(holders, unused) if disk.holds_data_root else ()
        if anonymous:
            evidence["anonymous volumes without a container"] = [
                f"{folder.path.rpartition('/')[2]}: {folder.entries} ({size(folder.bytes)})"
                for folder in anonymous[:10]
            ]
        blame = f"; {most[0].path} holds {most[0].entries} of them" if most else ""
        yield Finding(
            subject=disk.subject,
            summary=f"{disk.point} has {disk.usage.inodes_free} of {disk.usage.inodes} inodes left, and "
            f"{size(disk.usage.available)} of space{blame}",
            evidence=evidence,
            variables={"point": disk.point} | _prunable(most, anonymous),
            severity=Severity.critical if pct >= crit_pct and not disk.is_aside else Severity.warning,
            signs=frozenset({"no-space"}),
        )
    return None


def _prunable(most: Sequence[InodeHolder], anonymous: Sequence[InodeHolder]) -> dict[str, str]:
    """The variables of what helps: the unused volume with most entries, or, unless a volume leads, a prune of images and cache."""
    if anonymous:
        return {"volume": anonymous[0].path.rpartition("/")[2]}
    return {} if most and "/volumes/" in f"{most[0].path}/" else {"force": "--force"}


def _unused_anonymous(holders: InodeUsage | None, unused: UnusedVolumes | None) -> tuple[InodeHolder, ...]:
    """Anonymous volumes that no container uses, those with most entries first."""
    if holders is None or unused is None:
        return ()
    names = [volume.name for volume in unused if volume.is_anonymous]
    found = [holders.volumes[name] for name in names if name in holders.volumes]
    return tuple(sorted(found, key=lambda folder: -folder.entries))


@check(
    "storage.read-only",
    severity=Severity.critical,
    caused_by=["kernel.filesystem-errors"],
    causes=["container.restart-loop", "container.unhealthy", "daemon.not-running", "container.exits-at-start"],
)
def read_only(
    root: DataRoot, mounts: Mounts, filesystems: Filesystems | Unavailable, backing: Backing | Unavailable
) -> Iterable[Finding]:
    """A file system that Docker writes to can no longer be written to.

    Judged by the file system's own options: a read-only bind mount of a container or a read-only root is by
    design, and so is a disk beside the data root that somebody mounted read-only: after an error the mount still says
    rw. From Linux 6.15 on ext4 says emergency_ro. Where the root itself is mounted read-only and its file system is not,
    the tool runs in a service's sandbox (ProtectSystem=strict), where the options of mounts say nothing.
    """
    disk = filesystems.of_data_root if isinstance(filesystems, Filesystems) else None
    held = mounts.of(disk.point if disk else root.path)
    if held is not None and (_says(held.super) or (_says(held.options) and not _in_sandbox(mounts))):
        yield _lost(held, "the data root", (DAEMON,))
    writers: dict[str, list[str]] = {}
    for behind in backing if isinstance(backing, Backing) else ():
        if behind.mount.rw and behind.container.is_running:
            writers.setdefault(behind.mounted.point, []).append(behind.container.name)
    for point, names in writers.items():
        mounted = mounts.of(point)
        if mounted is None or mounted == held or "ro" in mounted.options.split(","):
            continue
        if _says(mounted.super) and mounted.fstype not in FULL_BY_NATURE:
            yield _lost(mounted, ", ".join(names[:3]))


def _in_sandbox(mounts: Mounts) -> bool:
    base = mounts.of("/")
    return base is not None and "ro" in base.options.split(",") and "ro" not in base.super.split(",")


def _says(options: str) -> frozenset[str]:
    return READ_ONLY.intersection(options.split(","))


def _lost(mounted: Mounted, user: str, touches: tuple[Subject, ...] = ()) -> Finding:
    said = _says(mounted.super) | _says(mounted.options)
    return Finding(
        subject=Subject("filesystem", mounted.point),
        summary=f"{mounted.point} ({mounted.source}, {mounted.fstype}) is read-only: {', '.join(sorted(said))}",
        evidence={
            "/proc/self/mountinfo": f"{mounted.point} {mounted.options} {mounted.source} {mounted.super}",
            "used by": user,
        },
        variables={"point": mounted.point, "device": mounted.source},
        signs=frozenset({"read-only", "io-error"}),
        touches=touches,
    )


@check(
    "storage.network-volume-stale",
    severity=Severity.critical,
    causes=["daemon.hung", "container.unhealthy", "container.restart-loop", "container.exits-at-start"],
)
def network_volume_stale(mounts: RemoteMounts) -> Iterable[CheckItem] | Skipped:
    """A network file system under a volume or a container's mount does not answer.

    Whatever touches it waits in the kernel for ever and cannot be killed; a stale handle or a dead FUSE
    server fails at once.
    """
    if not len(mounts):
        return Skipped("no container or volume uses a network file system")
    return _silent(mounts)


def _silent(mounts: RemoteMounts) -> Iterable[CheckItem]:
    for each in mounts:
        if each.failed is None or each.failed.reason == "missing":
            continue
        if each.failed.reason in ("forbidden", "budget", "not recorded", "shed"):
            yield Unexamined(each.subject, str(each.failed))
            continue
        users = f", used by {', '.join(each.users[:3])}" if each.users else ""
        hangs = each.failed.reason == "timed out"
        yield Finding(
            subject=each.subject,
            summary=f"{each.mount.source} ({each.mount.fstype}) at {each.mount.point} "
            f"{'does not answer' if hangs else 'fails'}{users}",
            evidence={f"statvfs({each.mount.point})": str(each.failed)},
            variables={"point": each.mount.point, "source": each.mount.source},
            touches=(
                DAEMON,
                Subject("filesystem", each.mount.point),
                *(container(name) for name in each.users),
            ),
        )


@check("storage.shm-full", severity=Severity.warning, causes=["container.restart-loop", "container.unhealthy"])
def shm_full(memory: SharedMemory, *, full_pct: Percent = Percent(95)) -> Iterable[Finding]:
    """A file system that a container has in memory is full.

    The engine gives each container 64 MiB of /dev/shm unless told otherwise; databases and browsers need more
    and die of a bus error or "no space left on device" while every disk has room. What `--tmpfs` gives may be a cache
    that is meant to be full: advice, unless the container is not well.
    """
    for each in memory:
        usage, owner = each.usage, each.container
        if not usage.size or usage.used_pct < full_pct:
            continue
        what = "its shared memory" if each.is_shm else each.path
        yield Finding(
            subject=owner.subject,
            summary=f"{owner.name} has used {size(usage.used)} of the {size(usage.size)} of {what}",
            evidence={
                f"statvfs(/proc/{owner.state.pid}/root{each.path})": {"size": usage.size, "available": usage.available},
                **({"HostConfig.ShmSize": owner.host_config.shm_size} if each.is_shm else {}),
            },
            variables={"container": owner.name, "path": each.path},
            severity=Severity.warning if each.is_shm or _is_unwell(owner) else Severity.advice,
            signs=frozenset({"no-space"}),
            discriminator="" if each.is_shm else each.path,
            stable=(owner.life,),
            service=owner.service,
        )


def _is_unwell(each: Container) -> bool:
    return each.restart_count > 0 or (each.state.health is not None and each.state.health.status == "unhealthy")
