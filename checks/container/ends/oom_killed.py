"""container.oom-killed: the kernel killed a process of a container that had run out of memory."""

import posixpath

from checks.container.helpers import EndOutcome
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.ends.memory_losses import MemoryLoss, memory_losses
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.service import is_build_step
from diagnose.evidence.containers.shared_memory import SharedMemory
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.run.options import Options
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.phrases import MIB, duration, how_often, size
from diagnose.registry import check

_SMALL = 512 * MIB
_START_S = 60.0


@check(
    "container.oom-killed",
    severity=Severity.critical,
    caused_by=["container.heap-above-limit", "resources.host-oom"],
)
def oom_killed(
    containers: Containers,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | None,
    events: Events | Unavailable,
    kernel_log: KernelLog | Unavailable,
    in_memory: SharedMemory | None,
) -> CheckResult:
    """The kernel killed a process of a container that had run out of memory.

    There are four sources, and each misses something. State.OOMKilled is erased by the next start;
    20.10 keeps it, and leaves it false when only a child was killed. The cgroup's counter ends with
    the run, the engine forgets events, the kernel log needs root. Exit code 137 alone only says
    SIGKILL and never counts.

    The check is silent once the limit was raised after the last kill and the container runs. A
    counter without a time may be old and is advice. With `--oom-kill-disable` (cgroup version 1)
    nothing is killed: the container hangs at its limit until it gets more.

    Files in a tmpfs and in /dev/shm count as memory, and are named where they take a quarter of the
    limit. A step of the classic builder is left to image.build-failed.
    """
    remembered = events if isinstance(events, Events) else Events(())
    logged = kernel_log if isinstance(kernel_log, KernelLog) else None
    since = clock.wall - options.since_s
    for oom in memory_losses(
        containers, cgroups, events=remembered, kernel_log=logged, in_memory=in_memory, since=since
    ):
        if not _is_answered(oom, remembered) and not is_build_step(oom.container):
            yield _finding(oom, clock, options.since_s)
    if isinstance(events, Unavailable) and isinstance(kernel_log, Unavailable):
        return events


def _is_answered(oom: MemoryLoss, events: Events) -> bool:
    """Whether the limit was raised since the last kill, and the container runs."""
    if not oom.container.is_running or oom.hangs:
        return False
    if oom.is_below_its_limit:
        return True
    if not oom.moments:
        return False
    if any(event.at > oom.moments[-1] for event in events.of(oom.container.id, "update")):
        return True
    now = oom.container.host_config.memory
    return bool(oom.own_limits) and (now == 0 or now > oom.own_limits[-1])


def _finding(oom: MemoryLoss, clock: Clock, since_s: float) -> Finding:
    container = oom.container
    outcome = _outcome(oom, clock, since_s)
    return Finding.about(
        container,
        f"{container} {outcome.what}: {_limit(oom)}",
        _evidence(oom, clock),
        severity=outcome.severity,
        onset=oom.moments[0] if oom.moments else None,
        variables=_tmpfs_size_variable(oom) | _more_room(oom),
    )


def _limit(oom: MemoryLoss) -> str:
    """The limit that was hit, in words: of the container, of a cgroup above it, or of the host."""
    parent = oom.kill_above
    memory = oom.container.host_config.memory
    if parent is not None:
        most = f" of {size(parent.limit)}" if parent.limit else ""
        return f"the limit{most} of the cgroup above it, {parent.limit_of}"
    if oom.is_of_host:
        return "the host had no memory left"
    if not memory:
        return "it has no limit of its own"
    limit = f"its limit is {size(memory)}"
    area = oom.largest_area
    if area is None:
        return limit
    return f"{limit}, and {area.path}, which is in memory, holds {size(area.usage.used)}"


def _more_room(oom: MemoryLoss) -> PageVariables:
    """The page variables that give the container more memory, by the limit that was reached.

    A limit of the container's own does not help where that of a cgroup above it is lower.
    """
    limits = [kill.limit_of for kill in oom.kills if kill.by_parent]
    has_own = bool(oom.container.host_config.memory) and not oom.is_of_host
    if not limits and not has_own:
        return {"starved": oom.container.name}
    if not limits:
        return {"memory": _doubled_limit(oom)}
    parent = posixpath.basename(limits[-1])
    if parent.endswith(".slice"):
        return {"slice": parent, "roomier": f"MemoryMax={_doubled_limit(oom).upper()}"}
    if oom.container.host_config.cgroup_parent:
        return {"option": "cgroup-parent"}
    return {}


