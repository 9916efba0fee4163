"""What the host looks like if a container had not failed, and what becomes of failures once a disk has room."""

from __future__ import annotations

from msgspec.structs import replace

from checks.container.causes import PROGRAM_CAUSES
from diagnose.evidence.containers.inspect import Container, State
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.model import Edit, Finding, Outcome
from diagnose.registry import prediction, without

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


FULL_PCT = 99.0
"""From so much use on, programs are refused new blocks or inodes."""


@prediction(
    "container.crashed",
    "container.exits-at-start",
    "container.restart-loop",
    "container.restarts-exhausted",
    "container.unhealthy",
)
def failure_for_want_of_space(finding: Finding, filesystems: Filesystems | None) -> Outcome:
    """A program that failed with ENOSPC goes on if no disk of the host is full any more."""
    if filesystems is None or finding.signs is None or "no-space" not in finding.signs:
        return Outcome(None)
    full = [
        disk for disk in filesystems if disk.usage.used_pct >= FULL_PCT or (disk.usage.inodes_used_pct or 0) >= FULL_PCT
    ]
    return Outcome(None) if full else Outcome(vanishes=True)
