"""Locations of nginx whose requests all get a 404 from the program behind them.

`proxy_pass http://program:8080;` passes the path on unchanged. With a path at its end, a single
slash too, nginx replaces the location by that path. A program that expects the other form has none
of its pages.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine, is_ours
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.nginx.configurations import (
    HopFile,
    NginxConfigurations,
    configured_at,
)
from diagnose.evidence.network.proxies.nginx.hops import NginxHop
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.programs.callers import is_of_the_internet
from diagnose.programs.web_programs import is_proxy
from diagnose.questions import Host
from diagnose.registry import evidence

LEAST = 4
FRESH_S = 120.0
REPEATED = 3
_NOT_FOUND = 404


class MisplacedPath(msgspec.Struct, frozen=True):
    """A location whose path and proxy_pass do not fit the program."""

    hop: NginxHop
    program: Container
    file: HopFile
    line: str
    """The last request of its log, or of nginx's."""
    times: int
    asked: str
    """The path of the last request of a client."""
    sent: str
    """The path that the program got then."""
    other: str
    """The path that the program would get with the other form of proxy_pass."""
    address: str
    """The URL by which the host calls the program: http://172.18.0.3:8080; "" where that is not
    known."""
    is_of_visitors: bool
    """Whether neighbours or pages of a site asked, and not only strangers of the internet."""


class MisplacedPaths(Items[MisplacedPath], frozen=True):
    """The misplaced paths, at most one for each location."""


@evidence
def misplaced_paths(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    processes: Processes,
    namespaces: Namespaces | None,
) -> MisplacedPaths:
    """The locations of nginx that pass on wrong paths.

    A configuration is read only where a log has several 404, all of them fresh.
    """
    logs = requests_by_id(containers, recent_logs)
    if not any(are_missed(requests, clock) for requests in logs.values()):
        return MisplacedPaths()
    nginx = NginxConfigurations(host, containers, processes)
    relays = relays_of(containers, processes)

    def since(hop: NginxHop) -> dict[str, list[AccessLine]]:
        """The requests that were passed on by the present configuration."""
        begun = configured_at(hop.proxy, processes, clock)
        return {id: _written_after(begun, lines) for id, lines in logs.items()}

    candidates = (
        _misplaced_path(
            hop, nginx, logs=since(hop), clock=clock, namespaces=namespaces, relays=relays
        )
        for hop in nginx.hops
    )
    return MisplacedPaths(tuple(path for path in candidates if path is not None))


def _written_after(moment: float, lines: Iterable[AccessLine]) -> list[AccessLine]:
    return [line for line in lines if line.at > moment]


def relays_of(containers: Containers, processes: Processes) -> frozenset[str]:
    """The addresses of proxies before nginx: in containers, and on the host, which is a gateway.

    A scanner that comes through one has the proxy's address in nginx's log.
    """
    proxies = (
        end.ip_address
        for container in containers.running
        if _runs_proxy(container, processes)
        for end in container.endpoints.values()
    )
    gateways = (
        end.gateway for container in containers.running for end in container.endpoints.values()
    )
    return frozenset((*proxies, *gateways))


def _runs_proxy(container: Container, processes: Processes) -> bool:
    return is_proxy(processes.names_inside(container.id))


def are_of_visitors(lines: Sequence[AccessLine], relays: frozenset[str]) -> bool:
    """Whether neighbours or the pages of a site asked, and not only strangers of the internet.

    These ask for each page once, also through a proxy, whose address the log has then.
    """
    times = Counter(line.path.partition("?")[0] for line in lines if line.address in relays)
    is_repeated = any(number >= REPEATED for number in times.values())
    return is_repeated or any(line.referer or _is_near(line, relays) for line in lines)


def _is_near(line: AccessLine, relays: frozenset[str]) -> bool:
    """Whether a neighbour asked, and no stranger of the internet, who may come through a proxy."""
    return not is_of_the_internet(line.address) and line.address not in relays


def requests_by_id(containers: Containers, logs: RecentLogs) -> dict[str, list[AccessLine]]:
    """The requests in the log of each container, without those of this tool."""
    by_id = {container.id: _requests(container, logs) for container in containers.running}
    return {id: lines for id, lines in by_id.items() if lines}


def _requests(container: Container, logs: RecentLogs) -> list[AccessLine]:
    return [line for line in logs.requests_of(container) if not is_ours(line, container)]


