"""What takes space or does harm under the data root although nobody looks at it."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.deleted_files import DeletedFile, DeletedFiles
from diagnose.evidence.storage.disk_usage import DiskUsage
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.unused_volumes import UnusedVolumes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import (
    DAEMON,
    Bytes,
    CheckResult,
    Finding,
    Json,
    Percent,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
    Unexamined,
    container,
)
from diagnose.phrases import size
from diagnose.registry import check

_LOG_OF = LazyPattern(r"/containers/(?P<id>[0-9a-f]{64})/")
"""What the engine itself holds for a container."""


@check("storage.deleted-files-held", severity=Severity.warning, caused_by=["logging.file-missing"])
def deleted_files_held(
    files: DeletedFiles,
    filesystems: Filesystems,
    containers: Containers | None,
    *,
    least: Bytes = Bytes(256 << 20),
    of_disk: Percent = Percent(5),
) -> CheckResult:
    """A deleted file is still held open, so its space is not freed.

    A file counts from `of_disk` percent of its disk on, or from `least` bytes where that is more
    than the disk has left. Files in memory (memfd, /dev/shm) and small ones are everyday, and
    databases work on files of their own that they have deleted. A file in a container's own layer
    is counted to the data root.
    """
    names = {container.id: container.name for container in containers or ()}
    disks = {disk.usage.dev: disk for disk in filesystems}
    for file in files:
        of_layer = filesystems.of_data_root if file.fstype == "overlay" else None
        disk = disks.get(file.dev) or of_layer
        if disk is None:
            continue
        many = max(least, disk.usage.available)
        if file.bytes >= min(disk.usage.size * of_disk / 100, many):
            owner = names.get(_owner_of(file), "")
            fills = file.bytes * 100 >= of_disk * disk.usage.used
            yield _deleted_files_finding(file, disk, owner, fills=fills)
    if files.unseen:
        yield Unexamined(
            Subject("host", "host"), f"the open files of {files.unseen} processes: root only"
        )
    return None


def _owner_of(file: DeletedFile) -> str:
    """The id of the container whose process holds the file, or for which the engine does."""
    log = _LOG_OF.search(file.path)
    return file.container or (log["id"] if log else "")


def _deleted_files_finding(
    file: DeletedFile, disk: Filesystem, owner: str, *, fills: bool
) -> Finding:
    """owner: the name of a container; empty for a process of the host."""
    descriptor = f"/proc/{file.pid}/fd/{file.fd}"
    return Finding(
        subject=container(owner) if owner else disk.subject,
        summary=(
            f"{size(file.bytes)} of {disk.point} belong to a deleted file that "
            f"{file.comm or 'a process'} (pid {file.pid}) holds open"
        ),
        evidence={
            descriptor: f"{file.path} (deleted)",
            f"stat({descriptor}).blocks": file.bytes,
        },
        variables={"pid": str(file.pid), "fd": str(file.fd), "point": disk.point},
        discriminator=f"{file.pid}:{file.fd}",
        touches=(disk.subject,) if fills else (),
    )


@check("storage.volumes-unused", severity=Severity.advice)
def volumes_unused(volumes: UnusedVolumes, usage: DiskUsage | None) -> CheckResult:
    """A volume is used by no container, running or stopped.

    It may hold the only copy of its data: `compose down` keeps named volumes on purpose. Sizes are
    known only where the disk was measured.
    """
    sizes = usage.volumes if usage is not None else {}
    for volume in volumes:
        volume_bytes = sizes.get(volume.name)
        kind = "anonymous volume" if volume.is_anonymous else "volume"
        holds = f" holds {size(volume_bytes)} and" if volume_bytes is not None else ""
        evidence: dict[str, Json] = {
            "GET /volumes?filters=dangling": volume.name,
            "CreatedAt": volume.created_at,
        }
        if volume_bytes is not None:
            evidence["bytes"] = volume_bytes
        yield Finding(
            subject=volume.subject,
            summary=f'{kind} "{volume.name[:24]}"{holds} is used by no container',
            evidence=evidence,
            variables={"volume": volume.name},
        )
    return None


@check("storage.writable-layer-large", severity=Severity.warning, causes=["storage.disk-full"])
def writable_layer_large(
    usage: DiskUsage, containers: Containers, *, least: Bytes = Bytes(1 << 30)
) -> CheckResult:
    """A container has written a lot of data outside its volumes.

    That data is lost with the container, and it slows every write down. Measured only where the
    disk is 70 % full or it is asked for.
    """
    if usage.not_asked:
        return Skipped(usage.not_asked)
    touches = (Subject("filesystem", usage.point),) if usage.is_led_by("writable layers") else ()
    for writer in containers:
        written = usage.writable.get(writer.id)
        if written is None:
            yield Unexamined(writer.subject, "the size of its layer could not be measured")
        elif written >= least:
            yield Finding.about(
                writer,
                f"{writer} has written {size(written)} into its own layer, outside of any volume",
                {"writable layer, bytes on disk": written},
                touches=touches,
            )
    return None


@check("storage.overlay-orphans", severity=Severity.advice)
def overlay_orphans(
    info: Info | None,
    root: DataRoot,
    layers: Layers | Unavailable,
    clock: Clock,
    usage: DiskUsage | None,
    *,
    older_than: Seconds = Seconds(3600),
) -> CheckResult:
    """Layer folders on disk belong to no image and no container.

    Left by an interrupted pull, build or removal. Layers that a BuildKit database mentions are
    taken as used, also if it has freed them; what changed within the last hour may be a pull in
    progress.
    """
    if info is not None and info.driver != "overlay2":
        return Skipped(f"the storage driver is {info.driver}")
    if isinstance(layers, Unavailable):
        return layers
    orphans = sorted(
        name for name, changed in layers.loose if (clock.age(changed) or 0) > older_than
    )
    if not orphans:
        return None
    sizes = usage.layers if usage is not None else {}
    total = sum(sizes.get(name, 0) for name in orphans)
    evidence: dict[str, Json] = {"in no image/overlay2/layerdb, in no buildkit/*.db": orphans[:10]}
    if total:
        evidence["bytes"] = total
    holds = f" and hold {size(total)}" if total else ""
    yield Finding(
        subject=DAEMON,
        summary=(
            f"{len(orphans)} of {layers.count} layer folders "
            f"in {layers.path} belong to nothing{holds}"
        ),
        evidence=evidence,
        variables={"root": root.path, "layer": orphans[0]},
    )
    return None


@check("storage.store-leftover", severity=Severity.advice)
def store_leftover(
    info: Info, layers: Layers | Unavailable, usage: DiskUsage | None
) -> CheckResult:
    """Hidden images of an earlier image store still take up disk space.

    After a switch to containerd's store (the default of fresh installs from engine 29) `docker
    images` shows nothing of them. A copy that is kept for a way back is no fault.
    """
    if not info.uses_containerd_store:
        return Skipped("images lie in the storage driver's own store")
    if isinstance(layers, Unavailable):
        return None if layers.reason == "missing" else layers
    if not layers.count:
        return None
    total = sum(usage.layers.values()) if usage is not None else 0
    holds = f" and hold {size(total)}" if total else ""
    yield Finding(
        subject=DAEMON,
        summary=f"{layers.count} layer folders of an earlier image store lie in {layers.path}{holds}",
        evidence={
            "/info DriverStatus driver-type": "io.containerd.snapshotter",
            f"{layers.path}: folders": layers.count,
        },
        variables={"root": info.docker_root_dir},
    )
    return None


@check("storage.d-type-missing", severity=Severity.warning)
def d_type_missing(info: Info) -> CheckResult:
    """The data root's file system lacks d_type, which overlay needs.

    xfs made with ftype=0, ext4 without the feature filetype: layers cannot be removed. Seen: engine
    20.10.24 tolerates one that holds layers already, 28.5.2 does not start on it. Only overlay
    drivers say; others are not asked.
    """
    support = info.status.get("Supports d_type")
    if support is None:
        return Skipped(f"the storage driver {info.driver} does not need it")
    if support == "false":
        filesystem = info.status.get("Backing Filesystem", "a file system")
        yield Finding(
            subject=DAEMON,
            summary=f"{info.docker_root_dir} is on {filesystem} without d_type",
            evidence={"/info DriverStatus Supports d_type": support},
            variables={"root": info.docker_root_dir},
        )
    return None
