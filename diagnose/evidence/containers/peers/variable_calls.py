"""Refused calls to localhost whose place is in a variable, and in no line of the log. Pure."""

from collections.abc import Sequence

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.addresses.loopback_words import LoopbackPlace, loopback_places
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import called_host
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of lines that count: one or two come from a program that began before its
neighbour."""
_FRESH_S = 90.0
"""Maximum age in seconds of the last such line."""
_BETWEEN = 1
"""Maximum number of calls that are refused between the kernel's count and the reading of the log.
"""


class VariableCall(msgspec.Struct, frozen=True):
    """A refused call that a log reports, and the only variable that names localhost."""

    container: Container
    place: LoopbackPlace
    line: str
    """The last line that says so."""


class VariableCalls(Items[VariableCall], frozen=True):
    """The refused calls of variables, at most one for each container."""


@evidence
def variable_calls(
    containers: Containers,
    recent_logs: RecentLogs,
    namespaces: Namespaces,
    network_losses: NetworkLosses,
    clock: Clock,
) -> VariableCalls:
    """The refused calls to localhost in variables, with as many refusals by the kernel as lines.

    The kernel does not count calls to other containers there, and a health check is refused once or
    twice before its server listens.
    """
    calls: list[VariableCall] = []
    for container in containers.running:
        refused = network_losses.refused_inside.get(container.id, 0)
        lines = _lines_without_callee(recent_logs.of_this_run(container))
        netns = namespaces.of(container)
        if netns is None or len(lines) < LEAST or refused < LEAST:
            continue
        is_fresh = clock.is_within(lines[-1].at, _FRESH_S)
        place = _only_unserved_place(container, netns)
        if is_fresh and place is not None and len(lines) <= refused + _BETWEEN:
            calls.append(VariableCall(container, place, lines[-1].text))
    return VariableCalls(tuple(calls))


def _only_unserved_place(container: Container, netns: ContainerNetns) -> LoopbackPlace | None:
    """The place of localhost that its variables name, where all of them name one unserved port."""
    places = [place for place in loopback_places(container) if not netns.sockets("tcp", place.port)]
    ports = {place.port for place in places}
    return places[0] if len(ports) == 1 else None


def _lines_without_callee(lines: Sequence[RecentLine]) -> list[RecentLine]:
    """The lines about a refused call without the called place."""
    return [line for line in lines if "refused" in signs(line.text) and not called_host(line.text)]
