"""The kernel: stuck network devices, hung tasks, errors of disks and hardware, lost modules."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.hardware_errors import HardwareErrors, HardwareFault
from diagnose.evidence.machine.kernel_log import HungTask, KernelLog
from diagnose.evidence.machine.limits.cgroup_counts import LIMIT, CgroupCounts
from diagnose.evidence.machine.limits.mount_room import MountRoom
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.block_devices import BlockDevices
from diagnose.evidence.storage.filesystem_errors import filesystem_errors as errors_by_device
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity, Skipped, Subject, container
from diagnose.model.units import Count, Percent, Seconds
from diagnose.phrases import count, duration, how_often, named, shortened
from diagnose.registry import check

_UNREGISTER = LazyPattern(
    r"unregister_netdevice: waiting for (?P<device>\S+) to become free\."
    r" Usage count = (?P<references>-?\d+)"
)
"""The kernel's line about a device that something still refers to (net/core/dev.c)."""
LATE_S = 600
"""Where processes cannot be seen, a line that is older than this may be over."""
FEW_MOUNTS = 10
"""A container takes two or three: its layer, its /dev/shm and its network namespace."""
NO_MOUNT = LazyPattern(r"\bmount(?:ing)? .{0,300}no space left on device")
_POOL_IS_FULL = "switching pool to out-of-data-space"
NO_CGROUP = LazyPattern(r"mkdir /sys/fs/cgroup/\S+: no space left on device")


@check("kernel.netdevice-stuck", severity=Severity.critical)
def netdevice_stuck(
    kernel_log: KernelLog,
    clock: Clock,
    *,
    times: Count = Count(6),
    within_s: Seconds = Seconds(120),
) -> CheckResult:
    """The kernel waits for a network device that is never released.

    The kernel repeats the line every 10 s (net/core/dev.c). A few lines are normal where a device
    is removed slowly. Only lines that have come for a minute, and still come, count: the cure is a
    reboot.
    """
    for device, waits in _waits_by_device(kernel_log).items():
        recent = [wait for wait in waits if clock.wall - wait.at <= within_s]
        if len(recent) >= times:
            yield _stuck_finding(device, waits)


class _Wait(msgspec.Struct, frozen=True):
    """A line in which the kernel says that it waits for a network device."""

    at: float
    text: str
    references: int
    """How many things still use the device."""


def _waits_by_device(kernel_log: KernelLog) -> dict[str, list[_Wait]]:
    """The lines about each network device, oldest first."""
    lines = kernel_log.matching(_UNREGISTER, ("unregister_netdevice",))
    return by_key(
        (match["device"], _Wait(record.at, record.text, int(match["references"])))
        for record, match in lines
    )


def _stuck_finding(device: str, waits: Sequence[_Wait]) -> Finding:
    first = waits[0]
    last = waits[-1]
    return Finding(
        subject=Subject("interface", device),
        summary=(
            f'the kernel has tried to remove interface "{device}" '
            f"for {duration(last.at - first.at)}: something still uses it, and new containers may hang"
        ),
        evidence={
            "kernel log": last.text,
            "the kernel has logged it": count(len(waits), "time"),
            "what still uses it": count(last.references, "reference"),
        },
        variables={"interface": device},
        onset=first.at,
    )


@check(
    "kernel.hung-task",
    severity=Severity.warning,
    caused_by=["storage.network-volume-stale", "kernel.filesystem-errors"],
)
def hung_task(
    kernel_log: KernelLog, processes: Processes | None, containers: Containers | None, clock: Clock
) -> CheckResult:
    """A process has been blocked in the kernel for minutes.

    The kernel says it after kernel.hung_task_timeout_secs (120), ten times at most, and only for
    tasks that no signal reaches. A task that has continued since is left out; where processes
    cannot be seen, lines of the last ten minutes count.
    """
    latest = {task.pid: task for task in kernel_log.hung_tasks}
    names = {container.id: container.name for container in containers or ()}
    for task in latest.values():
        process = processes.by_pid.get(task.pid) if processes is not None else None
        if processes is None:
            may_hang = clock.wall - task.at <= LATE_S
        else:
            may_hang = process is not None and _is_stuck(process, task)
        if may_hang:
            id = process.container if process is not None else None
            yield _hung_task_finding(task, names.get(id or "", ""))


