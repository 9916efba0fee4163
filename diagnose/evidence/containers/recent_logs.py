"""The last lines of running containers' logs, of the last minutes alone."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import BYTES, LINES
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadLogs
from diagnose.registry import evidence

MOST = 40
"""Logs that are read: first those of containers that publish ports, which call others."""
RECENT_S = 300.0
"""A line that is older says nothing about now: the program may have recovered."""


class RecentLine(msgspec.Struct, frozen=True):
    """One line, and its Unix time by the engine."""

    at: float
    text: str


class RecentLogs(msgspec.Struct, frozen=True):
    """Lines by container id, oldest first.

    A container whose log the engine cannot read has none.
    """

    by_id: dict[str, tuple[RecentLine, ...]] = {}

    def of(self, container: Container) -> tuple[RecentLine, ...]:
        return self.by_id.get(container.id, ())

    def __len__(self) -> int:
        return len(self.by_id)


@evidence
def recent_logs(host: Host, containers: Containers, clock: Clock) -> RecentLogs:
    """A program whose calls fail runs on, and its container looks healthy: its log is read too."""
    running = sorted(
        containers.running,
        key=lambda container: (not container.published_ports, container.name),
    )
    found: dict[str, tuple[RecentLine, ...]] = {}
    for container, answer in host.ask_about(
        running[:MOST], lambda container: ReadLogs(container.id, LINES, BYTES)
    ):
        if isinstance(answer, Failed):
            continue
        lines = [
            RecentLine(line.at, line.text.strip())
            for line in answer.lines
            if line.at is not None and clock.wall - line.at <= RECENT_S
        ]
        if lines:
            found[container.id] = tuple(lines)
    return RecentLogs(found)
