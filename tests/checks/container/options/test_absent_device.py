"""Devices that programs ask for and the host lacks.

checks/container/options/absent_device.py, its evidence.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.devices.asked import AskedDevices, asked_devices
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.wanted_parts import DeviceMapping
from diagnose.model import Json, Severity
from tests.checks.container.evidence import CLOCK, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

LACKS = "Error: No such file or directory, cannot open /dev/ttyACM0"


def host(*names: str) -> Made:
    """A host with these devices."""

    def stats(question: Any) -> Json:
        return {
            path: {"type": "other"} if path.rpartition("/")[2] in names else {"failed": "missing"}
            for path in question.paths
        }

    entries = [{"name": name, "type": "other"} for name in names]
    return Made({"file.stats": stats, "file.list": {"entries": entries}})


@pytest.mark.parametrize(
    ("line", "names", "missing"),
    [
        (LACKS, ["ttyACM0"], {}),
        (LACKS, ["null"], {"/dev/ttyACM0": ()}),
        (LACKS, ["ttyUSB0", "ttyS0"], {"/dev/ttyACM0": ("/dev/ttyUSB0",)}),
        ("Error: bind: Address already in use", ["ttyUSB0"], {}),
    ],
)
def test_the_devices_of_the_host(line: str, names: list[str], missing: dict[str, tuple[str, ...]]):
    _, log_tails = failed_with_log(line)
    assert asked_devices(host(*names), log_tails, None) == AskedDevices(missing)


def test_the_time_zones_that_the_host_knows():
    zone = "Europe/Berlin"
    _, log_tails = failed_with_log(f"panic: unknown time zone {zone}")
    for failed_with, known in (({}, {zone}), ({"failed": "missing"}, set[str]())):
        stats = {f"/usr/share/zoneinfo/{zone}": {"type": "file", **failed_with}}
        asked = asked_devices(Made({"file.stats": stats}), log_tails, None)
        assert asked == AskedDevices(zones=frozenset(known))


@pytest.mark.parametrize(
    ("line", "others", "variables"),
    [
        (LACKS, (), {"unplugged": "/dev/ttyACM0"}),
        (LACKS, ("/dev/ttyUSB0",), {"renamed": "/dev/ttyUSB0:/dev/ttyACM0"}),
        (LACKS, ("/dev/ttyUSB0", "/dev/ttyUSB1"), {"unplugged": "/dev/ttyACM0"}),
        ("fuse: cannot open /dev/fuse: No such file or directory", (), {"module": "fuse"}),
    ],
)
def test_what_a_host_without_the_device_needs(
    line: str, others: tuple[str, ...], variables: dict[str, str]
):
    container, log_tails = failed_with_log(line)
    device = "/dev/fuse" if "fuse" in line else "/dev/ttyACM0"
    result = judge(
        "container.device-missing",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        asked_devices=AskedDevices({device: others}),
    )
    (finding,) = result.findings
    assert finding.variables == {"container": "web", "device": device} | variables


def test_a_device_of_the_container_that_has_another_name_now():
    error = 'error gathering device information while adding custom device "/dev/ttyUSB0": no such file or directory'
    device = {
        "PathOnHost": "/dev/ttyUSB0",
        "PathInContainer": "/dev/stick",
        "CgroupPermissions": "rwm",
    }
    container = container_in(
        "exited", code=128, State={"Error": error}, HostConfig={"Devices": [device]}
    )
    asked = asked_devices(host("ttyUSB1", "ttyS0"), failed_with_log("")[1], None, of(container))
    assert asked == AskedDevices({"/dev/ttyUSB0": ("/dev/ttyUSB1",)})
    judged = {"containers": of(container), "asked_devices": asked}
    (finding,) = judge("container.device-missing", **judged).findings
    assert "there is no /dev/ttyUSB0; the host has /dev/ttyUSB1" in finding.summary
    assert finding.variables["instead"] == "/dev/ttyUSB1:/dev/stick"
    (finding,) = judge("container.device-missing", containers=of(container)).findings
    assert finding.variables["option"] == "device"


def test_a_device_that_was_given_under_another_name():
    container, log_tails = failed_with_log(LACKS)
    given = DeviceMapping("/dev/ttyS0", "/dev/ttyUSB0")
    options = replace(container.host_config, devices=[given])
    (finding,) = judge(
        "container.device-missing",
        containers=of(replace(container, host_config=options)),
        clock=CLOCK,
        log_tails=log_tails,
        asked_devices=AskedDevices({"/dev/ttyACM0": ()}),
    ).findings
    assert finding.summary.endswith("needs /dev/ttyACM0, and it was given a device as /dev/ttyUSB0")
    assert finding.variables["renamed"] == "/dev/ttyS0:/dev/ttyACM0"


STICK = {"PathOnHost": "/dev/ttyACM0", "PathInContainer": "/dev/stick", "CgroupPermissions": "rwm"}


@pytest.mark.parametrize(
    ("names", "variables"),
    [
        (["ttyACM2"], {"instead": "/dev/ttyACM2:/dev/stick", "option": "device"}),
        (["ttyACM2", "ttyUSB0"], {"unplugged": "/dev/ttyACM0"}),
        (["null"], {"unplugged": "/dev/ttyACM0"}),
    ],
)
def test_a_device_that_was_unplugged_while_its_container_runs(
    names: list[str], variables: dict[str, str]
) -> None:
    container = container_in("running", HostConfig={"Devices": [STICK]})
    asked = asked_devices(host(*names), failed_with_log("")[1], None, of(container))
    judged = {"containers": of(container), "asked_devices": asked}
    (finding,) = judge("container.device-missing", **judged).findings
    assert finding.severity is Severity.advice
    assert finding.summary.startswith(
        'container "web" was given /dev/ttyACM0, which is gone from this host'
    )
    assert finding.variables == {"container": "web", "device": "/dev/ttyACM0"} | variables


@pytest.mark.parametrize(
    ("state", "path"),
    [("running", "/dev/ttyACM2"), ("exited", "/dev/ttyACM0"), ("running", "/srv/pipe")],
    ids=["is there", "is not running", "no device"],
)
def test_a_device_is_not_missed(state: str, path: str) -> None:
    container = container_in(state, HostConfig={"Devices": [STICK | {"PathOnHost": path}]})
    asked = asked_devices(host("ttyACM2"), failed_with_log("")[1], None, of(container))
    assert asked == AskedDevices()
    judged = {"containers": of(container), "asked_devices": asked}
    assert not judge("container.device-missing", **judged).findings


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("ERROR: cannot open /dev/stick: No such device", Severity.warning),
        ("ERROR: cannot open /dev/video0: No such device", Severity.advice),
    ],
)
def test_a_program_that_repeats_what_it_lacks(line: str, severity: Severity) -> None:
    container = container_in("running", HostConfig={"Devices": [STICK]})
    logs = RecentLogs({container.id: (RecentLine(CLOCK.wall, line),) * 4})
    errors = repeated_errors(of(container), logs)
    asked = asked_devices(host("null"), failed_with_log("")[1], errors, of(container))
    judged = {"containers": of(container), "asked_devices": asked}
    (finding,) = judge("container.device-missing", **judged).findings
    assert finding.severity is severity
    assert ("log" in finding.evidence) == (severity is Severity.warning)
