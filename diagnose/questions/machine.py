"""Questions about the machine: memory, load, processes, kernel settings and the kernel log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


class ListMounts(Question[list[Mounted]], frozen=True):
    """The mount table of this process."""

    POLICY = Policy(
        "mounts",
        what="the mount table",
        collector="kernel.host:mounts",
        lane="local",
        scope="host",
        deadline=1.5,
        priority=2,
    )


class HostMemory(msgspec.Struct, frozen=True):
    """Bytes."""

    total: int
    available: int
    """What can be had without swapping, cache given back (not `free`); the kernel does not count
    ZFS's cache there, which is beside it."""
    free: int = 0
    cached: int = 0
    swap_total: int = 0
    swap_free: int = 0
    zfs_cache: int = 0
    oom_kill: int | None = None

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
        scope="host",
        deadline=1,
        priority=3,
    )


WaitingTime = dict[str, dict[str, float]]
"""Of `some` tasks and of the `full` set: the percent of the last 10, 60 and 300 s that they waited
(avg10, avg60, avg300), and the microseconds in all (total)."""


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
        scope="host",
        deadline=1,
        priority=3,
    )


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


class Process(msgspec.Struct, frozen=True):
    """One process."""

    pid: int
    ppid: int = 0
    comm: str = ""
    state: str = ""
    """The letter of proc(5)."""
    start: float = 0.0
    """Seconds since boot."""
    uid: int | None = None
    container: str | None = None
    cmdline: list[str] | None = None
    """The command line; only of the engine's own processes."""


class ListProcesses(Question[list[Process]], frozen=True):
    """Every process that this process can see."""

    POLICY = Policy(
        "processes",
        what="the list of processes",
        collector="kernel.processes:processes",
        lane="local",
        scope="host",
        deadline=2.5,
        priority=2,
    )


class ResourceLimit(msgspec.Struct, frozen=True):
    """A limit as /proc/PID/limits shows it; None is unlimited."""

    soft: int | None = None
    hard: int | None = None


class ProcessDetail(msgspec.Struct, frozen=True):
    """One process in detail; None where the caller may not read it."""

    pid: int = 0
    comm: str = ""
    state: str = ""
    """The letter of proc(5)."""
    start: float = 0.0
    """Seconds since boot."""
    exe: str | None = None
    wchan: str | None = None
    """The kernel function that it waits in."""
    cmdline: list[str] = []
    threads: dict[str, int] = {}
    """How many threads are in each state."""
    stuck: list[dict[str, Any]] = []
    """Threads in state D, and what they wait for (`wchan`)."""
    ppid: int = 0
    uid: int | None = None
    container: str | None = None
    """The id of the container, from its control group."""
    environ: list[str] | None = None
    """NAME=value."""
    fds: int | None = None
    """How many descriptors are open."""
    limits: dict[str, ResourceLimit] | None = None
    """The limits by their names, such as "Max open files"."""
    cgroup: str | None = None
    namespaces: dict[str, int] | None = None
    """Inode numbers by name: "net"."""
    capabilities: str | None = None
    """The effective ones, hexadecimal."""

    @property
    def is_stopped(self) -> bool:
        """Stopped by a signal or a debugger: it does nothing until SIGCONT."""
        return self.state in ("T", "t")

    @property
    def blocked(self) -> int:
        """Threads that wait in the kernel and cannot be killed."""
        return self.threads.get("D", 0)

    @property
    def waits_for(self) -> str:
        """The kernel functions that its blocked threads wait in."""
        return ", ".join(sorted({str(task["wchan"]) for task in self.stuck if task.get("wchan")}))

    @property
    def evidence(self) -> dict[str, str]:
        """What /proc says of its state, its threads and what they wait for."""
        threads = [f"{number} {state}" for state, number in sorted(self.threads.items())]
        stat = f"state {self.state}, threads {', '.join(threads) or 'not known'}"
        waiting = {f"/proc/{self.pid}/task/*/wchan": self.waits_for} if self.waits_for else {}
        return {f"/proc/{self.pid}/stat": stat, **waiting}


class InspectProcess(Question[ProcessDetail], frozen=True):
    """One process in detail."""

    POLICY = Policy(
        "process",
        what="the details of a process",
        collector="kernel.processes:process",
        lane="local",
        scope="host",
        deadline=1.5,
        priority=4,
    )
    pid: int

    def about(self) -> str:
        return f"the details of process {self.pid}"


