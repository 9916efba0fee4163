"""Servers with errors of their own: by access logs, and by one request of ours."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import (
    CHANGING_PART,
    SERVER_AT_FAULT,
    AccessLine,
    access_lines,
    caller_of,
    is_ours,
)
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.pages.dead_upstreams import DeadUpstream, dead_upstream
from diagnose.evidence.network.proxies.pages.failing_pages import FailingPage, failing_pages
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.programs.callers import is_of_the_internet
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of errors that count: one or two may be a restart of the program behind the
server."""
MOSTLY = 0.8
"""From this share of the requests on the server does not work for its clients."""
FRESH_S = 90.0
"""A server that answered with errors and then was not asked again may have recovered."""
"""The server, or what it calls, is at fault. A request that it does not support, such as those of
scanners, has another status."""
_UNAVAILABLE = 503
_BAD_REQUEST = 400
_NOT_FOUND = 404
_MISDIRECTED = 421
_REFUSALS = frozenset({_BAD_REQUEST, 403, _NOT_FOUND, _MISDIRECTED})
"""Answers of a server that does not know the host name, the page or the client. 401 asks a client
to log in, which then does."""
_ENTRY_REFUSALS = _REFUSALS | {429}
"""A browser that asks too often has had an answer before."""
LEAST_BAD = 8
"""Requests that a server refuses; a few come from clients that speak no HTTP."""
_LEAST_OF_ENTRY = 4
"""Requests of people with 400 or 421: no program answers so that knows the host name."""
_ASKS_FIRST = LazyPattern(r"\b(?:caddy|envoy|haproxy|nginx|prometheus|traefik|varnish)\b")
"""Images of programs that leave out a server whose check fails."""
_PROBE = LazyPattern(
    r"^/(?:-/)?(?:alive|healthz?|healthcheck|live|livez|metrics|ping|readyz?|ready|server-status"
    r"|status|up)\b"
)
"""Paths that monitors request, whose answers say little about other requests."""
_ENTRY = LazyPattern(r"/(?:(?:admin|index\.(?:html|php)|login|signin|web)/?)?(?:\?.*)?")
"""Pages by which people begin."""
_BROWSER = "Mozilla/"
_NO_SERVER = "<NOSRV>"
_ENDS = {
    "SC": "refuses the connection",
    "sC": "does not take the connection in time",
    "SH": "closes the connection before it answers",
    "sH": "takes the connection and does not answer in time",
    "PH": "answers with what is not HTTP, or what a rule of HAProxy refuses",
    "sQ": "has no room for the request in time",
}
"""The action of a server, by the first two letters of a session's end (HAProxy's manual, 8.5)."""


class FailedAnswers(msgspec.Struct, frozen=True):
    """A server whose answers are errors: all of them, or all to one kind of request."""

    container: Container
    answers: tuple[AccessLine, ...]
    """The failed answers in the log, oldest first; empty where only we were answered so."""
    of: int
    """Requests of any kind that were read."""
    is_most: bool
    """Whether nearly all requests failed, not only those of one kind."""
    url: str
    """The URL of the last one, for the host to repeat it; "" where that would change something."""
    other_lines: tuple[str, ...] = ()
    """The lines of its log that report no request."""
    files: Mapping[str, str] = {}
    """The program's own log file with some of these lines, by line."""
    proxies: tuple[Container, ...] = ()
    """The containers that asked, and passed the answers on to their own clients."""
    page: FrontPage | None = None
    """The error with which it answers a request for its first page now."""
    is_early: bool = False
    """Whether that error is all that shows, and may be one of a start."""
    dead: DeadUpstream | None = None
    """The port of another container that it calls, and where nothing listens."""

    @property
    def status(self) -> int:
        """The status of the last answer."""
        if self.answers:
            return self.answers[-1].status
        return self.page.status if self.page is not None else 0

    @property
    def printed(self) -> LogTail:
        """The lines of its log that report no request."""
        return LogTail(self.other_lines)

    def file_of(self, text: str) -> str:
        """The program's own log file with that line; "" for the container's log."""
        return next((path for line, path in self.files.items() if text in line), "")

    @property
    def empty_backend(self) -> str:
        """The backend of HAProxy that has no server for the last request; "" for none."""
        last = self.answers[-1].server if self.answers else ""
        backend, _, server = last.partition("/")
        return backend if server == _NO_SERVER else ""

    @property
    def why(self) -> str:
        """The note of HAProxy about the server behind the last answer; "" for any other program."""
        last = self.answers[-1] if self.answers else None
        if last is None:
            return ""
        if self.empty_backend:
            return f'no server of backend "{self.empty_backend}" is up'
        backend, _, server = last.server.partition("/")
        end = _ENDS.get(last.ended[:2], "")
        return f'server "{server}" of backend "{backend}" {end}' if end else ""

    @property
    def is_refusal(self) -> bool:
        """Whether the server objects to all requests of one container, not fails at them."""
        return bool(self.answers) and self.status in _ENTRY_REFUSALS

    @property
    def ends_traffic(self) -> bool:
        """Whether a proxy is refused that checks its servers: it sends them no clients then."""
        return self.is_refusal and any(
            _ASKS_FIRST.search(proxy.config.image.lower()) for proxy in self.proxies
        )


