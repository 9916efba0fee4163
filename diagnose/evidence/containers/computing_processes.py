"""Processes of containers that compute without a pause, and how many files they may open."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

MOST = 32
"""Computing processes that are looked at: a host has about as many of them as processors."""
TICKS = 100.0
"""Clock ticks in a second, in which /proc/PID/stat counts (USER_HZ of Linux on all architectures
that Docker runs on)."""
_SLEEPS = LazyPattern(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)


class ComputingProcess(msgspec.Struct, frozen=True):
    """A process of a container that is on a processor now."""

    container: Container
    process: Process
    cpu_s: float
    """Seconds of processor time in its life."""
    system_pct: float
    """Percent of them in the kernel."""
    sleeps_per_s: float
    """The number of its waits for each second of processor time."""
    limit: int
    """Files that it may open."""


class ComputingProcesses(Items[ComputingProcess], frozen=True):
    """The processes whose figures could be read."""


@evidence
def computing_processes(
    host: Host, containers: Containers, processes: Processes
) -> ComputingProcesses:
    """The processes that compute at this moment, with three small questions for each.

    On most hosts there are few.
    """
    running = {container.id: container for container in containers.running}
    computing = [task for task in processes if task.state == "R" and task.container in running]
    items = []
    for task in host.first(computing, MOST, "processes that compute"):
        usage = _usage(host, task.pid)
        if usage is None:
            continue
        limit = _limit(host, task.pid)
        if limit is None:
            continue
        computing_process = ComputingProcess(
            running[task.container or ""],
            process=task,
            cpu_s=usage.total,
            system_pct=100 * usage.system / usage.total,
            sleeps_per_s=usage.sleeps / usage.total,
            limit=limit,
        )
        items.append(computing_process)
    return ComputingProcesses(tuple(items))


class _Usage(msgspec.Struct, frozen=True):
    """The processor time of a process and the number of its sleeps, since it started."""

    user: float
    """Seconds in its program."""
    system: float
    """Seconds in the kernel."""
    sleeps: int
    """The number of its waits."""

    @property
    def total(self) -> float:
        """Seconds on a processor, at least one tick."""
        return max(self.user + self.system, 1 / TICKS)


def _usage(host: Host, pid: int) -> _Usage | None:
    """The processor time of a process and the number of its sleeps; None where it has ended."""
    stat = host.ask(ReadFile(f"/proc/{pid}/stat"))
    status = host.ask(ReadFile(f"/proc/{pid}/status"))
    if isinstance(stat, Failed) or isinstance(status, Failed):
        return None
    fields = stat.text.rpartition(")")[2].split()
    sleeps = _SLEEPS.search(status.text)
    if len(fields) < 13 or sleeps is None:
        return None
    return _Usage(int(fields[11]) / TICKS, int(fields[12]) / TICKS, int(sleeps[1]))


def _limit(host: Host, pid: int) -> int | None:
    answer = host.ask(InspectProcess(pid))
    limits = None if isinstance(answer, Failed) else answer.limits
    open_files = (limits or {}).get("Max open files")
    return open_files.soft if open_files is not None else None
