"""container.oom-killed: the kernel killed a process of a container that had run out of memory."""

from __future__ import annotations

import msgspec

from checks.container.helpers import times
from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.run.options import Options
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, Severity, Unavailable
from diagnose.phrases import ago, size
from diagnose.registry import check

KILLED = 137
MIB = 1024 * 1024
FILES_SHARE = 0.25
"""Share of the limit from which on files in memory are worth a word."""
HIT = 0.95
"""Share of its limit that a cgroup used at least once if the kernel killed at that limit."""


class _Oom(msgspec.Struct, frozen=True):
    """What the four sources say about one container."""

    container: Container
    flag: bool
    kills: tuple[OomKill, ...]
    events: tuple[Event, ...]
    failures: tuple[Event, ...]
    group: CgroupStats | None
    areas: tuple[InMemory, ...] = ()

    @property
    def counter(self) -> int:
        """Kills that the cgroup has counted in this run; 0 where it is gone."""
        return (self.group.memory.oom_kill or 0) if self.group else 0

    @property
    def is_seen(self) -> bool:
        has_trace = self.flag or self.counter > 0 or bool(self.kills) or bool(self.events)
        return has_trace or self.hangs

    @property
    def hangs(self) -> bool:
        """Whether its tasks wait for memory at this moment, because nothing may be killed."""
        is_waiting = self.group is not None and bool(self.group.memory.under_oom)
        return is_waiting and bool(self.container.host_config.oom_kill_disable)

    @property
    def in_memory(self) -> int:
        """Bytes that its file systems in memory take; they count as its memory."""
        return sum(area.usage.used for area in self.areas)

    @property
    def is_led_by_files(self) -> bool:
        """Whether its file systems in memory take a large share of the limit."""
        memory = self.container.host_config.memory
        return bool(memory) and self.in_memory >= FILES_SHARE * memory and not self.is_of_host

    @property
    def moments(self) -> list[float]:
        """Unix times of all known kills, oldest first."""
        times = [*(kill.at for kill in self.kills), *(event.at for event in self.events)]
        if times:
            return sorted(times)
        return self._moment_of_flag if self.flag else []

    @property
    def _moment_of_flag(self) -> list[float]:
        """When the kill was that only the engine's flag shows, where the container's end tells."""
        exits = [event.at for event in self.failures if event.exit_code == KILLED]
        if exits:
            return exits[-1:]
        container = self.container
        if container.is_running or not container.finished_at:
            return []
        return [container.finished_at]

    @property
    def is_of_host(self) -> bool:
        """Whether the host itself had no memory left at every kill that the kernel explains."""
        return bool(self.kills) and all(kill.of_host for kill in self.kills)

    @property
    def is_below_its_limit(self) -> bool:
        """Whether the limit was raised after the kill.

        Peak usage of this run is far below today's limit.
        """
        if (
            not self.group
            or not self.counter
            or any(kill.of_host or kill.by_parent for kill in self.kills)
        ):
            return False
        most, limit = self.group.memory.max_usage, self.group.memory.limit
        return most is not None and limit is not None and most < HIT * limit

    @property
    def is_of_earlier_run(self) -> bool:
        """Whether only the flag says so, and no kill was counted since the start.

        Engine 20.10 keeps the flag over a start.
        """
        return self.flag and self.counter == 0 and self.group is not None and not self.moments

    @property
    def limit(self) -> str:
        memory = self.container.host_config.memory
        parent = next((kill for kill in self.kills if kill.by_parent), None)
        if parent:
            most = f" of {size(parent.limit)}" if parent.limit else ""
            return f"the limit{most} of the cgroup above it, {parent.limit_of}"
        if self.is_of_host:
            return "the host had no memory left"
        if not memory:
            return "it has no limit of its own"
        files = ""
        if self.is_led_by_files:
            largest = max(self.areas, key=lambda area: area.usage.used)
            files = f", and {largest.path}, which is in memory, holds {size(largest.usage.used)}"
        return f"its limit is {size(memory)}{files}"


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
    SIGKILL and never counts. The check is silent once the limit was raised after the last kill and
    the container runs. A counter without a time may be old and is advice. With `--oom-kill-disable`
    (cgroup version 1) nothing is killed: the container hangs at its limit until it gets more.
    Files in a tmpfs and in /dev/shm count as memory, and are named where they take a quarter of the
    limit.
    """
    kills = _recent_kills(kernel_log, clock, options)
    areas = by_key((area.container.id, area) for area in in_memory or ())
    remembered = events if isinstance(events, Events) else Events(())
    for container in containers:
        oom = _Oom(
            container=container,
            flag=container.state.oom_killed,
            kills=tuple(kills.get(container.id, ())),
            events=remembered.of(container.id, "oom"),
            failures=remembered.failures(container.id),
            group=cgroups.of(container) if cgroups is not None else None,
            areas=tuple(areas.get(container.id, ())),
        )
        if oom.is_seen and not _is_answered(oom, remembered):
            yield _finding(oom, clock, options.since_s)
    if isinstance(events, Unavailable) and isinstance(kernel_log, Unavailable):
        return events
    return None


def _recent_kills(
    kernel_log: KernelLog | Unavailable, clock: Clock, options: Options
) -> dict[str, list[OomKill]]:
    """The kills of the looked-at time that the kernel has logged, by the id of the container."""
    if isinstance(kernel_log, Unavailable):
        return {}
    return by_key(
        (kill.container, kill)
        for kill in kernel_log.oom_kills
        if kill.container and clock.wall - kill.at <= options.since_s
    )


def _is_answered(oom: _Oom, events: Events) -> bool:
    """Whether the limit was raised since the last kill, and the container runs."""
    if not oom.container.is_running or oom.hangs:
        return False
    if oom.is_below_its_limit:
        return True
    if not oom.moments:
        return False
    last = oom.moments[-1]
    if any(event.at > last for event in events.of(oom.container.id, "update")):
        return True
    hit = [kill.limit for kill in oom.kills if kill.limit and not kill.by_parent]
    now = oom.container.host_config.memory
    return bool(hit) and (now == 0 or now > hit[-1])


def _finding(oom: _Oom, clock: Clock, since_s: float) -> Finding:
    container = oom.container
    severity, what = _outcome(oom, clock, since_s)
    finding = Finding.about(
        container,
        f"{container} {what}: {oom.limit}",
        _evidence(oom, clock),
        severity=severity,
        onset=oom.moments[0] if oom.moments else None,
    )
    return finding.with_variables(_bounded(oom) | _more_room(oom))


def _more_room(oom: _Oom) -> dict[str, str]:
    """The variables that give the container more memory, by whose limit was reached.

    A limit of the container's own does not help where that of a cgroup above it is lower.
    """
    limits = [kill.limit_of for kill in oom.kills if kill.by_parent]
    if not limits:
        return {"memory": _roomier(oom)}
    parent = limits[-1].rpartition("/")[2]
    if parent.endswith(".slice"):
        return {"slice": parent, "roomier": f"MemoryMax={_roomier(oom).upper()}"}
    if oom.container.host_config.cgroup_parent:
        return {"option": "cgroup-parent"}
    return {}


def _bounded(oom: _Oom) -> dict[str, str]:
    """The variable that gives a tmpfs a size, where it has none below the container's limit."""
    memory = oom.container.host_config.memory
    if not oom.is_led_by_files:
        return {}
    most = max(oom.areas, key=lambda area: area.usage.used)
    if most.is_shm or most.usage.size < memory:
        return {}
    return {"tmpfs": f"{most.path}:size={max(memory // 2 // MIB, 1)}m"}


