"""Measured contents of one disk, and the parts that can be removed. Pure."""

import functools
import posixpath
import re
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.images.listing import Images
from diagnose.evidence.storage.filesystems import Filesystem
from diagnose.evidence.storage.usage.abandoned_roots import AbandonedRoot, AbandonedRoots
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.usage.filled_volumes import FilledVolume
from diagnose.evidence.storage.usage.full_disks import CoreDumps, FileSize, FullDisks, largest_log
from diagnose.evidence.storage.usage.idle_images import IdleImages, idle_images
from diagnose.evidence.storage.usage.renamed_logs import RenamedLog
from diagnose.evidence.storage.usage.written_layers import WrittenLayer
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes
from diagnose.file_paths import is_below
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, paired
from diagnose.model import Unavailable
from diagnose.phrases import count

STOPPED = frozenset({"created", "exited", "dead"})
BLAMED_PCT = 25.0
"""Minimum share of the used bytes, in percent, from which on a part is to blame."""
WORTH_A_PRUNE_PCT = 3.0
"""A kind that takes less of what is used is not offered to be pruned."""
WELL_PCT = 85.0
"""A fix that brings a disk down to this is enough."""
UNUSED = " without a container"
NAMED = 20
"""Maximum number of volumes that a command names."""
LAST_RESORT = "idle"
"""The variable of volumes with a name: offered only where what is safer does not suffice."""
FEWEST_OF_A_SERIES = 10
"""Minimum number of volumes whose names differ after the same beginning."""
COPYING = "/vfs"
"""The end of the folder of the storage driver that shares nothing: each layer is a full copy of the
one below it, with its changes."""
_FREED_BY = {"cache": "build cache", "images": "images"}
"""The kind of usage that each variable of the page frees."""
IDLE_IMAGES = "idle_images"
"""The variable of images with a name and without a container."""
BUILDER_CACHE = LazyPattern(r"buildx_buildkit_(?P<builder>.{1,200}?)\d{1,9}_state")
"""The volume in which a builder of buildx keeps its cache; a builder may have several nodes."""


_SERIES = LazyPattern(r"(?P<begin>[A-Za-z][A-Za-z_.-]{3,100})\d")
"""The name of a volume up to its first number."""


class Room(msgspec.Struct, frozen=True):
    """The bytes that a block of the page may free."""

    variable: str
    """The variable that offers the block."""
    value: str
    bytes: int


class Spare(msgspec.Struct, frozen=True):
    """Objects that can be removed because no running container has them."""

    noun: str
    """The kind of removable object: `named volume`."""
    variable: str
    value: str
    count: int
    bytes: int
    which: str = ""
    """A restriction of the noun, behind it."""

    @property
    def name(self) -> str:
        """The removable objects, in words for the evidence."""
        return f"{self.noun}s{self.which}"

    @property
    def counted(self) -> str:
        """The same with its number."""
        return f"{count(self.count, self.noun)}{self.which}"

    @property
    def room(self) -> Room:
        return Room(self.variable, self.value, self.bytes)


class BuilderCache(msgspec.Struct, frozen=True):
    """The cache of a builder of buildx, in a volume that no prune of the engine touches."""

    builder: str
    volume: str
    bytes: int

    @property
    def container_name(self) -> str:
        """The container in which the builder runs, by the names that buildx gives both."""
        return self.volume.removesuffix("_state")


