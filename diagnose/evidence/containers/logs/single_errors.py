"""Errors that a running container has printed once, and not again.

A program that cannot use a file or a setting often says so only at its start, and continues without
it.
"""

from collections.abc import Sequence

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.line_kinds import is_harmless, turns_away
from diagnose.evidence.containers.logs.past_errors import past_shapes
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import (
    RepeatedError,
    RepeatedErrors,
    error_in,
    most_telling,
    shape_of,
)
from diagnose.evidence.containers.peers.own_servers import OF_ONE_KIND
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.programs.callers import is_about_a_client
from diagnose.registry import evidence

_OF_A_CALL = "called-"
"""Prefix of the families that are about the answer of a server."""


class SingleErrors(Items[RepeatedError], frozen=True):
    """The errors whose meaning is known, at most one of each container."""


@evidence
def single_errors(
    containers: Containers, recent_logs: RecentLogs, repeated_errors: RepeatedErrors, clock: Clock
) -> SingleErrors:
    """The known errors that programs printed only once.

    Pure: the lines were read for errors that are repeated, which tell more. A single failed call is
    left out: its target has started by now, or the call fails again.
    """
    repeating = {error.container.id for error in repeated_errors}
    candidates = (
        _single_error(container, recent_logs.of_this_run(container), containers, clock)
        for container in containers.running
        if container.id not in repeating
    )
    return SingleErrors(tuple(error for error in candidates if error is not None))


def _single_error(
    container: Container, recent: Sequence[RecentLine], containers: Containers, clock: Clock
) -> RepeatedError | None:
    """The error that the program itself has said for the first time; None for none."""
    shapes = [shape_of(line.text) for line in recent]
    past = past_shapes(container, recent, shapes, clock)
    texts = [
        line.text
        for line, shape in zip(recent, shapes, strict=True)
        if shape not in past and not is_harmless(line.text)
    ]
    telling = most_telling(tuple(texts))
    if telling is None or not (telling.explains and telling.is_complaint):
        return None
    error = error_in(container, recent, shapes, telling, texts=texts, containers=containers)
    return error if _is_of_the_program_itself(error) else None


def _is_of_the_program_itself(error: RepeatedError) -> bool:
    """Whether a line is known to mean a fault of the program's own.

    Others are about one request: of a client, of the program to a server, of a query to a database.
    """
    line = error.line.whole
    failure = error.failure
    if failure is None or failure.failure.may_pass or failure.name.startswith(_OF_A_CALL):
        return False
    refuses = failure.failure.of_running is None and turns_away(line)
    serves_data = any(int(port) in OF_ONE_KIND for port in error.container.offered_ports)
    is_of_others = is_about_a_client(line) or refuses or signs(line) & CALL_FAILED
    return not (is_of_others or serves_data)
