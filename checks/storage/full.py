"""storage.disk-full: a file system that is full, and what fills it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from checks.storage.helpers import users
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.storage.disk_usage import DiskUsage, UsagePart
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystem, Filesystems
from diagnose.evidence.storage.fill_rate import FillRate
from diagnose.evidence.storage.full_disks import CoreDumps, FileSize, FullDisks
from diagnose.evidence.storage.volumes import UnusedVolumes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import (
    Bytes,
    CheckResult,
    Finding,
    Json,
    Percent,
    Severity,
    Unavailable,
)
from diagnose.phrases import size
from diagnose.registry import check

WELL_PCT = 85.0
"""A fix that brings a disk down to this is enough."""
_FREED_BY = {"cache": "build cache", "images": "images"}
"""The kind of usage that each variable of the page frees."""
STOPPED = frozenset({"created", "exited", "dead"})
BLAMED_PCT = 25.0
"""What holds less of what is used is not named in the summary."""
_BUILDER = LazyPattern(r"buildx_buildkit_(?P<builder>.+?)\d+_state")
"""The volume in which a builder of buildx keeps its cache; a builder may have several nodes."""
WORTH_A_PRUNE_PCT = 3.0
"""A kind that takes less of what is used is not offered to be pruned."""


@check(
    "storage.disk-full",
    severity=Severity.critical,
    caused_by=["logging.unbounded", "storage.deleted-files-held"],
    causes=[
        "container.restart-loop",
        "container.unhealthy",
        "container.exits-at-start",
        "image.corrupt",
    ],
)
def disk_full(
    filesystems: Filesystems,
    usage: DiskUsage | Unavailable,
    rates: FillRate | None,
    containers: Containers | None,
    unused: UnusedVolumes | None,
    others: FullDisks | None,
    *,
    warn_pct: Percent = Percent(85),
    crit_pct: Percent = Percent(95),
    roomy: Bytes = Bytes(100 << 30),
) -> CheckResult:
    """A file system that Docker writes to is full or nearly full.

    Used as df counts it: blocks reserved for root are nobody's, a container cannot write there
    although dockerd still can (seen on engine 20.10.24). With more than `roomy` bytes available it
    is a warning at most, and so is a full /tmp or /var/log of its own, which the engine can do
    without. File systems that are read-only by design are left out. What stopped containers and
    anonymous volumes without a container hold is added up; on another disk than the data root's the
    largest folders are named.
    """
    for disk in filesystems:
        figures = disk.usage
        if figures.read_only or figures.fstype in FULL_BY_NATURE:
            continue
        if figures.used_pct < (crit_pct if disk.is_aside else warn_pct):
            continue
        finding = _finding(disk, usage, rates, _spare(disk, usage, containers, unused), others)
        is_full = figures.used_pct >= crit_pct and figures.available < roomy
        is_critical = is_full and not disk.is_aside
        yield replace(finding, severity=Severity.critical if is_critical else Severity.warning)
    return None


def _finding(
    disk: Filesystem,
    usage: DiskUsage | Unavailable,
    rates: FillRate | None,
    spare: list[_Spare],
    others: FullDisks | None,
) -> Finding:
    """How full a disk is, what fills it, and what may go."""
    figures = disk.usage
    folders = others.of(disk.point) if others is not None else ()
    dumps = others.dumps.get(disk.point) if others is not None else None
    left = _left_by_the_engine(disk, usage)
    room = f"{size(figures.available)} left of {size(figures.size)}{_soon(disk, rates)}"
    cache = _builder_cache(disk, usage)
    blame = _blame(disk, spare, folders, dumps, left)
    if cache is not None:
        blame = (
            f'; volume "{cache.volume}", the cache of buildx builder "{cache.builder}", '
            f"holds {size(cache.bytes)}"
        )
    may_go = {
        "dumps": dumps.folder if dumps else None,
        "downloads": left.path if left else None,
        "builder": cache.builder if cache else None,
    }
    return Finding(
        subject=disk.subject,
        summary=f"{disk.point} is {figures.used_pct:.0f} % full, {room}{blame}",
        evidence={
            **_figures(disk, rates),
            **users(disk),
            **_attribution(disk, usage),
            **{share.name: f"{share.count}, {size(share.bytes)}" for share in spare},
            **present({"largest": [f"{folder.path} {size(folder.bytes)}" for folder in folders]}),
        },
        variables={
            "point": disk.point,
            "where": _folder(disk, usage, folders, others),
            **present(may_go),
            **_freeable(disk, usage, spare),
            **_journal(disk, folders),
        },
        signs=frozenset({"no-space"}),
    )


def _rate(disk: Filesystem, rates: FillRate | None) -> float:
    """Bytes a second that the disk fills by; 0 where it does not, or where that is not known."""
    return (rates.by_point.get(disk.point) or 0.0) if rates is not None else 0.0


def _soon(disk: Filesystem, rates: FillRate | None) -> str:
    rate = _rate(disk, rates)
    if not rate:
        return ""
    left = _duration(disk.usage.available / rate)
    return f"; full in about {left} at the current rate"


def _figures(disk: Filesystem, rates: FillRate | None) -> dict[str, Json]:
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


class _Spare(msgspec.Struct, frozen=True):
    """What can go because no container that runs has it. name: in words, for the evidence."""

    name: str
    variable: str
    value: str
    count: int
    bytes: int


def _spare(
    disk: Filesystem,
    usage: DiskUsage | Unavailable,
    containers: Containers | None,
    unused: UnusedVolumes | None,
) -> list[_Spare]:
    """Stopped containers' writable layers, and anonymous volumes without a container."""
    if not disk.holds_data_root or isinstance(usage, Unavailable) or usage.point != disk.point:
        return []
    stopped = [
        usage.writable.get(container.id, 0)
        for container in containers or ()
        if container.state.status in STOPPED
    ]
    nameless = [usage.volumes.get(volume.name, 0) for volume in unused or () if volume.is_anonymous]
    volumes = [
        _Spare("stopped containers", "stopped", "--force", len(stopped), sum(stopped)),
        _Spare(
            "anonymous volumes without a container",
            "anonymous",
            "^[0-9a-f]{64}$",
            len(nameless),
            sum(nameless),
        ),
    ]
    least = disk.usage.used * WORTH_A_PRUNE_PCT / 100
    return [share for share in volumes if share.bytes >= least]


