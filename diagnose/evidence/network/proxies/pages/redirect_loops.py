"""Servers that answer one client with the same redirect again and again, by their access logs."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import REDIRECTS, AccessLine, caller_of
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.registry import evidence

LEAST = 8
"""From this number of redirects within SPAN_S on it is a loop: browsers stop at 20, curl at 50."""
SPAN_S = 3.0
_BROWSER = LazyPattern(
    r"^Mozilla/(?!.*(?:bot\b|check|crawl|monitor|probe|spider|uptime))", re.IGNORECASE
)
"""Other programs ask a page that only redirects as often as they like, and follow nothing."""
_OF_BROWSERS = frozenset({"GET", "HEAD", "POST"})
"""The methods of a client that follows a redirect automatically."""
_KEEP_METHOD = frozenset({307, 308})
_TLS_PORT = 443


class RedirectLoop(msgspec.Struct, frozen=True):
    """A request that gets a redirect each time the client repeats it."""

    container: Container
    request: str
    """Method and path: GET /login."""
    times: int
    span: float
    """Seconds from the first time to the last."""
    line: str
    proxy: Container | None
    """The container from whose address the client comes."""
    agent: str
    """The user agent of the client; "" where the log does not say."""
    url: str
    """The URL of the client's request, as the host can send it; "" where no address was seen."""

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
    """The redirect loops, at most one for each container."""


@evidence
def redirect_loops(
    containers: Containers, recent_logs: RecentLogs, namespaces: Namespaces | None
) -> RedirectLoops:
    """The redirects that clients repeat: each leads to the same address again."""
    loops = (
        _loop(container, recent_logs, containers, namespaces) for container in containers.running
    )
    shown = (loop for loop in loops if loop is not None)
    return RedirectLoops(
        tuple(loop for loop in shown if not (loop.agent and loop.may_be_a_monitor))
    )


def _loop(
    container: Container, logs: RecentLogs, containers: Containers, namespaces: Namespaces | None
) -> RedirectLoop | None:
    """The redirect that a server repeats to one client; or None."""
    requests = [line for line in logs.requests_of(container) if line.method in _OF_BROWSERS]
    repeated_requests = _most_frequent(requests)
    if not _is_repeated(repeated_requests) or not _leads_back(repeated_requests, requests):
        return None
    first = repeated_requests[0]
    last = repeated_requests[-1]
    address = web_address(container, namespaces)
    return RedirectLoop(
        container,
        request=last.what,
        times=len(repeated_requests),
        span=last.at - first.at,
        line=last.line,
        proxy=caller_of(last, container, containers),
        agent=last.agent,
        url=f"{address}{last.path}" if address else "",
    )


def _most_frequent(requests: Sequence[AccessLine]) -> Sequence[AccessLine]:
    """The most frequent requests of one client: their lines differ only in numbers."""
    by_shape = by_key((request.shape, request) for request in requests)
    return max(by_shape.values(), key=len, default=[])


def _is_repeated(repeated_requests: Sequence[AccessLine]) -> bool:
    """Whether one path was requested so often within so short a time."""
    is_often = (
        len(repeated_requests) >= LEAST
        and repeated_requests[-1].at - repeated_requests[-LEAST].at <= SPAN_S
    )
    return is_often and len({request.what for request in repeated_requests}) == 1


def _leads_back(repeated_requests: Sequence[AccessLine], requests: Sequence[AccessLine]) -> bool:
    """Whether each redirect may have led to the same page, and to no other."""
    last = repeated_requests[-1]
    begun = repeated_requests[-LEAST].at
    statuses = {request.status for request in requests if request.what == last.what}
    # a client that follows other redirects of a POST continues with GET
    following = _KEEP_METHOD if last.what.startswith("POST") else REDIRECTS
    since = (request for request in requests if request.at >= begun)
    return statuses <= following and not any(
        request.client == last.client and request.status not in REDIRECTS for request in since
    )
