"""The checks in checks/container/ends/heap_above_limit.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info
from diagnose.programs.heap_sizes import HeapOption, largest_heap, unaware_java
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
    java = largest_heap(["java", "-Xmx1g", "-Xmx512m", "-jar", "a.jar"], [])
    assert java == HeapOption(512 * MIB, "-Xmx512m")
    node = largest_heap(["node", "--max-old-space-size=4096", "a.js"], [])
    assert node == HeapOption(4096 * MIB, "--max-old-space-size=4096")
    elastic = largest_heap(["java"], ["ES_JAVA_OPTS=-Xms1g -Xmx2g", "OTHER=-Xmx9g"])
    assert elastic == HeapOption(2048 * MIB, "-Xmx2g")
    assert largest_heap(["httpd"], []) == HeapOption(0)


@pytest.mark.parametrize(
    ("env", "version"),
    [
        (["JAVA_VERSION=8u171"], "8u171"),
        (["JAVA_VERSION=jdk8u181-b13"], "8u181"),
        (["JAVA_VERSION=1.8.0_121"], "8u121"),
        (["JAVA_VERSION=8", "JAVA_UPDATE=144"], "8u144"),
        (["JAVA_VERSION=9.0.4"], "9"),
        (["JAVA_VERSION=7u211"], "7"),
        (["JAVA_VERSION=8u191"], ""),
        (["JAVA_VERSION=jdk8u292-b10"], ""),
        (["JAVA_VERSION=8"], ""),
        (["JAVA_VERSION=jdk-11.0.3+7"], ""),
        (["JAVA_VERSION=17.0.15"], ""),
        (["JAVA_VERSION=8u171", "JAVA_OPTS=-Xmx64m"], ""),
        (["JAVA_VERSION=8u171", "JAVA_OPTS=-XX:+UseCGroupMemoryLimitForHeap"], ""),
        (["PATH=/bin"], ""),
    ],
)
def test_a_java_that_sees_the_memory_of_the_host(env: list[str], version: str):
    assert unaware_java(["java", "-jar", "/app.jar"], env) == version


@pytest.mark.parametrize(
    ("state", "host_memory", "expected"),
    [
        ({"OOMKilled": True}, 8 << 30, FOUND),
        ({}, 8 << 30, [("advice", "web")]),
        ({"OOMKilled": True}, 512 * MIB, []),
    ],
    ids=["killed", "works", "a small host"],
)
def test_a_limit_that_java_does_not_see(state, host_memory, expected):
    config = {"Env": ["JAVA_VERSION=8u121"]}
    status = "exited" if state else "running"
    parts = {"State": state, "HostConfig": {"Memory": 200 * MIB}, "Config": config}
    container = container_in(status, code=137 if state else 0, age=9000.0, **parts)
    judged = {"containers": of(container), "clock": CLOCK, "log_tails": LogTails({}, {})}
    result = judge("container.heap-above-limit", **judged, info=Info(mem_total=host_memory))
    assert rows(result) == expected
    assignments = [finding.variables.get("assignment") for finding in result.findings]
    assert assignments == ["JAVA_TOOL_OPTIONS=-Xmx132m"] * len(expected)
