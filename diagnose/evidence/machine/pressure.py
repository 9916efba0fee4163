"""The host's memory, and how long its work waited."""

from __future__ import annotations

import msgspec

from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import HostMemory, ReadMemory, ReadPressure
from diagnose.registry import evidence

__all__ = ["HostMemory", "Pressure", "host_memory", "pressure"]


@evidence
def host_memory(host: Host) -> HostMemory | Unavailable:
    """One reading of /proc/meminfo."""
    return host.require(ReadMemory())


class Pressure(msgspec.Struct, frozen=True):
    """Percent of the time in which work waited.

    Linux 4.20 with CONFIG_PSI; empty where the kernel does not keep it.
    """

    figures: dict[str, dict[str, dict[str, float]] | None]
    load: tuple[float, ...]
    cpus: int

    @property
    def shown_load(self) -> list[str]:
        """The load averages of 1, 5 and 15 minutes, as evidence shows them."""
        return [f"{load:.1f}" for load in self.load]

    def waited(self, resource: str, kind: str, over: str = "avg60") -> float | None:
        """kind: some (one task at least) or full (all of them)."""
        figures = self.figures.get(resource)
        return figures.get(kind, {}).get(over) if figures else None


@evidence
def pressure(host: Host) -> Pressure | Unavailable:
    """One reading of /proc/pressure."""
    reading = host.require(ReadPressure())
    figures = {"cpu": reading.cpu, "memory": reading.memory, "io": reading.io}
    return Pressure(figures, tuple(reading.loadavg), reading.cpus)
