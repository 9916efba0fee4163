"""Checks of limits of the host itself.

Disks that do not keep up, control groups that nobody manages.
"""

import msgspec

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import paired
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Percent, Severity, Skipped, Subject
from diagnose.registry import check

WORTH_NAMING_PCT = 10
"""A container is named if it waits for disks for this percentage of its time."""


@check("resources.io-saturated", severity=Severity.warning, pressure=True)
def io_saturated(
    pressure: Pressure,
    containers: Containers | None,
    cgroups: Cgroups | None,
    *,
    stalled: Percent = Percent(20),
) -> CheckResult:
    """The host's disks cannot keep up, and all work waits for them.

    Pressure stall information, `io full avg60`. A single slow mount (a network volume) does it too.
    """
    waited = pressure.waited("io", "full")
    if waited is None:
        return Skipped("this kernel keeps no pressure figures")
    if waited > stalled:
        waiting = _waiting_for_disk(containers, cgroups)
        shown = [f"{waiter.name} {waiter.share_pct:.0f} %" for waiter in waiting]
        yield Finding(
            subject=HOST,
            summary=f"all work on the host waited for disks {waited:.0f} % of the last minute",
            evidence={
                "/proc/pressure/io full avg60": f"{waited:.1f} %",
                "load": pressure.shown_load,
                "containers that wait": shown or f"none above {WORTH_NAMING_PCT} %",
            },
            variables={"container": waiting[0].name} if waiting else {},
        )


class _Waiter(msgspec.Struct, frozen=True):
    """A container, and the share of its time in which it waits for disks."""

    name: str
    share_pct: float


def _waiting_for_disk(containers: Containers | None, cgroups: Cgroups | None) -> list[_Waiter]:
    """The containers that wait most for disks."""
    if containers is None or cgroups is None:
        return []
    waiters = [
        _Waiter(container.name, group.waited("io", "full") or 0.0)
        for container, group in paired(containers.running, cgroups.of)
    ]
    worst_first = sorted(waiters, key=lambda waiter: -waiter.share_pct)
    return [waiter for waiter in worst_first if waiter.share_pct > WORTH_NAMING_PCT][:MOST_NAMED]


@check("resources.cgroup-driver", severity=Severity.warning)
def cgroup_driver(info: Info, processes: Processes, containers: Containers) -> CheckResult:
    """The engine's cgroup driver does not fit the host's init system.

    Driver systemd where no systemd is process 1: the engine starts and every container fails (seen
    on 20.10.24, 26.1.5 and 28.5.2): critical. Driver cgroupfs under systemd with cgroup v2: two
    managers of one tree: advice.
    """
    init = processes.by_pid.get(1)
    if init is None or not info.cgroup_driver:
        return None
    is_under_systemd = init.comm == "systemd"
    if info.cgroup_driver == "systemd" and not is_under_systemd:
        failed = [container for container in containers if container.start_failed]
        refused = tuple(
            container.subject for container in failed if "systemd" in container.state.error
        )
        summary = (
            "no container can start: the engine wants systemd to manage control groups, but process 1 "
            f"is {init.comm}"
        )
        finding = _cgroup_driver_finding(
            summary, info, init.comm, Severity.critical, touches=refused
        )
        refused_first = {"refused": refused[0].name} if refused else {}
        yield finding.with_variables(refused_first)
    elif info.cgroup_driver == "cgroupfs" and is_under_systemd and info.cgroup_version == "2":
        summary = (
            "the engine manages control groups itself (cgroupfs), and systemd manages the same tree: "
            "limits of containers may get lost"
        )
        yield _cgroup_driver_finding(summary, info, init.comm, Severity.advice)


def _cgroup_driver_finding(
    summary: str, info: Info, init: str, severity: Severity, touches: tuple[Subject, ...] = ()
) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence={
            "/info CgroupDriver": info.cgroup_driver,
            "/info CgroupVersion": info.cgroup_version or "1",
            "process 1": init,
        },
        variables={"driver": "systemd" if init == "systemd" else "cgroupfs"},
        touches=touches,
        severity=severity,
    )
