"""Control groups of running containers.

What they use, what they may use, and what the kernel counted.
"""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers, still_alive
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import (
    CgroupStats,
    Cpu,
    InspectContainer,
    Memory,
    Pids,
    ReadCgroups,
    SampleCgroups,
)
from diagnose.registry import evidence
from diagnose.shapes import convert

__all__ = ["CgroupStats", "Cgroups", "Cpu", "Memory", "Pids", "Throttling", "cgroups", "throttling"]

SAMPLE_S = 0.5
"""Seconds between two samples of throttling: five periods of the kernel's default 100 ms."""
WORTH_A_SAMPLE = 0.05
"""Share of throttled periods since the start from which on a second sample is taken."""
WAITS_PCT = 10.0
"""Percent of the last minute that it waited for a CPU, from which on a sample is taken whatever it
did before."""


class Cgroups(ByContainer[CgroupStats], frozen=True):
    """The control group of a running container."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def cgroups(host: Host, containers: Containers) -> Cgroups | Unavailable:
    """The cgroup readings of all running containers, in one question to the host.

    A container that ended while its cgroup was read is left out. Others that could not be read are
    named as not examined.
    """
    running = {container.id: container for container in containers.running}
    if not running:
        return Cgroups({})
    answer = host.require(
        ReadCgroups({container.id: container.state.pid for container in running.values()})
    )
    stats = {id: reading for id, reading in answer.items() if not isinstance(reading, Failed)}
    for container in _paused_since(host, running, stats):
        stats[container.id] = msgspec.structs.replace(stats[container.id], frozen_by="")
    failures = {id: reading.reason for id, reading in answer.items() if isinstance(reading, Failed)}
    unread = still_alive(host, (running[id] for id in failures))
    missing = (
        Unexamined(container.subject, f"its cgroup: {failures[container.id]}")
        for container in unread
    )
    return Cgroups(stats, tuple(missing))


def _paused_since(
    host: Host, running: Mapping[str, Container], stats: Mapping[str, CgroupStats]
) -> list[Container]:
    """The containers whose groups are frozen since the engine has paused them.

    `docker pause` and `docker commit` may come between the list and the look at the groups.
    """
    frozen = [
        running[id]
        for id, group in stats.items()
        if group.frozen_by and running[id].state.status != "paused"
    ]
    answers = host.ask_about(
        frozen, lambda container: InspectContainer(container.id, round="again")
    )
    return [
        container
        for container, answer in answers
        if isinstance(answer, dict) and convert(answer, Container).state.status != "running"
    ]


class Throttling(ByContainer[tuple[int, int]], frozen=True):
    """The (periods, throttled) of containers that were throttled before, by container id.

    Counted within `SAMPLE_S` seconds of now.
    """


@evidence
def throttling(host: Host, containers: Containers, cgroups: Cgroups) -> Throttling | Unavailable:
    """The CPU periods and throttled periods of suspect containers, within half a second.

    Only containers that were throttled before are sampled a second time, which takes that long.
    """
    suspects = {}
    for container in containers.running:
        group = cgroups.of(container)
        if group is None or not group.cpu.quota_us:
            continue
        if group.cpu.throttled and _is_suspect(group):
            suspects[container.id] = container.state.pid
    if not suspects:
        return Throttling({})
    answer = host.require(SampleCgroups(suspects, seconds=SAMPLE_S))
    deltas = {id: growth.delta for id, growth in answer.items() if not isinstance(growth, Failed)}
    return Throttling(
        {id: (delta.periods or 0, delta.throttled or 0) for id, delta in deltas.items()}
    )


def _is_suspect(group: CgroupStats) -> bool:
    """Whether a cgroup may be short of something, by its counters since the start, or by the last
    minute.

    Months of calm hide an hour of trouble. Version 1 keeps no figures of the last minute.
    """
    lately = group.waited("cpu")
    is_throttled_often = (group.cpu.throttled or 0) >= WORTH_A_SAMPLE * (group.cpu.periods or 0)
    return is_throttled_often or lately is None or lately >= WAITS_PCT
