"""Memory, CPU, processes and open files that run out, of containers and of the host."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from diagnose.evidence.cgroups import SAMPLE_S, Cgroups, Group, Throttling
from diagnose.evidence.clock import Clock
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.events import Events
from diagnose.evidence.host_limits import HostLimits
from diagnose.evidence.info import Info
from diagnose.evidence.kernel_log import KernelLog
from diagnose.evidence.last_words import LastWords
from diagnose.evidence.options import Options
from diagnose.evidence.pressure import HostMemory, Pressure
from diagnose.evidence.processes import Processes
from diagnose.model import DAEMON, HOST, Count, Finding, Percent, Seconds, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check
from diagnose.times import ago, size

MIB = 1024 * 1024
EATERS = 5
ANY = "NAME"
"""Stands in a page's commands for a container that a finding about the host cannot name."""


@check(
    "resources.host-oom",
    severity=Severity.critical,
    caused_by=["resources.memory-scarce"],
)
def host_oom(
    containers: Containers | Unavailable,
    kernel_log: KernelLog,
    clock: Clock,
    options: Options,
    *,
    fresh: Seconds = Seconds(3600),
) -> Iterable[Finding]:
    """The host ran out of memory and the kernel killed a process.

    From the kernel log: `constraint=CONSTRAINT_NONE`; kills at a container's own limit are `container.oom-killed`.
    Critical for `fresh` seconds, a warning for the rest of the looked-at time.
    """
    kills = [kill for kill in kernel_log.oom_kills if kill.of_host and clock.wall - kill.at <= options.since_s]
    if not kills:
        return
    names = {} if isinstance(containers, Unavailable) else {each.id: each for each in containers}
    victims = {kill.container: names[kill.container] for kill in kills if kill.container in names}
    last = kills[-1]
    age = clock.wall - last.at
    who = names[last.container].short if last.container in names else "the host"
    held = f" holding {size(last.rss)}" if last.rss is not None else ""
    yield Finding(
        subject=HOST,
        summary=f"the host ran out of memory {ago(age)} ago: the kernel killed {last.task} of {who}{held}",
        evidence={
            "kernel log": f"{len(kills)} kills, constraint=CONSTRAINT_NONE, last pid {last.pid} ({last.task})",
            "victims": [f"{kill.task} of {_owner(names, kill.container)}" for kill in kills[-EATERS:]],
        },
        severity=Severity.critical if age <= fresh else Severity.warning,
        touches=(*(each.subject for each in victims.values()), *((DAEMON,) if _engine_hit(last.task) else ())),
        onset=kills[0].at,
    )


def _owner(names: dict[str, Container], id: str) -> str:
    if id in names:
        return names[id].short
    return f"container {id[:12]}" if id else "the host"


def _engine_hit(task: str) -> bool:
    return task in ("dockerd", "containerd", "containerd-shim")


@check("resources.memory-scarce", severity=Severity.warning)
def memory_scarce(
    host_memory: HostMemory,
    pressure: Pressure | Unavailable,
    containers: Containers | Unavailable,
    cgroups: Cgroups | Unavailable,
    *,
    least: Percent = Percent(5),
    stalled: Percent = Percent(10),
) -> Iterable[Finding]:
    """The host has hardly any memory left.

    MemAvailable below `least` percent, or all work waiting for memory more than `stalled` percent of the last
    minute. Cache counts as available; the cache of ZFS does not, so a host with ZFS looks worse than it is.
    """
    waited = None if isinstance(pressure, Unavailable) else pressure.waited("memory", "full")
    scarce = host_memory.available_pct < least
    if not scarce and (waited or 0.0) <= stalled:
        return
    stuck = f", all work waits for it {waited:.0f} % of the time" if waited is not None and waited > stalled else ""
    left = f"{size(host_memory.available)} of {size(host_memory.total)} memory are available"
    yield Finding(
        subject=HOST,
        summary=f"{left}{stuck}",
        evidence={
            "MemAvailable": f"{size(host_memory.available)} ({host_memory.available_pct:.0f} %)",
            "swap": f"{size(host_memory.swap_free)} of {size(host_memory.swap_total)} free",
            "/proc/pressure/memory full avg60": f"{waited:.1f} %" if waited is not None else "not kept",
            "largest working sets": _eaters(containers, cgroups),
        },
        severity=Severity.critical if stuck else Severity.warning,
    )


