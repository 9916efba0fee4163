"""Containers that ran out of memory, by four sources: state, kernel log, events, cgroup. Pure."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.mappings import by_key

KILLED = 137
FILES_SHARE = 0.25
"""Share of the limit from which on files in memory are worth a word."""
HIT = 0.95
"""Share of its limit that a cgroup used at least once if the kernel killed at that limit."""


class MemoryLoss(msgspec.Struct, frozen=True):
    """A container that ran out of memory, with the report of each of the four sources."""

    container: Container
    flag: bool
    kills: tuple[OomKill, ...]
    events: tuple[Event, ...]
    failures: tuple[Event, ...]
    group: CgroupStats | None
    areas: tuple[InMemory, ...] = ()

    @property
    def counter(self) -> int:
        """Kills that the cgroup has counted in this run; 0 where it is gone."""
        return (self.group.memory.oom_kill or 0) if self.group else 0

    @property
    def is_seen(self) -> bool:
        is_counted = self.flag or self.counter > 0
        is_logged = bool(self.kills or self.events)
        return is_counted or is_logged or self.hangs

    @property
    def hangs(self) -> bool:
        """Whether its tasks wait for memory at this moment, because nothing may be killed."""
        is_waiting = self.group is not None and bool(self.group.memory.under_oom)
        return is_waiting and bool(self.container.host_config.oom_kill_disable)

    @property
    def in_memory(self) -> int:
        """Bytes that its file systems in memory take; they count as its memory."""
        return sum(area.usage.used for area in self.areas)

    @property
    def is_led_by_files(self) -> bool:
        """Whether its file systems in memory take a large share of the limit."""
        memory = self.container.host_config.memory
        return bool(memory) and self.in_memory >= FILES_SHARE * memory and not self.is_of_host

    @property
    def moments(self) -> list[float]:
        """Unix times of all known kills, oldest first."""
        times = [*(kill.at for kill in self.kills), *(event.at for event in self.events)]
        if times:
            return sorted(times)
        return self._moment_of_flag if self.flag else []

    @property
    def _moment_of_flag(self) -> list[float]:
        """When the kill was that only the engine's flag shows, where the container's end tells."""
        exits = [event.at for event in self.failures if event.exit_code == KILLED]
        if exits:
            return exits[-1:]
        container = self.container
        if container.is_running or not container.finished_at:
            return []
        return [container.finished_at]

    @property
    def is_of_host(self) -> bool:
        """Whether the host itself had no memory left at every kill that the kernel explains."""
        return bool(self.kills) and all(kill.of_host for kill in self.kills)

    @property
    def is_below_its_limit(self) -> bool:
        """Whether the limit was raised after the kill.

        Peak usage of this run is far below today's limit.
        """
        was_elsewhere = any(kill.of_host or kill.by_parent for kill in self.kills)
        if self.group is None or not self.counter or was_elsewhere:
            return False
        most = self.group.memory.max_usage
        limit = self.group.memory.limit
        return most is not None and limit is not None and most < HIT * limit

    @property
    def largest_area(self) -> InMemory | None:
        """The file system in memory that takes most, where files lead."""
        if not self.is_led_by_files:
            return None
        return max(self.areas, key=lambda area: area.usage.used)

    @property
    def kill_above(self) -> OomKill | None:
        """The first kill at the limit of a cgroup above its own."""
        return next((kill for kill in self.kills if kill.by_parent), None)

    @property
    def own_limits(self) -> list[int]:
        """Its own limits that were hit, oldest first."""
        return [kill.limit for kill in self.kills if kill.limit and not kill.by_parent]

    @property
    def is_of_earlier_run(self) -> bool:
        """Whether only the flag says so, and no kill was counted since the start.

        Engine 20.10 keeps the flag over a start.
        """
        is_uncounted = self.group is not None and self.counter == 0
        return self.flag and is_uncounted and not self.moments


def memory_losses(
    containers: Containers,
    cgroups: Cgroups | None,
    events: Events,
    kernel_log: KernelLog | None,
    in_memory: SharedMemory | None,
    since: float,
) -> Iterator[MemoryLoss]:
    """The containers that ran out of memory by some source.

    since: a Unix time; older kills are over.
    """
    logged = kernel_log.oom_kills if kernel_log is not None else ()
    kills = by_key((kill.container, kill) for kill in logged if kill.at >= since)
    areas = by_key((area.container.id, area) for area in in_memory or ())
    for container in containers:
        loss = MemoryLoss(
            container=container,
            flag=container.state.oom_killed,
            kills=tuple(kills.get(container.id, ())),
            events=events.of(container.id, "oom"),
            failures=events.failures(container.id),
            group=cgroups.of(container) if cgroups is not None else None,
            areas=tuple(areas.get(container.id, ())),
        )
        loss = _without_neighbours_kills(loss)
        if loss.is_seen:
            yield loss


def _without_neighbours_kills(loss: MemoryLoss) -> MemoryLoss:
    """The loss, without the notices of a kill in another container.

    In version 1 of cgroups a kill at a limit notifies each container below that limit, and the
    engine sets State.OOMKilled of all that run (seen on engine 28.5.2, not on 20.10.24). The
    counter of each counts only its own.
    """
    has_lost_nothing = loss.group is not None and loss.group.memory.oom_kill == 0 and not loss.kills
    began = loss.container.started_at
    if began is None or not loss.container.is_running or not has_lost_nothing:
        return loss
    earlier = tuple(event for event in loss.events if event.at < began)
    if len(earlier) == len(loss.events):
        return loss
    return replace(loss, events=earlier, flag=False)
