"""Processes of containers that do not run: frozen, stopped by a signal, or blocked."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.kernel_log import HungTask
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.phrases import duration

THAWED = "THAWED"
"""The word that thaws a group in version 1 of control groups; version 2 takes a 0."""


def stopped_below(first: Process, inside: Sequence[Process]) -> list[Process]:
    """The processes that a signal has stopped, and that the first one or its children started.

    What `docker exec` started has a job in the background at most.
    """
    by_pid = {process.pid: process for process in inside}

    def is_below(process: Process) -> bool:
        above = process
        for _ in inside:
            if above.ppid == first.pid:
                return True
            if above.ppid not in by_pid:
                return False
            above = by_pid[above.ppid]
        return False

    return [process for process in inside if process.state == "T" and is_below(process)]


class Halt(msgspec.Struct, frozen=True):
    """The reason why a process does not run: in words, as /proc says it, and the page variables."""

    what: str
    state: str
    variables: dict[str, str] = {}
    process: str = "its first process"
    stands: bool = True
    """Whether the process does nothing at all."""


def halt_by_cpulimit(container: Container, processes: Processes) -> Halt | None:
    """A process of a container that a cpulimit of the host stops and resumes in turns."""
    if not processes.cpu_limiters:
        return None
    inside = {str(process.pid): process for process in processes.inside(container.id)}
    for limiter in processes.cpu_limiters:
        words = [word.rpartition("=")[2] for word in limiter.cmdline or ()]
        program = next((inside[word] for word in words if word in inside), None)
        if program is None:
            continue
        is_first = program.pid == container.state.pid
        return Halt(
            f"is stopped and resumed in turns by cpulimit (pid {limiter.pid}) of this host",
            program.state,
            {"limiter": str(limiter.pid)},
            "its first process" if is_first else f"its process {program.comm} (pid {program.pid})",
            stands=False,
        )
    return None


def halt_of(state: str, frozen_by: str, task: HungTask | None, limited: Halt | None) -> Halt | None:
    """The reason why a process stands still, by its state; None for a process that runs.

    frozen_by: the file of its control group that froze it. task: the hung task in the kernel log.
    """
    if frozen_by:
        word = THAWED if frozen_by.endswith("freezer.state") else "0"
        what = "is frozen, like every process of its control group (cgroup freezer)"
        return Halt(what, state, {"frozen_by": frozen_by, "thaw": word})
    if limited is not None:
        return limited
    if state == "T":
        return Halt("is stopped by a signal", "T (stopped)", {"signal": "CONT"})
    if state == "D" and task is not None:
        what = f"has waited in the kernel for more than {duration(task.seconds)}"
        return Halt(what, "D (uninterruptible sleep)")
    return None
