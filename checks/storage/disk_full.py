"""storage.disk-full: a file system that is full, and what fills it."""

from msgspec.structs import replace

from checks.storage.helpers import users
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.listing import Images
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystem, Filesystems
from diagnose.evidence.storage.loop_images import LoopImages, in_image
from diagnose.evidence.storage.usage.abandoned_roots import AbandonedRoots
from diagnose.evidence.storage.usage.btrfs_room import BtrfsRooms
from diagnose.evidence.storage.usage.disk_fillers import what_fills_it
from diagnose.evidence.storage.usage.disk_parts import UsagePart
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.usage.fill_rate import FillRate
from diagnose.evidence.storage.usage.filled_disk import BuilderCache, FilledDisk
from diagnose.evidence.storage.usage.filled_volumes import FilledVolumes
from diagnose.evidence.storage.usage.full_disks import FullDisks
from diagnose.evidence.storage.usage.growable_disks import GrowableDisk, GrowableDisks
from diagnose.evidence.storage.usage.renamed_logs import RenamedLogs
from diagnose.evidence.storage.usage.written_layers import WrittenLayers
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes
from diagnose.first_steps.disk_cures import writers_cures
from diagnose.mappings import first_of, present
from diagnose.model import (
    CheckResult,
    EvidenceGroup,
    Finding,
    Json,
    PageVariables,
    Severity,
    Unavailable,
)
from diagnose.model.units import Bytes, Percent
from diagnose.phrases import duration, size
from diagnose.registry import check


class DiskContents(EvidenceGroup, frozen=True):
    """Evidence of the files that may fill a disk."""

    usage: DiskUsage | Unavailable
    containers: Containers | None
    unused: UnusedVolumes | None
    others: FullDisks | None
    roots: AbandonedRoots | None
    hidden: HiddenContainers | None
    written: WrittenLayers | None
    volumes: FilledVolumes | None
    images: Images | None
    renamed: RenamedLogs | None


class DiskRoom(EvidenceGroup, frozen=True):
    """Evidence of room on a disk that its file system does not use, or cannot."""

    growable: GrowableDisks | None
    loop_images: LoopImages | None
    btrfs: BtrfsRooms | None


@check(
    "storage.disk-full",
    severity=Severity.critical,
    caused_by=["logging.unbounded", "storage.deleted-files-held"],
    causes=[
        "container.errors-in-log",
        "container.restart-loop",
        "container.unhealthy",
        "container.exits-at-start",
        "daemon.errors-in-log",
        "image.corrupt",
    ],
)
def disk_full(
    filesystems: Filesystems,
    rates: FillRate | None,
    contents: DiskContents,
    info: Info | None,
    room: DiskRoom,
    *,
    warn_pct: Percent = Percent(85),
    crit_pct: Percent = Percent(95),
    roomy: Bytes = Bytes(100 << 30),
) -> CheckResult:
    """A file system that Docker writes to is full or nearly full.

    Usage is counted as df does it. Blocks reserved for root count as used: a container cannot write
    there, although dockerd still can (seen on engine 20.10.24). With more than `roomy` bytes
    available the finding is a warning at most, and so it is about a full /tmp or /var/log of its
    own, which the engine can do without. File systems that are read-only by design are left out.
    The finding adds up what stopped containers, and volumes and images without a container hold;
    for a disk other than the data root's it names the largest folders. A log that a program writes
    itself, into a volume or a folder of the host, is named: the engine rotates only what a program
    prints. A disk that was enlarged, but whose file system or partition was not, is named with the
    room that it has. A data root that no engine uses any more is named too: it was moved, and the
    old folder was kept. The report also names the layers of a storage driver that the engine used
    before; they may go where no container of it is left. With containerd's image store, images lie
    in containerd's own folder, wherever the data root is. The storage driver vfs keeps a full copy
    of each layer, and is named. Where containers' writable layers lead, or volumes, the folder or
    the file is named in which the largest one has most; dumps of crashed programs and the logs of
    databases are known by their names. Of a container's log that was renamed while the engine
    writes it, the file is named that it writes to now.
    """
    for disk in filesystems:
        figures = disk.usage
        limit = crit_pct if disk.is_aside else warn_pct
        if figures.used_pct < limit or _is_full_by_design(disk, room.btrfs):
            continue
        filled = _filled_disk(disk, contents, info)
        is_full = figures.used_pct >= crit_pct and figures.available < roomy
        is_critical = is_full and not disk.is_aside
        severity = Severity.critical if is_critical else Severity.warning
        finding = replace(_finding(filled, rates), severity=severity)
        finding = _with_unused_room(finding, disk, room.growable)
        finding = _with_loop_image(finding, disk, room.loop_images)
        yield _with_image_store(finding, disk, info)