class ProcessNow(msgspec.Struct, frozen=True):
    """Whether a process lives, and whose it is."""

    state: str = ""
    """The letter of proc(5)."""
    container: str | None = None
    """The id of the container, from its control group."""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended: what its parent has not waited for has a state too."""
        return self.state not in ("", "Z", "X", "x")


class SeeProcess(Question[ProcessNow], frozen=True):
    """One process once everything has been judged."""

    POLICY = Policy(
        "process.now",
        what="whether a process still lives",
        collector="kernel.processes:process_now",
        lane="local",
        scope="host",
        deadline=1,
        priority=3,
    )
    pid: int


HIDDEN_PROCESSES = "only root may see the processes of others: /proc is mounted with hidepid"
"""Why nothing is known of the open files of others."""


class DeletedFile(msgspec.Struct, frozen=True):
    """One such file."""

    pid: int
    fd: int
    path: str
    """The file's former path, as the process that has it open saw it."""
    bytes: int
    """The bytes that the file holds on the disk."""
    dev: str
    fstype: str | None = None
    comm: str | None = None
    container: str | None = None
    """The opener's, by its cgroup."""


class DeletedFileList(msgspec.Struct, frozen=True):
    """The files, biggest first, and how many processes could not be looked into."""

    files: list[DeletedFile]
    unseen: int = 0
    hidden: bool = False
    """Whether /proc hides the processes of others from the caller."""


class FindDeletedFiles(Question[DeletedFileList], frozen=True):
    """Files that are deleted but still open."""

    POLICY = Policy(
        "deleted_files",
        what="deleted files that are still open",
        collector="kernel.open_files:deleted_files",
        lane="probe",
        scope="host",
        deadline=2,
        priority=7,
    )
    min_bytes: int


class Crowded(msgspec.Struct, frozen=True):
    """One process."""

    pid: int
    open: int
    limit: int
    """open, limit: descriptors, and the soft limit of them."""
    comm: str | None = None
    container: str | None = None


class CrowdedList(msgspec.Struct, frozen=True):
    """The processes, nearest to their limit first, and how many could not be looked into."""

    processes: list[Crowded]
    unseen: int = 0
    hidden: bool = False
    """Whether /proc hides the processes of others from the caller."""


class CountDescriptors(Question[CrowdedList], frozen=True):
    """Processes that use at least this share of the file descriptors that they may open."""

    POLICY = Policy(
        "descriptors",
        what="the open files of processes",
        collector="kernel.open_files:descriptors",
        lane="probe",
        scope="host",
        deadline=2,
        priority=7,
    )
    share: float


class OpenPaths(msgspec.Struct, frozen=True):
    """The paths that a process has open."""

    paths: list[str]


class FindOpenFiles(Question[OpenPaths], frozen=True):
    """Which files below a folder a process has open for writing."""

    POLICY = Policy(
        "open_under",
        what="the open files of a process",
        collector="kernel.open_files:open_under",
        lane="probe",
        scope="host",
        deadline=1.5,
        priority=6,
    )
    pid: int
    folder: str


class ClockState(msgspec.Struct, frozen=True):
    """What the kernel knows of the error of its clock, in seconds."""

    synchronised: bool
    """Whether a time service steers the clock."""
    offset_s: float = 0.0
    """What is still to be corrected."""
    max_error_s: float = 0.0


class ReadClockState(Question[ClockState], frozen=True):
    """How well the clock is kept."""

    POLICY = Policy(
        "clock.state",
        what="the state of the clock",
        collector="kernel.clock_state:clock_state",
        lane="local",
        scope="host",
        deadline=1,
        priority=5,
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
    dropped: bool = False
    """Older records were left out or overwritten."""
    source: str = "/dev/kmsg"
    """Or "journal"."""


class ReadKernelLog(Question[KernelRecords], frozen=True):
    """The newest records of the kernel log, oldest first."""

    POLICY = Policy(
        "kernel.log",
        what="the kernel log",
        collector="kernel.kernel_log:records",
        lane="local",
        scope="host",
        deadline=1.5,
        priority=3,
    )
    max: int = 4000
