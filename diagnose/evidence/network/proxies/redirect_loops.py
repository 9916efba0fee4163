"""Servers that answer one client with the same redirect again and again, by their access logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.registry import evidence

LEAST = 8
"""From this number of redirects within SPAN_S on it is a loop: browsers stop at 20, curl at 50."""
SPAN_S = 3.0
_REQUEST = LazyPattern(
    r"\b(?P<request>(?:GET|HEAD|POST) (?P<path>/[^\s\"]{0,500}))"
    r"(?: HTTP/[\d.]{1,3})?\"?,? (?P<status>[1-5]\d\d)\b"
)
"""An access log's line of nginx, Apache, gunicorn, uvicorn or Node's morgan."""
_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_NUMBER = LazyPattern(r"\d+")
_QUOTED = LazyPattern(r"\"([^\"]*)\"")
_BROWSER = LazyPattern(
    r"^Mozilla/(?!.*(?:bot\b|check|crawl|monitor|probe|spider|uptime))", re.IGNORECASE
)
"""Other programs ask a page that only redirects as often as they like, and follow nothing."""
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_KEEP_METHOD = frozenset({"307", "308"})
_WEB_PORTS = (80, 8080, 3000, 8000, 5000, 9000)
_TLS_PORT = 443


class RedirectLoop(msgspec.Struct, frozen=True):
    """A request that gets a redirect each time the client repeats it."""

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
    agent: str
    """What the client calls itself; "" where the log does not say."""
    port: int
    """A TCP port at which the server listens for others; 0 where none was seen."""

    @property
    def ends_tls(self) -> bool:
        """Whether the proxy publishes port 443, so that clients come by HTTPS."""
        return self.proxy is not None and any(
            published.host_port == _TLS_PORT for published in self.proxy.published_by("tcp")
        )

    @property
    def may_be_a_monitor(self) -> bool:
        """Whether the client may be a program that checks a page, and follows no redirect.

        Nobody puts a proxy that ends HTTPS before a page that redirects to HTTPS.
        """
        return not self.ends_tls and not _BROWSER.search(self.agent)


class RedirectLoops(Items[RedirectLoop], frozen=True):
    """At most one loop for each container."""


@evidence
def redirect_loops(
    containers: Containers, recent_logs: RecentLogs, namespaces: Namespaces | None
) -> RedirectLoops:
    """A client follows a redirect to the same address that it has just called, and calls again."""
    loops = (
        _loop(container, recent_logs.of_this_run(container), containers, namespaces)
        for container in containers.running
    )
    shown = (loop for loop in loops if loop is not None)
    return RedirectLoops(
        tuple(loop for loop in shown if not (loop.agent and loop.may_be_a_monitor))
    )


def _loop(
    container: Container,
    lines: Sequence[RecentLine],
    containers: Containers,
    namespaces: Namespaces | None,
) -> RedirectLoop | None:
    if len(lines) < LEAST:
        return None
    requests = list(_requests(lines))
    same = _most_frequent(requests)
    if not _is_repeated(same) or not _leads_back(same, requests):
        return None
    first, last = same[0], same[-1]
    return RedirectLoop(
        container,
        request=last.what,
        path=last.path,
        times=len(same),
        span=last.at - first.at,
        line=last.line,
        proxy=_caller(container, last.line, containers),
        agent=last.agent,
        port=_web_port(container, namespaces),
    )


class _Request(msgspec.Struct, frozen=True):
    """A line of an access log."""

    at: float
    line: str
    what: str
    """Method and path."""
    path: str
    status: str
    rest: str
    """The rest of the line after the status."""

    @property
    def client(self) -> tuple[str, str]:
        """The first address, and the last text in quotes: browser or X-Forwarded-For."""
        address, quoted = _ADDRESS.search(self.line), _quoted(self.rest)
        return (address[0] if address else "", quoted[-1] if quoted else "")

    @property
    def agent(self) -> str:
        """The second text in quotes behind the status: the first one is the page before."""
        quoted = _quoted(self.rest)
        return quoted[1] if len(quoted) > 1 and quoted[1] != "-" else ""

    @property
    def shape(self) -> tuple[tuple[str, str], str]:
        """The client, and the line without its time and other numbers."""
        return self.client, _NUMBER.sub("#", self.line)


def _quoted(rest: str) -> list[str]:
    """The texts in quotes behind a status: referer, agent, and X-Forwarded-For."""
    return _QUOTED.findall(rest)


def _requests(lines: Sequence[RecentLine]) -> Iterator[_Request]:
    for line in lines:
        if match := _REQUEST.search(line.text):
            yield _Request(
                line.at,
                line.text,
                what=match["request"],
                path=match["path"],
                status=match["status"],
                rest=line.text[match.end() :],
            )


def _most_frequent(requests: Sequence[_Request]) -> Sequence[_Request]:
    """The most frequent requests of one client: their lines differ only in numbers."""
    by_shape = by_key((request.shape, request) for request in requests)
    return max(by_shape.values(), key=len, default=[])


def _is_repeated(same: Sequence[_Request]) -> bool:
    """Whether one thing was asked for so often within so short a time."""
    is_often = len(same) >= LEAST and same[-1].at - same[-LEAST].at <= SPAN_S
    return is_often and len({request.what for request in same}) == 1


def _leads_back(same: Sequence[_Request], requests: Sequence[_Request]) -> bool:
    """Whether each redirect may have led to the same page, and to no other."""
    last, begun = same[-1], same[-LEAST].at
    statuses = {request.status for request in requests if request.what == last.what}
    # who follows other redirects of a POST continues with GET
    following = _KEEP_METHOD if last.what.startswith("POST") else _REDIRECTS
    since = (request for request in requests if request.at >= begun)
    return statuses <= following and not any(
        request.client == last.client and request.status not in _REDIRECTS for request in since
    )


def _caller(container: Container, line: str, containers: Containers) -> Container | None:
    """The container whose address stands first in a line."""
    address = _ADDRESS.search(line)
    if address is None:
        return None
    holders = (containers.by_place.get((network, address[0])) for network in container.endpoints)
    return next((holder for holder in holders if holder is not None), None)


def _web_port(container: Container, namespaces: Namespaces | None) -> int:
    netns = namespaces.of(container) if namespaces is not None else None
    if netns is None:
        return 0
    ports = {socket.port for socket in netns.listeners if socket.protocol == "tcp"}
    served = sorted(port for port in ports if netns.serves_others("tcp", port))
    return next((port for port in _WEB_PORTS if port in served), served[0] if served else 0)