def _eaters(containers: Containers | Unavailable, cgroups: Cgroups | Unavailable) -> list[dict[str, object]]:
    if isinstance(containers, Unavailable) or isinstance(cgroups, Unavailable):
        return []
    held = [
        {"name": each.short, "bytes": group.memory.working_set, "note": _limit_note(each)}
        for each in containers.running
        if (group := cgroups.of(each)) and group.memory.working_set
    ]
    return sorted(held, key=lambda row: -int(str(row["bytes"])))[:EATERS]


def _limit_note(each: Container) -> str:
    return f"limit {size(each.host_config.memory)}" if each.host_config.memory else "no limit"


@check("resources.memory-near-limit", severity=Severity.warning, caused_by=["container.oom-killed"])
def memory_near_limit(containers: Containers, cgroups: Cgroups, *, near: Percent = Percent(90)) -> Iterable[Finding]:
    """A container has used up nearly all the memory that it may have.

    The working set counts: usage without the file cache that the kernel takes back at once. Usage with cache stands
    at the limit in any container that reads or writes much, and means nothing.
    """
    for each in containers.running:
        group = cgroups.of(each)
        limit = group.memory.limit if group else None
        held = group.memory.working_set if group else None
        if group and limit and held is not None and 100 * held >= near * limit:
            yield Finding(
                subject=each.subject,
                summary=f"{each.short} holds {size(held)} of the {size(limit)} memory it may have",
                evidence={
                    "working set": f"{size(held)} ({100 * held / limit:.0f} %)",
                    "limit": size(limit),
                    "usage with cache": size(group.memory.usage or 0),
                    "kills in this run": group.memory.oom_kill or 0,
                },
                variables={"container": each.short, "memory": f"{limit * 2 // MIB}m"},
                service=each.service,
            )


@check("resources.no-limits", severity=Severity.advice, posture=True)
def no_limits(
    containers: Containers, cgroups: Cgroups | Unavailable, host_memory: HostMemory | Unavailable
) -> Iterable[Finding]:
    """A container may take all memory of the host.

    No memory limit of its own, and none found in its cgroup or given to its cgroup parent. A limit of a cgroup
    further up that the engine did not set is not seen. Whether the CPU is limited is told beside it: a missing CPU
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
            summary=f"{each.short} has no memory limit{'' if cpu else ' and no CPU limit'}",
            evidence=evidence,
            variables={"container": each.short, "memory": _suggested(held)},
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
    """A container is held back at its CPU limit.

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
            summary=f"{each.short} is held back at its limit of {cpus:g} CPUs in {throttled} of {periods} periods",
            evidence={
                f"cpu.stat, within {SAMPLE_S:g} s": f"{throttled} of {periods} periods throttled",
                "since its start": _since_start(group),
                "limit": f"{cpus:g} CPUs",
            },
            variables={"container": each.short, "cpus": _more_cpus(cpus, info)},
            signs=frozenset({"probe-timeout"}),
            service=each.service,
        )


def _more_cpus(cpus: float, info: Info | Unavailable) -> str:
    """Twice the limit, one at least, and no more than the host has: the engine refuses that."""
    most = info.ncpu if isinstance(info, Info) and info.ncpu else 1
    return f"{min(max(cpus * 2, 1), most):g}"


def _since_start(group: Group) -> str:
    return f"{group.cpu.throttled} of {group.cpu.periods} periods, {ago((group.cpu.throttled_us or 0) / 1e6)} in all"


