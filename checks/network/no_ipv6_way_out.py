"""network.ipv6-leads-nowhere: containers with IPv6 on a host that has no way out over IPv6."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sockets.unanswered_calls import UnansweredCalls
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity, Skipped
from diagnose.phrases import and_more
from diagnose.registry import check

_PUBLIC = LazyPattern(
    r"(?<![\w:.])[23][0-9a-f]{3}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{1,4}", re.IGNORECASE
)
"""An IPv6 address of the internet (2000::/3)."""
_LOST = frozenset({"unreachable", "timeout"})


@check("network.ipv6-leads-nowhere", severity=Severity.warning)
def ipv6_leads_nowhere(
    containers: Containers,
    routes: Routes,
    recent_logs: RecentLogs,
    unanswered_calls: UnansweredCalls | None,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A container calls the internet over IPv6, and the host has no IPv6 route out.

    A network with IPv6 gives its containers a default route, so that programs prefer IPv6 where a
    name has both. The host has none to pass the packets on: each call fails or waits before IPv4 is
    tried. Seen in the log, repeatedly and within the last moments, or in sockets that wait.
    """
    defaults = [route for route in routes if route.family == "inet6" and not route.prefix]
    if any(route.leads_somewhere for route in defaults):
        return Skipped("the host has an IPv6 default route")
    with_ipv6 = [
        container
        for container in containers.running
        if any(end.global_ipv6_address for end in container.endpoints.values())
    ]
    if not with_ipv6:
        return Skipped("no running container has an IPv6 address")
    for container in with_ipv6:
        reports = recent_logs.repeated(container, _tells_of_ipv6, clock, least, fresh)
        places = _waiting_for(container, unanswered_calls)
        if reports or places:
            yield _nowhere(container, reports, sorted(places))
    yield from recent_logs.left_out(with_ipv6)
    return None


def _waiting_for(container: Container, unanswered_calls: UnansweredCalls | None) -> list[str]:
    """The places of the IPv6 internet from which its sockets wait for an answer."""
    calls = unanswered_calls.items if unanswered_calls is not None else ()
    own = [call for call in calls if call.container.id == container.id]
    return [call.place for call in own if _PUBLIC.fullmatch(call.address)]


def _tells_of_ipv6(text: str) -> bool:
    return bool(_PUBLIC.search(text)) and bool(signs(text) & _LOST)


def _nowhere(container: Container, reports: Sequence[RecentLine], places: list[str]) -> Finding:
    called = {match[0] for line in reports for match in [_PUBLIC.search(line.text)] if match}
    whom = and_more(sorted(called) or places)
    return Finding.about(
        container,
        f"{container} calls {whom} over IPv6, and this host has no IPv6 route out",
        {
            "log": reports[-1].text[:300] if reports else None,
            "waits for an answer from": places or None,
            "IPv6 address of the container": next(
                end.global_ipv6_address
                for end in container.endpoints.values()
                if end.global_ipv6_address
            ),
            "IPv6 default route of the host": "none",
        },
        signs=_LOST,
        stable=(container.life,),
    )
