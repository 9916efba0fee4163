"""The examined host's clock, read once."""

import msgspec

from diagnose.model import Unavailable
from diagnose.phrases import ago
from diagnose.questions import Host
from diagnose.questions.run import ReadClock
from diagnose.registry import evidence


class Clock(msgspec.Struct, frozen=True):
    """The times of this run."""

    wall: float
    """Unix time of the run."""
    booted: float
    """Unix time at which the host booted."""

    def age(self, moment: float | None) -> float | None:
        """Seconds from a Unix time to now, not below 0; None if the time is not known."""
        return None if moment is None else max(0.0, self.wall - moment)

    def is_within(self, moment: float | None, seconds: float) -> bool:
        """Whether a Unix time is known, and not longer ago than this."""
        age = self.age(moment)
        return age is not None and age <= seconds

    def has_passed(self, moment: float | None, seconds: float) -> bool:
        """Whether a Unix time is known, and at least so long ago."""
        age = self.age(moment)
        return age is not None and age >= seconds

    def ago(self, moment: float | None) -> str:
        """The time since a Unix time, in words: `12 min ago`; `at an unknown time`."""
        age = self.age(moment)
        return "at an unknown time" if age is None else ago(age)


@evidence
def clock(host: Host) -> Clock | Unavailable:
    """The host's clock and boot time, read once a run."""
    reading = host.require(ReadClock())
    return Clock(reading.wall, reading.boot_wall)
