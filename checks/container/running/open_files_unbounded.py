"""The check container.open-files-unbounded.

A limit of open files that a program walks through for minutes.
"""

from diagnose.evidence.containers.computing_processes import ComputingProcess, ComputingProcesses
from diagnose.model import CheckResult, Count, Finding, Percent, Seconds, Severity
from diagnose.registry import check

ORDINARY = 524_288
"""The hard limit that systemd gives to units; a container that had less cannot get it."""


@check("container.open-files-unbounded", severity=Severity.warning)
def open_files_unbounded(
    computing_processes: ComputingProcesses,
    *,
    huge: Count = Count(16_777_216),
    least: Seconds = Seconds(10),
    system: Percent = Percent(40),
    sleeps: Count = Count(20),
) -> CheckResult:
    """A program keeps closing files, because its limit of open files is a billion.

    Before they start a child, many programs close every descriptor up to the limit, one call each:
    erl_child_setup of RabbitMQ, MySQL 5.7, cron, sendmail, xinetd, rpm. With a limit of a billion,
    as units with LimitNOFILE=infinity pass it on to containers, each start of a child takes minutes
    of one processor, and the program seems to hang. Such a process has a limit that no program
    needs, has used `least` seconds of processor time, most of it in the kernel, and has hardly ever
    waited: a program that computes spends its time in user mode, and a busy server waits for its
    clients. Engines 20.10 to 28 come with such units.
    """
    for computing in computing_processes:
        is_closing = computing.system_pct >= system and computing.sleeps_per_s <= sleeps
        if is_closing and computing.limit >= huge and computing.cpu_s >= least:
            yield _finding(computing)


def _finding(computing: ComputingProcess) -> Finding:
    container = computing.container
    task = computing.process
    return Finding.about(
        container,
        f"{container}: "
        f"its process {task.comm} (pid {task.pid}) keeps a processor busy in the kernel: it may "
        f"open {computing.limit:,} files, and seems to close all these descriptors one by one",
        {
            f"/proc/{task.pid}/limits, open files": computing.limit,
            f"/proc/{task.pid}/stat": (
                f"{computing.cpu_s:.0f} s of processor time, "
                f"{computing.system_pct:.0f} % in the kernel"
            ),
            f"/proc/{task.pid}/status": (
                f"waited {computing.sleeps_per_s:.1f} times in a second of processor time"
            ),
        },
        discriminator=task.comm,
        recheck=(container.run,),
        variables={"limits": f"1024:{min(computing.limit, ORDINARY)}"},
    )
