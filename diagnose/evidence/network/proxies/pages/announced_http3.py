"""Web servers that send browsers on to HTTP/3, at a UDP port without a listener. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.pages.front_pages import FrontPages
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_HTTP3 = LazyPattern(r'\bh3="(?P<host>[^":]{0,100}):(?P<port>\d{1,5})"')


class AnnouncedHttp3(msgspec.Struct, frozen=True):
    """A port over UDP to which a server sends browsers."""

    container: Container
    port: int
    """Of this host."""
    inner_port: int
    """The port at which its program takes UDP; 0 where it takes none."""
    header: str


class AnnouncedHttp3Ports(Items[AnnouncedHttp3], frozen=True):
    """The announced ports, at most one for each container; empty where each one is served."""


@evidence
def announced_http3_ports(
    front_pages: FrontPages, containers: Containers, namespaces: Namespaces, listeners: Listeners
) -> AnnouncedHttp3Ports:
    """The HTTP/3 ports that first pages announce (Alt-Svc) and that are not published.

    Only pages that other machines may call.
    """
    published = set(containers.ports_published_by("udp"))
    announced_by_id: dict[str, AnnouncedHttp3] = {}
    for page in front_pages:
        match = _HTTP3.search(page.reply.alternatives)
        is_for_others = any(
            binding.host_port == page.http_port.host_port and not binding.is_for_host_alone
            for binding in page.container.published_by("tcp")
        )
        if match is None or match["host"] or not is_for_others:
            continue
        port = int(match["port"])
        if port in published or listeners.on("udp", ANY, port):
            continue
        inside = namespaces.of(page.container)
        listening = (
            inner
            for inner in (port, page.http_port.port)
            if inside is not None and inside.serves_others("udp", inner)
        )
        announced = AnnouncedHttp3(
            page.container, port, next(listening, 0), page.reply.alternatives
        )
        announced_by_id.setdefault(page.container.id, announced)
    return AnnouncedHttp3Ports(tuple(announced_by_id.values()))