def _filled_disk(disk: Filesystem, contents: DiskContents, info: Info | None) -> FilledDisk:
    """The disk with the evidence of its contents."""
    written = contents.written
    volumes = contents.volumes
    return FilledDisk(
        disk,
        contents.usage,
        others=contents.others or FullDisks(),
        containers=contents.containers,
        unused=contents.unused,
        roots=contents.roots,
        hidden=contents.hidden,
        written=written.by_bytes if written is not None else None,
        layers=f"{info.docker_root_dir}/{info.driver}" if info is not None else "",
        largest_volume=volumes.largest if volumes is not None else None,
        images=contents.images,
        renamed_log=first_of(contents.renamed or (), None),
    )


def _is_full_by_design(disk: Filesystem, btrfs: BtrfsRooms | None) -> bool:
    """Whether a full disk is normal here, or a matter of another check."""
    is_filled_once = disk.usage.read_only or disk.usage.fstype in FULL_BY_NATURE
    return is_filled_once or (btrfs is not None and _lacks_metadata_alone(disk, btrfs))


def _lacks_metadata_alone(disk: Filesystem, btrfs: BtrfsRooms) -> bool:
    """Whether df shows no room because the metadata has none, and data has.

    That is storage.inodes-exhausted.
    """
    room = btrfs.by_point.get(disk.point)
    return room is not None and room.is_out and room.has_spare_data


def _finding(filled: FilledDisk, rates: FillRate | None) -> Finding:
    """The finding about a full disk: its usage, the largest users, and files that may be
    removed."""
    disk = filled.disk
    figures = filled.disk.usage
    room = f"{size(figures.available)} left of {size(figures.size)}{_full_time_clause(disk, rates)}"
    largest = [f"{folder.path} {size(folder.bytes)}" for folder in filled.folders]
    return Finding(
        subject=disk.subject,
        summary=f"{disk.point} is {figures.used_pct:.0f} % full, {room}{what_fills_it(filled)}",
        evidence={
            **_figures(disk, rates),
            **users(disk),
            **_attribution(disk, filled.usage),
            **{share.name: f"{share.count}, {size(share.bytes)}" for share in filled.spare},
            **present({"largest": largest}),
        },
        variables={"point": disk.point, "where": filled.folder, **_cures(filled)},
        signs=frozenset({"no-space"}),
    )


def _cures_of_files(filled: FilledDisk) -> PageVariables:
    """The page variables of single files and folders to remove or to shrink."""
    dumps = filled.dumps
    downloads = filled.downloads
    abandoned_root = filled.abandoned
    former = filled.former_driver
    spent = former if filled.hides_no_container else None
    return present(
        {
            "old_root": abandoned_root.path if abandoned_root else None,
            "former_layers": spent.path if spent else None,
            "former_records": _records_of(spent.path) if spent else None,
            "dumps": dumps.folder if dumps else None,
            "downloads": downloads.path if downloads else None,
            "grown": filled.log.path if filled.log else None,
            "copies": filled.layers if filled.copied_bytes else None,
            **writers_cures(filled),
            "file": filled.file or None,
        }
    )


def _cures(filled: FilledDisk) -> PageVariables:
    """The page variables of all that may be removed or shrunk."""
    cures = _cures_of_files(filled)
    if filled.builder_cache is not None:
        cures |= _cure_of_builder(filled.builder_cache, filled.containers)
    if filled.disk.point == "/run":
        return {**cures, "journal": "50M"}
    cures |= filled.cures
    if filled.renamed_log is not None and "chatty" in cures:
        del cures["chatty"]  # the file of that name is new, and nearly empty
        cures |= {
            "renamed_log": filled.renamed_log.path,
            "renamed_of": filled.renamed_log.container,
        }
    if filled.copied_bytes:
        cures.pop("images", None)  # what has a name stays, and each of those is the fault
    if filled.journal_bytes and filled.is_to_blame(filled.journal_bytes):
        # a tenth of the disk, as journald allows itself
        cures["journal"] = f"{max(filled.disk.usage.size // 10 >> 20, 8)}M"
    return cures


def _cure_of_builder(cache: BuilderCache, containers: Containers | None) -> PageVariables:
    """The page variable of the builder's container, where it runs: only the user who made a builder
    can name it to buildx."""
    for container in containers.running if containers is not None else ():
        if container.name == cache.container_name:
            return {"builder_container": container.name}
    return {"builder": cache.builder}


