"""What the checks of this family say alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.networks import Network
from diagnose.model import Unavailable


def attached(network: Network, containers: Containers | Unavailable) -> tuple[Container, ...]:
    """The running containers on a network; none where they are not known."""
    if isinstance(containers, Unavailable):
        return ()
    return tuple(each for each in containers.running if network.name in each.endpoints)


def names(containers: Iterable[Container], most: int = 3) -> str:
    """A few names, and how many more there are."""
    listed = [each.name for each in containers]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def not_up(containers: Containers) -> Iterator[Container]:
    """Those whose last start failed: a good start clears the error, so that a running one never has an old one."""
    for each in containers:
        if not each.is_running and each.state.error:
            yield each


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
