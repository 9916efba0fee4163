"""Limits of containers: missing, reached, or holding work back."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable

from checks.resources._words import MIB
from diagnose.error_signatures import signs
from diagnose.evidence.containers.cgroups import SAMPLE_S, Cgroups, CgroupStats, Throttling
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.containers.programs import REFUSED
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.descriptors import Crowded, OpenFiles
from diagnose.evidence.machine.host_limits import HostLimits
from diagnose.evidence.machine.pressure import HostMemory
from diagnose.evidence.run.options import Options
from diagnose.model import DAEMON, HOST, Count, Finding, Percent, Severity, Unavailable
from diagnose.phrases import ago, size
from diagnose.registry import check

TOO_MANY = re.compile(r"too many open files|\bEMFILE\b|no file descriptors", re.IGNORECASE)
_INSTANCE = re.compile(r"inotify|fsnotify|\bwatch(?:er)?s?['\")]*: (?:too many open files|EMFILE)", re.IGNORECASE)
_WATCHES = r"(?:inotify|watch(?:es|ers)?)\b"
_REACHED = re.compile(
    rf"\blimit\b[^\n]{{0,40}}\b{_WATCHES}[^\n]{{0,40}}\b(?:reached|exceeded)|\b{_WATCHES}(?: \w+)? limit[^\n]{{0,20}}\b(?:reached|exceeded)"
    r"|inotify resources exhausted",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(?:inotify|\bwatch(?:e[rs]s?|ing)?\b).*(?:no space left on device|\bENOSPC\b)|\bENOSPC\b.*(?:inotify|\bwatch\b)",
    re.IGNORECASE,
)
_WRITING = re.compile(r"\b(?:writ|copy|sync|renam|mkdir)", re.IGNORECASE)
"""A watcher that writes has met a full disk."""


@check("resources.no-limits", severity=Severity.advice, posture=True)
def no_limits(
    containers: Containers, cgroups: Cgroups | Unavailable, host_memory: HostMemory | Unavailable
) -> Iterable[Finding]:
    """A container may take all of the host's memory.

    No memory limit of its own, and none found in its cgroup or given to its cgroup parent. A limit of a cgroup
    further up that the engine did not set is not seen. Whether the CPU is limited is said beside it: a missing CPU
    limit alone is no finding, since CPU is shared out fairly and memory is not.
    """
    for each in containers.running:
        config = each.host_config
        group = None if isinstance(cgroups, Unavailable) else cgroups.of(each)
        if config.memory or config.cgroup_parent or (group and group.memory.limit):
            continue
        cpu = config.nano_cpus or config.cpu_quota > 0 or config.cpuset_cpus
        held = group.memory.working_set if group else None
        evidence: dict[str, object] = {
            "HostConfig.Memory": "0 (none)",
            "HostConfig.NanoCpus": config.nano_cpus or "0 (none)",
        }
        if held is not None:
            evidence["working set"] = size(held)
        if isinstance(host_memory, HostMemory):
            evidence["memory of the host"] = size(host_memory.total)
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} has no memory limit{'' if cpu else ' and no CPU limit'}",
            evidence=evidence,
            variables={"container": each.name, "memory": _suggested(held)},
            service=each.service,
        )


def _suggested(held: int | None) -> str:
    """Twice what it holds now, at least 256 MiB."""
    return f"{max(256, 2 * (held or 0) // MIB)}m"


@check("resources.cpu-throttled", severity=Severity.warning)
def cpu_throttled(
    containers: Containers,
    cgroups: Cgroups,
    throttling: Throttling,
    info: Info | Unavailable,
    *,
    share: Percent = Percent(25),
    fewest: Count = Count(3),
) -> Iterable[Finding]:
    """A container is throttled at its CPU limit.

    Two samples half a second apart: the share of periods in which the kernel stopped it. The counters since its
    start only choose whom to sample. A burst that falls into the half second is taken for a habit; the counters
    beside it tell.
    """
    for each in containers.running:
        periods, throttled = throttling.by_id.get(each.id, (0, 0))
        group = cgroups.of(each)
        if group is None or periods < fewest or 100 * throttled < share * periods:
            continue
        cpus = (group.cpu.quota_us or 0) / (group.cpu.period_us or 1)
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} is throttled at its limit of {cpus:g} CPUs in {throttled} of {periods} periods",
            evidence={
                f"cpu.stat, within {SAMPLE_S:g} s": f"{throttled} of {periods} periods throttled",
                "since its start": _since_start(group),
                "limit": f"{cpus:g} CPUs",
            },
            variables={"container": each.name, "cpus": _more_cpus(cpus, info)},
            signs=frozenset({"probe-timeout"}),
            service=each.service,
        )


def _more_cpus(cpus: float, info: Info | Unavailable) -> str:
    """Twice the limit, one at least, and no more than the host has: the engine refuses that."""
    most = info.ncpu if isinstance(info, Info) and info.ncpu else 1
    return f"{min(max(cpus * 2, 1), most):g}"


def _since_start(group: CgroupStats) -> str:
    return f"{group.cpu.throttled} of {group.cpu.periods} periods, {ago((group.cpu.throttled_us or 0) / 1e6)} in all"


@check("resources.pids-exhausted", severity=Severity.critical, caused_by=["container.zombies"])
def pids_exhausted(
    containers: Containers,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | Unavailable,
    events: Events | Unavailable,
    log_tails: LogTails | Unavailable,
    host_limits: HostLimits | Unavailable,
    *,
    near: Percent = Percent(90),
) -> Generator[Finding, None, Unavailable | None]:
    """A container, or the host, cannot start more processes.

    Running: at `near` percent of its pids limit, or the kernel has refused it a fork (a counter of this run, whose
    moment is not known: advice when the run is older than the looked-at time). Ended: its last words say so and it
    has a limit; its cgroup is gone by then. The host: tasks against kernel.pid_max and threads-max. Zombies count.
    """
    for each in containers:
        group = None if isinstance(cgroups, Unavailable) else cgroups.of(each)
        limit = group.pids.max if group else each.host_config.pids_limit or 0
        if not limit or limit < 0:
            continue
        if group:
            current, refused = group.pids.current or 0, group.pids.events_max or 0
            full = 100 * current >= near * limit
            raised = isinstance(events, Events) and events.of(each.id, "start", "update")[-1:]
            if full or (refused and not (raised and raised[0].action == "update")):
                yield _pids_finding(each, current, limit, refused, full, clock, options.since_s)
        elif not isinstance(log_tails, Unavailable):
            line = next((line for line in reversed(log_tails.of(each).lines) if "no-fork" in signs(line)), "")
            if line and not REFUSED.search(line):  # what is refused to run at all meets a limit of its user
                yield Finding(
                    subject=each.subject,
                    summary=f"{each.name} ended because it could start no more than {limit} processes",
                    evidence={"log": line[:300], "HostConfig.PidsLimit": limit},
                    variables={"container": each.name, "pids": str(limit * 2)},
                    signs=frozenset({"no-fork"}),
                    onset=each.failed_first,
                    service=each.service,
                )
    if isinstance(host_limits, Unavailable):
        return host_limits
    tasks, most = host_limits.tasks, host_limits.tasks_max
    if tasks and most and 100 * tasks >= near * most:
        yield Finding(
            subject=HOST,
            summary=f"the host runs {tasks} of the {most} tasks that its kernel allows",
            evidence={"/proc/loadavg": f"{tasks} tasks", "lower of kernel.pid_max, kernel.threads-max": most},
            variables=_most_tasks(containers, cgroups),
        )
    return None


def _most_tasks(containers: Containers, cgroups: Cgroups | Unavailable) -> dict[str, str]:
    """The container to be held at what it has now, where the host as a whole has too many."""
    counts = [
        (group.pids.current or 0, each.name)
        for each in containers.running
        if isinstance(cgroups, Cgroups) and (group := cgroups.of(each))
    ]
    if not counts:
        return {}
    count, name = max(counts)
    return {"container": name, "pids": str(count)}


def _pids_finding(
    each: Container, current: int, limit: int, refused: int, full: bool, clock: Clock, since_s: float
) -> Finding:
    recent = (clock.age(each.started_at) or 0.0) <= since_s
    if full:
        summary = f"{each.name} runs {current} of the {limit} processes it may have"
        severity = Severity.critical if refused else Severity.warning
    else:
        summary = f"{each.name} was refused a process {refused} times at its limit of {limit}"
        severity = Severity.warning if recent else Severity.advice
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence={"pids.current": current, "pids.max": limit, "pids.events max": refused},
        variables={"container": each.name, "pids": str(limit * 2)},
        severity=severity,
        signs=frozenset({"no-fork"}),
        service=each.service,
    )


def _said_so(each: Container, what: str, line: str, more: dict[str, object]) -> Finding:
    return Finding(
        subject=each.subject,
        summary=f"{each.name} {what}",
        evidence={"log": line[:300], **more},
        variables={"container": each.name, "limited": each.name, "files": _more_files(each, 0)},
        onset=each.failed_first,
        service=each.service,
    )


def _more_files(container: Container, limit: int) -> str:
    """Four times its limit of open files as `--ulimit` takes it. limit: what was seen; 0 for the one that it was created with."""
    own = next((row.get("Soft") for row in container.host_config.ulimits or () if row.get("Name") == "nofile"), None)
    known = limit or own or 0
    least = 1024
    files = max(least, 4 * known) if known else 65_536
    return f"nofile={files}:{files}"


def _knob(line: str) -> str:
    """Which limit of inotify a line is about, as fs.inotify has it; empty if it is none: the bare word says nothing."""
    if TOO_MANY.search(line):
        return "max_user_instances" if _INSTANCE.search(line) else ""
    if _REACHED.search(line):
        return "max_user_instances" if re.search("instances|resources", line, re.IGNORECASE) else "max_user_watches"
    return "max_user_watches" if _FULL.search(line) and not _WRITING.search(line) else ""


def _unwatched(each: Container, line: str, knob: str) -> Finding:
    """The kernel has one word for too many instances of a user and too many files of a process."""
    own = ", or its own of open files" if knob == "max_user_instances" else ""
    return Finding(
        subject=each.subject,
        summary=f"{each.name} could watch no more files: it met a limit of inotify that it shares with others{own}",
        evidence={"log": line[:300], "limit": f"fs.inotify.{knob}"},
        variables={"container": each.name, "inotify": knob},
        onset=each.failed_first,
        service=each.service,
    )


def _crowded(each: Container, fullest: Crowded) -> Finding:
    return Finding(
        subject=each.subject,
        summary=f"{fullest.comm or 'a process'} of {each.name} has {fullest.open} of the {fullest.limit} files open that"
        " it may",
        evidence={
            f"/proc/{fullest.pid}/fd": fullest.open,
            f"/proc/{fullest.pid}/limits, open files": fullest.limit,
        },
        variables={"container": each.name, "limited": each.name, "files": _more_files(each, fullest.limit)},
        severity=Severity.critical if fullest.open >= fullest.limit else Severity.warning,
        signs=frozenset({"open-files"}),
        stable=(each.life,),
        service=each.service,
    )


@check("resources.open-files-exhausted", severity=Severity.critical)
def open_files_exhausted(
    containers: Containers,
    log_tails: LogTails | Unavailable,
    host_limits: HostLimits | Unavailable,
    open_files: OpenFiles | Unavailable,
    *,
    near: Percent = Percent(90),
) -> Generator[Finding, None, Unavailable | None]:
    """A container, the engine, or the host cannot open more files.

    Containers: the last log lines of those that failed, restarted or are unhealthy say "too many open files", or that
    a limit of inotify is reached; of those that go on, a process has as many open as its soft limit lets it, which is a
    warning while a few are left. The engine: descriptors of dockerd and containerd against their soft limit. The
    host: fs.file-nr. Who may not count descriptors sees the log lines alone. Engine 29's containerd gives containers a
    soft limit of 1024.
    """
    crowded = open_files.by_container if isinstance(open_files, OpenFiles) else {}
    for each in containers:
        words = LogTail(()) if isinstance(log_tails, Unavailable) else log_tails.of(each)
        fullest = crowded.get(each.id)
        full = fullest is not None and 100 * fullest.open >= near * fullest.limit
        line = next((said for said in reversed(words.lines) if TOO_MANY.search(said) or _knob(said)), "")
        knob = _knob(line)
        if knob and not (full and TOO_MANY.search(line)):
            yield _unwatched(each, line, knob)
        elif line:
            limit = next((u for u in each.host_config.ulimits or () if u.get("Name") == "nofile"), {}).get("Soft")
            own = f", its limit is {limit}" if limit else ""
            yield _said_so(
                each, f"could open no more files{own}", line, {"HostConfig.Ulimits nofile": limit or "not set"}
            )
        elif fullest and full:
            yield _crowded(each, fullest)
    if isinstance(host_limits, Unavailable):
        return host_limits
    for engine in host_limits.engines:
        if engine.open and engine.limit and 100 * engine.open >= near * engine.limit:
            yield Finding(
                subject=DAEMON,
                summary=f"{engine.comm} has {engine.open} of the {engine.limit} files open that it may",
                evidence={f"/proc/{engine.pid}/fd": engine.open, f"/proc/{engine.pid}/limits": engine.limit},
                discriminator=engine.comm,
            )
    files, most = host_limits.files, host_limits.files_max
    if files and most and 100 * files >= near * most:
        yield Finding(
            subject=HOST,
            summary=f"the host has {files} of the {most} files open that its kernel allows",
            evidence={"fs.file-nr": f"{files} of {most}"},
        )
    return None
