"""Shares of the data root's file system.

Images, writable layers, volumes, build cache, container logs, other. Measured by walks of the disk,
which work with a dead engine too; the engine's own figures (`/system/df`) where the caller may not
walk, and for the build cache. Costly, so only where the disk is 70 % full or the user asked about
disks, and after everything else.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.engine.data_root import CONTAINERD, DataRoot
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.disk_parts import DiskSubjects, UsagePart, biggest, largest
from diagnose.model import Failed, Json, Unavailable
from diagnose.phrases import size
from diagnose.questions import Host
from diagnose.questions.data_root import FileSize, WalkedFolder, WalkFolder
from diagnose.questions.disk_usage import EngineDiskUsage, MeasureDiskUsage
from diagnose.registry import evidence

WORTH_PCT = 70.0
"""From here on the question of what fills the disk is worth seconds of walking."""
FAMILIES = ("storage", "logging", "image")
"""Whoever selects checks of these families alone asks about disks."""
WALK_S = 2.4
OWED_PCT = 2.0
"""Bytes that no measured part explains are named when they are more than this of what is used."""
LAYER_DRIVERS = (
    "overlay2",
    "fuse-overlayfs",
    "overlay",
    "aufs",
    "vfs",
    "btrfs",
    "zfs",
    "devicemapper",
)
DOCKERS = frozenset({"containers", "volumes", "containerd", *LAYER_DRIVERS})
"""Folders of a data root that are a part of their own; all others are "other"."""
LEADS_PCT = 20.0
"""A part that is less of what is used fills no disk, though it be the biggest of Docker's."""


