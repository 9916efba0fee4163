"""The log of a container, and its disk."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.files import LogFile
from diagnose.evidence.storage.filesystems import Filesystem
from diagnose.evidence.storage.usage.disk_usage import DiskUsage

WORTH = 10_000_000
"""Bytes below which no log is to blame, however little is left of the disk."""


class LogOnDisk(msgspec.Struct, frozen=True):
    """A container's log, and its disk, as far as they are known."""

    container: Container
    log: LogFile | None
    disk: Filesystem | None
    usage: DiskUsage | None

    @property
    def bytes(self) -> int:
        return max(self.log.bytes, self.log.on_disk) if self.log is not None else 0

    @property
    def is_known(self) -> bool:
        return self.log is not None and not self.log.failed

    def is_much(self, of_disk: float) -> bool:
        """Whether the log has this percent of its disk, or is larger than the free space there."""
        if self.disk is None or self.bytes < WORTH:
            return False
        figures = self.disk.usage
        return self.bytes >= min(of_disk / 100 * figures.size, figures.available)

    def is_filled_by_logs(self, crit_pct: float) -> bool:
        """Whether the disk is full, and logs take most of it.

        A disk without the data root has nothing else of the engine's: there the logs are to blame.
        """
        if self.disk is None or self.disk.usage.used_pct < crit_pct:
            return False
        leads = self.usage is not None and self.usage.is_led_by("container logs")
        return leads or not self.disk.holds_data_root