def _records_of(layers: str) -> str:
    """The engine's records of the images whose layers a driver keeps in this folder."""
    root, _, driver = layers.rpartition("/")
    return f"{root}/image/{driver}"


def _holds_images(disk: Filesystem, info: Info) -> bool:
    """Whether the engine's images lie on this disk, and its data root on another one."""
    is_apart = "containerd" in disk.holds and not disk.holds_data_root
    return info.uses_containerd_store and is_apart


def _with_loop_image(finding: Finding, disk: Filesystem, loop_images: LoopImages | None) -> Finding:
    """The finding with the image file that contains the file system, if one does."""
    image = loop_images.by_point.get(disk.point) if loop_images is not None else None
    if image is None:
        return finding
    whole = replace(finding, summary=f"{finding.summary}{in_image(image)}")
    return whole.with_variables(image.variables)


def _with_image_store(finding: Finding, disk: Filesystem, info: Info | None) -> Finding:
    """The finding with the image store of containerd, where that lies on the disk."""
    if info is None or not _holds_images(disk, info):
        return finding
    root = info.docker_root_dir
    return replace(
        finding,
        summary=f"{finding.summary}; containerd's image store there holds the images, not the data "
        f"root {root}",
        variables={**finding.variables, "stored": "--force"},
    )


def _with_unused_room(
    finding: Finding, disk: Filesystem, growable: GrowableDisks | None
) -> Finding:
    """The finding with the unused room of the disk, and the page variables that make the file
    system use it."""
    larger = growable.by_point.get(disk.point) if growable is not None else None
    if larger is None:
        return finding
    device = larger.disk or larger.device
    variables = _growing_variables(larger, str(finding.variables["point"]))
    return replace(
        finding,
        summary=f"{finding.summary}; {device} has {size(larger.unused)} that its file system does "
        "not use yet",
        evidence={**finding.evidence, f"size of {larger.device}": size(larger.device_bytes)},
        variables={**finding.variables, **variables},
    )


def _growing_variables(larger: GrowableDisk, point: str) -> PageVariables:
    """The page variables that enlarge a file system: first the partition, by its number on the
    disk."""
    is_xfs = larger.fstype == "xfs"
    if larger.disk:
        number = {"number": larger.number}
        if is_xfs:
            return {"xfs_disk": larger.disk, **number}
        return {"ext_disk": larger.disk, "ext_partition": larger.device, **number}
    # some xfsprogs take no device, but all take the mount point
    return {"xfs_point": point} if is_xfs else {"ext_device": larger.device}


def _rate(disk: Filesystem, rates: FillRate | None) -> float:
    """The bytes a second by which the disk fills; 0 where it does not, or where that is
    not known."""
    return (rates.by_point.get(disk.point) or 0.0) if rates is not None else 0.0


def _full_time_clause(disk: Filesystem, rates: FillRate | None) -> str:
    rate = _rate(disk, rates)
    if not rate:
        return ""
    time_left = duration(disk.usage.available / rate)
    return f"; full in about {time_left} at the current rate"


def _figures(disk: Filesystem, rates: FillRate | None) -> dict[str, Json]:
    """The room on a disk by statvfs, and the rate at which it fills, as evidence."""
    figures = disk.usage
    evidence: dict[str, Json] = {
        f"statvfs({disk.point})": {
            "used_pct": round(figures.used_pct, 1),
            "available": figures.available,
            "reserved": figures.free - figures.available,
        }
    }
    if rates is not None and disk.point in rates.by_point:
        span = f"{rates.seconds:.1f} s"
        rate = round(rates.by_point[disk.point])
        evidence[f"statvfs({disk.point}) bytes a second over {span}"] = rate
    return evidence


def _attribution(disk: Filesystem, usage: DiskUsage | Unavailable) -> dict[str, Json]:
    """The shares of the space by kind, as evidence, if they were measured for this disk."""
    if isinstance(usage, Unavailable):
        return {"not measured": str(usage)} if disk.holds_data_root else {}
    if usage.point != disk.point or usage.not_asked:
        return {}
    shares = [_part_share(part) for part in usage.parts]
    evidence: dict[str, Json] = {"attribution": shares} if shares else {}
    return evidence | ({"not measured": list(usage.unmeasured)} if usage.unmeasured else {})


def _part_share(part: UsagePart) -> dict[str, Json]:
    bound = "at least; " if part.at_least else ""
    largest = ", ".join(f"{name} {size(number)}" for name, number in part.subjects)
    return {"name": part.name, "bytes": part.bytes, "note": bound + largest}