@check("resources.limits-not-enforced", severity=Severity.warning)
def limits_not_enforced(info: Info, containers: Containers, host_memory: HostMemory | Unavailable) -> Iterable[Finding]:
    """The kernel does not enforce limits that containers were given.

    `/info` says MemoryLimit, PidsLimit or CpuCfsQuota false: the controller is off (`cgroup_disable=memory` on the
    boot line of a Raspberry Pi) and the engine dropped the limits in silence. Swap that is not accounted for is
    advice, and only on a host that has swap. Seen in the engine's source; no host of ours has such a kernel.
    """
    limited = {
        "memory": [each.short for each in containers if each.host_config.memory],
        "pids": [each.short for each in containers if (each.host_config.pids_limit or 0) > 0],
        "CPU": [each.short for each in containers if each.host_config.nano_cpus or each.host_config.cpu_quota > 0],
    }
    enforced = {"memory": info.memory_limit, "pids": info.pids_limit, "CPU": info.cpu_cfs_quota}
    for name, names in limited.items():
        if enforced[name]:
            continue
        yield Finding(
            subject=HOST,
            summary=f"the kernel does not enforce {name} limits: {len(names)} containers have one",
            evidence={"/info": f"no {name} limit support", "containers with such a limit": names[:EATERS] or "none"},
            discriminator=name,
            severity=Severity.warning if names else Severity.advice,
        )
    if info.memory_limit and not info.swap_limit and isinstance(host_memory, HostMemory) and host_memory.swap_total:
        yield Finding(
            subject=HOST,
            summary=f"swap is not counted: a container at its memory limit may swap out up to {size(host_memory.swap_total)}",
            evidence={"/info SwapLimit": False, "swap of the host": size(host_memory.swap_total)},
            discriminator="swap",
            severity=Severity.advice,
        )


@check("resources.pids-exhausted", severity=Severity.critical, caused_by=["container.zombies"])
def pids_exhausted(
    containers: Containers,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | Unavailable,
    events: Events | Unavailable,
    last_words: LastWords | Unavailable,
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
        elif not isinstance(last_words, Unavailable):
            line = last_words.of(each).find("resource temporarily unavailable", "can't fork", "pthread_create failed")
            if line:
                yield Finding(
                    subject=each.subject,
                    summary=f"{each.short} ended because it could start no more than {limit} processes",
                    evidence={"log": line[:300], "HostConfig.PidsLimit": limit},
                    variables={"container": each.short, "pids": str(limit * 2)},
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
        (group.pids.current or 0, each.short)
        for each in containers.running
        if isinstance(cgroups, Cgroups) and (group := cgroups.of(each))
    ]
    count, name = max(counts, default=(0, ANY))
    return {"container": name, "pids": str(count)}


def _pids_finding(
    each: Container, current: int, limit: int, refused: int, full: bool, clock: Clock, since_s: float
) -> Finding:
    recent = (clock.age(each.started_at) or 0.0) <= since_s
    if full:
        summary = f"{each.short} runs {current} of the {limit} processes it may have"
        severity = Severity.critical if refused else Severity.warning
    else:
        summary = f"{each.short} was refused a process {refused} times at its limit of {limit}"
        severity = Severity.warning if recent else Severity.advice
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence={"pids.current": current, "pids.max": limit, "pids.events max": refused},
        variables={"container": each.short, "pids": str(limit * 2)},
        severity=severity,
        signs=frozenset({"no-fork"}),
        service=each.service,
    )


@check("resources.open-files-exhausted", severity=Severity.critical)
def open_files_exhausted(
    containers: Containers,
    last_words: LastWords | Unavailable,
    host_limits: HostLimits | Unavailable,
    *,
    near: Percent = Percent(90),
) -> Generator[Finding, None, Unavailable | None]:
    """A container, the engine, or the host cannot open more files.

    Containers: the last log lines of those that failed, restarted or are unhealthy say "too many open files"
    (inotify's limit says the same). The engine: descriptors of dockerd and containerd against their soft limit. The
    host: fs.file-nr. A container that swallows the error and goes on is not seen. Engine 29's containerd gives
    containers a soft limit of 1024.
    """
    for each in containers:
        line = "" if isinstance(last_words, Unavailable) else last_words.of(each).find("too many open files", "emfile")
        if line:
            limit = next((u for u in each.host_config.ulimits or () if u.get("Name") == "nofile"), {}).get("Soft")
            own = f", its limit is {limit}" if limit else ""
            yield Finding(
                subject=each.subject,
                summary=f"{each.short} could open no more files{own}",
                evidence={"log": line[:300], "HostConfig.Ulimits nofile": limit or "not set"},
                variables={"container": each.short, "image": each.config.image},
                onset=each.failed_first,
                service=each.service,
            )
    if isinstance(host_limits, Unavailable):
        return host_limits
    for engine in host_limits.engines:
        if engine.open and engine.limit and 100 * engine.open >= near * engine.limit:
            yield Finding(
                subject=DAEMON,
                summary=f"{engine.comm} has {engine.open} of the {engine.limit} files open that it may",
                evidence={f"/proc/{engine.pid}/fd": engine.open, f"/proc/{engine.pid}/limits": engine.limit},
                variables={"container": ANY, "image": "IMAGE"},
                discriminator=engine.comm,
            )
    files, most = host_limits.files, host_limits.files_max
    if files and most and 100 * files >= near * most:
        yield Finding(
            subject=HOST,
            summary=f"the host has {files} of the {most} files open that its kernel allows",
            evidence={"fs.file-nr": f"{files} of {most}"},
            variables={"container": ANY, "image": "IMAGE"},
        )
    return None


