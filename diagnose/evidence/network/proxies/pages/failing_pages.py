"""First pages that are errors of the server itself, or of a server behind it. Pure."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.front_pages import UNNAMED, FrontPage
from diagnose.lazy_pattern import LazyPattern

SETTLED_S = 20.0
"""A program that was started later may wait for others before it serves pages."""
BEHIND_S = 60.0
"""The same of what a proxy or a program says is not there yet (502, 503, 504): it counts once all
its neighbours have run for so long."""
_OWN_ERROR = 500
_NAMES_FOLDER = LazyPattern(
    r"directory index of \"|Cannot serve directory|\(13: ?Permission denied\)"
    r"|because search permissions are missing|client denied by server configuration: /"
)
"""nginx and Apache, of a folder without an index file, or one that they may not read."""
_NUMBER = LazyPattern(r"\d+")
_UNAVAILABLE = 503
_TURNED_AWAY = LazyPattern(
    r"(?s)503 Service Temporarily Unavailable.{0,200}<center>(?:nginx|openresty)"
)
"""The own page of nginx for 503: only its configuration has it answer so."""
_NO_BACKEND = LazyPattern(r" (?P<frontend>[\w.:-]{1,80})~? (?P=frontend)/<NOSRV> ")
"""HAProxy, of a request for which no backend is set up."""


class FailingPage(msgspec.Struct, frozen=True):
    """A first page that is an error, and the containers that answer with the same one."""

    page: FrontPage
    proxies: tuple[Container, ...] = ()
    is_early: bool = False
    """Whether the program, or a neighbour that it calls, may still be at its start."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The log's lines that are about this page: two ports may be asked at once.

        A page that is forbidden has those about its folder, and any other page has the rest.
        """
        of_folder = tuple(line for line in self.page.lines if _NAMES_FOLDER.search(line))
        if self.page.is_forbidden:
            return of_folder
        return tuple(line for line in self.page.lines if line not in of_folder)


def failing_pages(
    pages: Iterable[FrontPage], containers: Containers, clock: Clock
) -> dict[str, FailingPage]:
    """By container id, the worst page of each server that fails.

    A proxy whose page is the same error as that of a server behind it is named there.
    """
    failing: dict[str, FrontPage] = {}
    for page in sorted(pages, key=lambda page: page.is_forbidden):
        if _is_own_error(page):
            failing.setdefault(page.container.id, page)
    return {
        id: FailingPage(
            page,
            tuple(_passing_on(page, failing.values())),
            is_early=_is_early(page, containers, clock),
        )
        for id, page in failing.items()
    }


def _is_own_error(page: FrontPage) -> bool:
    """Whether the page is an error of the server, or of a server that it calls."""
    if page.is_forbidden:
        return any(_NAMES_FOLDER.search(line) for line in page.lines)
    return page.is_error and not _turns_strangers_away(page)


def _is_early(page: FrontPage, containers: Containers, clock: Clock) -> bool:
    """Whether the page may be one of a start.

    A program, or a neighbour that it calls, may have been started just now.
    """
    if page.is_forbidden:
        return False
    if clock.is_within(page.container.started_at, SETTLED_S):
        return True
    return page.status != _OWN_ERROR and any(
        clock.is_within(other.started_at, BEHIND_S)
        for other in containers.running
        if other.id == page.container.id or other.shared_networks(page.container)
    )


def _turns_strangers_away(page: FrontPage) -> bool:
    """Whether a proxy reports that it serves no site of the requested name.

    That is not a fault where nothing on this host has the names of its sites.
    """
    is_stranger = page.is_proxy and page.http_port.question.name == UNNAMED
    if page.status != _UNAVAILABLE or not is_stranger:
        return False
    is_of_nginx = _TURNED_AWAY.search(page.reply.body) is not None
    return is_of_nginx or any(_NO_BACKEND.search(line) for line in page.lines)


def _passing_on(page: FrontPage, failing: Iterable[FrontPage]) -> Iterable[Container]:
    """The proxies that answer with this very error of a server behind them."""
    if page.is_proxy:
        return []
    proxies = [other for other in failing if other.is_proxy and other.status == page.status]
    own_body = _NUMBER.sub("", page.reply.body)
    return [
        proxy.container
        for proxy in proxies
        if proxy.container.shared_networks(page.container)
        and _NUMBER.sub("", proxy.reply.body) == own_body
    ]
