"""Containers that do not stay: killed for memory, restarted over and over, given up."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence

import msgspec

from checks.container._words import (
    APPLICATION_CAUSES,
    PEER_CAUSES,
    not_running,
    peers,
    quoted,
    subjects_of,
    times,
    took,
    words_of,
)
from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.containers.stops import Stops
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.run.options import Options
from diagnose.model import Count, Finding, Seconds, Severity, Unavailable
from diagnose.phrases import ago, size, unix
from diagnose.registry import check

KILLED = 137
BY_SIGNAL = (130, KILLED, 143)
"""What programs end with that were told to end: by SIGINT, SIGKILL, SIGTERM."""
MIB = 1024 * 1024
HIT = 0.95
"""Share of a limit that a cgroup has held at least when the kernel killed at that limit."""
ROW_S = 120.0
"""Failures with more than this between them are not of one row: twice the engine's longest back-off."""


class _Oom(msgspec.Struct, frozen=True):
    """What the four sources say of one container."""

    container: Container
    flag: bool
    counter: int
    kills: tuple[OomKill, ...]
    events: tuple[Event, ...]
    ends: tuple[Event, ...]
    group: CgroupStats | None

    @property
    def seen(self) -> bool:
        return self.flag or self.counter > 0 or bool(self.kills) or bool(self.events)

    @property
    def moments(self) -> list[float]:
        """Unix times of what has a time, the first first."""
        known = [*(each.at for each in self.kills), *(each.at for each in self.events)]
        if not known and self.flag:
            known = [each.at for each in self.ends if each.exit_code == KILLED][-1:]
        if not known and self.flag and not self.container.is_running and self.container.finished_at:
            known = [self.container.finished_at]
        return sorted(known)

    @property
    def of_host(self) -> bool:
        """Every kill that the kernel explains was for want of memory on the host."""
        return bool(self.kills) and all(each.of_host for each in self.kills)

    @property
    def below_its_limit(self) -> bool:
        """It was killed in this run at a limit, and has never since its start held what it may hold now."""
        if not self.group or not self.counter or any(each.of_host or each.by_parent for each in self.kills):
            return False
        most, limit = self.group.memory.max_usage, self.group.memory.limit
        return most is not None and limit is not None and most < HIT * limit

    @property
    def of_earlier_run(self) -> bool:
        """Only the flag tells, and no kill was counted since its start: engine 20.10 keeps the flag over a start."""
        return self.flag and self.counter == 0 and self.group is not None and not self.moments

    @property
    def limit(self) -> str:
        memory = self.container.host_config.memory
        parent = next((each for each in self.kills if each.by_parent), None)
        if parent:
            most = f" of {size(parent.limit)}" if parent.limit else ""
            return f"the limit{most} of the cgroup above it, {parent.limit_of}"
        if self.of_host:
            return "the host had no memory left"
        return f"its limit is {size(memory)}" if memory else "it has no limit of its own"


@check("container.oom-killed", severity=Severity.critical, caused_by=["resources.host-oom"])
def oom_killed(
    containers: Containers,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | Unavailable,
    events: Events | Unavailable,
    kernel_log: KernelLog | Unavailable,
) -> Generator[Finding, None, Unavailable | None]:
    """The kernel killed a process of a container that had run out of memory.

    Four sources, each blind somewhere: State.OOMKilled is erased by the next start (on 20.10 it outlives it, and
    stays false when only a child was killed); the cgroup's counter ends with the run; the engine forgets events;
    the kernel log needs root. Exit code 137 alone says only SIGKILL and never counts. Silent once the limit was
    raised after the last kill and the container runs. A counter without a time may be old: advice then.
    """
    kills: dict[str, list[OomKill]] = {}
    for kill in () if isinstance(kernel_log, Unavailable) else kernel_log.oom_kills:
        if kill.container and clock.wall - kill.at <= options.since_s:
            kills.setdefault(kill.container, []).append(kill)
    for each in containers:
        group = None if isinstance(cgroups, Unavailable) else cgroups.of(each)
        oom = _Oom(
            each,
            each.state.oom_killed,
            (group.memory.oom_kill or 0) if group else 0,
            tuple(kills.get(each.id, ())),
            () if isinstance(events, Unavailable) else events.of(each.id, "oom"),
            () if isinstance(events, Unavailable) else events.failures(each.id),
            group,
        )
        if oom.seen and not _answered(oom, events):
            yield _oom_finding(oom, clock, options.since_s)
    return events if isinstance(events, Unavailable) and isinstance(kernel_log, Unavailable) else None


