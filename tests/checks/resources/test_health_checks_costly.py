"""The check in checks/resources/health_checks_costly.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.probe_rate import probes_per_second
from diagnose.evidence.machine.pressure import Pressure
from tests.inspected import container, of
from tests.judging import judge, rows


def probed(name: str, every: float, probes: int = 5) -> Container:
    """A container whose last probes began so many seconds after each other."""
    log: list[dict[str, Any]] = [
        {"Start": f"2026-01-02T03:00:{at * every:09.6f}Z", "ExitCode": 0} for at in range(probes)
    ]
    return container(name, State={"Health": {"Status": "healthy", "Log": log}})


MANY = [probed(f"fn{number}", 0.25) for number in range(4)]
CASES: dict[str, tuple[list[Container], float | None, int, list[tuple[str, str]]]] = {
    "a hundred a minute on a busy host": (MANY, 90.0, 2, [("advice", "docker")]),
    "nobody waits": (MANY, 20.0, 2, []),
    "a larger host": (MANY, 90.0, 16, []),
    "at their usual interval": ([probed("web", 9.0)], 90.0, 2, []),
    "without health checks": ([container("web")], 90.0, 2, []),
    "a kernel without figures": (MANY, None, 2, []),
}


@pytest.mark.parametrize(("containers", "waited", "cpus", "expected"), CASES.values(), ids=CASES)
def test_what_health_checks_cost(
    containers: list[Container], waited: float | None, cpus: int, expected: list[tuple[str, str]]
) -> None:
    figures = None if waited is None else {"some": {"avg60": waited}}
    pressure = Pressure({"cpu": figures}, (9.0, 8.0, 7.0), cpus)
    result = judge("resources.health-checks-costly", containers=of(*containers), pressure=pressure)
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("every", "probes", "expected"), [(0.5, 5, 2.0), (2.0, 3, 0.5), (1.0, 1, 0.0), (0.0, 4, 0.0)]
)
def test_how_often_it_is_probed(every: float, probes: int, expected: float) -> None:
    assert probes_per_second(probed("web", every, probes)) == pytest.approx(expected)
