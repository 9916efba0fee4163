"""container.first-process-stopped: the first process of a running container does not run.

Or another one, which it has started.
"""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.service import is_service
from diagnose.evidence.machine.kernel_log import HungTask, KernelLog
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import duration
from diagnose.registry import check

THAWED = "THAWED"
"""What version 1 of control groups takes for a word to go on; version 2 takes a 0."""


@check(
    "container.first-process-stopped", severity=Severity.critical, caused_by=["kernel.hung-task"]
)
def first_process_stopped(
    containers: Containers,
    processes: Processes,
    kernel_log: KernelLog | None,
    cgroups: Cgroups | None,
) -> CheckResult:
    """A running container's program is stopped, or hangs in the kernel.

    Its control group may be frozen from outside the engine, which still says "running": by
    `systemctl freeze`, a snapshot or a script that was broken off. State T is a process that got
    SIGSTOP or SIGTSTP and waits for SIGCONT; the engine says "running" and the container does not
    answer. A cpulimit of the host sends both in turns, so that the state at one moment says
    nothing: a warning, since somebody may want it. State D counts only where the kernel has logged
    that this very process is blocked for minutes: a moment in D is ordinary disk I/O. A paused
    container is container.paused. A process that a debugger has stopped (t) is left alone. A
    process that the first one has started may be stopped too, such as a server behind a start
    script: a warning, where no terminal of the container explains it.
    """
    hung = {task.pid: task for task in kernel_log.hung_tasks} if kernel_log is not None else {}
    for container in containers.running:
        process = processes.by_pid.get(container.state.pid)
        if container.state.status == "paused" or process is None:
            continue
        group = cgroups.of(container) if cgroups is not None else None
        frozen_by = group.frozen_by if group is not None else ""
        limited = _halt_by_cpulimit(container, processes)
        halt = _what_halts_it(process.state, frozen_by, hung.get(process.pid), limited)
        if halt is not None:
            yield _finding(container, process.pid, halt, frozen_by)
        elif not container.config.tty:
            for stopped in _stopped_below(process, processes.inside(container.id)):
                yield _inner_finding(container, stopped)


def _stopped_below(first: Process, inside: Sequence[Process]) -> list[Process]:
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


def _inner_finding(container: Container, stopped: Process) -> Finding:
    return Finding.about(
        container,
        f"{container} is listed as running, but its process {stopped.comm} (pid {stopped.pid}) is "
        "stopped by a signal",
        {f"/proc/{stopped.pid}/stat": "T (stopped)", "State": container.state.status},
        discriminator=stopped.comm,
        severity=Severity.warning,
        stable=(container.life,),
        pid=str(stopped.pid),
        stopped=str(stopped.pid),
    )


class _Halt(msgspec.Struct, frozen=True):
    """What keeps a process from running: in words, as /proc says it, and what the page needs."""

    what: str
    state: str
    variables: dict[str, str] = {}
    process: str = "its first process"
    stands: bool = True
    """Whether the process does nothing at all."""


def _halt_by_cpulimit(container: Container, processes: Processes) -> _Halt | None:
    """A process of a container that a cpulimit of the host stops and resumes in turns."""
    limiters = [process for process in processes.outside if process.comm == "cpulimit"]
    if not limiters:
        return None
    inside = {str(process.pid): process for process in processes.inside(container.id)}
    for limiter in limiters:
        words = [word.rpartition("=")[2] for word in limiter.cmdline or ()]
        held = next((inside[word] for word in words if word in inside), None)
        if held is None:
            continue
        is_first = held.pid == container.state.pid
        return _Halt(
            f"is stopped and resumed in turns by cpulimit (pid {limiter.pid}) of this host",
            held.state,
            {"limiter": str(limiter.pid)},
            "its first process" if is_first else f"its process {held.comm} (pid {held.pid})",
            stands=False,
        )
    return None


def _what_halts_it(
    state: str, frozen_by: str, task: HungTask | None, limited: _Halt | None
) -> _Halt | None:
    """frozen_by: the file of its control group that froze it. task: what the kernel logged."""
    if frozen_by:
        word = THAWED if frozen_by.endswith("freezer.state") else "0"
        what = "is frozen, like every process of its control group (cgroup freezer)"
        return _Halt(what, state, {"frozen_by": frozen_by, "thaw": word})
    if limited is not None:
        return limited
    if state == "T":
        return _Halt("is stopped by a signal", "T (stopped)", {"signal": "CONT"})
    if state == "D" and task is not None:
        what = f"has waited in the kernel for more than {duration(task.seconds)}"
        return _Halt(what, "D (uninterruptible sleep)")
    return None


def _finding(container: Container, pid: int, halt: _Halt, frozen_by: str) -> Finding:
    finding = Finding.about(
        container,
        f"{container} is listed as running, but {halt.process} {halt.what}",
        {
            f"/proc/{pid}/stat": halt.state,
            **present({"frozen by": frozen_by}),
            "first process": container.shown_command,
            "State": f"{container.state.status}, Pid {container.state.pid}",
        },
        severity=Severity.critical if halt.stands and is_service(container) else Severity.warning,
        stable=(container.life,),
        pid=str(pid),
    )
    return finding.with_variables(halt.variables)