def _answered(oom: _Oom, events: Events | Unavailable) -> bool:
    """Whether its limit was raised since, and it runs."""
    if not oom.container.is_running:
        return False
    if oom.below_its_limit:
        return True
    if not oom.moments:
        return False
    last = oom.moments[-1]
    updates = () if isinstance(events, Unavailable) else events.of(oom.container.id, "update")
    if any(each.at > last for each in updates):
        return True
    hit = [each.limit for each in oom.kills if each.limit and not each.by_parent]
    now = oom.container.host_config.memory
    return bool(hit) and (now == 0 or now > hit[-1])


def _oom_finding(oom: _Oom, clock: Clock, since_s: float) -> Finding:
    each = oom.container
    last = oom.moments[-1] if oom.moments else None
    age = clock.age(last)
    recent = age is not None and age <= since_s
    started = each.started_at or 0.0
    when = f" {ago(age)} ago" if age is not None else ""
    if not each.is_running and each.state.exit_code != 0:
        severity = Severity.critical if recent else Severity.advice
        summary = f"{each.name} ran out of memory and was killed{when}: {oom.limit}"
    elif each.is_running and last is not None and last < started:
        severity = Severity.warning
        summary = f"{each.name} ran out of memory, was killed{when} and started again: {oom.limit}"
    elif each.is_running and last is None:
        young = (clock.age(started) or 0.0) <= since_s
        severity = Severity.warning if young and not oom.of_earlier_run else Severity.advice
        time = "in an earlier run" if oom.of_earlier_run else "at an unknown time"
        summary = f"{each.name} ran out of memory and lost a process {time}: {oom.limit}"
    else:
        severity = Severity.warning if each.is_running and recent else Severity.advice
        going = "runs on" if each.is_running else "ended well"
        summary = f"{each.name} ran out of memory{when}, lost a process and {going}: {oom.limit}"
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence=_oom_evidence(oom, clock),
        variables={"container": each.name, "memory": _roomier(oom)},
        severity=severity,
        onset=oom.moments[0] if oom.moments else None,
        service=each.service,
    )


def _oom_evidence(oom: _Oom, clock: Clock) -> dict[str, object]:
    state = oom.container.state
    found: dict[str, object] = {
        "State": f"{state.status}, exit code {state.exit_code}, OOMKilled {str(state.oom_killed).lower()}"
    }
    if oom.group:
        counter = "memory.events" if oom.group.version == 2 else "memory.oom_control"
        found[f"cgroup {counter} oom_kill"] = oom.counter
    if oom.kills:
        kill = oom.kills[-1]
        held = f" holding {size(kill.rss)}" if kill.rss is not None else ""
        found["kernel log"] = (
            f"killed {times(len(oom.kills))}, last {ago(clock.wall - kill.at)} ago: {kill.task} (pid {kill.pid}){held}"
        )
    if oom.events:
        found["event oom"] = f"last {ago(clock.wall - oom.events[-1].at)} ago"
    found["HostConfig.Memory"] = (
        size(oom.container.host_config.memory) if oom.container.host_config.memory else "0 (none)"
    )
    return found


def _roomier(oom: _Oom) -> str:
    """Twice the limit that was hit, as `docker update` takes it; half a gibibyte where there is no limit to
    double.
    """
    hit = oom.container.host_config.memory or next((each.limit for each in oom.kills if each.limit), None)
    return f"{max(hit * 2 // MIB, 32)}m" if hit else "512m"


@check(
    "container.restart-loop",
    severity=Severity.critical,
    caused_by=[*APPLICATION_CAUSES, *PEER_CAUSES, "container.exits-at-start"],
)
def restart_loop(
    containers: Containers,
    clock: Clock,
    events: Events | Unavailable,
    last_words: LogTails | Unavailable,
    log: DaemonLog | Unavailable,
    stops: Stops | Unavailable,
    *,
    restarts: Count = Count(3),
    window: Seconds = Seconds(3600),
    steady: Seconds = Seconds(60),
) -> Iterable[Finding]:
    """A container exits and is restarted, over and over.

    Judged from the engine's count, its times and its events, never by waiting. A high count with a long run since is
    history: silent. A swarm replaces containers, so its tasks are counted by their slot, without those that it ended itself
    for an update. Where health checks have pushed the events out, the daemon's log tells of the ends; where that is lost
    too, a pause before the last start as long as the engine's back-off after three short runs (100 ms, doubled each time)
    stands for them. A container that crashes less often than three times in the window is not seen; one that works for
    `steady` or longer, ends well and is started anew, as workers do that recycle themselves, is advice.
    """
    for each in containers:
        ends = _recent_ends(each, events, log, clock, window)
        if each.restarts_always and _loops(each, ends.at, clock, events, restarts, steady):
            words = words_of(last_words, each)
            failed = words if each.state.status == "restarting" else words.before_this_run
            yield _loop_finding(each, ends, clock, failed, containers, steady)
    asked = stops.by_id if isinstance(stops, Stops) else {}
    failed_tasks = [each for each in containers if each.state.status == "exited" and not _was_replaced(each, asked)]
    yield from _churning_tasks(containers, failed_tasks, clock, last_words, restarts, window, steady)


