"""Servers that redirect to the requested page itself, by their answers to us. Pure."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.evidence.network.proxies.routes.traefik_labels import is_traefik, routers_of
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.registry import evidence

_HTTPS_PORTS = (443, 8443)


class AnsweredLoop(msgspec.Struct, frozen=True):
    """A first page that is a redirect to itself."""

    page: FrontPage
    is_possible: bool = False
    """Whether it is one only for clients of a proxy elsewhere, which ends HTTPS and calls this port
    by HTTP."""
    is_behind_traefik: bool = False
    """Whether Traefik ends HTTPS for it and says so, as its labels ask."""

    @property
    def location(self) -> str:
        """The location to which the answer redirects."""
        second = self.page.forwarded
        if second is not None and (self.is_possible or self.is_behind_traefik):
            return second.location
        return self.page.reply.location


class AnsweredLoops(Items[AnsweredLoop], frozen=True):
    """The redirect loops: at most one for each port that was asked."""


@evidence
def answered_loops(
    front_pages: FrontPages, containers: Containers, listeners: Listeners | None
) -> AnsweredLoops:
    """The redirect loops in first pages.

    A redirect in a circle is one for everybody, unless a cookie on the way would end it. A redirect
    to HTTPS that also a client by HTTPS gets, by the header of a proxy, is one for the clients of
    that proxy. Where this host serves HTTPS itself, it is intended for clients by HTTP. Traefik
    passes that header on always: where it ends HTTPS for the container, all clients are in a loop.
    """
    serves_https = any(
        binding.host_port in _HTTPS_PORTS
        for container in containers.running
        for binding in container.published_by("tcp")
    ) or any(listener.port in _HTTPS_PORTS for listener in listeners or ())
    has_traefik = any(map(is_traefik, containers.running))
    loops = _loops(front_pages, serves_https=serves_https, has_traefik=has_traefik)
    return AnsweredLoops(tuple(loops))


def _loops(pages: FrontPages, *, serves_https: bool, has_traefik: bool) -> Iterator[AnsweredLoop]:
    for page in pages:
        if page.reply.is_circle and not page.reply.sets_cookie:
            yield AnsweredLoop(page)
        elif has_traefik and _turns_away_from_traefik(page):
            yield AnsweredLoop(page, is_behind_traefik=True)
        elif page.http_port.host_port and not serves_https and _insists_on_https(page):
            yield AnsweredLoop(page, is_possible=True)


def _turns_away_from_traefik(page: FrontPage) -> bool:
    """Whether a client of Traefik by HTTPS is sent to the very address that it has called."""
    second = page.forwarded
    if second is None or second.sets_cookie or not page.leads_to_https:
        return False
    target = _target(second.location)
    sites = {
        router.site.lower()
        for router in routers_of(page.container)
        if router.has_tls and router.port in (0, page.http_port.port)
    }
    is_same_page = target.path == page.reply.path and target.scheme == "https"
    return is_same_page and target.site in sites


def _insists_on_https(page: FrontPage) -> bool:
    """Whether a client by HTTPS is redirected to the same address of HTTPS again.

    Another host is not a loop of this program: a log-in for many sites is such a host.
    """
    second = page.forwarded
    if second is None or second.sets_cookie or not page.leads_to_https:
        return False
    if second.is_circle:
        return True
    target = _target(second.location)
    is_own = target.site.partition(":")[0] == page.http_port.question.name.lower()
    return is_own and target == _target(page.reply.location)


class _Target(msgspec.Struct, frozen=True):
    """The target of a redirect, without the query."""

    scheme: str
    site: str
    """The host, and the port where one is named."""
    path: str


def _target(location: str) -> _Target:
    try:
        url = urlsplit(location)
    except ValueError:
        return _Target(scheme="", site="", path=location)
    return _Target(url.scheme.lower(), url.netloc.lower(), url.path or "/")