class FilledDisk(msgspec.Struct, frozen=True, dict=True):
    """A disk, and the measurements of it."""

    disk: Filesystem
    usage: DiskUsage | Unavailable
    others: FullDisks
    containers: Containers | None
    unused: UnusedVolumes | None
    roots: AbandonedRoots | None = None
    hidden: HiddenContainers | None = None
    written: WrittenLayer | None = None
    """The largest writable layer of the data root's disk, where layers are its largest part."""
    layers: str = ""
    """The folder of the engine's storage driver; "" where the engine does not say."""
    largest_volume: FilledVolume | None = None
    """The largest volume of the data root's disk, where volumes are its largest part."""
    images: Images | None = None
    renamed_log: RenamedLog | None = None

    @property
    def measured(self) -> DiskUsage | None:
        """The space by kind, if it was measured for this disk; else None."""
        if isinstance(self.usage, Unavailable) or self.usage.point != self.disk.point:
            return None
        return self.usage

    @property
    def folders(self) -> tuple[FileSize, ...]:
        """The largest ones, the largest first."""
        return self.others.of(self.disk.point)

    @property
    def abandoned(self) -> AbandonedRoot | None:
        """An unused data root, where it takes much of the disk."""
        root = self.roots.by_point.get(self.disk.point) if self.roots is not None else None
        return root if root is not None and self.is_to_blame(root.bytes) else None

    @functools.cached_property
    def former_driver(self) -> FileSize | None:
        """The layers of a storage driver that the engine uses no more, where they take much."""
        former = self.measured.former if self.measured is not None else {}
        path = max(former, key=lambda path: former[path], default="")
        return FileSize(path, former[path]) if path and self.is_to_blame(former[path]) else None

    @property
    def hides_no_container(self) -> bool:
        """Whether certainly no container of another storage driver is in the data root."""
        return self.hidden is not None and not self.hidden.count

    @property
    def writer(self) -> WrittenLayer | None:
        """The container whose writable layer takes much of the disk."""
        layer = self.written if self.disk.holds_data_root else None
        return layer if layer is not None and self.is_to_blame(layer.bytes) else None

    @property
    def volume(self) -> FilledVolume | None:
        """The volume that takes much of the disk."""
        volume = self.largest_volume if self.disk.holds_data_root else None
        return volume if volume is not None and self.is_to_blame(volume.bytes) else None

    @property
    def copied_bytes(self) -> int:
        """The bytes of images under a driver that keeps each layer as a copy of all below it."""
        parts = self.measured.parts if self.measured is not None else ()
        images = sum(part.bytes for part in parts if part.name == "images")
        is_copying = self.layers.endswith(COPYING) and self.disk.holds_data_root
        return images if is_copying and self.is_to_blame(images) else 0

    @property
    def dumps(self) -> CoreDumps | None:
        return self.others.dumps.get(self.disk.point)

    @functools.cached_property
    def log(self) -> FileSize | None:
        """A log of a program's own that takes much of the disk."""
        files = self.measured.files if self.measured is not None else ()
        log = self.others.logs.get(self.disk.point) or largest_log(files)
        return log if log is not None and self.is_to_blame(log.bytes) else None

    @property
    def log_writers(self) -> list[str]:
        """The containers into which the folder of that log is mounted, by name."""
        path = self.log.path if self.log is not None else ""
        return sorted(
            container.name for container in self.containers or () if _holds(container, path)
        )

    def is_to_blame(self, size: int) -> bool:
        """Whether so many bytes are a large share of the used ones."""
        return size >= self.disk.usage.used * BLAMED_PCT / 100

    def is_worth_a_prune(self, size: int) -> bool:
        """Whether it helps to free so many bytes."""
        return size >= self.disk.usage.used * WORTH_A_PRUNE_PCT / 100

    @functools.cached_property
    def spare(self) -> list[Spare]:
        """Stopped containers' writable layers, and anonymous volumes without a container."""
        usage = self.measured
        if not self.disk.holds_data_root or usage is None:
            return []
        containers = [
            container for container in self.containers or () if container.state.status in STOPPED
        ]
        volumes = [volume for volume in self.unused or () if volume.is_anonymous]
        stopped = Spare(
            "stopped container",
            variable="stopped",
            value="--force",
            count=len(containers),
            bytes=sum(usage.writable.get(container.id, 0) for container in containers),
        )
        anonymous = Spare(
            "anonymous volume",
            which=UNUSED,
            variable="anonymous",
            value="^[0-9a-f]{64}$",
            count=len(volumes),
            bytes=sum(usage.volumes.get(volume.name, 0) for volume in volumes),
        )
        kinds = [spare for spare in (stopped, anonymous) if self.is_worth_a_prune(spare.bytes)]
        last = (self._spare_images, self._idle_volumes(usage))
        return [*kinds, *(spare for spare in last if self.is_to_blame(spare.bytes))]

    @functools.cached_property
    def idle_images(self) -> IdleImages:
        """The images that no container uses."""
        parts = self.measured.parts if self.measured is not None else ()
        size = sum(part.bytes for part in parts if part.name == "images")
        return idle_images(self.images, size)

    @property
    def _spare_images(self) -> Spare:
        """Images with a name that no container uses: pulled again, unless they were built here."""
        idle = self.idle_images
        return Spare(
            "image",
            which=UNUSED,
            variable=IDLE_IMAGES,
            value=idle.pattern,
            count=len(idle.images),
            bytes=idle.bytes,
        )

    def _idle_volumes(self, usage: DiskUsage) -> Spare:
        """The largest volumes with a name that no container uses: their data may be wanted."""
        sizes = {
            volume.name: usage.volumes.get(volume.name, 0)
            for volume in self.unused or ()
            if not volume.is_anonymous and not BUILDER_CACHE.fullmatch(volume.name)
        }
        largest = sorted(sizes, key=lambda name: -sizes[name])[:NAMED]
        series = _largest_series(sizes)
        if series is not None and sum(map(sizes.__getitem__, largest)) < series.bytes:
            return series
        return Spare(
            "named volume",
            which=UNUSED,
            variable=LAST_RESORT,
            value=f"^({'|'.join(map(_as_pattern, largest))})$",
            count=len(largest),
            bytes=sum(sizes[name] for name in largest),
        )

    @functools.cached_property
    def downloads(self) -> FileSize | None:
        """The folder in which the engine keeps downloads and uploads, where it takes much.

        An engine that was killed leaves them, and empties the folder at its next start.
        """
        parts = self.measured.parts if self.measured is not None else ()
        other = next((part for part in parts if part.name == "other"), None)
        if other is None or not other.path.endswith("/tmp"):  # noqa: S108 - a name
            return None
        below = f"{other.path}/"
        total = sum(size for path, size in other.subjects if path.startswith(below))
        is_much = self.is_to_blame(total) and self.disk.holds_data_root
        return FileSize(other.path, total) if is_much else None

    @functools.cached_property
    def builder_cache(self) -> BuilderCache | None:
        """The largest build cache of a builder, where it takes much of the disk."""
        largest = max(self._builder_caches(), key=lambda cache: cache.bytes, default=None)
        return largest if largest is not None and self.is_to_blame(largest.bytes) else None

    def _builder_caches(self) -> Iterator[BuilderCache]:
        volumes = self.measured.volumes if self.measured is not None else {}
        for name, size in volumes.items():
            match = BUILDER_CACHE.fullmatch(name)
            if match:
                yield BuilderCache(match["builder"], name, size)

    @property
    def journal_bytes(self) -> int:
        """The bytes of the journal's files among the largest folders."""
        return sum(folder.bytes for folder in self.folders if "/journal/" in f"{folder.path}/")

    @property
    def file(self) -> str:
        """The one file that takes most of the disk, which is not a log; "" where there is none."""
        largest = self.folders[0] if self.folders else None
        if largest is None or self.log is not None or largest.path not in self.others.files:
            return ""
        return largest.path if self.is_to_blame(largest.bytes) else ""

    @property
    def folder(self) -> str:
        """The folder to look into first: the largest part of the disk."""
        if self.abandoned is not None:
            return self.abandoned.path
        if self.former_driver is not None:
            return self.former_driver.path
        if self.log is not None:
            return posixpath.dirname(self.log.path)
        if self.writer is not None:
            return self.writer.on_host(self.writer.folder)
        if self.volume is not None:
            return self.volume.on_host(self.volume.folder)
        if self.folders:
            return self.others.folder_of(self.folders[0])
        parts = self.measured.parts if self.measured is not None else ()
        most = max(parts, key=lambda part: part.bytes, default=None)
        return most.path if most is not None and most.path else self.disk.point

    @property
    def cures(self) -> dict[str, str]:
        """The variables of blocks that may free room on the data root's disk, with their values.

        The one that suffices alone, else those that help. Nothing without measurements: then the
        effect of a prune is not known.
        """
        if not self.disk.holds_data_root or self.measured is None:
            return {}
        rooms = [*self._rooms(self.measured), *(spare.room for spare in self.spare)]
        worth_it = [room for room in rooms if self.is_worth_a_prune(room.bytes)]
        # layers that unnamed images share with others stay
        sure = [room for room in worth_it if room.variable not in ("images", LAST_RESORT)]
        enough = [room for room in sure if room.bytes >= self._excess]
        return {room.variable: room.value for room in enough or worth_it}

    def _rooms(self, usage: DiskUsage) -> Iterator[Room]:
        """The bytes that each prune may free, and the largest log of a container."""
        parts = {part.name: part for part in usage.parts}
        sizes = {name: part.bytes for name, part in parts.items()}
        if self.images is not None:
            sizes["images"] = self.idle_images.unnamed_bytes
        for variable, name in _FREED_BY.items():
            if name in parts:
                yield Room(variable, "--force", sizes[name])
        logs = parts.get("container logs")
        if logs is not None and logs.subjects:
            container, size = logs.subjects[0]
            yield Room("chatty", container, size)

    @property
    def _excess(self) -> float:
        """Bytes that must go until this disk does not count as full."""
        return max(0.0, self.disk.usage.used - self.disk.usage.size * WELL_PCT / 100)


