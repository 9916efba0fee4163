"""What the host looks like if a container had not failed: pure edits of evidence."""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Container, State
from diagnose.evidence.containers.listing import Containers
from diagnose.model import Edit, Finding
from diagnose.registry import without

FAILED_STARTS = (
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
)
"""Checks that name why a run of a container failed; without the reason the run goes on."""


@without(*FAILED_STARTS)
def container_runs(finding: Finding, containers: Containers) -> Edit:
    """The container of the finding runs since its last start, and is not restarted."""

    def running(container: Container) -> Container:
        if container.subject != finding.subject:
            return container
        state = State(status="running", pid=1, started_at=container.state.started_at)
        return replace(container, state=state, restart_count=0)

    return {Containers: replace(containers, items=tuple(running(container) for container in containers.items))}
