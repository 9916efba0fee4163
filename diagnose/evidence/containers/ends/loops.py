"""Whether a container exits and starts again and again, by the engine's own records. Pure."""

import msgspec

from diagnose.evidence.containers.ends.recent_exits import RecentExits
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock


class LoopLimits(msgspec.Struct, frozen=True):
    """The limits from which on exits count as a restart loop."""

    restarts: int
    """The number of exits from which on it is a loop."""
    window: float
    """The seconds within which these exits happen."""
    steady: float
    """A run of this many seconds or more ends the loop."""


def loops(
    container: Container,
    exits: RecentExits,
    clock: Clock,
    events: Events | None,
    limits: LoopLimits,
) -> bool:
    """Whether a container exits again and again, and its present run is too short to end that."""
    steady = limits.steady
    if container.restart_count < limits.restarts:
        return False
    if container.state.status != "running":
        return container.state.status == "restarting"
    up = clock.age(container.started_at) or 0.0
    if len(exits.at) >= limits.restarts:
        return up < max(steady, 2 * exits.pause)
    has_all_events = events is not None and (events.complete_since or 0.0) < clock.wall - 2 * steady
    return up < steady and not has_all_events and _was_held_back(container, steady)


def _was_held_back(container: Container, steady: float) -> bool:
    """Whether a container's last start came after the engine's back-off for three short runs."""
    ended = container.finished_at
    started = container.started_at
    return ended is not None and started is not None and 0.7 <= started - ended <= steady + 5
