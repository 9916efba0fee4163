"""container.first-process-stopped: the first process of a running container does not run.

Or another one, which it has started.
"""

from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.halted_processes import (
    Halt,
    halt_by_cpulimit,
    halt_of,
    stopped_below,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.service import is_service
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


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
    `systemctl freeze`, a snapshot or a script that was broken off.

    State T is a process that got SIGSTOP or SIGTSTP and waits for SIGCONT; the engine says
    "running" and the container does not answer. A cpulimit of the host sends both in turns, so that
    the state at one moment says nothing: a warning, since somebody may want it. A process that the
    first one has started may be stopped too, such as a server behind a start script: a warning,
    where no terminal of the container explains it.

    State D counts only where the kernel has logged that this very process is blocked for minutes: a
    moment in D is ordinary disk I/O.

    A paused container is container.paused. A process that a debugger has stopped (t) is left out.
    """
    hung = {task.pid: task for task in kernel_log.hung_tasks} if kernel_log is not None else {}
    for container in containers.running:
        process = processes.by_pid.get(container.state.pid)
        if container.state.status == "paused" or process is None:
            continue
        group = cgroups.of(container) if cgroups is not None else None
        frozen_by = group.frozen_by if group is not None else ""
        limited = halt_by_cpulimit(container, processes)
        halt = halt_of(process.state, frozen_by, hung.get(process.pid), limited)
        if halt is not None:
            yield _finding(container, process.pid, halt, frozen_by)
        elif not container.config.tty:
            for stopped in stopped_below(process, processes.inside(container.id)):
                yield _inner_finding(container, stopped)


def _inner_finding(container: Container, stopped: Process) -> Finding:
    return Finding.about(
        container,
        f"{container} is listed as running, but its process {stopped.comm} (pid {stopped.pid}) is "
        "stopped by a signal",
        {f"/proc/{stopped.pid}/stat": "T (stopped)", "State": container.state.status},
        discriminator=stopped.comm,
        severity=Severity.warning,
        recheck=(container.run,),
        variables={"pid": str(stopped.pid), "stopped": str(stopped.pid)},
    )


def _finding(container: Container, pid: int, halt: Halt, frozen_by: str) -> Finding:
    return Finding.about(
        container,
        f"{container} is listed as running, but {halt.process} {halt.what}",
        {
            f"/proc/{pid}/stat": halt.state,
            **present({"frozen by": frozen_by}),
            "first process": container.shown_command,
            "State": f"{container.state.status}, Pid {container.state.pid}",
        },
        severity=Severity.critical if halt.stands and is_service(container) else Severity.warning,
        recheck=(container.run,),
        variables={"pid": str(pid), **halt.variables},
    )
