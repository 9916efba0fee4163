"""network.ipv6-leads-nowhere: containers that call over IPv6 and have no way out by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from checks.network.helpers import with_ipv6
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.calls.unanswered_calls import MOST_PLACES, UnansweredCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import (
    CheckResult,
    Count,
    Finding,
    PageVariables,
    Seconds,
    Severity,
    Skipped,
    Subject,
)
from diagnose.phrases import agree, and_more, named, quoted
from diagnose.registry import check

_REST = (
    r"(?=:|[0-9a-fA-F:]{0,35}::|(?:[0-9a-fA-F]{1,4}:){6})"
    r"(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{1,4}"
)
"""An IPv6 address after its first group: eight groups or `::`, unlike the time of a request in a
web server's log, `27/Nov/2026:19:28:43`."""
_PUBLIC = LazyPattern(rf"[23](?<![\w:.].)[0-9a-fA-F]{{3}}:{_REST}")
"""An IPv6 address of the internet (2000::/3)."""
_OUTER = LazyPattern(
    rf"(?:[23](?<![\w:.].)[0-9a-fA-F]|[fF](?<![\w:.].)[cCdD])[0-9a-fA-F]{{2}}:{_REST}"
)
"""Such an address, or one of a private network (fc00::/7), as VPNs and companies use them."""
_ADDRESS4 = LazyPattern(r"(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_CLIENT = LazyPattern(
    r"\b(?:client|remote|forwarded|x-real)[\w-]*[\W_]{1,5}\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE
)
"""Who called a proxy, in its line about the call that it made itself."""
_LOST = frozenset({"unreachable", "timeout"})
_TRIES_IPV4_TOO = LazyPattern(
    r"\[[0-9a-f:]+\](?::\d+)?:? network is unreachable|immediate connect fail for"
    r"|\bfall(?:s|ing)?[ -]?back\b",
    re.IGNORECASE,
)
"""What Postfix, Exim and curl say of one address of several; they go on with the next one."""
_REACHES_IPV4 = LazyPattern(
    r"\bconnected to\b.{0,80}(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)"
    r"|(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d).{0,40}(?<!not )\b(?:connected|established)\b",
    re.IGNORECASE,
)
"""A call over IPv4 that went well, as wget and curl tell it."""