class AllFailedAnswers(Items[FailedAnswers], frozen=True):
    """The failed answers, at most one for each container; without errors of another server."""


@evidence
def all_failed_answers(
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    namespaces: Namespaces | None,
    front_pages: FrontPages | None = None,
) -> AllFailedAnswers:
    """The last lines of the access logs of running containers are read.

    A server counts too where it answers our own request for its first page with an error.
    """
    of_containers = (
        _failed_answers(container, recent_logs, containers, namespaces)
        for container in containers.running
    )
    candidates = [
        failed
        for failed in of_containers
        if failed is not None and clock.is_within(failed.answers[-1].at, FRESH_S)
    ]
    if front_pages is not None:
        candidates = list(_with_pages(candidates, failing_pages(front_pages, containers, clock)))
    passed_on = {proxy.id for failed in candidates for proxy in failed.proxies}
    return AllFailedAnswers(
        tuple(failed for failed in candidates if failed.container.id not in passed_on)
    )


def _with_pages(
    candidates: Iterable[FailedAnswers], pages: Mapping[str, FailingPage]
) -> Iterator[FailedAnswers]:
    """The failed answers of the logs, completed by our requests; then those of requests alone."""
    by_id = {failed.container.id: failed for failed in candidates}
    for id, failed in by_id.items():
        yield _with_page(failed, pages[id]) if id in pages else failed
    for id, failing in pages.items():
        if id not in by_id:
            page = failing.page
            new = FailedAnswers(
                page.container, (), of=0, is_most=True, url=page.url, is_early=failing.is_early
            )
            yield _with_page(new, failing)


def _with_page(failed: FailedAnswers, failing: FailingPage) -> FailedAnswers:
    """The failed answers, with the failing page and the log lines of its request."""
    page = failing.page
    lines = failing.lines
    dated = [RecentLine(0.0, text) for text in lines]
    requests = {line.line for line in access_lines(dated)}
    gained = tuple(text for text in lines if text not in requests)
    proxies = {proxy.id: proxy for proxy in (*failed.proxies, *failing.proxies)}
    return msgspec.structs.replace(
        failed,
        page=page,
        is_most=True,
        other_lines=(*failed.other_lines, *gained),
        proxies=tuple(proxies.values()),
    )


def _failed_answers(
    container: Container,
    recent_logs: RecentLogs,
    containers: Containers,
    namespaces: Namespaces | None,
) -> FailedAnswers | None:
    """The errors with which a server answers now: all of its answers, or those of one path."""
    log = recent_logs.of_this_run(container)
    lines = recent_logs.requests_of(container)
    of_clients = [line for line in lines if not is_ours(line, container)]
    requests = [line for line in of_clients if not _PROBE.search(line.path)]
    errors = [line for line in requests if _is_error(line)]
    has_recovered = not errors or requests[-1] is not errors[-1]
    is_most = len(errors) >= MOSTLY * len(requests) and not has_recovered
    failed = errors if is_most else _always_failing(requests)
    failed = failed or _all_refused(of_clients, container, containers)
    failed = failed or _entry_refused(of_clients, container, containers)
    if len(failed) < LEAST:
        return None
    proxies = tuple(_callers(failed, container, containers))
    return FailedAnswers(
        container,
        tuple(failed),
        of=len(requests),
        is_most=is_most,
        url=_url(failed[-1], only(proxies) if _is_behind(container) else container, namespaces),
        other_lines=_other_lines(log, lines),
        files={line.text: line.path for line in log if line.path},
        proxies=proxies,
        dead=dead_upstream(_other_lines(log, lines), containers, namespaces),
    )