class _Ends(msgspec.Struct, frozen=True):
    """The recent ends of a container that nobody asked for. at: Unix times, oldest first. code: the last one's exit code, where
    it is known. source: who tells."""

    at: tuple[float, ...]
    code: int | None
    source: str


def _recent_ends(
    each: Container, events: Events | Unavailable, log: DaemonLog | Unavailable, clock: Clock, window: float
) -> _Ends:
    failures = () if isinstance(events, Unavailable) else events.failures(each.id)
    recent = [end for end in failures if clock.wall - end.at <= window]
    code = recent[-1].exit_code if recent else None
    logged = () if isinstance(log, Unavailable) else log.ends.get(each.id, ())
    # a start by hand sets the count back: so many of the last ends were followed by a restart of the engine's own
    counted = [at for at in logged[-each.restart_count :] if clock.wall - at <= window] if each.restart_count else []
    if len(counted) > len(recent):
        return _Ends(tuple(counted), code, "daemon log")
    return _Ends(tuple(end.at for end in recent), code, "events die")


def _loops(
    each: Container, ends: Sequence[float], clock: Clock, events: Events | Unavailable, restarts: int, steady: float
) -> bool:
    if each.state.status == "restarting":
        return each.restart_count >= restarts
    if each.state.status != "running" or each.restart_count < restarts:
        return False
    up = clock.age(each.started_at) or 0.0
    if len(ends) >= restarts:
        return up < max(steady, 2 * _pause(ends))
    remembers = isinstance(events, Events) and (events.complete_since or 0.0) < clock.wall - 2 * steady
    if remembers or up >= steady or each.finished_at is None or each.started_at is None:
        return False
    return 0.7 <= each.started_at - each.finished_at <= steady + 5


def _pause(ends: Sequence[float]) -> float:
    """Mean seconds between two failures."""
    return (ends[-1] - ends[0]) / max(1, len(ends) - 1)


def _loop_finding(
    each: Container, ends: _Ends, clock: Clock, words: LogTail, containers: Containers, steady: float
) -> Finding:
    restarting = each.state.status == "restarting"
    # inspect says 0 while it runs, whatever the run before ended with
    code = each.state.exit_code if restarting else ends.code
    run = each.ran_for if restarting else None
    lasted = f" after {took(run)}" if run is not None else ""
    if code == 0:
        summary = f"{each.name} exits successfully{lasted} and is started again, {times(each.restart_count)} so far"
        works = (_pause(ends.at) if run is None else run) >= steady
        severity = Severity.advice if works else Severity.warning
    else:
        said = f"keeps failing: exit code {code}{lasted}" if code is not None else "does not stay up"
        summary = f"{each.name} {said}, restarted {times(each.restart_count)}"
        # where its exit codes are lost, it may be a worker that recycles itself
        slow = not restarting and len(ends.at) > 1 and _pause(ends.at) > (steady if code is None else ROW_S)
        severity = Severity.warning if slow else Severity.critical
    evidence: dict[str, object] = {
        "State": f"{each.state.status}, exit code {each.state.exit_code}",
        "RestartCount": each.restart_count,
    }
    if ends.at:
        evidence[ends.source] = f"{len(ends.at)} unasked for in the last {ago(clock.wall - ends.at[0])}"
    callees = peers(words.lines, each, containers)
    evidence |= quoted(words) | not_running(callees, clock)
    evidence["HostConfig.RestartPolicy"] = each.host_config.restart_policy.name
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence=evidence,
        variables={"container": each.name, "policy": _policy(each)},
        severity=severity,
        calls=subjects_of(callees),
        signs=words.signs,
        onset=_since(ends.at) if ends.at else each.finished_at,
        service=each.service,
    )


