"""The check container.heap-above-limit.

A program is configured to use a larger heap than its container may have.
"""

from msgspec.structs import replace

from checks.container.claims import is_failing
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import MIB, size
from diagnose.programs.heap_sizes import DEFAULT_SHARE, largest_heap, unaware_java
from diagnose.registry import check

ID = "container.heap-above-limit"
KILLED = 137
HEAP_SHARE = 0.66
"""The share of a limit that is suggested for the heap."""
HEADROOM = 1.5
"""The limit that is suggested, as a multiple of the heap: threads, code and buffers lie beside it.
"""


@check(ID, severity=Severity.critical)
def heap_above_limit(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails | None,
    info: Info | None,
    events: Events | None,
) -> CheckResult:
    """A container's program may use a larger heap than its memory limit allows.

    `-Xmx` or `--max-old-space-size` in its command or variables is at least as large as
    HostConfig.Memory, and it was killed, ended with 137, or says that memory cannot be had. While
    it runs well it is advice: the heap may never fill. Java before 8u191, and Java 9, take the
    memory of the host for theirs where no option gives a size: images name the version in
    JAVA_VERSION.
    """
    for container in containers:
        line = _complaint(container, log_tails)
        has_run_out = bool(line) or _was_killed(container, events)
        if not container.host_config.memory or not (has_run_out or container.is_running):
            continue
        suffers = has_run_out and is_failing(container, clock)
        finding = None if line else _unaware_java_finding(container, info)
        if finding is None and (suffers or container.is_running):
            finding = _large_heap_finding(container, line)
        if finding is not None:
            yield replace(finding, severity=Severity.critical if suffers else Severity.advice)


def _complaint(container: Container, log_tails: LogTails | None) -> str:
    """The line about memory that cannot be had; "" where there is none."""
    failure = log_tails.failures.get(container.id) if log_tails is not None else None
    return failure.line if failure is not None and failure.confirmed_by == ID else ""


def _was_killed(container: Container, events: Events | None) -> bool:
    """Whether a container ran out of memory, by its last end or the events of the engine."""
    is_remembered = events is not None and bool(events.of(container.id, "oom"))
    return is_remembered or container.state.oom_killed or container.state.exit_code == KILLED


def _large_heap_finding(container: Container, line: str) -> Finding | None:
    """The finding about a heap that is configured to be at least as large as the limit.

    line: the log line about memory that cannot be had; "" where there is none.
    """
    limit = container.host_config.memory
    heap = largest_heap(container.command, container.config.env or ())
    if heap.bytes < limit:
        return None
    return Finding.about(
        container,
        f"{container} has a memory limit of {size(limit)}, "
        f"but its program may use a heap of {size(heap.bytes)}",
        {
            **present({"log": line}),
            "heap": heap.option,
            "HostConfig.Memory": size(limit),
            "State": str(container.state),
        },
        onset=container.failed_first,
        variables={"memory": _limit_with_headroom(heap.bytes)},
    )


def _unaware_java_finding(container: Container, info: Info | None) -> Finding | None:
    """The finding about a Java that does not see the limit of its container, and may use more than
    that."""
    limit = container.host_config.memory
    version = unaware_java(container.command, container.config.env or ())
    heap = (info.mem_total or 0) // DEFAULT_SHARE if info is not None else 0
    if not version or heap < limit:
        return None
    largest = max(int(limit * HEAP_SHARE) // MIB, 1)
    return Finding.about(
        container,
        f"{container} has a memory limit of {size(limit)}, and Java {version} does not see it: "
        f"its heap may take {size(heap)}, a fourth of the host's memory",
        {
            "JAVA_VERSION": container.config.value_of("JAVA_VERSION"),
            "HostConfig.Memory": size(limit),
            "/info MemTotal": size(info.mem_total) if info is not None else "",
            "State": str(container.state),
        },
        onset=container.failed_first,
        variables={"assignment": f"JAVA_TOOL_OPTIONS=-Xmx{largest}m"},
    )


def _limit_with_headroom(heap: int) -> str:
    """A limit with room for the heap and the other memory of the program, as `docker update` takes
    it."""
    return f"{int(heap * HEADROOM) // MIB}m"
