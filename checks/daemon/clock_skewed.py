"""daemon.clock-skewed: the host's clock is wrong, or was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Seconds, Severity
from diagnose.phrases import duration
from diagnose.registry import check


@check("daemon.clock-skewed", severity=Severity.warning, causes=["image.registry-tls"])
def clock_skewed(
    clock: Clock, ping: Ping | None, containers: Containers | None, *, skew: Seconds = Seconds(60)
) -> CheckResult:
    """The host's clock is wrong, or was.

    It shows in containers that the engine says were created or started in the future: the clock was
    ahead then, or is behind now. An engine on another machine whose own clock (the Date of its
    answers) differs from this machine's. Containers share the host's clock, so that theirs cannot
    differ.
    """
    future = sorted(_future_times(containers, clock.wall, skew), reverse=True)
    if future:
        yield _future_finding(future)
    difference = ping.date - clock.wall if ping is not None and ping.date is not None else 0.0
    if abs(difference) > skew:
        yield _engine_finding(difference)


def _future_finding(future: Sequence[_FutureTime]) -> Finding:
    """The finding about times that are yet to come. future: the furthest time first."""
    furthest = future[0]
    seconds = f"{furthest.ahead:.0f}"
    return Finding(
        subject=HOST,
        summary=(
            f'container "{furthest.container}" has a time {duration(furthest.ahead)} in the future: '
            "the clock is behind now, or was ahead then"
        ),
        evidence={
            f"{furthest.container} {furthest.field}": f"{seconds} s in the future",
            "containers of the future": len({time.container for time in future}),
        },
        variables={"seconds": seconds},
        touches=(DAEMON,),
        signs=frozenset({"certificate-date"}),
    )


def _engine_finding(difference: float) -> Finding:
    """The finding about the engine's clock. difference: seconds by which it is ahead of this
    machine's."""
    direction = "ahead of" if difference > 0 else "behind"
    return Finding(
        subject=HOST,
        summary=f"the engine's clock is {duration(abs(difference))} {direction} this machine's",
        evidence={"Date of /_ping": f"{difference:+.0f} s against this machine"},
        variables={"seconds": f"{abs(difference):.0f}"},
        discriminator="engine",
        touches=(DAEMON,),
        signs=frozenset({"certificate-date"}),
    )


class _FutureTime(msgspec.Struct, frozen=True, order=True):
    """A recorded time of a container that is yet to come."""

    ahead: float
    """Seconds from now."""
    container: str
    field: str


def _future_times(containers: Containers | None, now: float, skew: float) -> Iterator[_FutureTime]:
    """The times that lie more than `skew` seconds in the future."""
    for container in containers or ():
        times = {"Created": container.created_at, "State.StartedAt": container.started_at}
        for field, moment in times.items():
            if moment is not None and moment - now > skew:
                yield _FutureTime(moment - now, container.name, field)
