"""Whether a running program does nothing but fail, as far as its log shows. Pure."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container

LEAST = 5
"""So often in a row, it is no single mishap."""
NEARLY_ALL = 0.9
"""Of the last lines of 40 healthy programs with errors in their logs, none has more than two
thirds that say the same; of 12 programs whose users were down, 11 have all."""
SETTLED_S = 20.0
"""A program that runs for so long has seen its neighbours start."""


def prints_nothing_else(container: Container, times: int, of: int, ran_for: float) -> bool:
    """Whether a line is nearly all that a program prints, and no health check says that it is well.

    times, of: how many of its last lines say the same. ran_for: seconds since its start.
    """
    health = container.state.health
    is_well = health is not None and health.status == "healthy"
    is_all = times >= LEAST and times >= NEARLY_ALL * of
    return is_all and ran_for >= SETTLED_S and not is_well


def is_worker(container: Container) -> bool:
    """Whether a program offers no port: whoever needs its work cannot ask it for anything else."""
    return not container.offered_ports
