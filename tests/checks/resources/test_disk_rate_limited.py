"""The check in checks/resources/disk_rate_limited.py."""

from __future__ import annotations

from typing import Any

import pytest

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