class DiskUsage(msgspec.Struct, frozen=True):
    """The parts of one file system; with "other" they add up to the used bytes of statvfs."""

    point: str = ""
    parts: tuple[UsagePart, ...] = ()
    writable: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Bytes of containers' writable layers by container id."""
    volumes: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Bytes by volume name."""
    layers: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Bytes by layer folder."""
    former: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Bytes by the folder of a storage driver that the engine does not use any more."""
    files: tuple[FileSize, ...] = ()
    """The largest files of volumes."""
    unmeasured: tuple[str, ...] = ()
    """The figures that could not be measured, in words."""
    not_asked: str = ""
    """The reason why nothing was measured at all ("" if it was)."""

    def is_led_by(self, name: str) -> bool:
        """Whether this part fills the disk.

        The biggest of Docker's own, and no trifle beside what is not Docker's.
        """
        known_parts = [part for part in self.parts if part.name != "other"]
        leader = max(known_parts, key=lambda part: part.bytes, default=None)
        if leader is None or leader.name != name:
            return False
        return leader.bytes * 100 >= LEADS_PCT * sum(part.bytes for part in self.parts)


@evidence
def disk_usage(
    host: Host, options: Options, filesystems: Filesystems, root: DataRoot, sources: DiskSubjects
) -> DiskUsage | Unavailable:
    """The usage of the data root, by a walk, and then of the rest of its file system."""
    disk = filesystems.of_data_root
    if disk is None:
        return Unavailable("missing", f"the file system of {root.path} could not be asked")
    asked_for = options.wanted and all(
        selector.partition(".")[0] in FAMILIES for selector in options.wanted
    )
    if disk.usage.used_pct < WORTH_PCT and not asked_for:
        return DiskUsage(
            disk.point,
            not_asked=(
                f"{disk.point} is {disk.usage.used_pct:.0f} % full: "
                f"measured from {WORTH_PCT:.0f} % on"
            ),
        )
    walked = _walk(host, path=root.path, depth=2)
    if isinstance(walked, Failed) or (walked.refused and not walked.by):
        return _usage_by_engine(host, disk, sources)
    return _usage_by_walk(host, disk, root.path, walked, sources)


def _walk(host: Host, **args: Json) -> WalkedFolder | Failed:
    return host.ask(WalkFolder(seconds=WALK_S, **args))


def _usage_by_walk(
    host: Host, disk: Filesystem, root: str, walked: WalkedFolder, sources: DiskSubjects
) -> DiskUsage:
    """The parts of a disk, measured by a walk below the data root."""
    unmeasured = list(_gaps_of_walk(root, walked, sources))
    volumes = _counts_below(walked, "volumes")
    in_use = [driver for driver in LAYER_DRIVERS if not sources.is_former(driver)]
    layers = _counts_of_drivers(walked, in_use)
    former = _former_drivers(root, walked, sources)
    writable = _layer_bytes(host, layers, sources)
    cache = _build_cache(host, walked, sum(layers.values()), unmeasured)
    store = _bytes_below_containerd(walked) + _store_elsewhere(host, disk, root, unmeasured)
    inits = sum(layers.get(f"{folder}-init", 0) for folder in sources.upper_folders.values())
    images = max(sum(layers.values()) + store - sum(writable.values()) - inits - cache, 0)
    logs = sources.log_sizes(_counts_below(walked, "containers"))
    parts = [
        UsagePart.of("container logs", sources.named(logs), f"{root}/containers"),
        UsagePart.of("volumes", volumes, biggest(f"{root}/volumes", volumes)),
        UsagePart("images", images, largest(sources.image_sizes), at_least=not walked.complete),
        UsagePart.of("writable layers", sources.named(writable)),
        UsagePart("build cache", cache),
        UsagePart.of("deleted, still open", sources.held_on(disk)),
        UsagePart.of("former driver", former, biggest("", former)),
    ]
    strays = {name: count for name, count in walked.by.items() if _top_folder(name) not in DOCKERS}
    remaining_part, notes = _remaining_part(host, disk, root, parts, strays)
    return DiskUsage(
        disk.point,
        parts=(*_largest_first(parts), remaining_part),
        writable=writable,
        volumes=volumes,
        layers=layers,
        former=former,
        files=tuple(file for file in walked.largest if file.path.startswith(f"{root}/volumes/")),
        unmeasured=(*unmeasured, *notes),
    )


def _gaps_of_walk(root: str, walked: WalkedFolder, sources: DiskSubjects) -> Iterator[str]:
    """The reasons why the figures of a walk are too small."""
    if not walked.complete:
        yield f"{root} was read for {WALK_S} s only: its parts are at least so big"
    if isinstance(sources.logs, Unavailable):
        yield f"container logs: {sources.logs}"


def _layer_bytes(host: Host, layers: Mapping[str, int], sources: DiskSubjects) -> dict[str, int]:
    """Bytes of containers' writable layers by container id.

    layers: bytes by layer folder. The engine is asked about layers that have no such folder.
    """
    folders = sources.upper_folders
    writable = {id_: layers[folder] for id_, folder in folders.items() if folder in layers}
    if len(folders) < len(sources.known_containers):
        writable |= _writable_by_engine(host)
    return writable


def _counts_of_drivers(walked: WalkedFolder, drivers: Iterable[str]) -> dict[str, int]:
    """Bytes by layer folder of these storage drivers."""
    counts: dict[str, int] = {}
    for driver in drivers:
        counts |= _counts_below(walked, driver)
    return counts


def _former_drivers(root: str, walked: WalkedFolder, sources: DiskSubjects) -> dict[str, int]:
    """Bytes by the folder of a storage driver that the engine does not use any more."""
    drivers = filter(sources.is_former, LAYER_DRIVERS)
    counts = {driver: _counts_below(walked, driver) for driver in drivers}
    return {f"{root}/{driver}": sum(of.values()) for driver, of in counts.items() if of}


def _top_folder(path: str) -> str:
    return path.partition("/")[0]


def _bytes_below_containerd(walked: WalkedFolder) -> int:
    """The bytes of the engine's own containerd in the data root."""
    return sum(count for name, count in walked.by.items() if _top_folder(name) == "containerd")


def _counts_below(walked: WalkedFolder, top: str) -> dict[str, int]:
    return {
        name.partition("/")[2]: count
        for name, count in walked.by.items()
        if name.startswith(f"{top}/")
        and name.partition("/")[2] not in ("l", "metadata.db", "backingFsBlockDev")
    }


