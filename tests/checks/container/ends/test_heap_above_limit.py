"""The checks in checks/container/ends/heap_above_limit.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.programs.heap_sizes import heap_size
from tests.checks.container.evidence import CLOCK, FOUND, container_in
from tests.inspected import of
from tests.judging import judge, rows

MIB = 1 << 20


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "killed",
            container_in(
                "exited",
                code=137,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            FOUND,
        ),
        (
            "works",
            container_in(
                "running",
                age=9000,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            [("advice", "web")],
        ),
        (
            "fits",
            container_in(
                "exited",
                code=137,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx32m"]},
            ),
            [],
        ),
        ("no limit", container_in("exited", code=137, Config={"Env": ["JAVA_OPTS=-Xmx1g"]}), []),
        (
            "ended otherwise",
            container_in(
                "exited",
                code=1,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            [],
        ),
    ],
)
def test_a_heap_above_the_limit(name: str, container: Container, expected: list[tuple[str, str]]):
    result = judge(
        "container.heap-above-limit",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
    )
    assert rows(result) == expected


def test_the_heap_that_counts_is_the_last_and_the_largest():
    assert heap_size(["java", "-Xmx1g", "-Xmx512m", "-jar", "a.jar"], []) == (512 * MIB, "-Xmx512m")
    assert heap_size(["node", "--max-old-space-size=4096", "a.js"], []) == (
        4096 * MIB,
        "--max-old-space-size=4096",
    )
    assert heap_size(["java"], ["ES_JAVA_OPTS=-Xms1g -Xmx2g", "OTHER=-Xmx9g"]) == (
        2048 * MIB,
        "-Xmx2g",
    )
    assert heap_size(["httpd"], []) == (0, "")
