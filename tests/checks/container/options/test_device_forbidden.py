"""The check in checks/container/options/device_forbidden.py, and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.devices.denied import DeniedDevices, denied_devices
from diagnose.evidence.containers.devices.unusable import unusable_devices
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.container.evidence import CLOCK, FOUND, NOW, container_in, failed_with_log
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


TUN = "/dev/net/tun"
BARRED = f"INFO TUN device is not available: open {TUN}: operation not permitted; creating it..."
GIVEN = [{"PathOnHost": TUN, "PathInContainer": TUN, "CgroupPermissions": "rwm"}]
OF_HOST: dict[str, tuple[str, dict[str, Any], str, str, list[tuple[str, str]]]] = {
    "in LXC": (BARRED, {"Devices": GIVEN}, "EPERM", "lxc", FOUND),
    "in what is not known": (BARRED, {"Devices": GIVEN}, "EPERM", "", FOUND),
    "all devices were given": (BARRED, {"Privileged": True}, "EPERM", "lxc", FOUND),
    "it was not given": (BARRED, {}, "EPERM", "lxc", []),
    "the host may open it": (BARRED, {"Devices": GIVEN}, "", "lxc", []),
    "the host lacks it": (BARRED, {"Devices": GIVEN}, "ENOENT", "lxc", []),
    "by owner and mode": (
        BARRED.replace("operation not permitted", "permission denied"),
        {"Devices": GIVEN},
        "EPERM",
        "lxc",
        [],
    ),
}


@pytest.mark.parametrize(
    ("line", "config", "error", "around", "expected"), OF_HOST.values(), ids=OF_HOST
)
def test_a_device_that_the_host_may_not_open(
    line: str, config: dict[str, Any], error: str, around: str, expected: list[tuple[str, str]]
) -> None:
    container, log_tails = failed_with_log(line, HostConfig=config, Config={"User": ""})
    made = Made(
        {
            "file.stats": {TUN: OF_ROOT},
            "file.devices": {TUN: {"error": error}},
            "file.read": {"text": f"{around}\n"},
        }
    )
    denied = denied_devices(made, of(container), log_tails, Info(), None)
    assert isinstance(denied, DeniedDevices)
    result = judge("container.device-forbidden", denied=denied, clock=CLOCK)
    assert rows(result) == expected
    assert [finding.variables["barred"] for finding in result.findings] == [TUN] * len(expected)
    assert all(f"the {around}".strip() in finding.summary for finding in result.findings)


def test_devices_that_something_would_happen_to_are_not_opened() -> None:
    serial = "/dev/ttyUSB0"
    given = [{"PathOnHost": serial, "PathInContainer": serial}]
    line = f"cannot open {serial}: Operation not permitted"
    container, log_tails = failed_with_log(line, HostConfig={"Devices": given})
    made = Made({"file.stats": {serial: OF_ROOT}})
    denied_devices(made, of(container), log_tails, Info(), None)
    assert "file.devices" not in {question.kind for question in made.asked}


LOST = f"[AVHWDeviceContext @ 0x5] No VA display found for device {INSIDE}."
DRI = [{"PathOnHost": "/dev/dri", "PathInContainer": "/dev/dri", "CgroupPermissions": "rwm"}]
WARNED = [("warning", "web")]
PUID = {"User": "", "Env": ["PUID=1000", "PGID=1000"]}
OWN = {"User": "1000:1000"}
GROUPS = "Name:\tplex\nGid:\t1000\t1000\t1000\t1000\nGroups:\t"
RUNNING: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], list[tuple[str, str]], str]] = {
    "PUID": (LOST, PUID, "100 1000", RENDER, WARNED, "opened"),
    "PUID, whom the image has added": (LOST, PUID, "104 1000", RENDER, [], ""),
    "the container's user": (LOST, OWN, "1000", RENDER, WARNED, "group"),
    "the container's user, in its group": (LOST, OWN, "104", RENDER, [], ""),
    "root": (LOST, {"User": ""}, "0", RENDER, [], ""),
    "open to all": (LOST, PUID, "1000", OPEN, [], ""),
    "a refusal by its name": (
        f"PermissionError: [Errno 13] Permission denied: '{INSIDE}'",
        PUID,
        "1000",
        RENDER,
        WARNED,
        "opened",
    ),
    "another complaint": ("no such table", PUID, "1000", RENDER, [], ""),
    "without a name": (
        "ERROR - [FFMPEG] - Failed to initialise VAAPI connection: -1 (unknown libva error).",
        PUID,
        "1000",
        RENDER,
        WARNED,
        "opened",
    ),
}


@pytest.mark.parametrize(
    ("line", "config", "groups", "status", "expected", "cure"), RUNNING.values(), ids=RUNNING
)
@pytest.mark.parametrize("devices", [DEVICE, DRI], ids=["one device", "the folder"])
def test_a_graphics_device_that_a_running_program_may_not_open(
    devices: list[dict[str, str]],
    line: str,
    config: dict[str, Any],
    groups: str,
    status: dict[str, Any],
    expected: list[tuple[str, str]],
    cure: str,
) -> None:
    container = container_in(
        "running", age=600, name="web", HostConfig={"Devices": devices}, Config=config
    )
    lines = tuple(RecentLine(NOW - age, line) for age in (9, 6, 3))
    listed = [
        Process(pid=70, comm="s6-svscan", uid=0, container=container.id),
        Process(pid=77, comm="plex", uid=1000, container=container.id),
    ]
    file = {"text": GROUPS + groups + "\n"}
    made = Made({"file.stats": {PATH: status}, "file.read": file})
    unusable = unusable_devices(
        made, Containers([container]), RecentLogs({container.id: lines}),
        Processes(tuple(listed)), Info(), None,
    )  # fmt: skip
    result = judge(
        "container.device-forbidden", denied=DeniedDevices(), clock=CLOCK, unusable=unusable
    )
    assert rows(result) == expected
    assert all(cure in finding.variables for finding in result.findings)
