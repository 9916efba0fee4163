"""Errors that running containers print again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.programs.failures import (
    FAILURES,
    Recognised,
    recognise,
    recognise_family,
)
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import message
from diagnose.programs.telling_line import TellingLine, telling_line
from diagnose.registry import evidence

_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
LEAST = 3
"""So often a line stands among the last ones of a log before it counts as repeated."""
BLOCK = 3
"""So many different lines that all stand there twice are one message, of which the last lines hold
no third one."""
_SERVED = LazyPattern(r"\b(?:DELETE|GET|HEAD|PATCH|POST|PUT)\b.*(?<![\w.])[23]\d\d(?![\w.])")
"""A request with a status that says it went well, as web servers log it."""
_CHANGING = LazyPattern(r"\b[0-9a-f]{8,}\b|\d+")
"""What differs from one time to the next: times, numbers, ids."""


class RepeatedError(msgspec.Struct, frozen=True):
    """The line that explains most, and how many of the log's last lines are the same."""

    container: Container
    line: TellingLine
    times: int
    of: int
    """Lines of the last minutes, since its last start, that were read."""
    most: int = 0
    """How many of them are the same as the line that stands there most often."""
    serves: bool = False
    """Whether other lines tell of requests that went well."""
    failure: Recognised | None = None
    """The known failure that the line shows, or else another one of the repeated lines."""
    peers: tuple[tuple[str, Container], ...] = ()
    """Addresses in the line that other containers have."""
    lines: tuple[str, ...] = ()
    """All lines that are repeated."""


class RepeatedErrors(Items[RepeatedError], frozen=True):
    """One for each container that repeats an error."""

    unexamined: tuple[Unexamined, ...] = ()
    """Running containers whose log was not read."""


@evidence
def repeated_errors(containers: Containers, recent_logs: RecentLogs) -> RepeatedErrors:
    """The errors that each running container has printed within minutes, since its last start."""
    errors = (
        _repeated_error(
            container, [line.text for line in recent_logs.of_this_run(container)], containers
        )
        for container in containers.running
    )
    return RepeatedErrors(
        tuple(error for error in errors if error is not None),
        recent_logs.left_out(containers.running),
    )


def _repeated_error(
    container: Container, lines: Sequence[str], containers: Containers
) -> RepeatedError | None:
    """The error that explains most, of the lines that come again and again."""
    shapes = [_shape(line) for line in lines]
    times = Counter(shapes)
    least = LEAST if sum(count > 1 for count in times.values()) < BLOCK else 2
    shaped = list(zip(lines, shapes, strict=True))
    repeated = [line for line, shape in shaped if times[shape] >= least]
    telling = telling_line(repeated)
    if telling is None or not telling.explains:
        return None
    said = _shape(repeated[telling.index])
    return RepeatedError(
        container,
        telling,
        times[said],
        len(lines),
        max(times.values()),
        any(_SERVED.search(line) for line, shape in shaped if shape != said),
        recognise(repeated, telling, FAILURES) or recognise_family(telling, FAMILIES),
        _peers(container, telling.whole, containers),
        tuple(repeated),
    )


def _shape(line: str) -> str:
    """What a line says, without what differs each time."""
    return _CHANGING.sub("#", message(line).text)


def _peers(
    container: Container, line: str, containers: Containers
) -> tuple[tuple[str, Container], ...]:
    """The addresses in the line that containers on the container's networks have."""
    holders = (
        (address, containers.by_place.get((network, address)))
        for address in sorted(set(_ADDRESS.findall(line)))
        for network in container.endpoints
    )
    return tuple(
        (address, holder)
        for address, holder in holders
        if holder is not None and holder.id != container.id
    )
