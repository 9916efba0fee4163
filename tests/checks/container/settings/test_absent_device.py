"""Devices that programs ask for and the host lacks.

checks/container/settings/absent_device.py, its evidence.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.devices.asked import AskedDevices, asked_devices
from diagnose.model import Json
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