def _store_elsewhere(host: Host, disk: Filesystem, root: str, unmeasured: list[str]) -> int:
    """Bytes of a system's containerd on the same disk: nothing unless its root is there."""
    is_walked_already = root == CONTAINERD or root.startswith(CONTAINERD + "/")
    if is_walked_already or "containerd" not in disk.holds:
        return 0
    walked = _walk(host, path=CONTAINERD, depth=1)
    if isinstance(walked, Failed):
        unmeasured.append(f"{CONTAINERD}: {walked}")
        return 0
    return walked.bytes


def _build_cache(host: Host, walked: WalkedFolder, layers: int, unmeasured: list[str]) -> int:
    """The engine alone knows which layers are cache.

    The collector asks only where BuildKit has left its databases.
    """
    if not any(name.startswith("buildkit/") for name in walked.by) or not layers:
        return 0
    answer = host.ask(MeasureDiskUsage(["build-cache"]))
    if isinstance(answer, Failed):
        unmeasured.append(f"build cache: /system/df: {answer}; it is counted with the images")
        return 0
    return min(_cache_bytes(answer), layers)


def _cache_bytes(usage: EngineDiskUsage) -> int:
    """Bytes of build cache that no image shares."""
    return sum(record.size for record in usage.build_records if not record.shared)


def _writable_by_engine(host: Host) -> dict[str, int]:
    """Writable layers that lie in containerd's snapshots, whose folders have numbers for names.

    Empty if it does not say.
    """
    answer = host.ask(MeasureDiskUsage(["container"]))
    return {} if isinstance(answer, Failed) else answer.written


def _remaining_part(
    host: Host, disk: Filesystem, root: str, parts: list[UsagePart], strays: Mapping[str, int]
) -> tuple[UsagePart, list[str]]:
    """The rest of statvfs's figure, as a part, with notes.

    Files in the data root beside the parts, and files outside it, which are walked too where the
    data root shares its disk with the rest of the system.
    """
    rest = max(disk.usage.used - sum(part.bytes for part in parts), 0)
    owed = disk.usage.used * OWED_PCT / 100
    strays_by_path = {f"{root}/{name}": count for name, count in strays.items()}
    missing = rest - sum(strays.values())
    whole = True
    notes = []
    if missing > owed and root.rstrip("/") != disk.point.rstrip("/"):
        walked = _walk(host, path=disk.point, depth=2, skip=[root, CONTAINERD])
        if isinstance(walked, Failed):
            return UsagePart("other", rest, largest(strays_by_path)), [
                f"{disk.point} outside {root}: {walked}"
            ]
        strays_by_path |= {file.path: file.bytes for file in walked.largest}
        missing -= walked.bytes
        whole = walked.complete
    if missing > owed:
        if whole:
            why = "belong to none of the files that were found"
        else:
            why = f"were not found within {WALK_S} s"
        notes = [f"{size(missing)} of {disk.point} {why}"]
    return UsagePart(
        "other",
        rest,
        largest(strays_by_path),
        at_least=not whole,
        path=posixpath.dirname(biggest("", strays_by_path)),
    ), notes


def _usage_by_engine(host: Host, disk: Filesystem, sources: DiskSubjects) -> DiskUsage:
    """The engine's own figures.

    It counts neither logs nor what is not Docker's, so "other" is large.
    """
    answer = host.require(MeasureDiskUsage())
    writable = answer.written
    volumes = answer.volume_sizes
    parts = [
        UsagePart.of("volumes", volumes),
        UsagePart("images", answer.image_bytes, largest(sources.image_sizes)),
        UsagePart.of("writable layers", sources.named(writable)),
        UsagePart("build cache", _cache_bytes(answer)),
    ]
    rest = max(disk.usage.used - sum(part.bytes for part in parts), 0)
    return DiskUsage(
        disk.point,
        parts=(*_largest_first(parts), UsagePart("other", rest)),
        writable=writable,
        volumes=volumes,
        layers={},
        unmeasured=("container logs and what is not Docker's: only root sees their files",),
    )


def _largest_first(parts: list[UsagePart]) -> list[UsagePart]:
    """The parts that hold anything."""
    return sorted((part for part in parts if part.bytes), key=lambda part: -part.bytes)
