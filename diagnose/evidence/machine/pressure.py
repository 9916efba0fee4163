"""The host's memory, and how long its work waited."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import HostMemory, ReadMemory, ReadPressure, WaitingTime, waited_pct
from diagnose.registry import evidence

__all__ = ["HostMemory", "Pressure", "host_memory", "pressure"]


@evidence
def host_memory(host: Host) -> HostMemory | Unavailable:
    """The memory of the host, by one reading of /proc/meminfo."""
    return host.require(ReadMemory())


class Pressure(msgspec.Struct, frozen=True):
    """Percent of the time in which work waited.

    Linux 4.20 with CONFIG_PSI; empty where the kernel does not keep it.
    """

    figures: Mapping[str, WaitingTime | None]
    """By the resource: cpu, memory or io."""
    load: tuple[float, ...]
    cpus: int

    @property
    def shown_load(self) -> list[str]:
        """The load averages of 1, 5 and 15 minutes, as evidence shows them."""
        return [f"{load:.1f}" for load in self.load]

    def waited(self, resource: str, kind: Literal["some", "full"]) -> float | None:
        """Percent of the last minute; kind: some (one task at least) or full (all of them)."""
        return waited_pct(self.figures.get(resource), kind)


@evidence
def pressure(host: Host) -> Pressure | Unavailable:
    """The pressure on the host, by one reading of /proc/pressure."""
    reading = host.require(ReadPressure())
    figures = {"cpu": reading.cpu, "memory": reading.memory, "io": reading.io}
    return Pressure(figures, tuple(reading.loadavg), reading.cpus)
