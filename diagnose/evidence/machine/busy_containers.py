"""Containers that keep the CPUs of the host busy while other work waits for a CPU."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.pressure import Pressure
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import SampleCgroups
from diagnose.registry import begun_early, evidence

WAITS_PCT = 75.0
"""Percent of the last minute in which some work waited for a CPU. Below that nothing is asked."""
SAMPLE_S = 0.5


class BusyContainer(msgspec.Struct, frozen=True):
    """The CPU use of one container in a moment."""

    container: Container
    cpus: float
    """How many CPUs its processes kept busy."""


class BusyContainers(Items[BusyContainer], frozen=True):
    """The busiest first; empty where hardly any work waits for a CPU."""


@begun_early
@evidence
def busy_containers(host: Host, containers: Containers, pressure: Pressure) -> BusyContainers:
    """The CPU use of all running containers, by two samples, where CPUs are in demand."""
    waited = pressure.waited("cpu", "some")
    pids = {container.id: container.state.pid for container in containers.running}
    if waited is None or waited < WAITS_PCT or not pids:
        return BusyContainers()
    growth_by_id = host.require(SampleCgroups(pids, seconds=SAMPLE_S))
    busy = []
    for container in containers.running:
        growth = growth_by_id.get(container.id)
        cpus = None if growth is None or isinstance(growth, Failed) else growth.cpus
        if cpus:
            busy.append(BusyContainer(container, cpus))
    busy.sort(key=lambda used: (-used.cpus, used.container.name))
    return BusyContainers(tuple(busy))
