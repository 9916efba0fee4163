"""Servers that answer one client with the same redirect again and again, by their access logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

LEAST = 8
"""So many redirects within SPAN_S are a loop: browsers give up at 20, curl at 50."""
SPAN_S = 3.0
_REQUEST = LazyPattern(
    r"\b(?P<request>(?:GET|HEAD|POST) (?P<path>/[^\s\"]{0,500}))"
    r"(?: HTTP/[\d.]{1,3})?\"?,? (?P<status>[1-5]\d\d)\b"
)
"""Of nginx, Apache, gunicorn and uvicorn, and of Node's morgan."""
_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_NUMBER = LazyPattern(r"\d+")
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_WEB_PORTS = (80, 8080, 3000, 8000, 5000, 9000)
_TLS_PORT = 443


class RedirectLoop(msgspec.Struct, frozen=True):
    """A request that is answered with a redirect as often as its client repeats it."""

    container: Container
    request: str
    """Method and path: GET /login."""
    path: str
    times: int
    span: float
    """Seconds from the first time to the last."""
    line: str
    proxy: Container | None
    """The container from whose address the client comes."""
    port: int
    """A TCP port at which the server listens for others; 0 where none was seen."""

    @property
    def ends_tls(self) -> bool:
        """Whether the proxy publishes the port of HTTPS."""
        return self.proxy is not None and any(
            published.host_port == _TLS_PORT for published in self.proxy.published_by("tcp")
        )


class RedirectLoops(Items[RedirectLoop], frozen=True):
    """One for each container at most."""


@evidence
def redirect_loops(
    containers: Containers, recent_logs: RecentLogs, namespaces: Namespaces | None
) -> RedirectLoops:
    """A client follows a redirect to the place that it has just asked for, and asks again."""
    loops = (
        _loop(container, recent_logs.of_this_run(container), containers, namespaces)
        for container in containers.running
    )
    return RedirectLoops(tuple(loop for loop in loops if loop is not None))


def _loop(
    container: Container,
    lines: Sequence[RecentLine],
    containers: Containers,
    namespaces: Namespaces | None,
) -> RedirectLoop | None:
    if len(lines) < LEAST:
        return None
    asked = [(line, found) for line in lines if (found := _REQUEST.search(line.text))]
    shapes = Counter(_NUMBER.sub("#", line.text) for line, _ in asked)
    shape, times = shapes.most_common(1)[0] if shapes else ("", 0)
    same = [item for item in asked if _NUMBER.sub("#", item[0].text) == shape]
    requests = {found["request"] for _, found in same}
    if times < LEAST or len(requests) != 1:
        return None
    (request,) = requests
    statuses = {found["status"] for _, found in asked if found["request"] == request}
    latest = [line.at for line, _ in same][-LEAST:]
    if not statuses <= _REDIRECTS or latest[-1] - latest[0] > SPAN_S:
        return None
    last, found = same[-1]
    return RedirectLoop(
        container,
        request,
        found["path"],
        times,
        last.at - same[0][0].at,
        last.text,
        _caller(container, last.text, containers),
        _port(container, namespaces),
    )


def _caller(container: Container, line: str, containers: Containers) -> Container | None:
    """The container whose address stands first in a line."""
    address = _ADDRESS.search(line)
    if address is None:
        return None
    holders = (containers.by_place.get((network, address[0])) for network in container.endpoints)
    return next((holder for holder in holders if holder is not None), None)


def _port(container: Container, namespaces: Namespaces | None) -> int:
    netns = namespaces.of(container) if namespaces is not None else None
    if netns is None:
        return 0
    ports = {socket.port for socket in netns.listeners if socket.protocol == "tcp"}
    served = sorted(port for port in ports if netns.serves_others("tcp", port))
    return next((port for port in _WEB_PORTS if port in served), served[0] if served else 0)