def _since(ends: Sequence[float]) -> float:
    """Unix time of the first failure of the present row: those between which no long run lies."""
    begin = ends[-1]
    for earlier in reversed(ends[:-1]):
        if begin - earlier > ROW_S:
            break
        begin = earlier
    return begin


def _policy(each: Container) -> str:
    """The restart policy as `docker update --restart` takes it."""
    policy = each.host_config.restart_policy
    return f"{policy.name}:{policy.maximum_retry_count}" if policy.maximum_retry_count else policy.name


def _slot(each: Container) -> str:
    """Service and slot of a swarm's task (api.1), which every container of that task has; empty for others."""
    return each.labels.get("com.docker.swarm.task.name", "").rpartition(".")[0]


def _was_replaced(each: Container, asked: Mapping[str, bool]) -> bool:
    """Whether somebody asked for its end; where nobody remembers, whether it ended as by a signal to end."""
    return asked.get(each.id, each.state.exit_code in BY_SIGNAL and not each.state.oom_killed)


def _churning_tasks(
    containers: Containers,
    ended: Iterable[Container],
    clock: Clock,
    last_words: LogTails | Unavailable,
    restarts: int,
    window: float,
    steady: float,
) -> Iterable[Finding]:
    slots: dict[str, list[Container]] = {}
    for each in ended:
        if _slot(each) and each.state.exit_code and _age(clock, each) <= window:
            slots.setdefault(_slot(each), []).append(each)
    served = {_slot(each) for each in containers.running if (clock.age(each.started_at) or 0.0) >= steady}
    for slot, failed in slots.items():
        failed.sort(key=lambda task: task.finished_at or 0.0)
        if len(failed) >= restarts and slot not in served:
            last = failed[-1]
            words = words_of(last_words, last)
            code, span = last.state.exit_code, ago(_age(clock, failed[0]))
            yield Finding(
                subject=last.subject,
                summary=f"swarm task {slot} keeps failing: exit code {code}, replaced {times(len(failed))} in {span}",
                evidence={
                    "failed tasks": len(failed),
                    "State": f"exited, exit code {last.state.exit_code} after {took(last.ran_for)}",
                    **quoted(words),
                },
                variables={"container": last.name, "service": last.labels.get("com.docker.swarm.service.name", slot)},
                signs=words.signs,
                onset=last.finished_at,
                service=last.service,
            )


def _age(clock: Clock, each: Container) -> float:
    age = clock.age(each.finished_at)
    return float("inf") if age is None else age


@check(
    "container.restarts-exhausted",
    severity=Severity.critical,
    caused_by=[
        *APPLICATION_CAUSES,
        "container.entrypoint-forbidden",
        "container.entrypoint-missing",
        "container.oom-killed",
        "container.runtime-limit-hit",
    ],
)
def restarts_exhausted(
    containers: Containers,
    clock: Clock,
    last_words: LogTails | Unavailable,
    events: Events | Unavailable,
    *,
    forgotten: Seconds = Seconds(604800),
) -> Iterable[Finding]:
    """A container failed as often as its restart policy allows, and stays down.

    Policy on-failure with a maximum that RestartCount has reached. One stopped by hand is silent as long as the
    engine remembers it; one that lies there for a week is advice.
    """
    for each in containers:
        policy = each.host_config.restart_policy
        most = policy.maximum_retry_count
        if policy.name != "on-failure" or not most or each.restart_count < most:
            continue
        if each.state.status != "exited" or each.state.exit_code == 0 or _stopped(events, each):
            continue
        words = words_of(last_words, each)
        callees = peers(words.lines, each, containers)
        age = _age(clock, each)
        since = f" {ago(age)} ago" if age != float("inf") else ""
        ended = f"exit code {each.state.exit_code} after {took(each.ran_for)}"
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} was given up{since} after {most} restart{'' if most == 1 else 's'}: {ended}",
            evidence={
                "State": f"exited, exit code {each.state.exit_code}",
                "RestartCount": each.restart_count,
                "HostConfig.RestartPolicy": f"on-failure:{most}",
                **quoted(words),
                **not_running(callees, clock),
            },
            variables={"container": each.name},
            severity=Severity.advice if age > forgotten else Severity.critical,
            calls=subjects_of(callees),
            signs=words.signs,
            onset=unix(each.state.finished_at),
            service=each.service,
        )


def _stopped(events: Events | Unavailable, each: Container) -> bool:
    return isinstance(events, Events) and events.was_stopped(each.id)
