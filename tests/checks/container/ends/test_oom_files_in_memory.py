"""container.oom-killed: containers without a killer, and files in memory that count."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Memory
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Usage
from tests.inspected import container, of
from tests.judging import judge, rows

MIB = 1 << 20
NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)


def oom(memory: Memory, areas: tuple[InMemory, ...] = (), **host: Any) -> Any:
    user = container("web", HostConfig={"Memory": 48 * MIB, **host})
    return judge(
        "container.oom-killed",
        containers=of(user),
        clock=CLOCK,
        options=Options(),
        cgroups=Cgroups({user.id: CgroupStats(memory=memory)}),
        events=Events(()),
        in_memory=SharedMemory(areas),
    )


def test_a_container_without_oom_killer_hangs() -> None:
    full = Memory(limit=48 * MIB, max_usage=48 * MIB, under_oom=1)
    assert rows(oom(full, OomKillDisable=True)) == [("critical", "web")]
    assert rows(oom(full)) == []
    assert rows(oom(Memory(limit=48 * MIB, under_oom=0), OomKillDisable=True)) == []


@pytest.mark.parametrize(
    ("path", "used", "size", "variable"),
    [
        pytest.param("/cache", 40, 12000, "/cache:size=24m", id="a tmpfs without a size"),
        pytest.param("/cache", 4, 12000, None, id="hardly anything in it"),
        pytest.param("/cache", 16, 16, None, id="a size of its own"),
        pytest.param("/dev/shm", 40, 64, None, id="shared memory"),
    ],
)
def test_files_in_memory_count_as_memory(
    path: str, used: int, size: int, variable: str | None
) -> None:
    usage = Usage(
        path,
        "tmpfs",
        "tmpfs",
        size * MIB,
        used * MIB,
        0,
        (size - used) * MIB,
        inodes=0,
        inodes_free=0,
        dev="0:1",
        read_only=False,
    )
    area = InMemory(container("web"), path, usage)
    killed = Memory(limit=48 * MIB, max_usage=48 * MIB, oom_kill=1)
    (finding,) = oom(killed, (area,)).findings
    assert finding.variables.get("tmpfs") == variable
    assert ("files in memory" in finding.evidence) == (used >= 12)
