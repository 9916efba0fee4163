"""Lines of access logs: a request, and the status of its answer."""

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.addresses import is_address
from diagnose.lazy_pattern import LazyPattern

_REQUEST = r"(?P<request>(?P<method>DELETE|GET|HEAD|PATCH|POST|PUT) (?P<path>/[^\s\"]{0,500}))"
_BEFORE_STATUS = LazyPattern(rf"\b{_REQUEST}(?: HTTP/[\d.]{{1,3}})?\"?,? (?P<status>[1-5]\d\d)\b")
"""nginx, Apache, gunicorn, uvicorn and Node's morgan."""
_AFTER_STATUS = LazyPattern(rf"\[(?P<status>[1-5]\d\d)\]: {_REQUEST}")
"""The web server of PHP: 192.0.2.1:4312 [500]: GET /notes."""
_OF_GIN = LazyPattern(
    r"\| {0,3}(?P<status>[1-5]\d\d) \|[^\"\n]{1,80}"
    r"\b(?P<method>DELETE|GET|HEAD|PATCH|POST|PUT) {1,8}\"(?P<path>/[^\s\"]{0,500})"
)
"""Programs in Go with Gin: | 500 | 1.2ms | 192.0.2.1 | GET "/notes"."""
_OF_HAPROXY = LazyPattern(
    r" (?P<server>[\w.:-]{1,80}/(?:<NOSRV>|[\w.:-]{1,80})) [\d+/-]{5,60} (?P<status>[1-5]\d\d) "
    r"\+?\d{1,19} \S{1,80} \S{1,80} (?P<ended>[A-Za-z-]{4}) [^\"\n]{5,500}"
    r"\"(?P<method>DELETE|GET|HEAD|PATCH|POST|PUT) (?P<path>/[^\s\"]{0,500})"
)
"""`option httplog`: fe shop/web1 0/0/-1/-1/0 503 217 - - SC-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"."""
_STATUS = LazyPattern(r"\b(?:DownstreamS|s)tatus_?(?:[cC]ode)?\"?[=:] ?\"?([1-5]\d\d)\b")
_METHOD = LazyPattern(r"\b(?:RequestM|m)ethod\"?[=:] ?\"?(DELETE|GET|HEAD|PATCH|POST|PUT)\b")
_PATH = LazyPattern(r"\b(?:uri|url|path|RequestPath|request_uri)\"?[=:] ?\"?(/[^\s\"]{0,500})")
"""Fields of JSON, or `name=value`: Caddy, Traefik, Node's pino, lograge of Rails."""
_ADDRESS = LazyPattern(
    r"(?<![\w.])(?<!\w/)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
    r"|(?<![\w.:/])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w.:])"
)
"""No version of a browser (Chrome/120.0.0.0). A time has the form of an IPv6 address too."""
_NUMBER = LazyPattern(r"\d+")
_QUOTED = LazyPattern(r"\"([^\"]*)\"")
_OURS = "diagnose/"
"""Prefix of this tool's user agent when it requests a page."""
SERVER_ERROR = 500
"""From this status on the server, and not the client, is at fault."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SERVER_AT_FAULT = frozenset({500, 502, 503, 504})
"""Statuses of web servers."""
CHANGING_PART = LazyPattern(r"\d+|\?.*")
"""The part that differs between requests for the same page."""


class AccessLine(msgspec.Struct, frozen=True):
    """A request of a client in an access log, with its status."""

    at: float
    """Unix time of the line."""
    line: str
    method: str
    path: str
    status: int
    rest: str
    """The text behind the request and the status."""
    server: str = ""
    """The server that HAProxy chose, with its backend: `shop/web1`, or `shop/<NOSRV>` for none."""
    ended: str = ""
    """HAProxy's letters for the end of the session: `sC--`, or `----` for a normal one."""

    @property
    def what(self) -> str:
        """Method and path: GET /login."""
        return f"{self.method} {self.path}"

    @property
    def failed(self) -> bool:
        """Whether the server reports that it could not answer."""
        return self.status >= SERVER_ERROR

    @property
    def address(self) -> str:
        """The first address of the line: the client's; "" where the line has none."""
        return first_address(self.line)

    @property
    def client(self) -> tuple[str, str]:
        """The address, and the last text in quotes: browser or X-Forwarded-For."""
        quoted = self._quoted_texts
        return (self.address, quoted[-1] if quoted else "")

    @property
    def agent(self) -> str:
        """The second text in quotes behind the status: the first one is the page before."""
        quoted = self._quoted_texts
        return quoted[1] if len(quoted) > 1 and quoted[1] != "-" else ""

    @property
    def referer(self) -> str:
        """The address of the page that asked; "" where the log does not say."""
        quoted = self._quoted_texts
        return quoted[0] if quoted and quoted[0] != "-" else ""

    @property
    def shape(self) -> tuple[tuple[str, str], str]:
        """The client, and the line without its time and other numbers."""
        return self.client, _NUMBER.sub("#", self.line)

    @property
    def _quoted_texts(self) -> list[str]:
        """The texts in quotes behind a status: referer, agent, and X-Forwarded-For."""
        return _QUOTED.findall(self.rest)


def first_address(line: str) -> str:
    """The first address in a line; "" where there is none."""
    candidates = (match[0] for match in _ADDRESS.finditer(line))
    return next(filter(is_address, candidates), "")


_OF_CADDYS_ERROR = '"logger":"http.log.error'
_OF_CADDYS_REQUEST = '"logger":"http.log.access'


def access_lines(lines: Iterable[RecentLine]) -> Iterator[AccessLine]:
    """The lines that report a request and its answer, in their order.

    Caddy logs a failed request twice where it logs requests: once with the error, and once more as
    handled. Without a log of requests, which is the default, only the first one exists.
    """
    all_lines = list(lines)
    if any(_OF_CADDYS_REQUEST in line.text for line in all_lines):
        all_lines = [line for line in all_lines if _OF_CADDYS_ERROR not in line.text]
    for line in all_lines:
        match = (
            _BEFORE_STATUS.search(line.text)
            or _AFTER_STATUS.search(line.text)
            or _OF_GIN.search(line.text)
        )
        if match is not None:
            yield _access_line(line, match)
        elif (match := _OF_HAPROXY.search(line.text)) is not None:
            yield replace(_access_line(line, match), server=match["server"], ended=match["ended"])
        elif (request := _line_of_fields(line)) is not None:
            yield request


def _access_line(line: RecentLine, match: re.Match[str]) -> AccessLine:
    return AccessLine(
        line.at,
        line.text,
        method=match["method"],
        path=match["path"],
        status=int(match["status"]),
        rest=line.text[match.end() :],
    )


def _line_of_fields(line: RecentLine) -> AccessLine | None:
    """A request whose parts are named."""
    matches = [pattern.search(line.text) for pattern in (_STATUS, _METHOD, _PATH)]
    status, method, path = (match[1] if match is not None else "" for match in matches)
    if not (status and method and path):
        return None
    return AccessLine(line.at, line.text, method=method, path=path, status=int(status), rest="")


def is_ours(line: AccessLine, server: Container) -> bool:
    """Whether a request came from this tool, or from the server itself: not from a client.

    This tool asks from the server's own address, and not every log has the client's user agent.
    """
    return _OURS in line.rest or line.address in server.addresses


def caller_of(line: AccessLine, server: Container, containers: Containers) -> Container | None:
    """The container whose address the client has, on a network of the server."""
    holders = (containers.by_place.get((network, line.address)) for network in server.endpoints)
    return next((holder for holder in holders if holder is not None), None)
