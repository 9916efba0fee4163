"""Questions about the room of file systems.

The helper process answers them, because the kernel may block.
"""

from collections.abc import Sequence

import msgspec

from diagnose.model import Failed, Json
from diagnose.questions.question import Policy, Question, decode_parts


class Usage(msgspec.Struct, frozen=True):
    """The statvfs figures of a file system; sizes in bytes.

    inodes 0: the file system has no fixed number of them.
    """

    point: str | None
    fstype: str | None
    source: str | None
    size: int
    used: int
    free: int
    available: int
    inodes: int
    inodes_free: int
    dev: str
    read_only: bool

    @property
    def used_pct(self) -> float:
        """Percent in use as df computes it: of the space that users other than root may have."""
        usable = self.used + self.available
        return 100.0 * self.used / usable if usable else 0.0

    @property
    def inodes_used_pct(self) -> float | None:
        return 100.0 * (self.inodes - self.inodes_free) / self.inodes if self.inodes else None


class StatFilesystem(Question[Usage], frozen=True):
    """The statvfs figures of the file system that holds a path."""

    POLICY = Policy(
        "fs.usage",
        what="the usage of a filesystem",
        collector="disk.files:usage",
        lane="file",
        deadline=1.5,
        priority=2,
    )
    path: str

    def about(self) -> str:
        return f"the usage of the filesystem of {self.path}"


class StatFilesystems(Question[dict[str, Usage | Failed]], frozen=True):
    """The statvfs figures of several paths, none of which lies on a mount that may hang."""

    POLICY = Policy(
        "fs.usages",
        what="the usage of filesystems",
        collector="disk.files:usages",
        lane="file",
        deadline=1.5,
    )
    paths: Sequence[str]

    @classmethod
    def convert(cls, answer: Json) -> dict[str, Usage | Failed]:
        return decode_parts(answer, Usage)


class FreeSpaceSample(msgspec.Struct, frozen=True):
    """Two samples of the free bytes of a filesystem, some seconds apart."""

    seconds: float
    free_before: int
    free_after: int


class SampleFreeSpace(Question[FreeSpaceSample], frozen=True):
    """How fast a filesystem fills: two samples of its free bytes."""

    POLICY = Policy(
        "fs.rate",
        what="how fast a filesystem fills",
        collector="disk.files:rate",
        lane="probe",
        deadline=3,
        priority=6,
    )
    path: str
    seconds: float = 1.0
