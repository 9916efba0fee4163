"""Variables that a container has and its programs do not get.

diagnose/evidence/containers/variables/unpassed_variable.py.
"""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.machine.processes import Process, Processes
from tests.inspected import container
from tests.judging import judge

NOW = 1_800_000_000.0
MISSES = "KeyError: 'DATABASE_URL'"
CASES = {
    "a job of cron": ("cron", "sh", MISSES, ["DATABASE_URL=x"], "scheduling"),
    "a worker of php-fpm": ("php", "php-fpm8.2", MISSES, ["DATABASE_URL=x"], "clearing"),
    "a variable that the container lacks": ("cron", "sh", MISSES, [], ""),
    "an empty variable": ("cron", "sh", MISSES, ["DATABASE_URL="], ""),
    "nothing that drops variables": ("python3", "python3", MISSES, ["DATABASE_URL=x"], ""),
    "another error": ("cron", "sh", "ValueError: DATABASE_URL is bad", ["DATABASE_URL=x"], ""),
}


@pytest.mark.parametrize(("inner", "first", "line", "env", "expected"), CASES.values(), ids=CASES)
def test_a_variable_that_does_not_arrive(
    inner: str, first: str, line: str, env: list[str], expected: str
) -> None:
    jobs = container("jobs", Config={"Env": env})
    logs = RecentLogs({jobs.id: tuple(RecentLine(NOW, line) for _ in "abcd")})
    listed = Processes(
        (
            Process(pid=jobs.state.pid, comm=first, container=jobs.id),
            Process(pid=7, comm=inner, container=jobs.id),
            Process(pid=8, comm="cron", container="another"),
        )
    )
    containers = Containers([jobs])
    result = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(containers, logs),
        containers=containers,
        processes=listed,
    )
    (finding,) = result.findings
    steps = {"scheduling", "clearing"} & finding.variables.keys()
    assert steps == ({expected} if expected else set())
    assert finding.severity.name == ("warning" if expected else "advice")
