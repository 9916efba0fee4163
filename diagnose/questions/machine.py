"""Questions about the machine: mounts, memory, load, kernel settings, clock and kernel log."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from diagnose.questions.question import Policy, Question


class Mounted(msgspec.Struct, frozen=True):
    """One line of /proc/self/mountinfo."""

    point: str
    fstype: str = ""
    source: str = ""
    root: str = "/"
    dev: str = ""
    options: str = ""
    super: str = ""
    """The superblock's own options (ro there means the filesystem itself)."""

    @property
    def has_flag_ro(self) -> bool:
        """Whether the mount itself is read-only."""
        return "ro" in self.options.split(",")

    @property
    def has_read_only_superblock(self) -> bool:
        """Whether the file system is read-only, by all its mounts."""
        return "ro" in self.super.split(",")


class ListMounts(Question[list[Mounted]], frozen=True):
    """The mount table of this process."""

    POLICY = Policy(
        "mounts",
        what="the mount table",
        collector="kernel.host:mounts",
        lane="local",
        deadline=3,
        priority=2,
    )


class HostMemory(msgspec.Struct, frozen=True):
    """Bytes."""

    total: int
    available: int
    """What can be had without swapping, cache given back (not `free`); the kernel does not count
    ZFS's cache there, which is beside it."""
    free: int = 0
    swap_total: int = 0
    swap_free: int = 0
    zfs_cache: int = 0

    @property
    def obtainable(self) -> int:
        return self.available + self.zfs_cache

    @property
    def obtainable_pct(self) -> float:
        return 100 * self.obtainable / self.total if self.total else 100.0


class ReadMemory(Question[HostMemory], frozen=True):
    """One reading of /proc/meminfo."""

    POLICY = Policy(
        "memory",
        what="the memory figures of the host",
        collector="kernel.host:memory",
        lane="local",
        deadline=1,
        priority=3,
    )


WaitingTime = dict[str, dict[str, float]]
"""Of `some` tasks and of the `full` set: the percent of the last 10, 60 and 300 s that they waited
(avg10, avg60, avg300), and the microseconds in all (total)."""


def waited_pct(times: WaitingTime | None, kind: Literal["some", "full"]) -> float | None:
    """The percent of the last minute; None where the kernel does not count."""
    return times.get(kind, {}).get("avg60") if times else None


class PressureReading(msgspec.Struct, frozen=True):
    """How long work waited for each resource; None where the kernel does not count."""

    cpu: WaitingTime | None = None
    memory: WaitingTime | None = None
    io: WaitingTime | None = None
    loadavg: list[float] = []
    """The load over 1, 5 and 15 minutes."""
    cpus: int = 1


class ReadPressure(Question[PressureReading], frozen=True):
    """One reading of /proc/pressure, and the load."""

    POLICY = Policy(
        "pressure",
        what="the pressure figures of the kernel",
        collector="kernel.host:pressure",
        lane="local",
        deadline=1,
        priority=3,
    )


class SampleCpus(Question[dict[str, float]], frozen=True):
    """By the number of a CPU, the percent of some moments in which it had nothing to do."""

    POLICY = Policy(
        "cpus.idle",
        what="how busy each CPU is",
        collector="kernel.host:idle_cpus",
        lane="local",
        deadline=2,
        priority=6,
    )
    seconds: float = 0.5


class ReadSysctls(Question[dict[str, str | None]], frozen=True):
    """Kernel settings by name, None for one that there is not.

    Names with dots, or with slashes where a part holds a dot.
    """

    POLICY = Policy(
        "sysctl",
        what="kernel settings (sysctl)",
        collector="kernel.host:sysctl",
        lane="local",
        scope="network",
        deadline=1,
        priority=2,
    )
    names: Sequence[str]


class ClockState(msgspec.Struct, frozen=True):
    """The kernel's estimate of the error of its clock, in seconds."""

    synchronised: bool
    """Whether a time service steers the clock."""
    offset_s: float = 0.0
    """What is still to be corrected."""


class ReadClockState(Question[ClockState], frozen=True):
    """How well the clock is kept."""

    POLICY = Policy(
        "clock.state",
        what="the state of the clock",
        collector="kernel.clock_state:clock_state",
        lane="local",
        deadline=1,
        in_helper=True,  # ctypes, which it needs, takes 3 ms to import
    )


class Record(msgspec.Struct, frozen=True):
    """One line."""

    at: float
    """Unix time, which drifts when the machine was suspended."""
    text: str
    level: int = 6
    """0 worst to 7."""
    seq: int = 0


class KernelRecords(msgspec.Struct, frozen=True):
    """The newest records, oldest first."""

    records: list[Record] = []
    source: str = "/dev/kmsg"
    """Or "journal"."""


class ReadKernelLog(Question[KernelRecords], frozen=True):
    """The newest records of the kernel log, oldest first."""

    POLICY = Policy(
        "kernel.log",
        what="the kernel log",
        collector="kernel.kernel_log:records",
        lane="local",
        deadline=1.5,
        priority=3,
        in_helper=True,
    )
    max: int = 4000
