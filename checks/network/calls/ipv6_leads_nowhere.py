"""network.ipv6-leads-nowhere: containers that call over IPv6 and have no way out by it."""

from collections.abc import Sequence
from ipaddress import ip_address

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.awaited_calls import MOST_PLACES
from diagnose.evidence.network.calls.lost_ipv6_calls import (
    LOST,
    called_addresses,
    is_of_the_internet,
    reaches_ipv4,
    tells_of_ipv4,
    tells_of_ipv6,
    tells_of_the_internet,
)
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.first_steps.network.network_steps import ipv6_or_without
from diagnose.mappings import present
from diagnose.model import CheckResult, EvidenceGroup, Finding, Severity, Skipped
from diagnose.model.subjects import Subject
from diagnose.model.units import Count, Seconds
from diagnose.phrases import agree, and_more, named, quoted
from diagnose.registry import check


class LostCalls(EvidenceGroup, frozen=True):
    """Evidence that calls of containers get no answer."""

    recent_logs: RecentLogs
    unanswered_calls: UnansweredCalls | None


@check("network.ipv6-leads-nowhere", severity=Severity.warning)
def ipv6_leads_nowhere(
    containers: Containers,
    networks: Networks,
    routes: Routes,
    lost_calls: LostCalls,
    ping: Ping | None,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A container calls the internet over IPv6, but has no IPv6 route out.

    Either its networks have no IPv6, or the host has no IPv6 route to pass the packets on. Some
    names have only an IPv6 address, as those of hosted databases, and programs prefer IPv6 where a
    name has both: each call fails or waits before IPv4 is tried.

    It shows in the log, repeatedly and within the last moments, or in sockets that wait. A private
    IPv6 address, as of a VPN, counts where the host has a route to it.

    A container without IPv6 whose log mentions lost IPv4 addresses too is left out: IPv6 is not
    what it lacks. The same holds for a container that calls more than five addresses: programs that
    share files try thousands. One that tries IPv4 next, and is connected by it, lacks nothing.
    """
    host_gets_out = _gets_out(routes)
    recent_logs = lost_calls.recent_logs
    callers = _callers(containers, networks, host_gets_out=host_gets_out)
    if not callers:
        return Skipped("each running container with a network has an IPv6 way out, or none at all")
    for container in callers:
        lines = recent_logs.of(container)
        tells = tells_of_the_internet if container.has_ipv6 else tells_of_ipv6
        repeated = recent_logs.repeated(container, tells, clock, least, fresh)
        reports = () if reaches_ipv4(lines) else repeated
        if container.has_ipv6:
            places = _waiting_for(container, lost_calls.unanswered_calls)
            if reports or places:
                yield _dead_route_finding(container, reports, sorted(places))
        elif _lacks_ipv6(reports, lines):
            reached = _reached_by_host(called_addresses(reports), routes, networks)
            if reached or any(map(is_of_the_internet, called_addresses(reports))):
                finding = _no_ipv6_finding(container, reports, is_reached=host_gets_out or reached)
                yield finding.with_variables(
                    ipv6_or_without(container, networks, ping, is_reached=reached)
                )
    yield from recent_logs.left_out(callers)


def _callers(containers: Containers, networks: Networks, *, host_gets_out: bool) -> list[Container]:
    """The running containers that may have no IPv6 way out."""
    return [
        container
        for container in containers.running
        if _may_lack_a_way_out(container, networks, host_gets_out=host_gets_out)
    ]


def _gets_out(routes: Routes) -> bool:
    """Whether the host has an IPv6 default route."""
    defaults = [route for route in routes if route.family == "inet6" and not route.prefix]
    return any(route.leads_somewhere for route in defaults)


def _may_lack_a_way_out(container: Container, networks: Networks, *, host_gets_out: bool) -> bool:
    """Whether a container should get out by a network of its own, and cannot over IPv6."""
    has_way_out = host_gets_out and container.has_ipv6
    has_network = bool(container.endpoints) and not container.shares_host_network
    return has_network and not has_way_out and not networks.internal_of(container)


def _waiting_for(container: Container, unanswered_calls: UnansweredCalls | None) -> list[str]:
    """The places of the IPv6 internet from which its sockets wait for an answer."""
    calls = unanswered_calls or ()
    own_calls = [call for call in calls if call.container.id == container.id]
    return [call.place for call in own_calls if is_of_the_internet(call.address)]


def _lacks_ipv6(reports: Sequence[RecentLine], lines: Sequence[RecentLine]) -> bool:
    """Whether a container without IPv6 needs it. lines: all its recent output."""
    is_certain = 0 < len(called_addresses(reports)) <= MOST_PLACES
    return is_certain and not any(tells_of_ipv4(line.text) for line in lines)


def _reached_by_host(addresses: Sequence[str], routes: Routes, networks: Networks) -> bool:
    """Whether the host has a route to one of these addresses that leads to other machines."""
    for text in addresses:
        address = ip_address(text)
        is_routed = any(route.leads_somewhere and address in route.net for route in routes)
        if is_routed and networks.bridge_of(address) is None:
            return True
    return False


def _no_ipv6_finding(
    container: Container, reports: Sequence[RecentLine], *, is_reached: bool
) -> Finding:
    """The finding about a container none of whose networks has IPv6."""
    names = sorted(container.endpoints)
    return Finding.about(
        container,
        f"{container} calls {and_more(called_addresses(reports))} over IPv6, and {named('network', names)} "
        f"{agree(names, 'has', 'have')} no IPv6",
        present(
            {
                "log": quoted(reports[-1].text),
                "networks without IPv6": names,
                "IPv6 default route of the host": None if is_reached else "none",
            }
        ),
        touches=tuple(Subject("network", name) for name in names),
        signs=LOST,
        recheck=container.caller_runs,
    )


def _dead_route_finding(
    container: Container, reports: Sequence[RecentLine], places: list[str]
) -> Finding:
    addresses = and_more(called_addresses(reports) or places)
    return Finding.about(
        container,
        f"{container} calls {addresses} over IPv6, and this host has no IPv6 route out",
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
        signs=LOST,
        recheck=container.caller_runs,
        variables={"with_route": container.name},
    )