def _is_stuck(process: Process, task: HungTask) -> bool:
    """Whether the task of the kernel's line is still blocked.

    The same name under the same pid, in state D.
    """
    return process.comm[:15] == task.task[:15] and process.state == "D"


def _hung_task_finding(task: HungTask, owner: str) -> Finding:
    """owner: the container whose process it is; empty for one of the host."""
    owner_clause = f' of container "{owner}"' if owner else ""
    line = f"task {task.task}:{task.pid} blocked for more than {task.seconds} seconds"
    is_engine = task.task.startswith(("dockerd", "containerd"))
    return Finding(
        subject=container(owner) if owner else HOST,
        summary=(
            f"{task.task} (pid {task.pid}){owner_clause} has been blocked in the kernel "
            f"for more than {task.seconds} s"
        ),
        evidence={"kernel log": line, "state": "D"},
        variables={"pid": str(task.pid)},
        discriminator=str(task.pid),
        severity=Severity.critical if is_engine else Severity.warning,
        onset=task.at - task.seconds,
    )


@check("kernel.filesystem-errors", severity=Severity.critical)
def filesystem_errors(
    kernel_log: KernelLog, disks: BlockDevices, clock: Clock, options: Options
) -> CheckResult:
    """The kernel reports errors on a mounted filesystem or its disk.

    Only devices that are mounted now count, each once, by its latest line, and only what came after
    that mount.
    """
    all_errors = errors_by_device(kernel_log, disks, clock.wall - options.since_s)
    for device, errors in all_errors.items():
        point = errors.mounted.point
        age = duration(clock.wall - errors.last_at)
        is_full = _POOL_IS_FULL in errors.lines[-1]
        repair = {"pool": device} if is_full else {"damaged": point}
        yield Finding(
            subject=Subject("filesystem", point),
            summary=f"{_failing_disk_clause(device, point, is_full=is_full)}, the last time {age} ago",
            evidence={
                "kernel log": errors.lines[-1],
                "the kernel has logged it": count(len(errors.lines), "time"),
                "mountinfo": errors.mounted.super,
            },
            variables={"device": device, "point": point, **repair},
            signs=frozenset({"io-error", "read-only"}),
        )


def _failing_disk_clause(device: str, point: str, *, is_full: bool) -> str:
    if is_full:
        return f"writes to {device} (mounted at {point}) fail: the thin pool below it is full"
    return f"the kernel reports errors of {device} (mounted at {point})"


_HARDWARE: dict[HardwareFault, str] = {
    "power": "the power supply is too weak: the voltage dropped",
    "memory": "a part of the memory is broken: errors could not be corrected",
    "processor": "the processor or its board has errors that could not be corrected",
    "stall": "a processor stood still for many seconds: the hypervisor gave it no time, or a driver "
    "hangs",
}
"""The part that is broken, by the kind of fault that the kernel log reports."""


@check(
    "kernel.hardware-errors",
    severity=Severity.warning,
    causes=["resources.io-saturated", "kernel.hung-task"],
)
def hardware_errors(hardware_errors: HardwareErrors, clock: Clock) -> CheckResult:
    """The kernel reports that the host's hardware fails.

    A weak power supply of a small computer such as a Raspberry Pi, memory or a processor whose
    errors could not be corrected, or processors that stand still for seconds, as in an overloaded
    virtual machine. Programs crash at random, disks and network cards drop out, and nothing in a
    container explains it. Only the last hour counts. One short dip, one stall after a virtual
    machine was suspended, and what the hardware has corrected are left out.
    """
    for error in hardware_errors:
        last = error.lines[-1]
        yield Finding(
            subject=HOST,
            summary=f"{_HARDWARE[error.kind]} ({how_often(error.times)} in the last hour, last "
            f"{clock.ago(last.at)})",
            evidence={
                "kernel log": last.text,
                "the kernel has logged it": count(len(error.lines), "time"),
            },
            variables={error.kind: shortened(last.text, 80)},
            discriminator=error.kind,
            onset=error.lines[0].at,
        )