def is_known(line: AccessLine) -> bool:
    """Whether the program had the page; True for an error of its own, or of the way to it."""
    return line.status != _NOT_FOUND and not line.failed


def are_missed(requests: Iterable[AccessLine], clock: Clock) -> bool:
    """Whether several of them were answered with 404, and lately."""
    missed = [line for line in requests if line.status == _NOT_FOUND]
    return len(missed) >= LEAST and clock.is_within(missed[-1].at, FRESH_S)


def _misplaced_path(
    hop: NginxHop,
    nginx: NginxConfigurations,
    logs: dict[str, list[AccessLine]],
    clock: Clock,
    namespaces: Namespaces | None,
    relays: frozenset[str],
) -> MisplacedPath | None:
    """The location if all requests for it end with 404."""
    program = hop.program
    if program is None or not _is_passed_on_unchanged(hop):
        return None
    requests = _requests_of_location(hop, program, logs)
    if not are_missed(requests.telling, clock) or any(map(is_known, requests.all)):
        return None
    asked_path = _asked_path(hop, requests)
    return MisplacedPath(
        hop,
        program,
        file=nginx.file_of(hop),
        line=telling(requests.telling).line,
        times=len(requests.telling),
        asked=asked_path,
        sent=hop.sent_path(asked_path),
        other=_other_path(hop, asked_path),
        address=_address(hop, program, namespaces),
        is_of_visitors=are_of_visitors(requests.telling, relays),
    )


class _LocationRequests(msgspec.Struct, frozen=True):
    """The requests for one location: as the proxy logged them, and as the program did."""

    outside: list[AccessLine]
    inside: list[AccessLine]
    """Empty where the proxy passes them to the top, where all requests of the program are."""

    @property
    def all(self) -> list[AccessLine]:
        return [*self.outside, *self.inside]

    @property
    def telling(self) -> list[AccessLine]:
        """The requests as visitors sent them, if the proxy has a log."""
        return self.outside or self.inside


def _is_passed_on_unchanged(hop: NginxHop) -> bool:
    """Whether a location has a path that nginx passes on as it is, or without its beginning."""
    is_plain = hop.location.strip("/") and "$" not in hop.target and hop.path in ("", "/")
    return bool(is_plain) and hop.is_prefix and not hop.rewrites


def _requests_of_location(
    hop: NginxHop, program: Container, logs: dict[str, list[AccessLine]]
) -> _LocationRequests:
    """The requests for a location in the logs of the proxy and of the program."""
    of_proxy = logs.get(hop.proxy.id, []) if hop.proxy is not None else []
    below = hop.sent_path(hop.location)
    of_program = logs.get(program.id, []) if below.strip("/") else []
    return _LocationRequests(
        outside=[line for line in of_proxy if line.path.startswith(hop.location)],
        inside=[line for line in of_program if line.path.startswith(below)],
    )


def _asked_path(hop: NginxHop, requests: _LocationRequests) -> str:
    """The path that a visitor asks the proxy for."""
    path = telling(requests.telling).path.partition("?")[0]
    if requests.outside or not hop.path:
        return path
    return f"{hop.location}{path.removeprefix(hop.sent_path(hop.location))}"


def _other_path(hop: NginxHop, asked_path: str) -> str:
    """The path that the program would get if the slashes at the ends were right."""
    if hop.path and hop.location.endswith("/"):
        return asked_path
    return f"/{asked_path.removeprefix(hop.location).lstrip('/')}"


def _address(hop: NginxHop, program: Container, namespaces: Namespaces | None) -> str:
    """The URL by which the host calls the program, at the port that nginx calls."""
    try:
        port = urlsplit(hop.target).port
    except ValueError:
        port = None
    networks = hop.proxy.endpoints if hop.proxy is not None else program.endpoints
    ends = (program.endpoints[name] for name in networks if name in program.endpoints)
    address = next((end.ip_address for end in ends if end.ip_address), "")
    if port is None or not address or hop.proxy is None:
        return web_address(program, namespaces)
    return f"http://{with_port(address, port)}"


def telling(lines: Sequence[AccessLine]) -> AccessLine:
    """The last request that may be sent again, or else the last one."""
    gets = [line for line in lines if line.method == "GET"]
    return (gets or list(lines))[-1]
