"""Memory: what the host and each container have left, and whom the kernel killed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.machine.pressure import HostMemory, Pressure
from diagnose.evidence.run.options import Options
from diagnose.mappings import present, subjects_of
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Json, PageVariables, Severity
from diagnose.model.units import Bytes, Percent, Seconds
from diagnose.phrases import MIB, duration, size
from diagnose.registry import check


@check("resources.host-oom", severity=Severity.critical, caused_by=["resources.memory-scarce"])
def host_oom(
    containers: Containers | None,
    kernel_log: KernelLog,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | None,
    *,
    fresh: Seconds = Seconds(3600),
) -> CheckResult:
    """The host ran out of memory and the kernel killed a process.

    From the kernel log: `constraint=CONSTRAINT_NONE`; kills at a container's own limit are
    `container.oom-killed`. It is critical for `fresh` seconds, a warning for the rest of the
    looked-at time.
    """
    kills = [
        kill
        for kill in kernel_log.oom_kills
        if kill.of_host and clock.wall - kill.at <= options.since_s
    ]
    if not kills:
        return None
    age = clock.wall - kills[-1].at
    finding = _host_finding(kills, age, containers.by_id if containers is not None else {})
    severity = Severity.critical if age <= fresh else Severity.warning
    cure = _largest_unlimited(containers, cgroups)
    yield replace(finding, severity=severity).with_variables(cure)


def _host_finding(kills: list[OomKill], age: float, names: dict[str, Container]) -> Finding:
    """The finding about a host without memory. age: seconds since the last kill. names: the
    containers by their ids."""
    victims = {kill.container: names[kill.container] for kill in kills if kill.container in names}
    last = kills[-1]
    owner = str(names.get(last.container, "the host"))
    usage = f" using {size(last.rss)}" if last.rss is not None else ""
    return Finding(
        subject=HOST,
        summary=(
            f"the host ran out of memory {duration(age)} ago: "
            f"the kernel killed {last.task} of {owner}{usage}"
        ),
        evidence={
            "kernel log": f"{len(kills)} kills, constraint=CONSTRAINT_NONE, last pid {last.pid} ({last.task})",
            "victims": [
                f"{kill.task} of {_owner(names, kill.container)}" for kill in kills[-MOST_NAMED:]
            ],
        },
        variables=_victim(victims),
        touches=(*subjects_of(victims.values()), *((DAEMON,) if _engine_hit(last.task) else ())),
        onset=kills[0].at,
    )


def _largest_unlimited(containers: Containers | None, cgroups: Cgroups | None) -> PageVariables:
    """The page variables with the running container without a memory limit that uses most, and with
    a limit above its use.

    Empty where there is none.
    """
    for usage in _largest_usages(containers, cgroups):
        if not usage.container.host_config.memory:
            enough = max(256, 2 * usage.working_set // MIB)
            return {"container": usage.container.name, "memory": f"{enough}m"}
    return {}


def _victim(victims: dict[str, Container]) -> PageVariables:
    """A killed container that did not come back."""
    down = [victim.name for victim in victims.values() if not victim.is_running]
    return {"victim": down[0]} if down else {}


def _owner(names: dict[str, Container], id: str) -> str:
    if id in names:
        return names[id].name
    return f"container {id[:12]}" if id else "the host"


def _engine_hit(task: str) -> bool:
    return task in ("dockerd", "containerd", "containerd-shim")


@check("resources.memory-scarce", severity=Severity.warning)
def memory_scarce(
    host_memory: HostMemory,
    pressure: Pressure | None,
    containers: Containers | None,
    cgroups: Cgroups | None,
    *,
    least: Percent = Percent(5),
    stalled: Percent = Percent(10),
    roomy: Bytes = Bytes(4 << 30),
    tight: Percent = Percent(20),
) -> CheckResult:
    """The host has hardly any memory left.

    MemAvailable and what ZFS's cache may give back are below `least` percent and `roomy` bytes (a
    host of 512 GiB may be filled on purpose), or work has waited for memory more than `stalled`
    percent of the last minute while less than `tight` percent is available. With more than that
    available the wait is not the host's: a container at its own limit waits too, and the kernel
    counts that wait for the whole host.
    """
    waited = pressure.waited("memory", "full") if pressure is not None else None
    is_scarce = host_memory.obtainable_pct < least and host_memory.obtainable < roomy
    is_stalled = waited is not None and waited > stalled and host_memory.obtainable_pct < tight
    if is_scarce or is_stalled:
        usages = _largest_usages(containers, cgroups)[:MOST_NAMED]
        finding = _scarce_finding(host_memory, waited, usages, is_stalled=is_stalled)
        largest = {"largest": usages[0].container.name} if usages else {}
        yield finding.with_variables(_largest_unlimited(containers, cgroups) | largest)


def _scarce_finding(
    host_memory: HostMemory,
    waited: float | None,
    usages: Sequence[_MemoryUsage],
    *,
    is_stalled: bool,
) -> Finding:
    """The finding about scarce memory. waited: the percentage of a minute in which work waited.
    usages: the largest."""
    available_clause = (
        f"{size(host_memory.obtainable)} of {size(host_memory.total)} of memory is available"
    )
    pressure = f"{waited:.1f} %" if waited is not None else "not kept"
    cache = host_memory.zfs_cache
    stuck = ""
    severity = Severity.warning
    if is_stalled:
        stuck = f", and all work waits for it {waited:.0f} % of the time"
        severity = Severity.critical
    return Finding(
        subject=HOST,
        summary=f"{available_clause}{stuck}",
        evidence={
            "MemAvailable": size(host_memory.available),
            **present({"ZFS cache that may shrink": size(cache) if cache else ""}),
            "swap": f"{size(host_memory.swap_free)} of {size(host_memory.swap_total)} free",
            "/proc/pressure/memory full avg60": pressure,
            "largest working sets": [_row(usage) for usage in usages],
        },
        severity=severity,
    )


class _MemoryUsage(msgspec.Struct, frozen=True):
    """A running container, and the bytes of its working set."""

    container: Container
    working_set: int


def _largest_usages(containers: Containers | None, cgroups: Cgroups | None) -> list[_MemoryUsage]:
    """The running containers by their working set, the largest first."""
    if containers is None or cgroups is None:
        return []
    groups = ((container, cgroups.of(container)) for container in containers.running)
    usages = [
        _MemoryUsage(container, group.memory.working_set)
        for container, group in groups
        if group is not None and group.memory.working_set
    ]
    return sorted(usages, key=lambda usage: -usage.working_set)


def _row(usage: _MemoryUsage) -> dict[str, Json]:
    limit = usage.container.host_config.memory
    note = f"limit {size(limit)}" if limit else "no limit"
    return {"name": usage.container.name, "bytes": usage.working_set, "note": note}


@check("resources.memory-near-limit", severity=Severity.warning, caused_by=["container.oom-killed"])
def memory_near_limit(
    containers: Containers,
    cgroups: Cgroups,
    *,
    near: Percent = Percent(90),
    roomy: Bytes = Bytes(1 << 30),
    stalled: Percent = Percent(10),
) -> CheckResult:
    """A container uses nearly all of its memory limit.

    Memory that the kernel can take back does not count: with its file cache, read often or not, any
    container that works on files is at its limit. A database that was given a size of its own, with
    more than `roomy` bytes left, does not count either. A container that has waited for memory more
    than `stalled` percent of the last minute has too little in any case (cgroup version 2).
    """
    for container in containers.running:
        group = cgroups.of(container)
        if group is None or not group.memory.limit or group.memory.held is None:
            continue
        limit = group.memory.limit
        usage = group.memory.held
        waited = group.waited("memory", "full") or 0.0
        is_near = 100 * usage >= near * limit and limit - usage < roomy
        if not is_near and waited <= stalled:
            continue
        stuck = f", and waits for memory {waited:.0f} % of the time" if waited > stalled else ""
        yield Finding.about(
            container,
            f"{container} uses {size(usage)} of its memory limit of {size(limit)}{stuck}",
            {
                "held": f"{size(usage)} ({100 * usage / limit:.0f} %)",
                "limit": size(limit),
                "usage with cache": size(group.memory.usage or 0),
                "killed for memory since its start": group.memory.oom_kill or 0,
            },
            variables={"memory": f"{limit * 2 // MIB}m"},
        )
