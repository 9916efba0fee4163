"""The checks in checks/container/kernel_setting.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.machine.kernel_settings import KernelSettings
from tests.checks.container.evidence import CLOCK, FOUND, failed, made
from tests.inspected import of
from tests.judging import judge, rows

MAP_COUNT = "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]"


@pytest.mark.parametrize(("value", "expected"), [(65530, FOUND), (262144, []), (None, [])])
def test_a_kernel_setting_is_compared_with_the_host(
    value: int | None, expected: list[tuple[str, str]]
):
    container, log_tails = failed(MAP_COUNT, "closed")
    settings = KernelSettings({} if value is None else {"vm.max_map_count": value})
    result = judge(
        "container.kernel-setting-low",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == expected
    assert [finding.variables["assignment"] for finding in result.findings] == [
        "vm.max_map_count=262144"
    ] * len(expected)


def test_a_program_that_has_got_over_it_is_left_alone():
    steady = made("running", age=7200, RestartCount=2)
    log_tails = LogTails({steady.id: LogTail((MAP_COUNT,))}, {})
    settings = KernelSettings({"vm.max_map_count": 65530})
    result = judge(
        "container.kernel-setting-low",
        containers=of(steady),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == []
