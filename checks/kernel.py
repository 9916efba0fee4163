"""The kernel: stuck network devices, hung tasks, filesystem errors, modules that are gone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.cgroup_counts import LIMIT, CgroupCounts
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import HungTask, KernelLog, Record
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.block_devices import BlockDevices
from diagnose.evidence.storage.mounts import Mounted
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import (
    HOST,
    CheckResult,
    Count,
    Finding,
    Percent,
    Seconds,
    Severity,
    Skipped,
    Subject,
    container,
)
from diagnose.phrases import ago, counted
from diagnose.registry import check

_UNREGISTER = LazyPattern(
    r"unregister_netdevice: waiting for (\S+) to become free\. Usage count = (-?\d+)"
)
_FILESYSTEM = LazyPattern(
    r"^(?!.*(?:DISCARD|WRITE_ZEROES"
    r"|SECURE_ERASE)).*"  # many a disk refuses these, and nothing is lost
    r"(?:EXT4-fs error|EXT4-fs \((?P<ext>[\w.-]+)\): Remounting filesystem read-only"
    r"|XFS \((?P<xfs>[\w.-]+)\): .*"
    r"(?:Corruption|Shutting down|[Ee]rror)|BTRFS (?:error|critical)|Buffer I/O error on (?:dev"
    r"|device) |"
    r"(?:I/O|critical [a-z ]+|device offline|timeout|recoverable transport|protection) error, dev |"
    r"device-mapper: thin: \d+:(?P<pool>\d+): switching pool to (?:out-of-data-space|read-only"
    r"|fail))"
    r"(?: ?\((?:device )?(?P<named>[\w.-]+)|(?P<bare>[\w.-]+))?"
)
_ERROR_SIGNS = ("rror", "critical", "Remounting", "Corruption", "Shutting", "thin:")
_MOUNTED = LazyPattern(
    r"EXT4-fs \((?P<ext>[\w.-]+)\): mounted filesystem|XFS \((?P<xfs>[\w.-]+)\): Mounting V|"
    r"BTRFS info \(device (?P<named>[\w.-]+)\): first mount|"
    r"device-mapper: thin: \d+:(?P<pool>\d+): switching pool to write mode"
)
"""What ends such errors: the file system was mounted again, the pool of its thin volume has room
again."""
_MOUNT_SIGNS = ("mounted", "Mounting", "first mount", "thin:")


LATE_S = 600
"""Where processes cannot be seen, a line of so many seconds ago may be over."""
NO_CGROUP = LazyPattern(r"mkdir /sys/fs/cgroup/\S+: no space left on device")


@check("kernel.netdevice-stuck", severity=Severity.critical)
def netdevice_stuck(
    kernel_log: KernelLog,
    clock: Clock,
    *,
    times: Count = Count(3),
    within_s: Seconds = Seconds(120),
) -> CheckResult:
    """The kernel waits for a network device that is never released.

    One such line is normal at a slow teardown (the kernel repeats it every 10 s, net/core/dev.c);
    only repetition that lasts until now counts.
    """
    waits: dict[str, list[tuple[Record, int]]] = {}
    for record, match in kernel_log.matching(_UNREGISTER, ("unregister_netdevice",)):
        waits.setdefault(match[1], []).append((record, int(match[2])))
    for device, seen in waits.items():
        recent = [(record, count) for record, count in seen if clock.wall - record.at <= within_s]
        if len(recent) >= times:
            yield Finding(
                Subject("interface", device),
                f"the kernel has waited for {device} to become free "
                f"for {ago(recent[-1][0].at - seen[0][0].at)}",
                {
                    "kernel log": recent[-1][0].text,
                    "lines": len(seen),
                    "usage count": recent[-1][1],
                },
                {"interface": device},
                onset=seen[0][0].at,
            )
    return None


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
    tasks that no signal reaches. A task that has gone on since is left alone; where processes
    cannot be seen, lines of the last ten minutes count.
    """
    latest = {task.pid: task for task in kernel_log.hung_tasks}
    names = {container.id: container.name for container in containers or ()}
    for task in latest.values():
        process = processes.by_pid.get(task.pid) if processes is not None else None
        if processes is None and clock.wall - task.at > LATE_S:
            continue
        if processes is not None and not _is_stuck(process, task):
            continue
        owner = names.get(process.container or "") if process else None
        where = f' of container "{owner}"' if owner else ""
        is_engine = task.task.startswith(("dockerd", "containerd"))
        yield Finding(
            container(owner) if owner else HOST,
            f"{task.task} (pid {task.pid}){where} has been blocked "
            f"in the kernel for more than {task.seconds} s",
            {
                "kernel log": f"task {task.task}:{task.pid} blocked for more than {task.seconds} seconds",
                "state": "D",
            },
            {"pid": str(task.pid)},
            discriminator=str(task.pid),
            severity=Severity.critical if is_engine else Severity.warning,
            onset=task.at - task.seconds,
        )
    return None


