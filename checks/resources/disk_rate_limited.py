"""resources.disk-rate-limited: a container may read or write very little in a second, and waits."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.inspect import DeviceRate
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import first_of
from diagnose.model import Bytes, CheckResult, Count, Finding, Json, Percent, Severity
from diagnose.phrases import agree, and_more, joined, size
from diagnose.registry import check

WAITING = "D"
"""The state of a process that waits for a disk; nothing else wakes it."""


class _Limit(msgspec.Struct, frozen=True):
    """A limit for one disk, as an option and as a clause."""

    option: str
    words: str


@check(
    "resources.disk-rate-limited",
    severity=Severity.advice,
    aloud=("may use its disk very slowly", "may use their disks very slowly"),
)
def disk_rate_limited(
    containers: Containers,
    cgroups: Cgroups | None,
    processes: Processes | None,
    *,
    bytes_per_second: Bytes = Bytes(2 << 20),
    operations: Count = Count(50),
    waits_pct: Percent = Percent(20),
) -> CheckResult:
    """A container has a limit for its disk that is far below what disks do.

    `--device-write-bps`, `blkio_config` of compose and their like hold each write back. The program
    waits in state D, and neither its log nor the load of the disk shows the reason. It is a warning
    where a process of the container waits so now, or its tasks waited for `waits_pct` of the last
    minute (control groups of version 2). It is quiet advice where they have not waited. Limits from
    `bytes_per_second` and from `operations` in a second on are left out.
    """
    for container in containers.running:
        limits = list(_limits(container, bytes_per_second, operations))
        if not limits:
            continue
        group = cgroups.of(container) if cgroups is not None else None
        waited = group.waited("io") if group is not None else None
        waiting = _waiting_processes(container, processes)
        has_waited = waited is not None and waited >= waits_pct
        if waiting or has_waited:
            yield _waiting_finding(_finding(container, limits, is_quiet=False), waited, waiting)
        else:
            yield _finding(container, limits, is_quiet=waited is not None)


def _waiting_processes(container: Container, processes: Processes | None) -> list[str]:
    """The processes of a container that wait for a disk at this moment."""
    inside = processes.inside(container.id) if processes is not None else ()
    return [f"{process.comm} (pid {process.pid})" for process in inside if process.state == WAITING]


def _waiting_finding(finding: Finding, waited: float | None, waiting: Sequence[str]) -> Finding:
    """The finding about a limit for which processes wait."""
    proof: dict[str, Json] = {}
    if waiting:
        waiting_clause = f"{and_more(waiting, 3)} {agree(waiting, 'waits', 'wait')} for it now"
        proof["processes that wait for a disk"] = list(waiting)
    else:
        waiting_clause = f"its tasks waited for {waited or 0.0:.0f} % of the last minute"
    if waited is not None:
        proof["io.pressure, some, last minute"] = f"{waited:.0f} %"
    return replace(
        finding,
        severity=Severity.warning,
        summary=f"{finding.summary}, and {waiting_clause}",
        evidence={**finding.evidence, **proof},
    )


def _limits(container: Container, least: int, operations: int) -> Iterator[_Limit]:
    """The limits that are lower than these."""
    config = container.host_config
    rates: tuple[tuple[str, str, list[DeviceRate] | None], ...] = (
        ("device-read-bps", "read", config.blkio_device_read_bps),
        ("device-write-bps", "write", config.blkio_device_write_bps),
        ("device-read-iops", "read", config.blkio_device_read_iops),
        ("device-write-iops", "write", config.blkio_device_write_iops),
    )
    for option, verb, entries in rates:
        for entry in entries or ():
            if option.endswith("bps") and 0 < entry.rate < least:
                yield _Limit(option, f"{verb} {size(entry.rate)} in a second on {entry.path}")
            if option.endswith("iops") and 0 < entry.rate < operations:
                yield _Limit(option, f"{verb} {entry.rate} times in a second on {entry.path}")


def _finding(container: Container, limits: list[_Limit], *, is_quiet: bool) -> Finding:
    options = dict.fromkeys(limit.option for limit in limits)
    return Finding.about(
        container,
        f"{container} may {joined([limit.words for limit in limits])}: its own limit holds its "
        "reads or writes back",
        {f"HostConfig, --{limit.option}": limit.words for limit in limits},
        is_quiet=is_quiet,
        variables={"limiting": first_of(options)},
    )