@check("resources.io-saturated", severity=Severity.warning)
def io_saturated(
    pressure: Pressure,
    containers: Containers | Unavailable,
    cgroups: Cgroups | Unavailable,
    *,
    stalled: Percent = Percent(20),
) -> Generator[Finding, None, Skipped | None]:
    """The host's disks cannot keep up: all work waits for them.

    Pressure stall information, `io full avg60`. A single slow mount (a network volume) does it too.
    """
    waited = pressure.waited("io", "full")
    if waited is None:
        return Skipped("this kernel keeps no pressure figures")
    if waited > stalled:
        yield Finding(
            subject=HOST,
            summary=f"all work on the host waited for disks {waited:.0f} % of the last minute",
            evidence={
                "/proc/pressure/io full avg60": f"{waited:.1f} %",
                "load": [f"{each:.1f}" for each in pressure.load],
                "containers that wait": _waiting(containers, cgroups) or "none above 10 %",
            },
        )
    return None


def _waiting(containers: Containers | Unavailable, cgroups: Cgroups | Unavailable) -> list[str]:
    if isinstance(containers, Unavailable) or isinstance(cgroups, Unavailable):
        return []
    rows = [
        (group.waited("io", "full") or 0.0, each.short) for each in containers.running if (group := cgroups.of(each))
    ]
    return [f"{name} {waited:.0f} %" for waited, name in sorted(rows, reverse=True)[:EATERS] if waited > 10]


@check("resources.cgroup-driver", severity=Severity.warning)
def cgroup_driver(info: Info, processes: Processes, containers: Containers) -> Iterable[Finding]:
    """The engine's cgroup driver does not fit the host's init system.

    Driver systemd where no systemd is process 1: the engine starts and every container fails (seen on 20.10.24,
    26.1.5 and 28.5.2): critical. Driver cgroupfs under systemd with cgroup v2: two managers of one tree: advice.
    """
    init = processes.by_pid.get(1)
    if init is None or not info.cgroup_driver:
        return
    if info.cgroup_driver == "systemd" and init.comm != "systemd":
        failed = [each for each in containers if each.start_failed and "systemd" in each.state.error]
        yield _driver_finding(
            f"the engine wants systemd to manage cgroups, and process 1 is {init.comm}",
            info,
            init.comm,
            tuple(each.subject for each in failed),
            Severity.critical,
        )
    elif info.cgroup_driver == "cgroupfs" and init.comm == "systemd" and info.cgroup_version == "2":
        yield _driver_finding(
            "the engine manages cgroups beside systemd, which owns the tree", info, init.comm, (), Severity.advice
        )


def _driver_finding(summary: str, info: Info, init: str, touches: tuple[Subject, ...], severity: Severity) -> Finding:
    wanted = "systemd" if init == "systemd" else "cgroupfs"
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence={
            "/info CgroupDriver": info.cgroup_driver,
            "/info CgroupVersion": info.cgroup_version or "1",
            "process 1": init,
        },
        variables={"driver": wanted},
        touches=touches,
        severity=severity,
    )
