"""First pages that redirect visitors to an inner port or name. Pure.

A program that writes a whole address into a redirect has to know its visitors' address.
"""

import ipaddress
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import ANY, WEB_PORTS
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.programs.web_programs import TLS_PORTS
from diagnose.registry import evidence

Kind = Literal["port", "https", "name", "placeholder"]
"""port: the same host at a port without a listener. https: the same host by HTTPS, which is served
inside and not published. name: a name or an address that only containers know. placeholder: what no
machine can have as its name, such as the `_` of nginx's `server_name _`."""
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - compared
_NO_LETTER = LazyPattern(r"[^A-Za-z0-9]+")
_PLACEHOLDER = LazyPattern(r"[$%*<>{}]")
"""A character of a template, as in ${DOMAIN}: no name has it."""
_REDIRECT = 300


class StrayRedirect(msgspec.Struct, frozen=True):
    """A first page that is a redirect, and its wrong target."""

    page: FrontPage
    kind: Kind
    target: str
    """Host and port, as a browser takes them."""
    port: int
    """The host's port in the target."""
    inner_port: int = 0
    """The port at which the container serves that content; 0 for none."""
    other: Container | None = None
    """The container that publishes that port of the host, and is not meant."""


class StrayRedirects(Items[StrayRedirect], frozen=True):
    """The stray redirects: at most one for each port that was asked."""

    def has(self, page: FrontPage) -> bool:
        return any(stray.page.http_port == page.http_port for stray in self)


class _Place(msgspec.Struct, frozen=True):
    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return self.host if self.port == WEB_PORTS[self.scheme] else f"{self.host}:{self.port}"


@evidence
def stray_redirects(
    front_pages: FrontPages, containers: Containers, namespaces: Namespaces, listeners: Listeners
) -> StrayRedirects:
    """The redirects to wrong addresses, of ports that other machines reach.

    A proxy of the host may correct the addresses of other ports.
    """
    publishers = {
        binding.host_port: container
        for container in containers.running
        for binding in container.published_by("tcp")
    }
    proxies = {page.container.id for page in front_pages if page.is_proxy}
    strays: list[StrayRedirect] = []
    for page in front_pages:
        place = _place(page)
        if place is None or page.reply.is_circle or not _is_for_others(page):
            continue
        publisher = publishers.get(place.port)
        if (
            publisher is not None
            and publisher.id in proxies
            and _share_network(publisher, page.container)
        ):
            continue
        if publisher is None and listeners.on("tcp", ANY, place.port):
            continue  # a program of the host, most likely a proxy
        stray = _stray_redirect(page, place, containers, namespaces, publisher)
        if stray is not None:
            strays.append(stray)
    return StrayRedirects(tuple(strays))


def _place(page: FrontPage) -> _Place | None:
    """The target of a redirect; None for a relative one."""
    try:
        url = urlsplit(page.reply.location)
        port = url.port or WEB_PORTS.get(url.scheme, 0)
    except ValueError:
        return None
    if url.scheme not in WEB_PORTS or not url.hostname:
        return None
    return _Place(url.scheme, url.hostname.lower(), port)


def _is_for_others(page: FrontPage) -> bool:
    return any(
        binding.host_port == page.http_port.host_port and not binding.is_for_host_alone
        for binding in page.container.published_by("tcp")
    )


def _stray_redirect(
    page: FrontPage,
    place: _Place,
    containers: Containers,
    namespaces: Namespaces,
    publisher: Container | None,
) -> StrayRedirect | None:
    """The redirect to a place that the visitor cannot reach; None where the place may be right.

    publisher: the container that publishes the place's port of the host.
    """
    page_name = page.http_port.question.name.lower()
    if _is_placeholder(place.host):
        return StrayRedirect(page, "placeholder", str(place), place.port)
    if place.host != page_name:
        is_inner = _is_inner(place.host, page.container, containers, page_name)
        return StrayRedirect(page, "name", str(place), place.port) if is_inner else None
    netns = namespaces.of(page.container)
    served_ports = netns.served_ports if netns is not None else []
    if publisher is not None:
        return _stray_to_publisher(page, place, served_ports, publisher)
    if place.scheme == "https" and not page.reply.tls:
        return _stray_to_tls(page, place, served_ports)
    if place.port in served_ports:
        return StrayRedirect(page, "port", str(place), place.port, inner_port=place.port)
    return None


def _stray_to_publisher(
    page: FrontPage, place: _Place, served_ports: Collection[int], publisher: Container
) -> StrayRedirect | None:
    """The redirect to the container's inner port, which is another container's port of the host."""
    is_own = publisher.id == page.container.id
    if is_own or place.scheme != "http" or place.port not in served_ports:
        return None
    return StrayRedirect(
        page, "port", str(place), place.port, inner_port=place.port, other=publisher
    )


def _stray_to_tls(
    page: FrontPage, place: _Place, served_ports: Collection[int]
) -> StrayRedirect | None:
    """The redirect to HTTPS, which the container serves at a port that it does not publish."""
    tls_ports = (place.port, *sorted(TLS_PORTS))
    inner_port = first_of((port for port in tls_ports if port in served_ports), 0)
    if inner_port in (0, page.http_port.port) or _takes_proxies_word(page):
        return None
    return StrayRedirect(page, "https", str(place), place.port, inner_port)


def _share_network(proxy: Container, container: Container) -> bool:
    """Whether both are on a network that was created for them: on the default one all are."""
    return bool(set(proxy.shared_networks(container)) - {"bridge"})


def _takes_proxies_word(page: FrontPage) -> bool:
    """Whether a client by HTTPS, by the header of a proxy, gets a page."""
    forwarded = page.forwarded
    return forwarded is not None and 0 < forwarded.status < _REDIRECT


def _is_inner(host: str, container: Container, containers: Containers, page_name: str) -> bool:
    """Whether only containers know this name or address, or it is the visitor's own machine."""
    if host in _OWN_NAMES:
        return page_name not in _OWN_NAMES
    if _is_address(host):
        return host in containers.by_address
    return "." not in host and bool(containers.called_by(container, host))


def _is_placeholder(host: str) -> bool:
    """Whether no machine can have this name: it has no letter, or a character of a template."""
    is_without_letters = bool(_NO_LETTER.fullmatch(host)) and ":" not in host
    return is_without_letters or bool(_PLACEHOLDER.search(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
