"""Questions about the machine: memory, load, processes, kernel settings and the kernel log."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.model import Json
from diagnose.questions.question import Policy, Question


class ListMounts(Question[Json], frozen=True):
    """The mount table of this process."""

    POLICY = Policy("mounts", "the mount table", "kernel.proc:mounts", "local", "host", 1.5, 2)


class ReadMemory(Question[Json], frozen=True):
    """One reading of /proc/meminfo."""

    POLICY = Policy("memory", "the memory figures of the host", "kernel.proc:memory", "local", "host", 1, 3)


class ReadPressure(Question[Json], frozen=True):
    """One reading of /proc/pressure, and the load."""

    POLICY = Policy("pressure", "the pressure figures of the kernel", "kernel.proc:pressure", "local", "host", 1, 3)


class ReadSysctls(Question[Json], frozen=True):
    """Kernel settings; names with dots, or with slashes where a part holds a dot."""

    POLICY = Policy("sysctl", "kernel settings (sysctl)", "kernel.proc:sysctl", "local", "network", 1, 2)
    names: Sequence[str]


class ListProcesses(Question[Json], frozen=True):
    """Every process that this process can see."""

    POLICY = Policy("processes", "the list of processes", "kernel.proc:processes", "local", "host", 2.5, 2)


class InspectProcess(Question[Json], frozen=True):
    """One process in detail."""

    POLICY = Policy("process", "the details of a process", "kernel.proc:process", "local", "host", 1.5, 4)
    pid: int

    def about(self) -> str:
        return f"the details of process {self.pid}"


class FindDeletedFiles(Question[Json], frozen=True):
    """Files that are deleted but still open."""

    POLICY = Policy(
        "deleted_files", "deleted files that are still open", "kernel.proc:deleted_files", "probe", "host", 2, 7
    )
    min_bytes: int


class CountDescriptors(Question[Json], frozen=True):
    """Processes that use at least this share of the file descriptors that they may open."""

    POLICY = Policy("descriptors", "the open files of processes", "kernel.proc:descriptors", "probe", "host", 2, 7)
    share: float


class FindOpenFiles(Question[Json], frozen=True):
    """Which files below a folder a process has open."""

    POLICY = Policy("open_under", "the open files of a process", "kernel.proc:open_under", "probe", "host", 1.5, 6)
    pid: int
    folder: str


class ReadKernelLog(Question[Json], frozen=True):
    """The newest records of the kernel log, oldest first."""

    POLICY = Policy("kernel.log", "the kernel log", "kernel.kernel_log:records", "local", "host", 1.5, 3)
    max: int = 4000
