"""Containers between two runs: the engine removes their rules and proxies, and restores them."""

from diagnose.evidence.containers.container import Container
from diagnose.evidence.machine.clock import Clock

STEADY_S = 60.0
"""Seconds after which a run of a container that was restarted counts by its own lines. The engine
waits a minute at most between two starts of a container that keeps failing."""
_ENDED_S = 10.0


def is_unsettled(container: Container, clock: Clock) -> bool:
    """Whether a container's address and rules may be of another moment than its state.

    They are not a single reading: a container that restarts has none for a moment, or those of the
    run before. Seen on engine 28.5.2 with a program that ends two seconds after its start.
    """
    if container.state.status == "restarting":
        return True
    if container.is_running:
        return has_just_begun_again(container, clock.wall)
    return clock.is_within(container.finished_at, _ENDED_S)


def has_just_begun_again(container: Container, now: float) -> bool:
    """Whether the run before explains the failure: the present one has not reached it yet.

    now: Unix time.
    """
    started = container.started_at
    is_fresh = started is not None and now - started < STEADY_S
    return container.is_running and container.restart_count > 0 and is_fresh
