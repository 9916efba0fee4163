"""Pages that come by HTTPS and name their own scripts and styles by http://.

Browsers block these: the page stays blank, and no request for them reaches any log. The program
writes whole addresses, and does not know that its clients come by HTTPS.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import WEB_PORTS
from diagnose.evidence.network.proxies.nginx.configurations import NginxConfigurations
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only, paired
from diagnose.questions import Host
from diagnose.registry import evidence

_OPENS = LazyPattern(
    r"(?i)(?P<comment><!--)|<(?P<tag>base|link|script)\b(?P<attributes>[^<>]{0,600})>"
)
_ADDRESS = LazyPattern(r"(?i)(?<![\w-])(?:src|href)=[\"']?(?P<url>http://[^\"'\s<>]{1,300})")
"""Addresses that a browser loads with a page: <script src="http://...">, and the base address of
others by <base>. It does nothing with data-src."""
_LOADED = LazyPattern(r"(?i)(?<![\w-])rel=[\"']?(?:stylesheet|preload|modulepreload)\b")
"""Links that a page needs: others lead to feeds and programs, or to a picture of the site."""
_SCRIPT_ENDS = LazyPattern(r"(?i)</script")
_UPGRADES = "upgrade-insecure-requests"
"""Ways in which a page has browsers load these by HTTPS: by a header, or by a <meta> of its own."""
_LEAST = 200
_MOST = 299


class InsecureLinks(msgspec.Struct, frozen=True):
    """A page by HTTPS whose own files are named by http://."""

    page: FrontPage
    url: str
    """The first of them."""
    program: Container | None = None
    """The container that made the page, if it is another one than the container that was asked."""
    hop: NginxHop | None = None
    """The location of an nginx before it, where one is known."""

    @property
    def container(self) -> Container:
        """The container of the page."""
        return self.program or self.page.container


class AllInsecureLinks(Items[InsecureLinks], frozen=True):
    """The insecure links: at most one for each port that was asked."""


@evidence
def all_insecure_links(
    host: Host, front_pages: FrontPages, containers: Containers, processes: Processes
) -> AllInsecureLinks:
    """The links by HTTP in first pages that clients get by HTTPS.

    The pages were requested anyway; nginx's files are read where one shows this.
    """
    shown = list(paired(front_pages, _insecure_url))
    if not shown:
        return AllInsecureLinks()
    nginx = NginxConfigurations(host, containers, processes)
    links = []
    for page, url in shown:
        hops_of_page = [hop for hop in nginx.hops if hop.is_of(page.container)]
        hops = hops_for_path(hops_of_page, page.reply.path)
        hop = first_of(hops, None)
        program = hop.program if hop is not None else _only_neighbour(page, containers)
        links.append(InsecureLinks(page, url, program, hop))
    return AllInsecureLinks(tuple(links))


def _insecure_url(page: FrontPage) -> str:
    """The first file of the page's own site that it names by http://; "" for none."""
    reply = page.reply
    if reply.upgrades or _UPGRADES in reply.body:
        return ""
    if not reply.tls or not _LEAST <= reply.status <= _MOST:
        return ""
    return next((url for url in _named_files(reply.body) if _is_of_site(url, page)), "")


def _named_files(body: str) -> Iterator[str]:
    """The addresses in tags; comments are not tags, and neither are the texts of scripts."""
    at = 0
    while (match := _OPENS.search(body, at)) is not None:
        at = match.end()
        if match["comment"]:
            at = body.find("-->", at)
            if at < 0:
                return
            continue
        tag = match["tag"].lower()
        attributes = match["attributes"]
        address = _ADDRESS.search(attributes)
        if address is not None and (tag != "link" or _LOADED.search(attributes)):
            yield address["url"]
        if tag == "script":
            end = _SCRIPT_ENDS.search(body, at)
            if end is None:
                return
            at = end.start()


def _is_of_site(url: str, page: FrontPage) -> bool:
    """Whether an address is at the port by which the page is served, or has the name of the site.

    A site may name another one by http://, which is that one's own affair.
    """
    try:
        place = urlsplit(url)
        port = place.port
    except ValueError:
        return False
    outer = page.http_port.host_port or page.http_port.port
    if port is not None and port == outer:
        return True
    is_named = (place.hostname or "") == page.http_port.question.name.lower()
    return is_named and port in (None, WEB_PORTS["http"])


def _only_neighbour(page: FrontPage, containers: Containers) -> Container | None:
    """The one container that a proxy shares a network of its own with; None for several."""
    if not page.is_proxy:
        return None
    neighbours = [
        other
        for other in containers.running
        if other.id != page.container.id and set(other.shared_networks(page.container)) - {"bridge"}
    ]
    return only(neighbours)
