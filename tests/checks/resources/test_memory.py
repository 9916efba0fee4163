"""The checks in checks/resources/memory.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, Memory
from diagnose.evidence.machine.kernel_log import KernelLog, Record, oom_kills
from diagnose.evidence.machine.pressure import HostMemory
from diagnose.model import container as subject
from tests.checks.resources.evidence import (
    CLOCK,
    GIB,
    MIB,
    NOW,
    OPTIONS,
    WEB,
    cgroup_of,
    findings_of,
    pressure_on,
    severities,
)
from tests.inspected import of
from tests.judging import judge


def host_kill(age: float, who: str = WEB.id, task: str = "java") -> list[Record]:
    """The lines of Linux 6.1 for a kill that no limit caused (their shape is that of
    mm/oom_kill.c)."""
    path = f"/system.slice/docker-{who}.scope" if who else "/system.slice/ssh.service"
    line = f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg={path}"
    killed = f"Out of memory: Killed process 77 ({task}) total-vm:9000000kB, anon-rss:7340032kB, file-rss:0kB"
    return [Record(NOW - age, f"{line},task={task},pid=77,uid=0"), Record(NOW - age, killed)]


OWN_LIMIT = f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/{WEB.id},task_memcg=/docker/{WEB.id},task=a,pid=1,uid=0"


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("a minute ago", host_kill(60), ["critical"]),
        ("this morning", host_kill(6 * 3600), ["warning"]),
        ("last week", host_kill(7 * 86400), []),
        ("none", [], []),
        ("at a container's own limit", [Record(NOW - 60, OWN_LIMIT)], []),
    ],
)
def test_host_oom(name: str, lines: list[Record], expected: list[str]):
    result = judge(
        "resources.host-oom",
        containers=of(WEB),
        kernel_log=KernelLog(tuple(lines)),
        clock=CLOCK,
        options=OPTIONS,
    )
    assert severities(result.findings) == expected


def test_host_oom_names_its_victim():
    (one,) = judge(
        "resources.host-oom",
        containers=of(WEB),
        kernel_log=KernelLog(tuple(host_kill(60))),
        clock=CLOCK,
        options=OPTIONS,
    ).findings
    assert 'killed java of container "web" using 7.0 GiB' in one.summary
    assert subject("web") in one.touches
    (other,) = judge(
        "resources.host-oom",
        containers=of(WEB),
        kernel_log=KernelLog(tuple(host_kill(60, who=""))),
        clock=CLOCK,
        options=OPTIONS,
    ).findings
    assert "java of the host" in other.summary
    assert other.touches == ()


def test_kills_in_a_row_are_told_apart():
    lines = [*host_kill(60), *host_kill(50, who="", task="mysqld")]
    assert [(kill.task, kill.container, kill.rss) for kill in oom_kills(lines)] == [
        ("java", WEB.id, 7 * GIB),
        ("mysqld", "", 7 * GIB),
    ]


def before_5_0(group: str, choice: str) -> list[Record]:
    """The lines of Linux 4.19 (Debian 10, Ubuntu 18.04, RHEL 7 alike): the choice may have a child
    killed instead."""
    head = [
        f"Task in {group} killed as a result of limit of {group}",
        "memory: usage 65536kB, limit 65536kB, failcnt 9",
    ]
    killed = (
        "Killed process 78 (worker) total-vm:90000kB, anon-rss:61440kB, file-rss:0kB, shmem-rss:0kB"
    )
    return [Record(NOW - 60, line) for line in (*(head if group else ()), choice, killed)]


def test_the_cache_of_zfs_is_no_lack_of_memory():
    host = HostMemory(total=32 * GIB, available=GIB, free=GIB, zfs_cache=20 * GIB)
    result = judge(
        "resources.memory-scarce", host_memory=host, containers=of(WEB), cgroups=Cgroups({})
    )
    assert severities(result.findings) == []


def test_kills_of_older_kernels():
    (own,) = oom_kills(
        before_5_0(
            f"/docker/{WEB.id}",
            "Memory cgroup out of memory: Kill process 77 (java) score 990 or sacrifice child",
        )
    )
    assert (own.task, own.pid, own.container, own.limit) == ("worker", 78, WEB.id, 64 * MIB)
    assert (own.of_host, own.by_parent, own.rss) == (False, False, 60 * MIB)
    (host,) = oom_kills(
        before_5_0("", "Out of memory: Kill process 77 (java) score 512 or sacrifice child")
    )
    assert (host.of_host, host.container, host.limit) == (True, "", None)
    (unsaid,) = oom_kills(
        before_5_0(
            "", "Memory cgroup out of memory: Kill process 77 (java) score 1 or sacrifice child"
        )
    )
    assert not unsaid.of_host


@pytest.mark.parametrize(
    ("name", "available", "stalled", "expected"),
    [
        ("hardly any left", 200 * MIB, 0.0, ["warning"]),
        ("all work waits for it", 200 * MIB, 40.0, ["critical"]),
        ("enough, in cache", 6 * GIB, 0.0, []),
        ("little of very much", 12 * GIB, 0.0, []),
    ],
)
def test_memory_scarce(name: str, available: int, stalled: float, expected: list[str]):
    host = HostMemory(
        total=512 * GIB if available > 8 * GIB else 8 * GIB, available=available, free=100 * MIB
    )
    result = judge(
        "resources.memory-scarce",
        host_memory=host,
        pressure=pressure_on("memory", stalled),
        containers=of(WEB),
        cgroups=Cgroups({}),
    )
    assert severities(result.findings) == expected


def test_memory_is_not_scarce_while_much_of_it_is_free():
    """After a kill the kernel still counts the waiting of the last minute."""
    result = judge(
        "resources.memory-scarce",
        host_memory=HostMemory(total=int(23.6 * GIB), available=23 * GIB, free=22 * GIB),
        pressure=pressure_on("memory", 45.0),
        containers=of(WEB),
        cgroups=Cgroups({}),
    )
    assert severities(result.findings) == []


@pytest.mark.parametrize(
    ("name", "held", "count"),
    [
        ("nearly all held", Memory(usage=64 * MIB, limit=64 * MIB, working_set=60 * MIB), 1),
        ("all used, mostly cache", Memory(usage=64 * MIB, limit=64 * MIB, working_set=9 * MIB), 0),
        (
            "cache that is read again",
            Memory(usage=64 * MIB, limit=64 * MIB, working_set=60 * MIB, reclaimable=50 * MIB),
            0,
        ),
        (
            "a database of its size",
            Memory(usage=62 * GIB, limit=64 * GIB, working_set=62 * GIB, reclaimable=0),
            0,
        ),
        ("no limit", Memory(usage=GIB, working_set=GIB), 0),
        ("not to be read", Memory(limit=64 * MIB), 0),
    ],
)
def test_memory_near_limit(name: str, held: Memory, count: int):
    result = judge(
        "resources.memory-near-limit", containers=of(WEB), cgroups=cgroup_of(memory=held)
    )
    assert len(findings_of(result.findings)) == count


@pytest.mark.parametrize(
    ("waited", "said"), [(43.0, ", and waits for memory 43 % of the time"), (2.0, None)]
)
def test_a_container_that_waits_for_memory_has_too_little(waited: float, said: str | None):
    held = Memory(usage=64 * MIB, limit=64 * MIB, working_set=50 * MIB, reclaimable=20 * MIB)
    thrashing = cgroup_of(memory=held, pressure={"memory": {"full": {"avg60": waited}}})
    summaries = [
        finding.summary
        for finding in findings_of(
            judge("resources.memory-near-limit", containers=of(WEB), cgroups=thrashing).findings
        )
    ]
    assert summaries == (
        [f'container "web" uses 44.0 MiB of its memory limit of 64.0 MiB{said}'] if said else []
    )
