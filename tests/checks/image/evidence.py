"""Evidence that several files of this family share."""

from __future__ import annotations

from diagnose.evidence.images.pulls.pull_errors import Why
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock

NOW = 1_800_000_000.0


CLOCK = Clock(NOW, 0.0)


def failed_pull(why: Why, count: int = 1, age: float = 60.0, name: str = "") -> Pulls:
    return Pulls(
        (
            PullTrouble(
                why,
                "r:5000",
                name,
                count,
                NOW - age,
                NOW - age,
                'Get "https://r:5000/v2/": it broke',
            ),
        ),
        "log",
    )