def _is_stuck(process: Process | None, task: HungTask) -> bool:
    """Whether the task of the kernel's line is still blocked.

    The same name under the same pid, in state D.
    """
    return process is not None and process.comm[:15] == task.task[:15] and process.state == "D"


@check("kernel.filesystem-errors", severity=Severity.critical)
def filesystem_errors(
    kernel_log: KernelLog, disks: BlockDevices, clock: Clock, options: Options
) -> CheckResult:
    """The kernel reports errors on a mounted filesystem or its disk.

    Only devices that are mounted now count, each once, by its latest line, and only what came after
    that mount: the log also tells of a stick that was pulled out, and of a disk that has been
    repaired since.
    """
    since = {
        _device(match): record.at for record, match in kernel_log.matching(_MOUNTED, _MOUNT_SIGNS)
    }
    last: dict[str, tuple[Record, int]] = {}
    for record, match in kernel_log.matching(_FILESYSTEM, _ERROR_SIGNS):
        mounted = _mounted(_device(match), disks.by_name)
        if (
            mounted
            and clock.wall - record.at <= options.since_s
            and record.at >= since.get(mounted, 0.0)
        ):
            last[mounted] = (record, last.get(mounted, (record, 0))[1] + 1)
    for device, (record, count) in last.items():
        point = disks.by_name[device].point
        yield Finding(
            Subject("filesystem", point),
            f"the kernel reports errors of {device}, "
            f"mounted at {point}, last {ago(clock.wall - record.at)} ago",
            {"kernel log": record.text, "lines": count, "mountinfo": disks.by_name[device].super},
            {"device": device, "point": point},
            signs=frozenset({"io-error", "read-only"}),
        )
    return None


def _device(match: re.Match[str]) -> str:
    """The device that a line names, as the kernel calls it.

    The pool of a thin volume has numbers.
    """
    fields = match.groupdict()
    return (
        f"dm-{fields['pool']}"
        if fields["pool"]
        else next((name for name in fields.values() if name), "")
    )


def _mounted(device: str, by_name: Mapping[str, Mounted]) -> str:
    """The mounted device that the kernel names.

    Itself, or a partition of the disk (sda -> sda1, nvme0n1 -> nvme0n1p1; dm-10 is no partition
    of dm-1).
    """
    if device in by_name or not device:
        return device
    partition = re.compile(re.escape(device) + ("p" if device[-1].isdigit() else "") + r"\d+\Z")
    return next((name for name in by_name if partition.match(name)), "")


@check("kernel.modules-gone", severity=Severity.warning)
def modules_gone(modules: Modules) -> CheckResult:
    """The modules of the running kernel are no longer on disk.

    A kernel package was updated without a reboot. A kernel built in one piece has no modules and
    needs none.
    """
    if modules.folder or not modules.release:
        return None
    if not modules.loaded:
        return Skipped("this kernel is built without loadable modules")
    yield Finding(
        HOST,
        f"the modules of the running kernel {modules.release} are gone: "
        "overlay, veth or iptables may fail to load",
        {
            "uname -r": modules.release,
            "/proc/modules": f"{modules.loaded} loaded",
            "/lib/modules": "no folder of this release",
        },
        {"release": modules.release},
    )
    return None


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
    """Removed control groups pile up in the kernel, until no container can be made.

    A memory cgroup that was removed stays as long as pages of the page cache are charged to it. The
    kernel has 65,535 ids for all of them; then `mkdir /sys/fs/cgroup/memory/...` fails with "no
    space left on device" while every disk has room. Counted are those that no folder shows any
    more. Critical near the end, or once a start failed for it.
    """
    refused = [
        container for container in containers or () if NO_CGROUP.search(container.state.error)
    ]
    if counts.removed < many and not (refused and counts.memory >= many):
        return None
    near_end = 100 * counts.memory >= last_pct * LIMIT
    effect = ""
    if refused:
        effect = f": {counted('container', [container.name for container in refused])} cannot start"
    yield Finding(
        HOST,
        f"{counts.removed} of {counts.memory} memory cgroups in the kernel belong to containers that "
        f"are gone; at {LIMIT} no container starts{effect}",
        {
            "/proc/cgroups memory": counts.memory,
            "removed, but still charged": counts.removed,
            **({"State.Error": refused[0].state.error} if refused else {}),
        },
        severity=Severity.critical if near_end or refused else Severity.warning,
        touches=tuple(container.subject for container in refused),
    )
    return None
