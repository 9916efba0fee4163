"""Memory: what the host and each container have left, and whom the kernel killed."""

from __future__ import annotations

from collections.abc import Iterable

from checks.resources._words import EATERS, MIB
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.machine.pressure import HostMemory, Pressure
from diagnose.evidence.run.options import Options
from diagnose.model import DAEMON, HOST, Bytes, Finding, Percent, Seconds, Severity, Unavailable
from diagnose.phrases import ago, size
from diagnose.registry import check


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
    who = names[last.container].name if last.container in names else "the host"
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
        return names[id].name
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
    roomy: Bytes = Bytes(4 << 30),
) -> Iterable[Finding]:
    """The host has hardly any memory left.

    MemAvailable and what ZFS's cache may give back are below `least` percent and `roomy` bytes (a host of 512 GiB may be
    filled on purpose), or all work has waited for memory more than `stalled` percent of the last minute.
    """
    waited = None if isinstance(pressure, Unavailable) else pressure.waited("memory", "full")
    scarce = host_memory.obtainable_pct < least and host_memory.obtainable < roomy
    if not scarce and (waited or 0.0) <= stalled:
        return
    stuck = f", all work waits for it {waited:.0f} % of the time" if waited is not None and waited > stalled else ""
    left = f"{size(host_memory.obtainable)} of {size(host_memory.total)} of memory is available"
    yield Finding(
        subject=HOST,
        summary=f"{left}{stuck}",
        evidence={
            "MemAvailable": size(host_memory.available),
            **({"ZFS cache that may shrink": size(host_memory.zfs_cache)} if host_memory.zfs_cache else {}),
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
        {"name": each.name, "bytes": group.memory.working_set, "note": _limit_note(each)}
        for each in containers.running
        if (group := cgroups.of(each)) and group.memory.working_set
    ]
    return sorted(held, key=lambda row: -int(str(row["bytes"])))[:EATERS]


def _limit_note(each: Container) -> str:
    return f"limit {size(each.host_config.memory)}" if each.host_config.memory else "no limit"


@check("resources.memory-near-limit", severity=Severity.warning, caused_by=["container.oom-killed"])
def memory_near_limit(
    containers: Containers,
    cgroups: Cgroups,
    *,
    near: Percent = Percent(90),
    roomy: Bytes = Bytes(1 << 30),
    stalled: Percent = Percent(10),
) -> Iterable[Finding]:
    """A container has used up nearly all the memory it may have.

    What the kernel can take back does not count: with its file cache, read often or not, any container that works on
    files stands at its limit. Nor does a database that was given its size, with more than `roomy` bytes left. One that
    has waited for memory more than `stalled` percent of the last minute has too little in any case (cgroup version 2).
    """
    for each in containers.running:
        group = cgroups.of(each)
        limit = group.memory.limit if group else None
        held = group.memory.held if group else None
        waited = (group.waited("memory", "full") or 0.0) if group else 0.0
        if not group or not limit or held is None:
            continue
        if (100 * held >= near * limit and limit - held < roomy) or waited > stalled:
            stuck = f", and waits for memory {waited:.0f} % of the time" if waited > stalled else ""
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} uses {size(held)} of its memory limit of {size(limit)}{stuck}",
                evidence={
                    "held": f"{size(held)} ({100 * held / limit:.0f} %)",
                    "limit": size(limit),
                    "usage with cache": size(group.memory.usage or 0),
                    "kills in this run": group.memory.oom_kill or 0,
                },
                variables={"container": each.name, "memory": f"{limit * 2 // MIB}m"},
                service=each.service,
            )
