"""The check container.heap-above-limit.

A program is configured to use a larger heap than its container may have.
"""

from __future__ import annotations

from checks.container.claims import is_failing
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import size
from diagnose.programs.heap_sizes import heap_size
from diagnose.registry import check

ID = "container.heap-above-limit"
KILLED = 137
MIB = 1 << 20
HEADROOM = 1.5
"""The limit that is suggested, as a multiple of the heap: threads, code and buffers lie beside it.
"""


@check(ID, severity=Severity.critical)
def heap_above_limit(
    containers: Containers, clock: Clock, log_tails: LogTails | None
) -> CheckResult:
    """A container's program may use a larger heap than its memory limit allows.

    `-Xmx` or `--max-old-space-size` in its command or variables is at least as large as
    HostConfig.Memory, and it was killed, ended with 137, or says that memory cannot be had. While
    it runs well it is advice: the heap may never fill.
    """
    for container in containers:
        limit = container.host_config.memory
        line = _complaint(container, log_tails)
        was_killed = bool(line) or _was_killed(container)
        if not limit or not (was_killed or container.is_running):
            continue
        heap, option = heap_size(container.command, container.config.env or ())
        if heap < limit:
            continue
        suffers = was_killed and is_failing(container, clock)
        if suffers or container.is_running:
            yield Finding.about(
                container,
                f"{container} has a memory limit of {size(limit)}, "
                f"but its program may use a heap of {size(heap)}",
                {
                    **present({"log": line}),
                    "heap": option,
                    "HostConfig.Memory": size(limit),
                    "State": str(container.state),
                },
                severity=Severity.critical if suffers else Severity.advice,
                onset=container.failed_first,
                memory=_roomier(heap),
            )
    return None


def _complaint(container: Container, log_tails: LogTails | None) -> str:
    """The line that says that memory cannot be had; empty where there is none."""
    failure = log_tails.failures.get(container.id) if log_tails is not None else None
    return failure.line if failure is not None and failure.confirmed_by == ID else ""


def _was_killed(container: Container) -> bool:
    return container.state.oom_killed or container.state.exit_code == KILLED


def _roomier(heap: int) -> str:
    """A limit that has room for the heap and what lies beside it, as `docker update` takes it."""
    return f"{int(heap * HEADROOM) // MIB}m"
