"""The checks in checks/resources/machine.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Severity
from tests.checks.resources.evidence import WEB, pressure_on, severities
from tests.inspected import of
from tests.judging import judge


@pytest.mark.parametrize(
    ("name", "info", "init", "expected"),
    [
        ("systemd is not there", Info(cgroup_driver="systemd"), "runit", ["critical"]),
        (
            "beside systemd",
            Info(cgroup_driver="cgroupfs", cgroup_version="2"),
            "systemd",
            ["advice"],
        ),
        (
            "cgroupfs without systemd",
            Info(cgroup_driver="cgroupfs", cgroup_version="2"),
            "runit",
            [],
        ),
        (
            "cgroupfs with version 1",
            Info(cgroup_driver="cgroupfs", cgroup_version="1"),
            "systemd",
            [],
        ),
        ("systemd", Info(cgroup_driver="systemd", cgroup_version="2"), "systemd", []),
    ],
)
def test_cgroup_driver(name: str, info: Info, init: str, expected: list[str]):
    processes = Processes((Process(pid=1, comm=init),))
    result = judge("resources.cgroup-driver", info=info, processes=processes, containers=of(WEB))
    assert severities(result.findings) == expected


@pytest.mark.parametrize(("full", "count"), [(45.0, 1), (3.0, 0)])
def test_io_saturated(full: float, count: int):
    answer = judge(
        "resources.io-saturated",
        pressure=pressure_on("io", full),
        containers=of(WEB),
        cgroups=Cgroups({}),
    ).findings
    assert [finding.severity or Severity.warning for finding in answer] == [
        Severity.warning
    ] * count


def test_io_does_not_apply_without_pressure_figures():
    assert (
        judge("resources.io-saturated", pressure=Pressure({"io": None}, (), 1)).verdict == "skipped"
    )
