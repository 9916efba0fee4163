"""Lists of origins that let in pages of localhost alone.

A server that browsers call from a page of another origin answers only for those in its list
(CORS). Where the page is for other machines, its origin is never localhost.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.peers.served_names import labelled_names
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.containers.settings.developer_runs import is_for_developers, is_on_a_desk
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import BROWSED_PORTS
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only
from diagnose.phrases import and_more
from diagnose.registry import evidence

_IS_LIST = LazyPattern(
    r"(?:^|_)CORS(?:_\w{1,30})?_ORIGINS?(?:_\w{1,20})?$|(?:^|_)CORS_?(?:ALLOW_?LIST|DOMAINS?)$"
    r"|(?:^|_)ALLOW(?:ED)?_(?:CORS_)?ORIGINS?$"
)
"""CORS_ORIGINS, CORS_ALLOWED_ORIGINS, APP_CORS_ALLOW_ORIGIN, ALLOWED_ORIGINS."""
_LOCAL = LazyPattern(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>\d{1,5}))?/?")
_SEPARATORS = LazyPattern(r"[\s,;|]+")
_MARKS = "[]\"'() "
_HTTP = "80"
_REFUSED = frozenset({400, 403})
"""Statuses by which servers refuse the request of a page with another origin."""
_WITH_ORIGIN = frozenset({"DELETE", "PATCH", "POST", "PUT"})
"""Methods with which browsers name the origin of the page."""
_LEAST_REFUSED = 2
_OF_DATA = frozenset({1433, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 15672, 27017})
"""Ports of databases and brokers."""


class LocalOrigin(msgspec.Struct, frozen=True):
    """A server that browsers call, and whose list has origins of their own machines alone."""

    container: Container
    variable: str
    origins: tuple[str, ...]
    page: Container
    """The container with the page that calls it."""
    by: str
    """The place by which others find the page: a name, or a port."""
    name: str = ""
    """The one name of the page; "" where a port alone is known."""
    refused: str = ""
    """The last line about a refused request, where no such request is answered."""


class LocalOrigins(Items[LocalOrigin], frozen=True):
    """At most one for each container."""


@evidence
def local_origins(
    containers: Containers, processes: Processes, recent_logs: RecentLogs | None = None
) -> LocalOrigins:
    """By variables, labels, ports and access logs.

    A page at a port that no origin of the list has may be served together with its server, and one
    that is not published may be called by the page's own server, which passes the origin on. Both
    count where the server refuses all requests that change something. The collector gives nothing
    of a machine before which one sits.
    """
    if is_on_a_desk(processes):
        return LocalOrigins()
    candidates = (
        _local_origin(container, containers, recent_logs) for container in containers.running
    )
    return LocalOrigins(tuple(filter(None, candidates)))


def _local_origin(
    container: Container, containers: Containers, recent_logs: RecentLogs | None
) -> LocalOrigin | None:
    """The list of a server that lets in pages of localhost alone, where others see such a page."""
    variable, origins = _list_of(container)
    if not origins or is_for_developers(container):
        return None
    own_names = set(labelled_names(container))
    refused = _refused_line(container, recent_logs) if recent_logs is not None else ""
    if not own_names and not _open_ports(container) and not refused:
        return None
    for page in containers.in_project_of(container):
        names = set(labelled_names(page))
        if names & own_names or _has_front(page, container, containers):
            return None
        visitors_way = and_more(sorted(names)) if names else _port_of_page(page, origins)
        if not visitors_way and refused and not _is_database(page):
            visitors_way = _first_port(page)
        if visitors_way:
            name = only(sorted(names)) or ""
            return LocalOrigin(
                container, variable, origins, page, visitors_way, name=name, refused=refused
            )
    return None


def _refused_line(container: Container, recent_logs: RecentLogs) -> str:
    """The last refusal of a request that changes something; "" where one was answered."""
    changing = [line for line in recent_logs.requests_of(container) if line.method in _WITH_ORIGIN]
    refused = [line for line in changing if line.status in _REFUSED]
    is_all = len(refused) == len(changing) >= _LEAST_REFUSED
    return refused[-1].line if is_all else ""


def _is_database(container: Container) -> bool:
    """Whether a container declares none but ports that no page is at."""
    ports = {port.number for port in container.published_by("tcp")}
    return ports <= _OF_DATA


def _first_port(page: Container) -> str:
    """The first port at which other machines reach a page; "" for none."""
    port = first_of(_open_ports(page), None)
    return f"port {port.host_port} of this host" if port is not None else ""


def _has_front(page: Container, server: Container, containers: Containers) -> bool:
    """Whether another container of the project may serve both by one name."""
    other_members = [other for other in containers.in_project_of(page) if other.id != server.id]
    return any(map(_has_web_port, other_members))


def _has_web_port(container: Container) -> bool:
    """Whether browsers find a container without a port in the address."""
    return any(port.host_port in BROWSED_PORTS for port in _open_ports(container))


def _port_of_page(page: Container, origins: tuple[str, ...]) -> str:
    """The port of an origin at which other machines reach a page; "" for none."""
    matches = (_LOCAL.fullmatch(origin) for origin in origins)
    ports = {int(match["port"] or _HTTP) for match in matches if match is not None}
    published = (port.host_port for port in _open_ports(page) if port.host_port in ports)
    found = next(published, None)
    return f"port {found} of this host" if found is not None else ""


def _list_of(container: Container) -> tuple[str, tuple[str, ...]]:
    """The variable whose list has origins of localhost alone; empty where there is none."""
    for variable, value in container.config.environment:
        if _IS_LIST.search(variable):
            words = (word.strip(_MARKS) for word in _SEPARATORS.split(value))
            origins = tuple(word for word in words if word)
            if origins and all(map(_LOCAL.fullmatch, origins)):
                return variable, origins
    return "", ()


def _open_ports(container: Container) -> list[PortBinding]:
    """The ports at which other machines reach a container."""
    return [port for port in container.published_by("tcp") if not port.is_for_host_alone]
