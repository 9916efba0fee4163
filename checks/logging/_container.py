"""What the checks of logs share."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container

_IN_USE = frozenset({"running", "paused", "restarting"})


def is_in_use(container: Container) -> bool:
    """Whether it writes to its log, or goes on to do so.

    The log of a container that has ended is a matter of the past.
    """
    return container.state.status in _IN_USE