def _outcome(oom: _Oom, clock: Clock, since_s: float) -> tuple[Severity, str]:
    """How bad it is, and what became of the container."""
    container = oom.container
    if oom.hangs:
        return Severity.critical, "hangs at its memory limit, because its OOM killer is off"
    last = oom.moments[-1] if oom.moments else None
    age = clock.age(last)
    is_recent = age is not None and age <= since_s
    when = f" {ago(age)} ago" if age is not None else ""
    if not container.is_running and container.state.exit_code != 0:
        return (
            Severity.critical if is_recent else Severity.advice
        ), f"ran out of memory and was killed{when}"
    if not container.is_running:
        return (
            Severity.advice,
            f"ran out of memory{when}, lost a process and exited with code 0",
        )
    if last is None:
        return _outcome_without_time(oom, clock, since_s)
    if last < (container.started_at or 0.0):
        return Severity.warning, f"ran out of memory, was killed{when} and started again"
    severity = Severity.warning if is_recent else Severity.advice
    return severity, f"ran out of memory{when}, lost a process and is still running"


def _outcome_without_time(oom: _Oom, clock: Clock, since_s: float) -> tuple[Severity, str]:
    """The same for a container that runs, where no source says when the kill was."""
    if oom.is_of_earlier_run:
        return Severity.advice, "ran out of memory and lost a process in an earlier run"
    is_young = (clock.age(oom.container.started_at or 0.0) or 0.0) <= since_s
    severity = Severity.warning if is_young else Severity.advice
    return severity, "ran out of memory and lost a process at an unknown time"


def _evidence(oom: _Oom, clock: Clock) -> dict[str, object]:
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
        when = ago(clock.wall - kill.at)
        evidence["kernel log"] = (
            f"killed {times(len(oom.kills))}, last {when} ago: {kill.task} (pid {kill.pid}){usage}"
        )
    if oom.events:
        evidence["event oom"] = f"last {ago(clock.wall - oom.events[-1].at)} ago"
    memory = oom.container.host_config.memory
    evidence["HostConfig.Memory"] = size(memory) if memory else "0 (none)"
    return evidence


def _roomier(oom: _Oom) -> str:
    """Twice the limit that was hit, as `docker update` takes it.

    Half a gibibyte where there is no limit to double.
    """
    hit = oom.container.host_config.memory or next(
        (kill.limit for kill in oom.kills if kill.limit), None
    )
    return f"{max(hit * 2 // MIB, 32)}m" if hit else "512m"