def _is_behind(container: Container) -> bool:
    """Whether a server speaks FastCGI alone, so that only the web server before it can be asked."""
    words = (*container.config.words, *container.command)
    return any("php-fpm" in word for word in words)


def _other_lines(log: Sequence[RecentLine], requests: Sequence[AccessLine]) -> tuple[str, ...]:
    reported = {request.line for request in requests}
    return tuple(line.text for line in log if line.text not in reported)


def _is_error(line: AccessLine) -> bool:
    """Whether the server is at fault.

    A proxy answers 503 to strangers of the internet who ask for a name that it does not serve. One
    that names the server of its choice serves the name.
    """
    has_server = bool(line.server) and not line.server.endswith(_NO_SERVER)
    if line.status == _UNAVAILABLE and is_of_the_internet(line.address) and not has_server:
        return False
    return line.status in SERVER_AT_FAULT


def _always_failing(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """The most frequent request that was asked for often enough, and failed each time."""
    by_what = by_key((CHANGING_PART.sub("", line.what), line) for line in requests)
    failing = [lines for lines in by_what.values() if all(map(_is_error, lines))]
    return list(max(failing, key=len, default=()))


def _all_refused(
    requests: Sequence[AccessLine], container: Container, containers: Containers
) -> list[AccessLine]:
    """All requests of one container, where the server refuses each in the same way.

    Those with 403 and 404 ask for one page, as checks do, and do not come through a proxy.
    """
    callers = [(caller_of(line, container, containers), line) for line in requests]
    of_callers = by_key((caller.id, line) for caller, line in callers if caller is not None)
    for id, lines in of_callers.items():
        is_monitor = containers.by_id[id].watches_others or id == container.id
        if is_monitor or len(lines) < LEAST_BAD:
            continue
        has_no_others = len(lines) == len(requests)
        if _is_bad_caller(lines, alone=has_no_others) or _is_refused_check(lines):
            return lines
    return []


def _is_bad_caller(lines: Sequence[AccessLine], *, alone: bool) -> bool:
    """Whether the one caller of a server gets 400 for each request."""
    return alone and all(line.status == _BAD_REQUEST for line in lines)


def _is_refused_check(lines: Sequence[AccessLine]) -> bool:
    """Whether a check asks for one page, no browser does, and each answer is the same refusal."""
    statuses = {line.status for line in lines}
    pages = {CHANGING_PART.sub("", line.what) for line in lines}
    if len(statuses) > 1 or len(pages) > 1 or not statuses <= _REFUSALS:
        return False
    return not any(line.agent.startswith(_BROWSER) for line in lines)


def _entry_refused(
    requests: Sequence[AccessLine], container: Container, containers: Containers
) -> list[AccessLine]:
    """All requests, where a published server refuses each one of private clients in the same way.

    The clients ask for its pages of entry. Strangers of the internet look for names and pages that
    do not exist.
    """
    statuses = {line.status for line in requests}
    least = _LEAST_OF_ENTRY if statuses <= {_BAD_REQUEST, _MISDIRECTED} else LEAST_BAD
    is_same = len(statuses) == 1 and statuses <= _ENTRY_REFUSALS
    if not container.published_ports or len(requests) < least or not is_same:
        return []
    is_entry = any(_ENTRY.fullmatch(line.path) for line in requests)
    is_outside = all(
        not is_of_the_internet(line.address) and caller_of(line, container, containers) is None
        for line in requests
    )
    return list(requests) if is_entry and is_outside else []


def _url(line: AccessLine, server: Container | None, namespaces: Namespaces | None) -> str:
    """The address at which the failed request can be repeated; "" where it cannot.

    server: the server to ask; None where that is not known.
    """
    if server is None or line.method not in ("GET", "HEAD"):
        return ""
    address = web_address(server, namespaces)
    # a secret in the query is not known here: the page without it fails in the same way
    path = line.path.partition("?")[0] if "redacted" in line.path else line.path
    return f"{address}{path}" if address else ""


def _callers(
    lines: Iterable[AccessLine], server: Container, containers: Containers
) -> Iterator[Container]:
    callers = {
        caller.id: caller
        for line in lines
        if (caller := caller_of(line, server, containers)) is not None
    }
    yield from callers.values()
