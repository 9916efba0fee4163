"""Containers that are kept to the same few CPUs, and compete for them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.pressure import Pressure
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import SampleCgroups
from diagnose.questions.machine import SampleCpus
from diagnose.registry import evidence

SAMPLE_S = 0.5
WORTH_A_NAME = 0.01
"""Minimum number of CPUs that a competing container uses."""


class PinnedContainers(msgspec.Struct, frozen=True):
    """The containers with one and the same list of CPUs."""

    cpuset: str
    """The value of the option: `0,2-3`."""
    cpus: frozenset[int]
    used: tuple[tuple[Container, float], ...]
    """The containers that use these CPUs, and how many CPUs each; the busiest first."""
    idle: tuple[tuple[int, float], ...] = ()
    """The other CPUs of the host, with the percent of the time in which each has nothing to do."""

    own_idle: float = 0.0
    """The same for its own CPUs, on average."""

    @property
    def used_pct(self) -> float:
        """The joint use of their CPUs by the containers, in percent."""
        return 100 * sum(cpus for _, cpus in self.used) / len(self.cpus)

    def idle_cpus(self, least_pct: float) -> list[int]:
        """The other CPUs that were idle for so much of the time."""
        return [number for number, share in self.idle if share >= least_pct]


class PinnedSets(Items[PinnedContainers], frozen=True):
    """Sets of two containers or more that have work for the same CPUs."""


def _shared_sets(containers: Containers, cpus: int) -> dict[str, list[Container]]:
    """The running containers by their list of CPUs, where several have the same few of them."""
    members_by_list = by_key(
        (container.host_config.cpuset_cpus, container)
        for container in containers.running
        if container.host_config.cpuset_cpus
    )
    return {
        text: members
        for text, members in members_by_list.items()
        if len(members) > 1 and 0 < len(cpu_numbers(text)) < cpus
    }


@evidence
def pinned_sets(host: Host, containers: Containers, pressure: Pressure) -> PinnedSets:
    """The sets of CPUs that several containers share, with their load in half a second.

    Two samples, only where several containers have one list of CPUs.
    """
    shared = _shared_sets(containers, pressure.cpus)
    if not shared:
        return PinnedSets()
    pids = {member.id: member.state.pid for members in shared.values() for member in members}
    growth = host.require(SampleCgroups(pids, seconds=SAMPLE_S))
    cpus_by_id = {
        id: reading.cpus or 0.0 for id, reading in growth.items() if not isinstance(reading, Failed)
    }
    sets = [_pinned_containers_of(text, members, cpus_by_id) for text, members in shared.items()]
    working = [pinned for pinned in sets if len(pinned.used) > 1]
    if not working:
        return PinnedSets()
    shares = host.require(SampleCpus(seconds=SAMPLE_S))
    idle = {int(number): share for number, share in shares.items()}
    return PinnedSets(tuple(_with_load(pinned, idle) for pinned in working))


def _with_load(pinned: PinnedContainers, idle: Mapping[int, float]) -> PinnedContainers:
    """The set with the measured load of its CPUs, and of the others."""
    idle_shares = [share for number, share in idle.items() if number in pinned.cpus]
    idle_others = tuple(
        sorted((cpu, share) for cpu, share in idle.items() if cpu not in pinned.cpus)
    )
    own_idle = sum(idle_shares) / len(idle_shares) if idle_shares else 100.0
    return msgspec.structs.replace(pinned, idle=idle_others, own_idle=own_idle)


def _pinned_containers_of(
    text: str, members: Sequence[Container], used: Mapping[str, float]
) -> PinnedContainers:
    by_use = sorted(members, key=lambda member: -used.get(member.id, 0.0))
    users = tuple(
        (user, used[user.id]) for user in by_use if used.get(user.id, 0.0) >= WORTH_A_NAME
    )
    return PinnedContainers(text, cpu_numbers(text), users)


def cpu_numbers(text: str) -> frozenset[int]:
    """The numbers of a list as the kernel writes it: `0,2-3`; empty for no such list."""
    return frozenset(_numbers(text.split(",")))


def _numbers(parts: Sequence[str]) -> Iterator[int]:
    for part in parts:
        first, is_range, last = part.strip().partition("-")
        if not first.isdigit() or (is_range and not last.isdigit()):
            continue
        yield from range(int(first), min(int(last if is_range else first), int(first) + 4096) + 1)
