"""The check in checks/container/settings/device_forbidden.py, and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.denied_devices import DeniedDevices, denied_devices
from diagnose.evidence.engine.info import Info
from tests.checks.container.evidence import CLOCK, FOUND, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

INSIDE, PATH = "/dev/dri/renderD128", "/dev/dri/renderD128"
DENIED = f"Failed to open {INSIDE}: Permission denied"
DEVICE = [{"PathOnHost": PATH, "PathInContainer": INSIDE, "CgroupPermissions": "rwm"}]
RENDER = {"type": "other", "mode": 0o20660, "uid": 0, "gid": 104}
OF_ROOT = RENDER | {"mode": 0o20600}
OPEN = RENDER | {"mode": 0o20666}

CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], list[tuple[str, str]], str]] = {
    "of another group": (DENIED, "1000:1000", {}, RENDER, FOUND, "--group-add=104"),
    "of root alone": (DENIED, "1000", {}, OF_ROOT, FOUND, ""),
    "maybe in its group by the image": (DENIED, "1000", {}, RENDER, [], ""),
    "in its group": (DENIED, "1000", {"GroupAdd": ["104"]}, RENDER, [], ""),
    "open to all": (DENIED, "1000", {}, OPEN, [], ""),
    "root": (DENIED, "", {}, RENDER, [], ""),
    "another complaint": ("no such table", "1000", {}, RENDER, [], ""),
    "another device": ("/dev/ttyUSB0: Permission denied", "1000", {}, RENDER, [], ""),
}


@pytest.mark.parametrize(
    ("line", "user", "host", "status", "expected", "cure"), CASES.values(), ids=CASES
)
def test_a_device_that_its_user_may_not_open(
    line: str,
    user: str,
    host: dict[str, Any],
    status: dict[str, Any],
    expected: list[tuple[str, str]],
    cure: str,
) -> None:
    container, log_tails = failed_with_log(
        line, HostConfig={"Devices": DEVICE, **host}, Config={"User": user}
    )
    made = Made({"file.stats": {PATH: status}})
    denied = denied_devices(made, of(container), log_tails, Info(), None)
    assert isinstance(denied, DeniedDevices)
    result = judge("container.device-forbidden", denied=denied, clock=CLOCK)
    assert rows(result) == expected
    assert {finding.variables.get("group", "") for finding in result.findings} <= {cure}
