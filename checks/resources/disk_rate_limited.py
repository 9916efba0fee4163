"""resources.disk-rate-limited: a container may read or write very little in a second."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import DeviceRate
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Bytes, CheckResult, Count, Finding, Severity
from diagnose.phrases import joined, size
from diagnose.registry import check


class _Limit(msgspec.Struct, frozen=True):
    """A limit for one disk, as the option and as a sentence say it."""

    option: str
    words: str


@check(
    "resources.disk-rate-limited",
    severity=Severity.advice,
    aloud=("may use its disk very slowly", "may use their disks very slowly"),
)
def disk_rate_limited(
    containers: Containers,
    *,
    bytes_per_second: Bytes = Bytes(2 << 20),
    operations: Count = Count(50),
) -> CheckResult:
    """A container has a limit for its disk that is far below what disks do.

    `--device-write-bps`, `blkio_config` of compose and their like hold each write back. What waits
    is a program in state D, and neither its log nor the load of the disk says why. Limits from
    `bytes_per_second` and from `operations` in a second on are left alone.
    """
    for container in containers.running:
        limits = list(_limits(container, bytes_per_second, operations))
        if limits:
            yield _finding(container, limits)
    return None


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


def _finding(container: Container, limits: list[_Limit]) -> Finding:
    options = dict.fromkeys(limit.option for limit in limits)
    return Finding.about(
        container,
        f"{container} may {joined([limit.words for limit in limits])}: a limit of its own holds "
        "its reads or writes back",
        {f"HostConfig, --{limit.option}": limit.words for limit in limits},
        limiting=next(iter(options)),
    )
