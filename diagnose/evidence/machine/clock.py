"""The examined host's clock, read once."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class Clock(msgspec.Struct, frozen=True):
    """wall: Unix time of the run. booted: Unix time at which the host booted."""

    wall: float
    booted: float

    def age(self, moment: float | None) -> float | None:
        """Seconds from a Unix time to now, not below 0; None if the time is not known."""
        return None if moment is None else max(0.0, self.wall - moment)


class _Now(msgspec.Struct):
    wall: float
    boot_wall: float

    def __post_init__(self) -> None:
        if not 0 <= self.wall < 2**34 or not -(2**34) < self.boot_wall < 2**34:
            raise ValueError("no time of this age of computers")


@evidence
def clock(host: Host) -> Clock | Unavailable:
    """One question, asked once a run."""
    answer = host.ask(question("now"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    now = msgspec.convert(answer, _Now)
    return Clock(now.wall, now.boot_wall)
