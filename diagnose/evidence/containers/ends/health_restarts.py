"""A container that something restarts each time its health check calls it unhealthy."""

import msgspec

from diagnose.evidence.containers.ends.recent_exits import mean_pause
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Seconds

LEAST = 3
WINDOW = Seconds(3600)
AFTER_S = 120.0
"""A stop within so many seconds after the verdict "unhealthy" counts as caused by it."""


class HealthRestarts(msgspec.Struct, frozen=True):
    """The restarts of one container after its health check failed."""

    at: tuple[float, ...]
    """Unix times of the starts, oldest first."""
    restarter: Container | None = None
    """The container with the engine's socket that restarts it, by its log."""

    @property
    def pause(self) -> float:
        """Mean seconds between two restarts."""
        return mean_pause(self.at)


def health_restarts(
    container: Container,
    containers: Containers,
    events: Events | None,
    recent_logs: RecentLogs | None,
    clock: Clock,
) -> HealthRestarts | None:
    """None if restarts were few, or if the container has run for twice the usual time since."""
    if events is None:
        return None
    starts = [at for at in _starts(container, events) if clock.wall - at <= WINDOW]
    if len(starts) < LEAST:
        return None
    restarts = HealthRestarts(tuple(starts))
    if clock.wall - starts[-1] > 2 * restarts.pause:
        return None
    return msgspec.structs.replace(
        restarts, restarter=_restarter(container, containers, recent_logs)
    )


def _starts(container: Container, events: Events) -> list[float]:
    """Unix times of the starts that followed a stop because of the health check."""
    starts = []
    unhealthy_at = 0.0
    is_asked = False
    for event in events.of(container.id, "health_status", "kill", "start"):
        if event.action == "health_status":
            unhealthy_at = event.at if event.detail == "unhealthy" else 0.0
        elif event.action == "kill":
            is_asked = event.at - unhealthy_at <= AFTER_S
        else:
            if is_asked:
                starts.append(event.at)
            unhealthy_at = 0.0
            is_asked = False
    return starts


def _restarter(
    container: Container, containers: Containers, recent_logs: RecentLogs | None
) -> Container | None:
    """The container with the engine's socket that restarts this one, by its log."""
    if recent_logs is None:
        return None
    for other in containers.running:
        lines = recent_logs.of(other) if other.commands_engine else ()
        for line in lines:
            is_named = container.id[:12] in line.text or f"/{container.name} " in line.text
            if is_named and "restart" in line.text.lower():
                return other
    return None
