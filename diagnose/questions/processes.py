"""Questions about processes, and about the files that they have open."""

import msgspec

from diagnose.mappings import assignments
from diagnose.questions.question import Policy, Question

MULTI_CALL = frozenset({"busybox", "toybox"})
"""Programs that are many: `busybox crond` is cron, and the kernel calls it busybox."""


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
    """The command line; only of the engine's own processes, of pings and of cpulimit. Of busybox
    and toybox the first two words."""

    @property
    def program(self) -> str:
        """Its name, or that of the part of a multi-call program that it runs."""
        words = self.cmdline or []
        is_applet = len(words) > 1 and words[0].rpartition("/")[2] == self.comm in MULTI_CALL
        return words[1] if is_applet else self.comm

    @property
    def is_zombie(self) -> bool:
        """Whether it has ended, and its parent has not waited for it."""
        return self.state == "Z"


class ListProcesses(Question[list[Process]], frozen=True):
    """Every process that this process can see."""

    POLICY = Policy(
        "processes",
        what="the list of processes",
        collector="kernel.processes:processes",
        lane="local",
        deadline=2.5,
        priority=2,
        in_helper=True,
    )


class ResourceLimit(msgspec.Struct, frozen=True):
    """A limit as /proc/PID/limits shows it; None is unlimited."""

    soft: int | None = None


_REAL_TIME = {1: "SCHED_FIFO", 2: "SCHED_RR"}
"""Policies of sched(7) by their numbers."""


class StuckThread(msgspec.Struct, frozen=True):
    """A thread in state D."""

    tid: int
    wchan: str | None = None
    """The kernel function that it waits in."""


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
    stuck: list[StuckThread] = []
    """Threads in state D."""
    uid: int | None = None
    container: str | None = None
    """The id of the container, from its control group."""
    environ: list[str] | None = None
    """NAME=value."""
    fds: int | None = None
    """How many descriptors are open."""
    limits: dict[str, ResourceLimit] | None = None
    """The limits by their names, such as "Max open files"."""
    capabilities: str | None = None
    """The effective ones, hexadecimal."""
    policy: int | None = None
    """How the kernel schedules it, as sched_getscheduler(2) says: with SCHED_RESET_ON_FORK added
    where what it starts does not inherit that."""

    @property
    def real_time_policy(self) -> str:
        """The real-time policy that it and what it starts have; "" for none."""
        return _REAL_TIME.get(self.policy or 0, "")

    @property
    def is_stopped(self) -> bool:
        """Whether a signal or a debugger has stopped the process: it does nothing until SIGCONT."""
        return self.state in ("T", "t")

    @property
    def blocked(self) -> int:
        """Threads that wait in the kernel and cannot be killed."""
        return self.threads.get("D", 0)

    @property
    def variables(self) -> dict[str, str]:
        """Its environment; empty where the caller may not read it."""
        return assignments(self.environ or ())

    @property
    def waits_for(self) -> str:
        """The kernel functions that its blocked threads wait in."""
        return ", ".join(sorted({thread.wchan for thread in self.stuck if thread.wchan}))

    @property
    def evidence(self) -> dict[str, str]:
        """The state, the threads and the wait channels of the process from /proc, as evidence."""
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
        deadline=1,
        priority=3,
    )
    pid: int


class OfOpenFiles(msgspec.Struct, frozen=True):
    """How much of the processes of others was seen, where their open files were looked at."""

    unseen: int = 0
    """Processes that could not be looked into."""
    hidden: bool = False
    """Whether /proc hides the processes of others from the caller."""

    @property
    def refusal(self) -> str:
        """Why not all was seen; "" where it was."""
        if self.hidden:
            return "only root may see the processes of others: /proc is mounted with hidepid"
        return f"only root may see the open files of {self.unseen} processes" if self.unseen else ""


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


class DeletedFileList(OfOpenFiles, frozen=True, kw_only=True):
    """The files, biggest first."""

    files: list[DeletedFile]


class FindDeletedFiles(Question[DeletedFileList], frozen=True):
    """Files that are deleted but still open."""

    POLICY = Policy(
        "deleted_files",
        what="deleted files that are still open",
        collector="kernel.open_files:deleted_files",
        lane="probe",
        deadline=2,
        priority=7,
    )
    min_bytes: int


class ProcessFiles(msgspec.Struct, frozen=True):
    """One process."""

    pid: int
    open: int
    limit: int
    """open, limit: descriptors, and the soft limit of them."""
    comm: str | None = None
    container: str | None = None


class ProcessFilesList(OfOpenFiles, frozen=True, kw_only=True):
    """The processes, nearest to their limit first."""

    processes: list[ProcessFiles]


class CountDescriptors(Question[ProcessFilesList], frozen=True):
    """Processes that use at least this share of the file descriptors that they may open."""

    POLICY = Policy(
        "descriptors",
        what="the open files of processes",
        collector="kernel.open_files:descriptors",
        lane="probe",
        deadline=2,
        priority=7,
        in_helper=True,
    )
    share: float


class OpenPaths(msgspec.Struct, frozen=True):
    """The paths that a process has open."""

    paths: list[str]


class FindOpenFiles(Question[OpenPaths], frozen=True):
    """The files below a folder that a process has open for writing."""

    POLICY = Policy(
        "open_under",
        what="the open files of a process",
        collector="kernel.open_files:open_under",
        lane="probe",
        deadline=1.5,
        priority=6,
        in_helper=True,
    )
    pid: int
    folder: str


class WatchingProcess(msgspec.Struct, frozen=True):
    """A process that has asked inotify for changes."""

    pid: int
    comm: str
    devices: list[str]
    """MAJOR:MINOR of the file systems on which it watches files."""


class WatchingProcesses(msgspec.Struct, frozen=True):
    """The named processes that watch files, and those that the caller may not look into."""

    processes: list[WatchingProcess]
    unseen: list[int] = []


class FindWatches(Question[WatchingProcesses], frozen=True):
    """On which file systems these processes have inotify watch files."""

    POLICY = Policy(
        "watches",
        what="the files that processes watch",
        collector="kernel.watches:watches",
        lane="probe",
        deadline=2,
        priority=7,
        in_helper=True,
    )
    pids: list[int]
