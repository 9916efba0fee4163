"""storage.inodes-exhausted: a file system has room, and no inodes for new files."""

import posixpath
from collections.abc import Iterator, Sequence

from checks.storage.helpers import users
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.btrfs_room import BtrfsRoom, BtrfsRooms
from diagnose.evidence.storage.usage.inode_usage import InodeHolder, InodeUsage, fullest
from diagnose.evidence.storage.usage.written_layers import WrittenLayer, WrittenLayers
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Percent, Severity
from diagnose.phrases import named, size
from diagnose.registry import check


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
    written: WrittenLayers | None,
    *,
    warn_pct: Percent = Percent(90),
    crit_pct: Percent = Percent(97),
) -> CheckResult:
    """A file system that Docker writes to has no inodes left for new files.

    The kernel says "no space left on device" while df shows room. File systems that make inodes as
    needed (btrfs, zfs) report none. For a btrfs the room for metadata counts, once it cannot get
    more of the disk. xfs reports as many as its free space would hold, so that a low number on a
    full disk says nothing new. The finding names the folders that hold most inodes, and among them
    volumes that no container uses; of a container's writable layer, the container and the folder in
    it.
    """
    for disk in filesystems:
        pct = disk.usage.inodes_used_pct
        least = crit_pct if disk.is_aside else warn_pct
        is_full_xfs = disk.usage.fstype == "xfs" and disk.usage.used_pct >= warn_pct
        if pct is None or pct < least:
            continue
        if disk.usage.read_only or is_full_xfs:
            continue
        most = fullest(holders, disk) if holders is not None else ()
        anonymous = _unused_anonymous(holders, unused) if disk.holds_data_root else ()
        is_critical = pct >= crit_pct and not disk.is_aside
        severity = Severity.critical if is_critical else Severity.warning
        layer = written.of(most[0].path) if most and written is not None else None
        yield _inodes_finding(disk, severity, most, anonymous, layer)
    if btrfs is not None:
        yield from _metadata_findings(filesystems, btrfs, least_left_pct=100 - warn_pct)


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
    """The finding about a btrfs whose metadata has no room, beside chunks of data that are not
    used."""
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
    layer: WrittenLayer | None,
) -> Finding:
    """The finding about inodes: the folders with the most entries, and those that may be removed.

    anonymous: folders of unused anonymous volumes; layer: the container's writable layer that
    leads.
    """
    usage = disk.usage
    blame = f"; {_entries_clause(most[0])}" if most else ""
    crowded = most[0].path if most else ""
    if layer is not None:
        crowded = layer.on_host(layer.crowd)
        blame = (
            f'; container "{layer.container}" has written {layer.crowded} files and folders to '
            f"{layer.crowd} in its writable layer"
        )
    return Finding(
        subject=disk.subject,
        summary=f"{disk.point} has room for {usage.inodes_free} more files, although "
        f"{size(usage.available)} are free: the rest of its {usage.inodes} inodes is in use{blame}",
        evidence=_evidence(disk, most, anonymous),
        variables={
            "point": disk.point,
            **present({"crowded": crowded}),
            **(_writers_cure(layer) if layer else _removable_variables(disk, most, anonymous)),
        },
        severity=severity,
        signs=frozenset({"no-space"}),
    )


def _entries_clause(holder: InodeHolder) -> str:
    """The folder with most entries, and the containers that mount it."""
    mounted = f", mounted by {named('container', holder.users)}," if holder.users else ""
    return f"{holder.path}{mounted} has {holder.entries} of them"


TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - folders of containers
"""Folders whose files no program expects to find again."""


def _writers_cure(layer: WrittenLayer) -> PageVariables:
    """The page variables of a container whose writable layer has most of the inodes."""
    is_temporary = any(f"{layer.crowd}/".startswith(f"{top}/") for top in TEMPORARY)
    if is_temporary and layer.is_running:
        return {"litterer": layer.container, "litter": layer.crowd}
    return {"layer_of": layer.container}


def _evidence(
    disk: Filesystem, most: Sequence[InodeHolder], anonymous: Sequence[InodeHolder]
) -> dict[str, Json]:
    """The figures of statvfs, the users of the disk, and the folders with the most entries, as
    evidence."""
    usage = disk.usage
    unused = [_entries(posixpath.basename(folder.path), folder) for folder in anonymous[:10]]
    figures = {
        "inodes": usage.inodes,
        "inodes_free": usage.inodes_free,
        "used_pct": round(usage.used_pct, 1),
    }
    lists = {
        "most entries": [_entries(folder.path, folder) for folder in most],
        "anonymous volumes without a container": unused,
    }
    return {f"statvfs({disk.point})": figures, **users(disk), **present(lists)}


def _entries(name: str, folder: InodeHolder) -> str:
    return f"{name}: {folder.entries} ({size(folder.bytes)})"


PIPES = "/docker/containerd"
"""The end of the folder, below /run, where the engine has the named pipes of its containers."""


def _removable_variables(
    disk: Filesystem, most: Sequence[InodeHolder], anonymous: Sequence[InodeHolder]
) -> PageVariables:
    """The page variables of the remedy.

    The container that mounts the leading folder, the unused volume with most entries, the pipes of
    containers that are gone, or, on the disk of images and build cache unless a volume leads, a
    prune of both.
    """
    if most and most[0].users:
        return {"mounted_by": most[0].users[0]}
    if anonymous:
        return {"volume": posixpath.basename(anonymous[0].path)}
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
