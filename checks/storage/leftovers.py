"""Volumes, layers and images that nothing uses any more."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, successors
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON, Subject
from diagnose.model.units import Seconds
from diagnose.phrases import size
from diagnose.registry import check


@check(
    "storage.volumes-unused",
    severity=Severity.advice,
    aloud=(
        "was left when its compose project got another name",
        "were left when their compose projects got other names",
    ),
)
def volumes_unused(
    volumes: UnusedVolumes, usage: DiskUsage | None, containers: Containers | None
) -> CheckResult:
    """A volume is used by no container, running or stopped.

    It may hold the only copy of its data: `compose down` keeps named volumes on purpose. Sizes are
    known only where the disk was measured. One whose project has another name by now is said aloud,
    and its removal is not proposed: the first compose left `-` and `_` out of the name of a folder,
    and its successor does not.
    """
    sizes = usage.volumes if usage is not None else {}
    successor_by_name = successors(volumes, containers or ())
    for volume in volumes:
        successor = successor_by_name.get(volume.name, "")
        volume_bytes = sizes.get(volume.name)
        kind = "anonymous volume" if volume.is_anonymous else "volume"
        holds = f" holds {size(volume_bytes)} and" if volume_bytes is not None else ""
        evidence: dict[str, Json] = {
            "GET /volumes?filters=dangling": volume.name,
            "CreatedAt": volume.created_at,
        }
        if volume_bytes is not None:
            evidence["bytes"] = volume_bytes
        name = volume.name[:24]
        instead = ""
        steps = {"volume": volume.name}
        if successor:
            name = volume.name
            instead = f'; its project uses "{successor}" in its place'
            steps = {"former": volume.name, "successor": successor}
        yield Finding(
            subject=volume.subject,
            summary=f'{kind} "{name}"{holds} is used by no container{instead}',
            evidence=evidence,
            is_quiet=not successor,
            variables=steps,
        )


@check("storage.overlay-orphans", severity=Severity.advice, causes=["storage.disk-full"])
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

    An interrupted pull, build or removal has left them. Layers that a BuildKit database mentions
    are taken as used, also if it has freed them; what changed within the last hour may be a pull in
    progress. It is a warning where they are most of what seems to be images on a full disk.
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
    point = usage.point if usage is not None and _fill_it(usage, total) else ""
    yield Finding(
        subject=DAEMON,
        summary=(
            f"{len(orphans)} of {layers.count} layer folders "
            f"in {layers.path} belong to no image and no container{holds}"
        ),
        evidence=evidence,
        severity=Severity.warning if point else Severity.advice,
        touches=(Subject("filesystem", point),) if point else (),
        variables={"root": root.path, "layer": orphans[0]},
    )


def _fill_it(usage: DiskUsage, orphans: int) -> bool:
    """Whether untagged layers are most of the part that fills a disk: the images, by their measured
    size."""
    images = sum(part.bytes for part in usage.parts if part.name == "images")
    return usage.is_led_by("images") and orphans * 2 > images


@check("storage.store-leftover", severity=Severity.advice)
def store_leftover(
    info: Info, layers: Layers | Unavailable, usage: DiskUsage | None
) -> CheckResult:
    """Hidden images of an earlier image store still take up disk space.

    After a switch to containerd's store (the default of fresh installs from engine 29) `docker
    images` shows nothing of them. A copy that is kept for a way back is not a fault.
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
