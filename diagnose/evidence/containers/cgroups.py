"""Control groups of running containers: what they use, what they may use, and what the kernel counted."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers, still_alive
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

SAMPLE_S = 0.5
"""Seconds between two samples of throttling: five periods of the kernel's default 100 ms."""
WORTH_A_SAMPLE = 0.05
"""Share of throttled periods since the start from which on a second sample is taken."""
WAITS_PCT = 10.0
"""Percent of the last minute that it waited for a CPU, from which on a sample is taken whatever it did before."""


class Memory(msgspec.Struct, frozen=True):
    """Bytes; None: no limit, or not kept. working_set: usage without the file cache that nobody reads, as other tools
    count it. reclaimable: all file cache, and what the kernel keeps of files beside it.
    """

    usage: int | None = None
    limit: int | None = None
    max_usage: int | None = None
    swap: int | None = None
    swap_limit: int | None = None
    inactive_file: int | None = None
    working_set: int | None = None
    reclaimable: int | None = None
    oom_kill: int | None = None

    @property
    def held(self) -> int | None:
        """What the kernel cannot take back without swapping or killing."""
        if self.usage is None or self.reclaimable is None:
            return self.working_set
        return max(self.usage - self.reclaimable, 0)


class Pids(msgspec.Struct, frozen=True):
    """Tasks now, at most, and how often a fork was refused in this run."""

    current: int | None = None
    max: int | None = None
    events_max: int | None = None


class Cpu(msgspec.Struct, frozen=True):
    """Since the start: periods in which it wanted the CPU, and those in which it was held back. quota_us per
    period_us.
    """

    periods: int | None = None
    throttled: int | None = None
    throttled_us: int | None = None
    usage_us: int | None = None
    quota_us: int | None = None
    period_us: int | None = None


class CgroupStats(msgspec.Struct, frozen=True):
    """One container's groups. path: in the memory hierarchy, or the unified one."""

    path: str = ""
    version: int = 1
    memory: Memory = Memory()
    pids: Pids = Pids()
    cpu: Cpu = Cpu()
    pressure: dict[str, dict[str, dict[str, float]] | None] | None = None

    def waited(self, resource: str, kind: str = "some", over: str = "avg60") -> float | None:
        """Percent of the time in which its tasks waited for cpu, memory or io; None where the kernel does not keep
        it.
        """
        figures = (self.pressure or {}).get(resource)
        return figures.get(kind, {}).get(over) if figures else None


class Cgroups(msgspec.Struct, frozen=True):
    """By container id, of those that run."""

    by_id: dict[str, CgroupStats]
    unexamined: tuple[Unexamined, ...] = ()

    def of(self, container: Container) -> CgroupStats | None:
        return self.by_id.get(container.id)


@evidence
def cgroups(host: Host, containers: Containers) -> Cgroups | Unavailable:
    """One question for all that run."""
    running = {each.id: each for each in containers.running}
    if not running:
        return Cgroups({})
    answer = host.ask(question("cgroups", containers={id: each.state.pid for id, each in running.items()}))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found = {id: convert(row, CgroupStats) for id, row in answer.items() if "failed" not in row}
    lost = still_alive(host, (running[id] for id in answer if id not in found))
    missing = tuple(Unexamined(each.subject, f"its cgroup: {answer[each.id]['failed']}") for each in lost)
    return Cgroups(found, missing)


class Throttling(msgspec.Struct, frozen=True):
    """By container id: (periods, throttled) within `SAMPLE_S` seconds of now, of those that were throttled before."""

    by_id: dict[str, tuple[int, int]]


@evidence
def throttling(host: Host, containers: Containers, cgroups: Cgroups) -> Throttling | Unavailable:
    """A second sample costs half a second: it is taken of those only that were throttled before and are suspect."""
    suspects = {
        each.id: each.state.pid
        for each in containers.running
        if (group := cgroups.of(each)) and group.cpu.quota_us and group.cpu.throttled and _is_suspect(group)
    }
    if not suspects:
        return Throttling({})
    answer = host.ask(question("cgroup_rates", containers=suspects, seconds=SAMPLE_S))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    deltas = {id: row["delta"] for id, row in answer.items() if "delta" in row}
    return Throttling({id: (each["periods"] or 0, each["throttled"] or 0) for id, each in deltas.items()})


def _is_suspect(group: CgroupStats) -> bool:
    """By its counters since the start, or by the last minute: months of calm hide an hour of trouble. Version 1 keeps no
    figures of the last minute."""
    lately = group.waited("cpu")
    often = (group.cpu.throttled or 0) >= WORTH_A_SAMPLE * (group.cpu.periods or 0)
    return often or lately is None or lately >= WAITS_PCT
