"""The routes of caddy-docker-proxy, which takes them from labels of containers. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.routes.routing_site import (
    CalledPort,
    RoutingSite,
    UnservedRoute,
    at_port,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

_PROXY = LazyPattern(r"(?:^|/)caddy-docker-proxy(?::|@|$)")
_SITE = LazyPattern(r"^caddy(?:_\d{1,4})?$")
_PASSES_ON = LazyPattern(
    r"^(?P<site>caddy(?:_\d{1,4})?)\.(?:[\w.]{1,60}\.)?(?:\d{1,3}_)?reverse_proxy$"
)
_UPSTREAMS = LazyPattern(
    r"\{\{\s{0,9}upstreams(?:\s{1,9}(?P<scheme>https?|h2c))?(?:\s{1,9}(?P<port>\d{1,5}))?\s{0,9}\}\}"
)
"""The template for the container's own addresses: {{upstreams 8080}}, {{upstreams https 8443}}."""


def caddy_label_routes(site: RoutingSite) -> Iterator[UnservedRoute]:
    """The sites of containers that do not listen at the port which their label names."""
    running = site.containers.running
    proxy = only([container for container in running if _PROXY.search(container.config.image)])
    if proxy is None:
        return
    for container in site.containers.running:
        for label, value in container.labels.items():
            passes_on = _PASSES_ON.match(label)
            if passes_on is None:
                continue
            upstreams = _UPSTREAMS.search(value)
            if upstreams is None or not container.shared_networks(proxy):
                continue
            usual = 443 if upstreams["scheme"] == "https" else 80
            called = CalledPort(int(upstreams["port"] or usual), label)
            wrong = at_port(container, called, site)
            if wrong is not None:
                obstacle = msgspec.structs.replace(wrong, form=_form(value, upstreams["scheme"]))
                name = _site_name(container, passes_on["site"])
                yield UnservedRoute(proxy, container, name, obstacle, passes_on["site"])


def _form(value: str, scheme: str | None) -> str:
    """The value of the label with %s for the port."""
    words = ("upstreams", *([scheme] if scheme else []), "%s")
    template = f"{{{{{' '.join(words)}}}}}"
    return _UPSTREAMS.sub(lambda _: template, value.replace("%", "%%"), count=1)


def _site_name(container: Container, prefix: str) -> str:
    """The address of the site, without its scheme."""
    first = container.labels.get(prefix, "").split(",")[0].split(" ")[0]
    return first.rpartition("//")[2] or container.name