@check("network.ipv6-leads-nowhere", severity=Severity.warning)
def ipv6_leads_nowhere(
    containers: Containers,
    networks: Networks,
    routes: Routes,
    recent_logs: RecentLogs,
    unanswered_calls: UnansweredCalls | None,
    ping: Ping | None,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A container calls the internet over IPv6, but has no IPv6 route out.

    Either its networks have no IPv6, or the host has no IPv6 route to pass the packets on. Some
    names have an IPv6 address alone, as those of databases for rent, and programs prefer IPv6 where
    a name has both: each call fails or waits before IPv4 is tried. Seen in the log, repeatedly and
    within the last moments, or in sockets that wait. A container without IPv6 whose log mentions
    lost IPv4 addresses too is left out: IPv6 is not what it lacks. So is one that calls more than
    five addresses: programs that share files try thousands. One that tries IPv4 next, and is
    connected by it, lacks nothing. A private IPv6 address, as of a VPN, counts where the host has a
    route to it.
    """
    host_gets_out = _gets_out(routes)
    callers = _callers(containers, networks, host_gets_out=host_gets_out)
    if not callers:
        return Skipped("each running container with a network has an IPv6 way out, or none at all")
    for container in callers:
        lines = recent_logs.of(container)
        tells = _tells_of_the_internet if container.has_ipv6 else _tells_of_ipv6
        repeated = recent_logs.repeated(container, tells, clock, least, fresh)
        reports = () if _reaches_ipv4(lines) else repeated
        if container.has_ipv6:
            places = _waiting_for(container, unanswered_calls)
            if reports or places:
                yield _dead_route_finding(container, reports, sorted(places))
        elif _lacks_ipv6(reports, lines):
            reached = _reached_by_host(_called(reports), routes, networks)
            if reached or _are_of_the_internet(reports):
                finding = _no_ipv6_finding(container, reports, is_reached=host_gets_out or reached)
                yield finding.with_variables(_steps(container, networks, ping, is_reached=reached))
    yield from recent_logs.left_out(callers)
    return None


def _callers(containers: Containers, networks: Networks, *, host_gets_out: bool) -> list[Container]:
    """The running containers that may have no IPv6 way out."""
    return [
        container
        for container in containers.running
        if _may_lack_a_way_out(container, networks, host_gets_out=host_gets_out)
    ]


def _are_of_the_internet(reports: Sequence[RecentLine]) -> bool:
    """Whether one of these calls is to an address that is not private."""
    return any(map(_PUBLIC.fullmatch, _called(reports)))


def _reaches_ipv4(lines: Iterable[RecentLine]) -> bool:
    """Whether the log of a program shows that it is connected over IPv4 after all."""
    return any(_REACHES_IPV4.search(line.text) for line in lines)


def _gets_out(routes: Routes) -> bool:
    """Whether the host has an IPv6 default route."""
    defaults = [route for route in routes if route.family == "inet6" and not route.prefix]
    return any(route.leads_somewhere for route in defaults)


def _may_lack_a_way_out(container: Container, networks: Networks, *, host_gets_out: bool) -> bool:
    """Whether a container is meant to get out by a network of its own, and cannot over IPv6."""
    has_way_out = host_gets_out and container.has_ipv6
    has_network = bool(container.endpoints) and not container.shares_host_network
    return has_network and not has_way_out and not networks.internal_of(container)


def _waiting_for(container: Container, unanswered_calls: UnansweredCalls | None) -> list[str]:
    """The places of the IPv6 internet from which its sockets wait for an answer."""
    calls = unanswered_calls or ()
    own = [call for call in calls if call.container.id == container.id]
    return [call.place for call in own if _PUBLIC.fullmatch(call.address)]


def _tells_of_the_internet(text: str) -> bool:
    return _tells_of_ipv6(text) and _PUBLIC.search(text) is not None


def _tells_of_ipv6(text: str) -> bool:
    is_lost = _OUTER.search(text) is not None and bool(signs(text) & _LOST)
    return is_lost and _TRIES_IPV4_TOO.search(text) is None


def _tells_of_ipv4(line: RecentLine) -> bool:
    called = _CLIENT.sub("", line.text)
    return _ADDRESS4.search(called) is not None and bool(signs(called) & _LOST)


def _lacks_ipv6(reports: Sequence[RecentLine], lines: Sequence[RecentLine]) -> bool:
    """Whether a container without IPv6 misses it. lines: all that it has printed recently."""
    is_certain = 0 < len(_called(reports)) <= MOST_PLACES
    return is_certain and not any(map(_tells_of_ipv4, lines))


def _called(reports: Sequence[RecentLine]) -> list[str]:
    matches = (_OUTER.search(line.text) for line in reports)
    return sorted({match[0] for match in matches if match is not None and is_address(match[0])})


def _reached_by_host(called: Sequence[str], routes: Routes, networks: Networks) -> bool:
    """Whether the host has a route to one of these addresses that leads to other machines."""
    for text in called:
        address = ip_address(text)
        is_routed = any(route.leads_somewhere and address in route.net for route in routes)
        if is_routed and networks.bridge_of(address) is None:
            return True
    return False


def _no_ipv6_finding(
    container: Container, reports: Sequence[RecentLine], *, is_reached: bool
) -> Finding:
    """A container none of whose networks has IPv6."""
    names = sorted(container.endpoints)
    return Finding.about(
        container,
        f"{container} calls {and_more(_called(reports))} over IPv6, and {named('network', names)} "
        f"{agree(names, 'has', 'have')} no IPv6",
        present(
            {
                "log": quoted(reports[-1].text),
                "networks without IPv6": names,
                "IPv6 default route of the host": None if is_reached else "none",
            }
        ),
        touches=tuple(Subject("network", name) for name in names),
        signs=_LOST,
        stable=(container.life,),
    )


def _steps(
    container: Container, networks: Networks, ping: Ping | None, *, is_reached: bool
) -> PageVariables:
    """What gives a network IPv6, where the host reaches the address; or a container without it."""
    cure = _cure(container, networks, ping) if is_reached else {}
    return cure or {"without": min(container.endpoints)}


def _cure(container: Container, networks: Networks, ping: Ping | None) -> PageVariables:
    """What gives the container's only network IPv6; nothing where it has several."""
    network = networks.by_name.get(min(container.endpoints))
    if network is None or not network.is_bridge or len(container.endpoints) != 1:
        return {}
    return with_ipv6(network, ping)


def _dead_route_finding(
    container: Container, reports: Sequence[RecentLine], places: list[str]
) -> Finding:
    whom = and_more(_called(reports) or places)
    return Finding.about(
        container,
        f"{container} calls {whom} over IPv6, and this host has no IPv6 route out",
        present(
            {
                "log": quoted(reports[-1].text) if reports else None,
                "waits for an answer from": places,
                "IPv6 address of the container": next(
                    end.global_ipv6_address
                    for end in container.endpoints.values()
                    if end.global_ipv6_address
                ),
                "IPv6 default route of the host": "none",
            }
        ),
        signs=_LOST,
        stable=(container.life,),
        with_route=container.name,
    )
