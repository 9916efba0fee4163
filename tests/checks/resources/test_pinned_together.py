"""The check in checks/resources/pinned_together.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.pinned_containers import cpu_numbers, pinned_sets
from diagnose.evidence.machine.pressure import Pressure
from diagnose.live.kernel.host import cpu_times
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("advice", "a")]
USED = {"a": 0.6, "b": 0.4}
IDLE = {"0": 1.0, "1": 2.0, "2": 95.0, "3": 90.0}
CASES: dict[str, tuple[dict[str, str], dict[str, float], dict[str, float], list[Any]]] = {
    "one CPU for two": ({"a": "0", "b": "0"}, USED, IDLE, FOUND),
    "two CPUs for two": ({"a": "0-1", "b": "0-1"}, {"a": 1.0, "b": 0.9}, IDLE, FOUND),
    "each has its own": ({"a": "0", "b": "1"}, USED, IDLE, []),
    "they use little of it": ({"a": "0", "b": "0"}, {"a": 0.1, "b": 0.1}, IDLE, []),
    "they leave some of it": (
        {"a": "0", "b": "0"}, {"a": 0.3, "b": 0.3}, {**IDLE, "0": 40.0}, [],
    ),
    "one uses all of it": ({"a": "0", "b": "0"}, {"a": 1.0, "b": 0.0}, IDLE, []),
    "the other CPUs are busy too": (
        {"a": "0", "b": "0"}, USED, {"0": 1.0, "1": 5.0, "2": 9.0, "3": 2.0}, [],
    ),
    "all CPUs of the host": ({"a": "0-3", "b": "0-3"}, {"a": 2.0, "b": 2.0}, IDLE, []),
    "no list": ({"a": "", "b": ""}, USED, IDLE, []),
}  # fmt: skip


@pytest.mark.parametrize(("lists", "used", "idle", "expected"), CASES.values(), ids=CASES)
def test_containers_with_a_list_of_cpus(
    lists: dict[str, str], used: dict[str, float], idle: dict[str, float], expected: list[Any]
) -> None:
    members = of(
        *(container(name, HostConfig={"CpusetCpus": text}) for name, text in lists.items())
    )
    growth = {
        one.id: {"delta": {"usage_us": round(used[one.name] * 500_000)}, "seconds": 0.5}
        for one in members
    }
    pressure = Pressure(figures={}, load=(), cpus=4)
    host = Made({"cgroup_rates": growth, "cpus.idle": idle})
    found = pinned_sets(host, members, pressure)
    result = judge("resources.pinned-together", pinned_sets=found, pressure=pressure)
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", {0}), ("0,2-3", {0, 2, 3}), ("", set()), ("x-1,1-y", set()), ("0-99999999", 4097)],
)
def test_lists_of_cpus(text: str, expected: set[int] | int) -> None:
    numbers = cpu_numbers(text)
    assert (len(numbers) if isinstance(expected, int) else numbers) == expected


def test_times_of_cpus() -> None:
    text = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 0 5 80 5 0 0 0 3 0\ncpu1 1 1 1 1 1 1 1 1\nintr 5\n"
    assert cpu_times(text) == {"0": (85, 100), "1": (2, 8)}