@check("kernel.modules-gone", severity=Severity.warning)
def modules_gone(modules: Modules) -> CheckResult:
    """The modules of the running kernel are no longer on disk.

    A kernel package was updated without a reboot, which leaves the folder of another release. A
    kernel built in one piece has no modules and needs none, and an LXC guest sees those that the
    host around it has loaded.
    """
    if modules.folder or not modules.release:
        return None
    if not modules.loaded:
        return Skipped("this kernel is built without loadable modules")
    if modules.around:
        return Skipped(f"the kernel is that of the host around this one ({modules.around})")
    if not modules.others:
        return Skipped("/lib/modules has the folder of no release: the modules lie elsewhere")
    yield Finding(
        subject=HOST,
        summary=(
            f"the modules of the running kernel {modules.release} are gone: "
            "overlay, veth or iptables may fail to load"
        ),
        evidence=modules.evidence,
        variables={"release": modules.release},
    )


@check(
    "kernel.cgroups-leaked",
    severity=Severity.warning,
    causes=["container.start-refused", "container.runtime-limit-hit"],
)
def cgroups_leaked(
    counts: CgroupCounts,
    containers: Containers | None,
    *,
    many: Count = Count(20_000),
    last_pct: Percent = Percent(97),
) -> CheckResult:
    """Removed cgroups pile up in the kernel, until no container can be created.

    A memory cgroup that was removed stays as long as pages of the page cache are charged to it. The
    kernel has 65,535 ids for all of them; then `mkdir /sys/fs/cgroup/memory/...` fails with "no
    space left on device" while every disk has room. Groups count that no folder shows any more.
    It is critical near the end, or once a start failed for it.
    """
    refused = [
        container for container in containers or () if NO_CGROUP.search(container.state.error)
    ]
    if counts.removed < many and not (refused and counts.memory >= many):
        return None
    near_end = 100 * counts.memory >= last_pct * LIMIT
    names = names_of(refused)
    effect = f": {named('container', names)} cannot start" if refused else ""
    leaked = f"{counts.removed} of {counts.memory} memory cgroups in the kernel"
    yield Finding(
        subject=HOST,
        summary=(
            f"{leaked} are left over from removed containers; at {LIMIT} no container starts{effect}"
        ),
        evidence={
            "/proc/cgroups memory": counts.memory,
            "removed, but still charged": counts.removed,
            **present({"State.Error": refused[0].state.error if refused else ""}),
        },
        severity=Severity.critical if near_end or refused else Severity.warning,
        touches=subjects_of(refused),
    )


@check(
    "kernel.mounts-exhausted",
    severity=Severity.warning,
    causes=["container.start-refused", "container.runtime-limit-hit", "daemon.errors-in-log"],
)
def mounts_exhausted(
    room: MountRoom,
    containers: Containers | None,
    *,
    warn_pct: Percent = Percent(80),
    last_pct: Percent = Percent(97),
) -> CheckResult:
    """Mounts pile up on the host, until the kernel allows no more.

    A mount namespace may have fs.mount-max mounts, 100,000 unless that is changed. Then the engine
    cannot mount a layer any more: "error creating overlay mount: no space left on device", while
    every disk has room. Whoever mounts again and again below a shared mount doubles them.
    """
    if room.most is None or 100 * room.mounts < warn_pct * room.most:
        return None
    refused = [
        container for container in containers or () if NO_MOUNT.search(container.state.error)
    ]
    near_end = 100 * room.mounts >= last_pct * room.most
    yield _mounts_finding(room, room.most, refused, near_end=near_end)


def _mounts_finding(
    room: MountRoom, most: int, refused: Sequence[Container], *, near_end: bool
) -> Finding:
    """refused: the containers that did not start for lack of a mount."""
    is_full = near_end and (refused or most - room.mounts < FEW_MOUNTS)
    effect = "no container can start" if is_full else "at that number no container starts"
    share = f"; {room.within} of them are at or below {room.folder}" if room.folder else ""
    error = refused[0].state.error if refused else ""
    return Finding(
        subject=HOST,
        summary=(
            f"the host has {room.mounts} mounts of the {most} that fs.mount-max allows: "
            f"{effect}{share}"
        ),
        evidence={"mounts": room.mounts, "fs.mount-max": most, **present({"State.Error": error})},
        variables={"raised": str(2 * most), **present({"folder": room.folder})},
        severity=Severity.critical if near_end else Severity.warning,
        touches=(DAEMON, *subjects_of(refused)),
    )