def _largest_series(sizes: Mapping[str, int]) -> Spare | None:
    """The largest series of numbered volume names with one beginning; or None.

    A runner of jobs or a test creates one for each run, and leaves it where that fails.
    """
    by_begin = by_key((match["begin"], name) for name, match in paired(sizes, _SERIES.match))
    sums = {begin: sum(map(sizes.__getitem__, names)) for begin, names in by_begin.items()}
    begin = max(sums, key=sums.__getitem__, default="")
    if not begin or len(by_begin[begin]) < FEWEST_OF_A_SERIES:
        return None
    return Spare(
        "named volume",
        which=f"{UNUSED} ({begin}NUMBER...)",
        variable=LAST_RESORT,
        value=f"^{_as_pattern(begin)}[0-9]",
        count=len(by_begin[begin]),
        bytes=sums[begin],
    )


def _as_pattern(name: str) -> str:
    """The name of a volume as an extended regular expression.

    Its local ones have no other sign than a dot, and those of a plugin may have any.
    """
    return re.sub(r"[^\w-]", r"\\\g<0>", name)


def _holds(container: Container, path: str) -> bool:
    """Whether the folder of a file, or one above it, is mounted into a container."""
    sources = (mount.source for mount in container.mounts if mount.has_host_path)
    return any(is_below(path, source) for source in sources)
