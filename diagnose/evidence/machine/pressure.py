"""The host's memory, and how long its work waited."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class HostMemory(msgspec.Struct, frozen=True):
    """Bytes. available: what can be had without swapping, cache given back (not `free`); the kernel does not count ZFS's
    cache there, which is beside it."""

    total: int
    available: int
    free: int = 0
    cached: int = 0
    swap_total: int = 0
    swap_free: int = 0
    zfs_cache: int = 0
    oom_kill: int | None = None

    @property
    def obtainable(self) -> int:
        return self.available + self.zfs_cache

    @property
    def obtainable_pct(self) -> float:
        return 100 * self.obtainable / self.total if self.total else 100.0


@evidence
def host_memory(host: Host) -> HostMemory | Unavailable:
    """One reading of /proc/meminfo."""
    answer = host.ask(question("memory"))
    return Unavailable.of(answer) if isinstance(answer, Failed) else msgspec.convert(answer, HostMemory)


class Pressure(msgspec.Struct, frozen=True):
    """Percent of the time in which work waited (Linux 4.20 with CONFIG_PSI; empty where the kernel does not keep
    it).
    """

    figures: dict[str, dict[str, dict[str, float]] | None]
    load: tuple[float, ...]
    cpus: int

    def waited(self, resource: str, kind: str, over: str = "avg60") -> float | None:
        """kind: some (one task at least) or full (all of them)."""
        known = self.figures.get(resource)
        return known.get(kind, {}).get(over) if known else None


class _Answer(msgspec.Struct):
    cpu: dict[str, dict[str, float]] | None = None
    memory: dict[str, dict[str, float]] | None = None
    io: dict[str, dict[str, float]] | None = None
    loadavg: list[float] = []
    cpus: int = 1


@evidence
def pressure(host: Host) -> Pressure | Unavailable:
    """One reading of /proc/pressure."""
    answer = host.ask(question("pressure"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    said = msgspec.convert(answer, _Answer)
    return Pressure({"cpu": said.cpu, "memory": said.memory, "io": said.io}, tuple(said.loadavg), said.cpus)
