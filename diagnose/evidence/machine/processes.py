"""Processes of the host, by container: shims, zombies, first processes."""

import functools
from collections.abc import Collection, Sequence

from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.processes import ListProcesses, Process
from diagnose.registry import evidence

__all__ = ["Process", "Processes", "processes"]


class Processes(Items[Process], frozen=True, dict=True):
    """The processes that the tool can see."""

    @functools.cached_property
    def by_pid(self) -> dict[int, Process]:
        return {process.pid: process for process in self.items}

    @functools.cached_property
    def _by_container(self) -> dict[str | None, list[Process]]:
        return by_key((process.container or None, process) for process in self)

    def inside(self, id: str) -> Sequence[Process]:
        """The processes of the container with this id."""
        return self._by_container.get(id, ())

    def runs(self, id: str, names: Collection[str]) -> bool:
        """Whether a process of the container with this id has one of these names."""
        return not self.names_inside(id).isdisjoint(names)

    def names_inside(self, id: str) -> set[str]:
        """The program names in the container with this id."""
        return {process.program for process in self.inside(id)}

    @property
    def outside(self) -> Sequence[Process]:
        """The processes of the host that belong to no container."""
        return self._by_container.get(None, ())

    @functools.cached_property
    def cpu_limiters(self) -> list[Process]:
        """The processes of cpulimit, which stop and resume other processes in turns."""
        return [process for process in self.outside if process.comm == "cpulimit"]

    @functools.cached_property
    def zombies(self) -> dict[str, tuple[Process, ...]]:
        """Container id -> processes that ended and were not waited for."""
        zombies = by_key(
            (process.container, process)
            for process in self
            if process.container and process.is_zombie
        )
        return {id: tuple(listed) for id, listed in zombies.items()}

    @functools.cached_property
    def shims(self) -> dict[str, Process]:
        """By container id, the shim that holds it.

        `containerd-shim-runc-v2 -namespace moby -id ID`.
        """
        by_container = {}
        for process in self:
            if not process.comm.startswith("containerd-shim"):
                continue
            words = process.cmdline or []
            if "-id" in words[:-1]:
                by_container[words[words.index("-id") + 1]] = process
        return by_container


@evidence
def processes(host: Host) -> Processes | Unavailable:
    """All processes of the host, by one walk over /proc."""
    rows = host.require(ListProcesses())
    return Processes(tuple(rows))
