"""Whether a running program does nothing but fail, as far as its log shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.programs.log_message import ERROR, INFO, message
from diagnose.programs.telling_line import is_frame

LEAST = 3
"""So often, a message is no single mishap; one of many lines leaves no room for more."""
LEAST_LINES = 5
NEARLY_ALL = 0.9
"""Of the last lines of 40 healthy programs with errors in their logs, no more than two thirds
complain; of 12 programs whose users were down, 11 print nothing else."""
SETTLED_S = 20.0
"""A program that runs for so long has seen its neighbours start."""


def complaints(lines: Iterable[str]) -> int:
    """How many lines belong to complaints: by the words of a known class of errors, and frames.

    A level says little: some programs call errors what their callers did wrong. One that calls a
    line information makes it no complaint (`DEBUG took 12 ms timeout=30s`).
    """
    return sum(is_frame(line) or _complains(line) for line in lines)


def _complains(line: str) -> bool:
    return bool(signs(line)) and (message(line).level or ERROR) > INFO


def prints_nothing_else(
    container: Container, times: int, complaining: int, of: int, ran_for: float
) -> bool:
    """Whether complaints are nearly all that a program prints, and no health check says it is well.

    times: how often the complaint in question came. complaining, of: how many of its last lines
    belong to complaints. ran_for: seconds since its start.
    """
    health = container.state.health
    is_well = health is not None and health.status == "healthy"
    is_all = complaining >= LEAST_LINES and complaining >= NEARLY_ALL * of
    return times >= LEAST and is_all and ran_for >= SETTLED_S and not is_well


def is_worker(container: Container) -> bool:
    """Whether a program offers no port: whoever needs its work cannot ask it for anything else.

    On the network of the host or of another container it may serve a port that nobody declared.
    """
    return not container.offered_ports and not container.shares_network
