"""The check in checks/resources/disk_rate_limited.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.machine.processes import Process, Processes
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("advice", "db")]
MIB = 1 << 20
CASES: dict[str, tuple[dict[str, list[dict[str, Any]]], list[tuple[str, str]]]] = {
    "bytes": ({"BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 262144}]}, FOUND),
    "bytes of reads": ({"BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": MIB}]}, FOUND),
    "operations": ({"BlkioDeviceWriteIOps": [{"Path": "/dev/sda", "Rate": 10}]}, FOUND),
    "enough bytes": ({"BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 50 * MIB}]}, []),
    "enough operations": ({"BlkioDeviceReadIOps": [{"Path": "/dev/sda", "Rate": 500}]}, []),
    "no limit": ({}, []),
}


@pytest.mark.parametrize(("config", "expected"), CASES.values(), ids=CASES)
def test_limits(config: dict[str, list[dict[str, Any]]], expected: list[tuple[str, str]]) -> None:
    result = judge("resources.disk-rate-limited", containers=of(container("db", HostConfig=config)))
    assert rows(result) == expected


LIMITED = container(
    "db", HostConfig={"BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 262144}]}
)


def _group(waited: float | None) -> Cgroups | None:
    """Its group of version 2, whose tasks waited for so many percent of the last minute."""
    if waited is None:
        return None
    times = {"some": {"avg60": waited}}
    return Cgroups({LIMITED.id: CgroupStats(version=2, path="/db", pressure={"io": times})})


def _running(state: str) -> Processes:
    return Processes((Process(7, comm="postgres", state=state, container=LIMITED.id),))


WAITS: dict[str, tuple[float | None, str, tuple[str, bool]]] = {
    "a process waits": (None, "D", ("warning", False)),
    "its tasks have waited": (45.0, "S", ("warning", False)),
    "its tasks have not waited": (0.5, "S", ("advice", True)),
    "nobody knows": (None, "S", ("advice", False)),
}


@pytest.mark.parametrize(("waited", "state", "expected"), WAITS.values(), ids=WAITS)
def test_who_waits(waited: float | None, state: str, expected: tuple[str, bool]) -> None:
    result = judge(
        "resources.disk-rate-limited",
        containers=of(LIMITED),
        cgroups=_group(waited),
        processes=_running(state),
    )
    severity, is_quiet = expected
    assert rows(result) == [(severity, "db")]
    assert [finding.is_quiet for finding in result.findings] == [is_quiet]
