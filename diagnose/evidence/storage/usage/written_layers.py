"""The folders in containers' writable layers that fill a disk."""

import posixpath
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.images.layers import Layers, layer_folder_of
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.usage.file_kinds import LEADS, FileKind, leading_kind
from diagnose.evidence.storage.usage.full_disks import is_log
from diagnose.evidence.storage.usage.inode_usage import InodeUsage
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import WalkedFolder, WalkFolder
from diagnose.registry import evidence

WORTH_PCT = 85.0
"""Percent in use from which on a disk counts as full, and the place of the bytes in a layer is
needed."""
WALK_S = 1.2
DEPTH = 4


class WrittenLayer(msgspec.Struct, frozen=True):
    """The writable layer of one container; its paths are those inside the container."""

    container: str
    is_running: bool
    top: str
    """The folder of the layer on the host."""
    bytes: int
    folder: str
    """The folder with most of the bytes."""
    crowd: str
    """The folder with most of the files."""
    crowded: int
    """The number of entries there."""
    file: str = ""
    """The one file that holds most of the bytes; "" where there is none."""
    pid: int = 0
    """The container's process; 0 where it does not run."""
    kind: FileKind | None = None
    """The kind of most of the largest files; its folder is one of the host."""

    @property
    def log(self) -> str:
        """The file that was written last, if it is a log by its name."""
        return self.file if is_log(self.file) else ""

    def on_host(self, path: str) -> str:
        return f"{self.top}{path}".rstrip("/")


class WrittenLayers(msgspec.Struct, frozen=True):
    """The layers that were walked: the largest one of a full disk, the most crowded one."""

    by_bytes: WrittenLayer | None = None
    by_top: Mapping[str, WrittenLayer] = {}
    """By the folder of the layer, as the storage driver has it."""

    def of(self, path: str) -> WrittenLayer | None:
        """The layer in this folder of the storage driver."""
        return self.by_top.get(path)


@evidence
def written_layers(
    host: Host,
    filesystems: Filesystems,
    usage: DiskUsage | None,
    inodes: InodeUsage | None,
    containers: Containers,
    layers: Layers | None,
) -> WrittenLayers:
    """The layers that fill a disk or its inodes, at most two, each by a walk of one second.

    The root of a running container would show its mounts too; its layer's folder does not.
    """
    tops = {container.id: layer_folder_of(container, layers) for container in containers}
    by_id = {container.id: container for container in containers}
    by_top: dict[str, WrittenLayer] = {}
    largest = None
    disk = filesystems.of_data_root
    is_full = disk is not None and disk.usage.used_pct >= WORTH_PCT
    is_written = usage is not None and usage.writable and usage.is_led_by("writable layers")
    if usage is not None and is_full and is_written:
        id_ = max(usage.writable, key=lambda id_: usage.writable[id_])
        if id_ in by_id and tops[id_]:
            largest = _written_layer(host, by_id[id_], tops[id_])
    for id_, folder in _crowded_layers(inodes, tops):
        layer = _written_layer(host, by_id[id_], tops[id_])
        if layer is not None:
            by_top[folder] = layer
    return WrittenLayers(largest, by_top)


def _crowded_layers(
    inodes: InodeUsage | None, tops: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The containers whose layer holds most inodes of a disk, with the layer's folder."""
    leaders = [most[0].path for most in inodes.by_point.values() if most] if inodes else []
    for id_, top in tops.items():
        folder = top.removesuffix("/diff")
        if top and folder in leaders:
            yield id_, folder


def _written_layer(host: Host, container: Container, top: str) -> WrittenLayer | None:
    """The bytes that a container has written into its layer, and the folder with most of them."""
    walked = host.ask(WalkFolder(top, seconds=WALK_S, depth=DEPTH))
    if isinstance(walked, Failed) or not walked.bytes:
        return None
    file = leading_file(walked, top)
    folder = leading_folder(walked.by).path
    crowd = leading_folder(walked.files)
    return WrittenLayer(
        container.name,
        is_running=container.is_running,
        top=top,
        bytes=walked.bytes,
        folder=posixpath.dirname(folder) if folder == file else folder,
        crowd=crowd.path,
        crowded=crowd.count,
        file=file,
        pid=container.state.pid if container.is_running else 0,
        kind=leading_kind(walked.largest),
    )


def leading_file(walked: WalkedFolder, top: str) -> str:
    """The one file below the top that holds most of the bytes; "" where there is none."""
    most = max(walked.largest, key=lambda file: file.bytes, default=None)
    if most is None or most.bytes < LEADS * walked.bytes:
        return ""
    return most.path.removeprefix(top)


class LeadingFolder(msgspec.Struct, frozen=True):
    """A folder that has most of the counted entries, and their number."""

    path: str
    count: int


def leading_folder(counts: Mapping[str, int]) -> LeadingFolder:
    """The deepest folder with most of the content around it.

    `/` where none has. counts: by the path below the top, each without the content of a longer
    path.
    """
    sums: dict[str, int] = {}
    for path, number in counts.items():
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            name = "/".join(parts[:end])
            sums[name] = sums.get(name, 0) + number
    total = sum(counts.values())
    leader = ""
    number = total
    while True:
        below = [name for name in sums if name.rpartition("/")[0] == leader and name != leader]
        best = max(below, key=lambda name: sums[name], default="")
        if not best or sums[best] < LEADS * number:
            return LeadingFolder(f"/{leader}", number)
        leader = best
        number = sums[best]