def _tmpfs_size_variable(oom: MemoryLoss) -> PageVariables:
    """The variable that gives a tmpfs a size, where it has none below the container's limit."""
    memory = oom.container.host_config.memory
    area = oom.largest_area
    if area is None or area.is_shm or area.usage.size < memory:
        return {}
    return {"tmpfs": f"{area.path}:size={max(memory // 2 // MIB, 1)}m"}


def _outcome(oom: MemoryLoss, clock: Clock, since_s: float) -> EndOutcome:
    """The severity of a loss of memory, and the state of the container after it."""
    container = oom.container
    if oom.hangs:
        return EndOutcome(
            Severity.critical, "hangs at its memory limit, because its OOM killer is off"
        )
    last = oom.moments[-1] if oom.moments else None
    age = clock.age(last)
    is_recent = age is not None and age <= since_s
    when = f" {duration(age)} ago" if age is not None else ""
    if not container.is_running:
        return _outcome_of_end(container.state.exit_code, when, is_recent=is_recent)
    if last is None:
        return _outcome_without_time(oom, clock, since_s)
    if last < (container.started_at or 0.0):
        return EndOutcome(
            Severity.warning, f"ran out of memory, was killed{when} and started again"
        )
    severity = Severity.warning if is_recent else Severity.advice
    return EndOutcome(severity, f"ran out of memory{when}, lost a process and is still running")


def _outcome_of_end(exit_code: int, when: str, *, is_recent: bool) -> EndOutcome:
    """The severity and the outcome of a loss of memory for a container that has ended."""
    if exit_code == 0:
        words = f"ran out of memory{when}, lost a process and exited with code 0"
        return EndOutcome(Severity.advice, words)
    severity = Severity.critical if is_recent else Severity.advice
    return EndOutcome(severity, f"ran out of memory and was killed{when}")


def _outcome_without_time(oom: MemoryLoss, clock: Clock, since_s: float) -> EndOutcome:
    """The severity and the outcome for a running container where no source has the time of the
    kill."""
    if oom.is_of_earlier_run:
        return EndOutcome(Severity.advice, "ran out of memory and lost a process in an earlier run")
    is_young = clock.is_within(oom.container.started_at or 0.0, since_s)
    severity = Severity.warning if is_young else Severity.advice
    return EndOutcome(severity, "ran out of memory and lost a process at an unknown time")


def _evidence(oom: MemoryLoss, clock: Clock) -> dict[str, object]:
    """The evidence of a loss of memory, by source: state, control group, kernel log and events."""
    state = oom.container.state
    flag = str(state.oom_killed).lower()
    evidence: dict[str, object] = {"State": f"{state}, OOMKilled {flag}"}
    if oom.group:
        counter = "memory.events" if oom.group.version == 2 else "memory.oom_control"
        evidence[f"cgroup {counter} oom_kill"] = oom.counter
    if oom.hangs:
        evidence["memory.oom_control"] = "oom_kill_disable 1, under_oom 1"
    if oom.is_led_by_files:
        evidence["files in memory"] = [f"{area.path} {size(area.usage.used)}" for area in oom.areas]
    if oom.kills:
        kill = oom.kills[-1]
        usage = f" using {size(kill.rss)}" if kill.rss is not None else ""
        killed = how_often(len(oom.kills), clock.ago(kill.at))
        evidence["kernel log"] = f"killed {killed}: {kill.task} (pid {kill.pid}){usage}"
    if oom.events:
        evidence["event oom"] = f"last {duration(clock.wall - oom.events[-1].at)} ago"
    memory = oom.container.host_config.memory
    evidence["HostConfig.Memory"] = size(memory) if memory else "0 (none)"
    return evidence


def _doubled_limit(oom: MemoryLoss) -> str:
    """Twice the limit that was hit, as `docker update` takes it.

    Four times a small limit where the program had only started: its need is not known yet. Half a
    gibibyte where there is no limit to multiply.
    """
    limit = oom.container.host_config.memory or next(
        (kill.limit for kill in oom.kills if kill.limit), None
    )
    if not limit:
        return "512m"
    factor = 4 if limit <= _SMALL and _had_only_started(oom) else 2
    return f"{max(limit * factor // MIB, 32)}m"


def _had_only_started(oom: MemoryLoss) -> bool:
    """Whether the last kill came soon after the start of the container, or after another kill."""
    if not oom.moments:
        return False
    *before, last = oom.moments
    return any(0 <= last - at <= _START_S for at in (oom.container.started_at, *before[-1:]) if at)
