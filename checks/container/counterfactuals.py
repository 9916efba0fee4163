"""Copies of evidence in which a container has not failed, for the search for causes."""

from msgspec.structs import replace

from checks.container.causes import PROGRAM_CAUSES
from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import State
from diagnose.evidence.containers.listing import Containers
from diagnose.model import Edit, Finding, Subject
from diagnose.registry import without

FAILED_STARTS = (
    *PROGRAM_CAUSES,
    "container.daemonized",
    "container.device-missing",
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-forbidden",
    "container.mount-source-missing",
    "container.network-gone",
    "container.oom-killed",
    "container.runtime-limit-hit",
    "logging.driver-blocks-start",
    "network.bind-address-missing",
    "network.port-allocated",
    "network.port-held-by-process",
    "network.subnet-exhausted",
    "storage.quota-exceeded",
)
"""Checks that name why a run of a container failed; without the reason the run continues."""
FAILURES = (
    "container.crashed",
    "container.exits-at-start",
    "container.restart-loop",
    "container.restarts-exhausted",
    "container.start-refused",
)
"""Checks that find that a container failed, whatever the reason."""
REFUSED_TOGETHER = (
    "container.lost-with-host",
    "daemon.plugin-gone",
    "daemon.runtime-missing",
    "daemon.ulimits-unnamed",
    "kernel.cgroups-leaked",
    "security.sysctl-denied",
    "storage.filesystem-unsupported",
)
"""Checks that name a fault which ended several containers, or kept them from starting; the finding
touches each."""


@without(*FAILED_STARTS, *FAILURES)
def container_runs(finding: Finding, containers: Containers) -> Edit:
    """The container of the finding runs since its last start, and is not restarted."""
    return _with_running(containers, {finding.subject})


def _without_limit(container: Container) -> Container:
    return replace(container, host_config=replace(container.host_config, memory=0))


@without("container.heap-above-limit")
def heap_has_room(finding: Finding, containers: Containers) -> Edit:
    """The container runs, and no limit is lower than its heap: the kernel has nothing to kill."""
    running = _with_running(containers, {finding.subject})[Containers]
    unlimited = tuple(
        _without_limit(container) if container.subject == finding.subject else container
        for container in running
    )
    return {Containers: replace(running, items=unlimited)}


@without(*REFUSED_TOGETHER)
def touched_containers_run(finding: Finding, containers: Containers) -> Edit:
    """All containers that the finding touches run."""
    return _with_running(containers, set(finding.touches))


def _with_running(containers: Containers, subjects: set[Subject]) -> Edit:
    """A copy of the containers in which these run as if they had not failed."""

    def running(container: Container) -> Container:
        if container.subject not in subjects:
            return container
        state = State(status="running", pid=1, started_at=container.state.started_at)
        return replace(container, state=state, restart_count=0)

    return {
        Containers: replace(containers, items=tuple(running(container) for container in containers))
    }
