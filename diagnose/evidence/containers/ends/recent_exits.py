"""The recent exits of a container that nobody requested, by events or by the engine's log. Pure."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock

SERIES_GAP_S = 120.0
"""Gap in seconds that separates two series of failures (twice the engine's maximum restart back-off
of 60 s)."""


def mean_pause(at: Sequence[float]) -> float:
    """Mean seconds between two of these times, oldest first; 0 for a single one."""
    return (at[-1] - at[0]) / max(1, len(at) - 1)


class RecentExits(msgspec.Struct, frozen=True):
    """The exits of one container that nobody requested."""

    at: tuple[float, ...]
    """Unix times, oldest first."""
    code: int | None
    """The last exit code, where it is known."""
    source: str
    """The source of the exits."""

    @property
    def pause(self) -> float:
        """Mean seconds between two exits."""
        return mean_pause(self.at)

    @property
    def series_began(self) -> float:
        """Unix time of the first failure of the present series.

        Between two failures of a series there is no long run.
        """
        begin = self.at[-1]
        for earlier in reversed(self.at[:-1]):
            if begin - earlier > SERIES_GAP_S:
                break
            begin = earlier
        return begin


def recent_exits(
    container: Container, events: Events | None, log: DaemonLog | None, clock: Clock, window: float
) -> RecentExits:
    """The exits of the last `window` seconds, from the source that knows more of them."""
    failures = events.failures(container.id) if events is not None else ()
    recent = [failure for failure in failures if clock.wall - failure.at <= window]
    code = recent[-1].exit_code if recent else None
    logged = log.ends.get(container.id, ()) if log is not None else ()
    # a start by hand resets the count: only so many of the last exits were followed by a restart of
    # the engine's own
    of_this_count = logged[-container.restart_count :] if container.restart_count else ()
    counted = [at for at in of_this_count if clock.wall - at <= window]
    if len(counted) > len(recent):
        return RecentExits(tuple(counted), code, "exits (the engine's log)")
    return RecentExits(tuple(failure.at for failure in recent), code, "exits (docker events)")
