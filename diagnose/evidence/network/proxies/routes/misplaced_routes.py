"""Routes of Traefik and Caddy all of whose requests the program behind them answers with 404.

`misplaced_paths` has those of nginx.
"""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.proxies.nginx.misplaced_paths import (
    are_missed,
    are_of_visitors,
    is_known,
    relays_of,
    requests_by_id,
    telling,
)
from diagnose.evidence.network.proxies.routes.passed_routes import PassedRoute, passed_routes
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.registry import evidence

_NO_ROUTER = LazyPattern(r'"-" "-" \d{1,9}ms$')
"""The end of a line of Traefik's that no router took: Traefik itself answers 404."""


class MisplacedRoute(msgspec.Struct, frozen=True):
    """A route whose path does not fit the program."""

    route: PassedRoute
    line: str
    """The last request of the program's log, or of the proxy's."""
    times: int
    sent: str
    """The path that the program got last."""
    other: str
    """The path that the program would get with the prefix cut off, or left on."""
    address: str
    """The URL by which the host calls the program: http://172.18.0.3:8080; "" where that is not
    known."""
    is_of_visitors: bool
    """Whether neighbours or pages of a site asked, and not only strangers of the internet."""


class MisplacedRoutes(Items[MisplacedRoute], frozen=True):
    """The misplaced routes, at most one for each route."""


@evidence
def misplaced_routes(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, processes: Processes
) -> MisplacedRoutes:
    """The routes that pass on wrong paths.

    A Caddyfile is read only where a log has several 404, all of them fresh.
    """
    logs = requests_by_id(containers, recent_logs)
    if not any(are_missed(requests, clock) for requests in logs.values()):
        return MisplacedRoutes()
    relays = relays_of(containers, processes)
    candidates = [
        misplaced
        for route in passed_routes(host, containers, processes)
        if (misplaced := _misplaced_route(route, logs, clock, relays)) is not None
    ]
    return MisplacedRoutes(tuple(candidates))


def _misplaced_route(
    route: PassedRoute, logs: dict[str, list[AccessLine]], clock: Clock, relays: frozenset[str]
) -> MisplacedRoute | None:
    """The route if all requests for it end with 404."""
    outside = [
        line
        for line in _requests_below(route, logs.get(route.proxy.id, []))
        if _NO_ROUTER.search(line.rest) is None
    ]
    of_program = logs.get(route.program.id, [])
    requests = _requests_of_proxy if route.is_cut else _requests_below
    inside = requests(route, of_program)
    # Caddy without an access log still writes down the calls that failed
    missed_lines = next((lines for lines in (outside, inside) if are_missed(lines, clock)), None)
    if missed_lines is None or any(map(is_known, (*outside, *inside))):
        return None
    last = telling(missed_lines)
    asked_path = last.path.partition("?")[0]
    if route.is_cut and missed_lines is inside:
        asked_path = f"{route.prefix}{asked_path}"
    passed_path = asked_path if route.is_cut else asked_path.removeprefix(route.prefix) or "/"
    return MisplacedRoute(
        route,
        last.line,
        len(missed_lines),
        sent=route.sent_path(asked_path),
        other=passed_path,
        address=_address(route),
        is_of_visitors=are_of_visitors(missed_lines, relays),
    )


def _requests_below(route: PassedRoute, lines: list[AccessLine]) -> list[AccessLine]:
    return [line for line in lines if line.path.startswith(f"{route.prefix}/")]


def _requests_of_proxy(route: PassedRoute, lines: list[AccessLine]) -> list[AccessLine]:
    """The requests of the proxy, where each of them came by this route."""
    proxy_addresses = route.proxy.ipv4_addresses
    return [line for line in lines if line.address in proxy_addresses] if route.is_only else []


def _address(route: PassedRoute) -> str:
    """The URL by which the host calls the program, at the port that the proxy calls."""
    program = route.program
    ends = [program.endpoints[name] for name in sorted(program.shared_networks(route.proxy))]
    address = next((end.ip_address for end in ends if end.ip_address), "")
    return f"http://{with_port(address, route.port)}" if address and route.port else ""