def _left_by_the_engine(disk: Filesystem, usage: DiskUsage | Unavailable) -> FileSize | None:
    """The folder in which the engine keeps downloads and uploads, where it takes much of the disk.

    An engine that was killed leaves them, and empties the folder at its next start.
    """
    if isinstance(usage, Unavailable) or usage.point != disk.point:
        return None
    other = next((part for part in usage.parts if part.name == "other"), None)
    if other is None or not other.path.endswith("/tmp"):  # noqa: S108 - a name
        return None
    total = sum(number for name, number in other.subjects if name.startswith(f"{other.path}/"))
    is_much = total >= disk.usage.used * BLAMED_PCT / 100
    return FileSize(other.path, total) if is_much and disk.holds_data_root else None


def _blame(
    disk: Filesystem,
    spare: list[_Spare],
    folders: Sequence[FileSize],
    dumps: CoreDumps | None,
    left: FileSize | None,
) -> str:
    """What fills the disk, where that can be said in a word."""
    if dumps is not None and dumps.bytes >= disk.usage.used * BLAMED_PCT / 100:
        return f"; {dumps.count} core dumps in {dumps.folder} hold {size(dumps.bytes)}"
    if left is not None:
        return f"; unfinished downloads in {left.path} hold {size(left.bytes)}"
    most = max(spare, key=lambda share: share.bytes, default=None)
    if most is not None and most.bytes >= disk.usage.used * BLAMED_PCT / 100:
        return f"; {most.count} {most.name} hold {size(most.bytes)}"
    if folders and folders[0].bytes >= disk.usage.used * BLAMED_PCT / 100:
        return f"; {folders[0].path} holds {size(folders[0].bytes)}"
    return ""


class _BuilderCache(msgspec.Struct, frozen=True):
    """The cache of a builder of buildx, in a volume that no prune of the engine touches."""

    builder: str
    volume: str
    bytes: int


