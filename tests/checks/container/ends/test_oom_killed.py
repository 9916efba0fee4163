"""The checks in checks/container/ends/oom_killed.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Memory
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.model import Unavailable
from tests.checks.container.evidence import (
    CLOCK,
    NOW,
    OPTIONS,
    UNKNOWN,
    container_in,
    events_of,
    summaries,
)
from tests.inspected import of
from tests.judging import judge, rows

MIB = 1 << 20


LIMITED: dict[str, Any] = {"HostConfig": {"Memory": 16 * MIB}}


def oom_lines(
    container: Container, age: float, *, parent: str = "", constraint: str = "CONSTRAINT_MEMCG"
) -> list[Record]:
    path = f"/docker/{container.id}"
    limit_of = "" if constraint == "CONSTRAINT_NONE" else f",oom_memcg={parent or path}"
    moment = NOW - age
    return [
        Record(moment, "memory: usage 16384kB, limit 16384kB, failcnt 57"),
        Record(
            moment,
            f"oom-kill:constraint={constraint},nodemask=(null),cpuset=x,mems_allowed=0{limit_of},task_memcg={path},task=app,pid=7,uid=0",
        ),
        Record(
            moment,
            "Memory cgroup out of memory: Killed process 7 (app) total-vm:18024kB, anon-rss:15872kB, file-rss:0kB",
        ),
    ]


def oom(
    container: Container,
    *,
    events: Events | Unavailable | None = None,
    lines: Iterable[Record] | None = (),
    killed: int | None = None,
) -> list[tuple[str, str]]:
    groups = Cgroups(
        {container.id: CgroupStats(memory=Memory(oom_kill=killed))} if killed is not None else {}
    )
    log = UNKNOWN if lines is None else KernelLog(tuple(lines))
    remembered = Events(()) if events is None else events
    return summaries(
        judge(
            "container.oom-killed",
            containers=of(container),
            clock=CLOCK,
            options=OPTIONS,
            cgroups=groups,
            events=remembered,
            kernel_log=log,
        )
    )


def test_each_of_four_sources_alone_tells_of_an_oom_kill():
    down = container_in("exited", code=137, State={"OOMKilled": True}, **LIMITED)
    runs = container_in("running", age=300, **LIMITED)
    assert oom(down) == [
        (
            "critical",
            'container "web" ran out of memory and was killed 1 min ago: its limit is 16.0 MiB',
        )
    ]
    assert oom(runs, lines=oom_lines(runs, 600))[0][1].startswith(
        'container "web" ran out of memory, was killed 10 min ago and started'
    )
    assert oom(runs, events=events_of(runs, (200, "oom", {}))) == [
        (
            "warning",
            'container "web" ran out of memory 3 min ago, lost a process and is still running: its limit is 16.0 MiB',
        )
    ]
    assert oom(runs, killed=2) == [
        (
            "warning",
            'container "web" ran out of memory and lost a process at an unknown time: its limit is 16.0 MiB',
        )
    ]


ROOM = {
    "a small limit at its start": (128, 5.0, "512m"),
    "a small limit after an hour": (128, 3600.0, "256m"),
    "a large limit at its start": (1024, 5.0, "2048m"),
}


@pytest.mark.parametrize(("limit", "ran", "memory"), ROOM.values(), ids=ROOM)
def test_how_much_more_memory_is_given(limit: int, ran: float, memory: str) -> None:
    host_config = {"Memory": limit * MIB}
    down = container_in(
        "exited", code=137, ran=ran, State={"OOMKilled": True}, HostConfig=host_config
    )
    result = judge(
        "container.oom-killed",
        containers=of(down),
        clock=CLOCK,
        options=OPTIONS,
        cgroups=Cgroups({}),
        events=Events(()),
        kernel_log=KernelLog(()),
    )
    assert result.findings[0].variables["memory"] == memory


@pytest.mark.parametrize(
    ("name", "container"),
    [
        ("137 alone is not OOM", container_in("exited", code=137, **LIMITED)),
        ("one that runs well", container_in("running", **LIMITED)),
    ],
)
def test_no_oom_kill(name: str, container: Container):
    assert oom(container, killed=0) == []


def test_an_old_oom_kill_is_advice():
    assert (
        oom(container_in("exited", code=137, age=6 * 86400, State={"OOMKilled": True}, **LIMITED))[
            0
        ][0]
        == "advice"
    )
    assert (
        oom(container_in("exited", code=0, State={"OOMKilled": True}, **LIMITED))[0][0] == "advice"
    )
    assert oom(container_in("running", age=40 * 86400, **LIMITED), killed=1)[0][0] == "advice"


def test_an_oom_kill_is_answered_by_a_greater_limit():
    roomier = container_in("running", age=30, HostConfig={"Memory": 64 * MIB})
    assert oom(roomier, lines=oom_lines(roomier, 60)) == []
    same = container_in("running", age=30, **LIMITED)
    assert oom(same, lines=oom_lines(same, 60)) != []
    updated = events_of(same, (60, "oom", {}), (40, "update", {}))
    assert oom(same, events=updated, lines=None) == []
    down = container_in(
        "exited", code=137, HostConfig={"Memory": 64 * MIB}, State={"OOMKilled": True}
    )
    assert oom(down, lines=oom_lines(down, 60)) != []


def test_a_peak_far_below_the_limit_tells_that_the_limit_was_raised():
    container = container_in("running", age=300, HostConfig={"Memory": 32 * MIB})
    for peak, found in ((16 * MIB, 0), (32 * MIB, 1), (None, 1)):
        memory = Memory(oom_kill=2, max_usage=peak, limit=32 * MIB)
        groups = Cgroups({container.id: CgroupStats(memory=memory)})
        result = judge(
            "container.oom-killed",
            containers=of(container),
            clock=CLOCK,
            options=OPTIONS,
            cgroups=groups,
            events=Events(()),
            kernel_log=UNKNOWN,
        )
        assert rows(result) == [("warning", "web")] * found


def test_a_flag_alone_that_has_outlived_a_start_is_advice():
    container = container_in("running", age=300, State={"OOMKilled": True}, **LIMITED)
    assert oom(container, killed=0)[0][0] == "advice"
    assert oom(container, killed=1)[0][0] == "warning"


def test_a_kill_in_another_container_below_the_same_limit_is_none_of_its_own():
    container = container_in("running", age=300, State={"OOMKilled": True}, **LIMITED)
    told = events_of(container, (60, "oom", {}))
    assert oom(container, events=told, killed=0) == []
    assert oom(container, events=told, killed=1)[0][0] == "warning"
    assert oom(container, events=told)[0][0] == "warning", "the counter is not known"
    of_before = events_of(container, (900, "oom", {}), (60, "oom", {}))
    assert "started again" in oom(container, events=of_before, killed=0)[0][1]


def test_an_oom_kill_names_whose_limit_it_was():
    container = container_in("exited", code=137, **LIMITED)
    assert (
        "the cgroup above it, /tenants"
        in oom(container, lines=oom_lines(container, 60, parent="/tenants"))[0][1]
    )
    unlimited = container_in("exited", code=137, State={"OOMKilled": True})
    assert "no limit of its own" in oom(unlimited)[0][1]
    assert (
        "the host had no memory left"
        in oom(unlimited, lines=oom_lines(unlimited, 60, constraint="CONSTRAINT_NONE"))[0][1]
    )


def test_without_events_and_kernel_log_an_oom_kill_stays_unknown():
    container = container_in("running", **LIMITED)
    result = judge("container.oom-killed", containers=of(container), clock=CLOCK, options=OPTIONS)
    assert result.verdict == "unknown"
