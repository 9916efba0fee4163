"""Containers that call the outside from internal networks, which have no way out."""

import re
from collections.abc import Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Network, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, paired, present, subjects_of
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity, Skipped
from diagnose.phrases import agree, named, quoted
from diagnose.registry import check

_NO_ROUTE = LazyPattern(r"network is unreachable|ENETUNREACH", re.IGNORECASE)
_UNKNOWN_PUBLIC_NAME = LazyPattern(
    r"(?<![\w.-])[a-z0-9](?:[\w-]*\.)+(?:com|org|net|io|dev|cloud|app)(?![\w.-])", re.IGNORECASE
)
"""A name of the internet in a line about a name that does not resolve."""


@check("network.internal-called-out", severity=Severity.warning)
def internal_called_out(
    containers: Containers,
    networks: Networks,
    recent_logs: RecentLogs,
    unanswered_calls: UnansweredCalls | None,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A program calls the outside from a container that is on internal networks only.

    An internal network has no default route (engines before 23 drop what leaves it), and the engine
    forwards no DNS query from it. Its log says repeatedly, and within the last moments, that the
    network is unreachable, or that a name of the internet is not known; or its sockets wait for
    answers from outside. Internal networks are closed on purpose; which of the two is meant, the
    report cannot know.
    """
    closed = list(paired(containers.running, networks.internal_of))
    if not closed:
        return Skipped("no running container is on internal networks only")
    for container, attached in closed:
        lines = recent_logs.repeated(container, _tells_of_the_outside, clock, least, fresh)
        places = sorted(
            call.place
            for call in unanswered_calls or ()
            if call.container.id == container.id and call.has_no_way_out
        )
        if lines or places:
            way_out = _open_network(container, containers, networks)
            yield _finding(container, attached, lines, places, way_out)
    yield from recent_logs.left_out([container for container, _ in closed])


def _tells_of_the_outside(text: str) -> bool:
    if _NO_ROUTE.search(text):
        return True
    return "dns" in signs(text) and bool(_UNKNOWN_PUBLIC_NAME.search(text))


def _open_network(container: Container, containers: Containers, networks: Networks) -> str:
    """A bridge that leads out: one of the same compose project, or the default network."""
    project = container.compose_project
    for network in sorted(networks.bridges, key=lambda network: network.name):
        members = containers.running_on(network.name)
        is_ours = any(member.compose_project == project for member in members)
        if project and is_ours and not network.internal:
            return network.name
    return "bridge"


def _finding(
    container: Container,
    attached: Sequence[Network],
    lines: Sequence[RecentLine],
    places: list[str],
    way_out: str,
) -> Finding:
    names = names_of(attached)
    return Finding.about(
        container,
        f"{container} calls the outside, but {named('network', names)} "
        f"{agree(names, 'is', 'are')} internal and {agree(names, 'has', 'have')} no way out",
        present(
            {
                "log": quoted(lines[-1].text) if lines else None,
                "times in its last lines": len(lines) or None,
                "waits for an answer from": places,
                **{f"Internal of {network.name}": True for network in attached},
            }
        ),
        touches=subjects_of(attached),
        signs=frozenset({"unreachable", "dns"}),
        recheck=container.caller_runs,
        variables={"open_network": way_out},
    )
