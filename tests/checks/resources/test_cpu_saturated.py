"""The check in checks/resources/cpu_saturated.py, and the evidence that it reads."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.busy_containers import busy_containers
from diagnose.evidence.machine.pressure import Pressure
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

WEB, ENCODER = container("web"), container("encoder")
CASES: dict[str, tuple[float, float, list[tuple[str, str]]]] = {
    "one uses nearly all, and others wait": (80.0, 1.7, [("advice", "encoder")]),
    "nobody waits": (20.0, 1.9, []),
    "the host itself is busy": (90.0, 0.4, []),
}


@pytest.mark.parametrize(("waited", "cpus", "expected"), CASES.values(), ids=CASES)
def test_who_keeps_the_cpus_busy(
    waited: float, cpus: float, expected: list[tuple[str, str]]
) -> None:
    growth = {
        WEB.id: {"seconds": 0.5, "delta": {"usage_us": 1000}},
        ENCODER.id: {"seconds": 0.5, "delta": {"usage_us": round(cpus * 500_000)}},
    }
    pressure = Pressure({"cpu": {"some": {"avg60": waited}}}, (9.0, 8.0, 7.0), 2)
    busy = busy_containers(Made({"cgroup_rates": growth}), Containers([WEB, ENCODER]), pressure)
    result = judge("resources.cpu-saturated", pressure=pressure, busy_containers=busy, cgroups=None)
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("waited", "findings"), [(1.0, 0), (40.0, 1), (None, 1)], ids=["nobody", "web", "not kept"]
)
def test_who_waits_for_the_busy_one(waited: float | None, findings: int) -> None:
    figures = None if waited is None else {"cpu": {"some": {"avg60": waited}}}
    growth = {
        WEB.id: {"seconds": 0.5, "delta": {"usage_us": 1000}},
        ENCODER.id: {"seconds": 0.5, "delta": {"usage_us": 900_000}},
    }
    pressure = Pressure({"cpu": {"some": {"avg60": 90.0}}}, (9.0, 8.0, 7.0), 2)
    busy = busy_containers(Made({"cgroup_rates": growth}), Containers([WEB, ENCODER]), pressure)
    result = judge(
        "resources.cpu-saturated",
        pressure=pressure,
        busy_containers=busy,
        cgroups=Cgroups({WEB.id: CgroupStats(pressure=figures)}),
    )
    assert len(rows(result)) == findings


def test_a_kernel_without_figures() -> None:
    pressure = Pressure({"cpu": None}, (9.0, 8.0, 7.0), 2)
    busy = busy_containers(Made({}), Containers([WEB]), pressure)
    result = judge("resources.cpu-saturated", pressure=pressure, busy_containers=busy, cgroups=None)
    assert result.verdict == "skipped"


def test_a_container_that_ended_meanwhile_is_left_out() -> None:
    growth = {ENCODER.id: {"failed": "gone"}, WEB.id: {"seconds": 0.5, "delta": {}}}
    pressure = Pressure({"cpu": {"some": {"avg60": 90.0}}}, (9.0, 8.0, 7.0), 2)
    busy = busy_containers(Made({"cgroup_rates": growth}), Containers([WEB, ENCODER]), pressure)
    assert not busy.items
