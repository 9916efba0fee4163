"""Programs of the host that the engine waits for: those that it runs itself, and the system bus."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.file_locks import LOCKS, file_locks
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text, path_status
from diagnose.questions.processes import InspectProcess, ProcessDetail
from diagnose.registry import evidence

XTABLES_LOCK = "/run/xtables.lock"
"""The lock that iptables of the legacy backend takes before each change. With --wait, as the engine
calls it, iptables waits without limit."""
LOCKERS = frozenset({"iptables", "ip6tables", "iptables-legacy", "ip6tables-legac"})
"""Names in /proc/PID/comm, which holds 15 bytes."""
VERSIONED = frozenset({"docker-init", "runc"})
"""Programs that dockerd asks for their version whenever it answers /info (daemon/info_unix.go):
containers start and stop meanwhile."""
PROGRAMS = LOCKERS | VERSIONED | {"iptables-nft", "ip6tables-nft", "nft", "modprobe"}
"""Programs that dockerd runs itself, most of them for its networks; on a healthy host each ends
within a second."""
BUS = frozenset({"dbus-daemon", "dbus-broker", "firewalld"})
"""Programs that dockerd asks at its start whether firewalld runs
(daemon/libnetwork/iptables/firewalld.go): it waits for the answer without limit."""
STUCK_STATES = ("T", "t", "D")
SETTLED_S = 15.0
_ASKS_BUS = "Loading containers: start"
_IS_UP = "Daemon has completed initialization"
FIRST_USER = 1000
"""The first user id of persons, whose sessions have a bus of their own."""


class AwaitedProgram(msgspec.Struct, frozen=True):
    """A program that does not end, or does not answer, while the engine waits for it."""

    process: Process
    command: str = ""
    seconds: float = 0.0
    """Since when the engine has had it run; 0 for the bus."""
    holder: Process | None = None
    """The process that holds the awaited lock."""
    holder_command: str = ""

    @property
    def is_for_info(self) -> bool:
        """Whether only the answer of /info waits for it."""
        return self.process.comm in VERSIONED

    @property
    def culprit(self) -> Process:
        """The process that has to continue, or to end."""
        return self.holder or self.process


class AwaitedPrograms(Items[AwaitedProgram], frozen=True):
    """The awaited programs: those with a lock first, then the longest, /info's last."""


@evidence
def awaited_programs(
    host: Host, daemon: Daemon, processes: Processes, clock: Clock, log: DaemonLog | None
) -> AwaitedPrograms:
    """The programs for which the engine waits, by its child processes.

    The bus counts only where an engine that starts has gone silent.
    """
    engine = daemon.processes.engine
    if engine is None or not daemon.same_host:
        return AwaitedPrograms()
    children = [
        process
        for process in processes
        if process.ppid == engine.pid and process.comm in PROGRAMS and not process.is_zombie
    ]
    old = [(_age(process, clock), process) for process in children]
    candidates = [
        _awaited_program(host, processes, age, process) for age, process in old if age >= SETTLED_S
    ]
    candidates.sort(
        key=lambda program: (program.is_for_info, program.holder is None, -program.seconds)
    )
    if not candidates and daemon.is_hung and _is_before_networks(log):
        candidates = [AwaitedProgram(process) for process in _stuck_bus(processes)]
    return AwaitedPrograms(tuple(candidates))


def _age(process: Process, clock: Clock) -> float:
    return clock.wall - clock.booted - process.start if clock.booted else 0.0


def _awaited_program(
    host: Host, processes: Processes, seconds: float, process: Process
) -> AwaitedProgram:
    """The program for which a start waits, and the holder of the lock for which it waits itself."""
    pid = _lock_holder(host) if process.comm in LOCKERS else None
    holder = processes.by_pid.get(pid) if pid not in (None, process.pid) else None
    return AwaitedProgram(
        process,
        _command(host, process),
        seconds,
        holder,
        _command(host, holder) if holder is not None else "",
    )


def _lock_holder(host: Host) -> int | None:
    """The process that holds the lock of iptables."""
    status = path_status(host, XTABLES_LOCK)
    locks = file_locks(file_text(host, LOCKS))
    holders = (lock.pid for lock in locks if (lock.device, lock.inode) == (status.dev, status.ino))
    return next(holders, None)


def _command(host: Host, process: Process) -> str:
    """The command line, else the name."""
    detail = host.answer_or(InspectProcess(process.pid), ProcessDetail())
    return " ".join(detail.cmdline) or process.comm


def _is_before_networks(log: DaemonLog | None) -> bool:
    """Whether the newest start has come to its question about firewalld, and not to its end."""
    for line in reversed(log.lines if log is not None else ()):
        if line.message.startswith(_IS_UP):
            return False
        if line.message.startswith(_ASKS_BUS):
            return True
    return False


def _stuck_bus(processes: Processes) -> Iterator[Process]:
    """The system's bus, or firewalld behind it, where it is stopped or waits in the kernel."""
    for process in processes:
        is_of_system = process.uid is not None and process.uid < FIRST_USER
        if process.comm in BUS and process.state in STUCK_STATES and is_of_system:
            yield process
