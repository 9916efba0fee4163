"""The build cache as the engine accounts for it."""

import msgspec

from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.disk_usage import FAMILIES, WORTH_PCT
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.disk_usage import MeasureDiskUsage
from diagnose.registry import evidence


class BuildCache(msgspec.Struct, frozen=True):
    """The build cache and the disk that it is on."""

    disk: Filesystem | None = None
    bytes: int = 0
    """Bytes that pruning may free: neither in use by a build nor shared with an image."""
    records: int = 0
    """How many records the cache has."""
    not_asked: str = ""
    """The reason why the engine was not asked at all ("" if it was): it walks the disk for the
    answer."""


@evidence
def build_cache(
    host: Host, options: Options, filesystems: Filesystems, pulls: Pulls | None
) -> BuildCache | Unavailable:
    """The build cache, by BuildKit's records.

    The collector asks last, and only where the disk is filling, a pull has filled it, or the
    user asked about disks.
    """
    disk = filesystems.of_data_root
    if disk is None:
        return Unavailable("missing", "the data root's file system could not be asked")
    asked_for = options.wanted and all(
        selector.partition(".")[0] in FAMILIES for selector in options.wanted
    )
    has_filled = pulls is not None and bool(pulls.of("no-space"))
    if disk.usage.used_pct < WORTH_PCT and not asked_for and not has_filled:
        return BuildCache(
            disk,
            not_asked=(
                f"{disk.point} is {disk.usage.used_pct:.0f} % full: "
                f"measured from {WORTH_PCT:.0f} % on"
            ),
        )
    answer = host.require(MeasureDiskUsage(["build-cache"]))
    records = answer.build_records
    free = [record.size for record in records if not record.in_use and not record.shared]
    return BuildCache(disk, sum(free), len(records))
