"""What the host itself cannot give: limits that it does not enforce, disks that do not keep up."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from checks.resources._words import EATERS
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.pressure import HostMemory, Pressure
from diagnose.evidence.machine.processes import Processes
from diagnose.model import DAEMON, HOST, Finding, Percent, Severity, Skipped, Subject, Unavailable
from diagnose.phrases import size
from diagnose.registry import check


@check("resources.limits-not-enforced", severity=Severity.warning)
def limits_not_enforced(info: Info, containers: Containers, host_memory: HostMemory | Unavailable) -> Iterable[Finding]:
    """The kernel does not enforce limits that containers were given.

    `/info` says MemoryLimit, PidsLimit or CpuCfsQuota false: the controller is off (`cgroup_disable=memory` on the
    boot line of a Raspberry Pi) and the engine dropped the limits in silence. Swap that is not accounted for is
    advice, and only on a host that has swap. Seen in the engine's source; no host of ours has such a kernel.
    """
    limited = {
        "memory": [each.name for each in containers if each.host_config.memory],
        "pids": [each.name for each in containers if (each.host_config.pids_limit or 0) > 0],
        "CPU": [each.name for each in containers if each.host_config.nano_cpus or each.host_config.cpu_quota > 0],
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


@check("resources.io-saturated", severity=Severity.warning)
def io_saturated(
    pressure: Pressure,
    containers: Containers | Unavailable,
    cgroups: Cgroups | Unavailable,
    *,
    stalled: Percent = Percent(20),
) -> Generator[Finding, None, Skipped | None]:
    """The host's disks cannot keep up, and all work waits for them.

    Pressure stall information, `io full avg60`. A single slow mount (a network volume) does it too.
    """
    waited = pressure.waited("io", "full")
    if waited is None:
        return Skipped("this kernel keeps no pressure figures")
    if waited > stalled:
        waiting = _waiting(containers, cgroups)
        shown = [f"{name} {share:.0f} %" for name, share in waiting]
        yield Finding(
            subject=HOST,
            summary=f"all work on the host waited for disks {waited:.0f} % of the last minute",
            evidence={
                "/proc/pressure/io full avg60": f"{waited:.1f} %",
                "load": [f"{load:.1f}" for load in pressure.load],
                "containers that wait": shown or "none above 10 %",
            },
            variables={"container": waiting[0][0]} if waiting else {},
        )
    return None


def _waiting(containers: Containers | Unavailable, cgroups: Cgroups | Unavailable) -> list[tuple[str, float]]:
    """The containers that wait most for disks, with the share of their time in percent; those above 10 % only."""
    if isinstance(containers, Unavailable) or isinstance(cgroups, Unavailable):
        return []
    rows = [
        (container.name, group.waited("io", "full") or 0.0)
        for container in containers.running
        if (group := cgroups.of(container))
    ]
    return sorted((row for row in rows if row[1] > 10), key=lambda row: -row[1])[:EATERS]


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
            f"the engine wants systemd to manage cgroups, but process 1 is {init.comm}",
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