def _builder_cache(disk: Filesystem, usage: DiskUsage | Unavailable) -> _BuilderCache | None:
    """The largest one, where it takes much of a disk."""
    if isinstance(usage, Unavailable) or usage.point != disk.point:
        return None
    caches = [
        _BuilderCache(match["builder"], name, held)
        for name, held in usage.volumes.items()
        if (match := _BUILDER.fullmatch(name))
    ]
    largest = max(caches, key=lambda cache: cache.bytes, default=None)
    is_much = largest is not None and largest.bytes >= disk.usage.used * BLAMED_PCT / 100
    return largest if is_much else None


def _journal(disk: Filesystem, folders: Sequence[FileSize]) -> dict[str, str]:
    """The size to which the journal may shrink, where its files take much of a disk.

    A tenth of the disk, as journald allows itself.
    """
    total = sum(folder.bytes for folder in folders if "/journal/" in f"{folder.path}/")
    if disk.point == "/run" or total < disk.usage.used * BLAMED_PCT / 100:
        return {}
    return {"journal": f"{max(disk.usage.size // 10 >> 20, 8)}M"}


def _attribution(disk: Filesystem, usage: DiskUsage | Unavailable) -> dict[str, Json]:
    """What takes the space, by kind, if that was measured for this disk."""
    if isinstance(usage, Unavailable):
        return {"not measured": str(usage)} if disk.holds_data_root else {}
    if usage.point != disk.point or usage.not_asked:
        return {}
    evidence: dict[str, Json] = {"attribution": [_part(part) for part in usage.parts]}
    return evidence | ({"not measured": list(usage.unmeasured)} if usage.unmeasured else {})


def _part(part: UsagePart) -> dict[str, Json]:
    bound = "at least; " if part.at_least else ""
    largest = ", ".join(f"{name} {size(number)}" for name, number in part.subjects)
    return {"name": part.name, "bytes": part.bytes, "note": bound + largest}


def _folder(
    disk: Filesystem,
    usage: DiskUsage | Unavailable,
    folders: Sequence[FileSize],
    others: FullDisks | None,
) -> str:
    """The folder to look into first."""
    if others is not None and folders:
        return others.folder_of(folders[0])
    return _where(disk, usage)


def _where(disk: Filesystem, usage: DiskUsage | Unavailable) -> str:
    """Where to look first: in what takes most of the disk, as far as it was measured."""
    parts = usage.parts if isinstance(usage, DiskUsage) and usage.point == disk.point else ()
    most = max(parts, key=lambda part: part.bytes, default=None)
    return most.path if most and most.path else disk.point


def _freeable(
    disk: Filesystem, usage: DiskUsage | Unavailable, spare: Sequence[_Spare]
) -> dict[str, str]:
    """The variables of what may free room here.

    What suffices alone, else what is worth it. Nothing where nothing was measured: then nobody
    knows whether a prune frees anything.
    """
    if disk.point == "/run":
        return {"journal": "50M"}
    if not disk.holds_data_root or isinstance(usage, Unavailable) or usage.point != disk.point:
        return {}
    parts = {part.name: part for part in usage.parts}
    shares = {variable: parts[name].bytes for variable, name in _FREED_BY.items() if name in parts}
    logs = parts.get("container logs")
    chatty, log_bytes = logs.subjects[0] if logs is not None and logs.subjects else ("", 0)
    shares["chatty"] = log_bytes
    shares |= {share.variable: share.bytes for share in spare}
    worth_it = {
        name for name, share in shares.items() if share >= disk.usage.used * WORTH_A_PRUNE_PCT / 100
    }
    # an image with a name stays, so that nobody can say what a prune of images frees
    enough = {name for name in worth_it - {"images"} if shares[name] >= _excess(disk)}
    values = {"cache": "--force", "images": "--force", "chatty": chatty}
    values |= {share.variable: share.value for share in spare}
    return {name: value for name, value in values.items() if name in (enough or worth_it)}


def _excess(disk: Filesystem) -> float:
    """Bytes that must go until nobody calls this disk full."""
    return max(0.0, disk.usage.used - disk.usage.size * WELL_PCT / 100)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
