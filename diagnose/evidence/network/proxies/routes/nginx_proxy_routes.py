"""The routes of nginx-proxy, which derives them from variables of containers. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.routes.route_obstacles import (
    FASTCGI_PORT,
    OtherProtocol,
    WrongPort,
)
from diagnose.evidence.network.proxies.routes.routing_site import (
    CalledPort,
    RoutingSite,
    UnservedRoute,
    at_port,
    declared_ports,
    without_network,
)
from diagnose.evidence.network.proxies.routes.shared_rules import shared_hosts
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.numbers import is_number

_NGINX_PROXY = LazyPattern(
    r"(?:^|/)nginx-?proxy(?::|@|$)|jwilder/nginx-proxy|/nginx-proxy/nginx-proxy"
)
_HOSTS = "VIRTUAL_HOST"
_PROTOCOL = "VIRTUAL_PROTO"
_FASTCGI = LazyPattern(r"(?:\S*/)?php-fpm[\d.]*")
"""A program that speaks FastCGI, and no HTTP."""


def nginx_proxy_routes(site: RoutingSite) -> Iterator[UnservedRoute]:
    """nginx-proxy serves each container with VIRTUAL_HOST, at the port that it finds out itself."""
    proxies = [
        container
        for container in site.containers.running
        if _NGINX_PROXY.search(container.config.image)
    ]
    if len(proxies) != 1:
        return
    (proxy,) = proxies
    for container in site.containers.running:
        host = container.config.value_of(_HOSTS).partition(",")[0]
        if not host or container.id == proxy.id:
            continue
        port = container.config.value_of("VIRTUAL_PORT")
        called = (
            CalledPort(int(port), "VIRTUAL_PORT") if is_number(port) else _usual_port(container)
        )
        lost = without_network(proxy, container, "")
        obstacle = lost or _fastcgi_obstacle(container, called, site)
        if obstacle is not None:
            yield UnservedRoute(proxy, container, host, obstacle)
    yield from shared_hosts(proxy, site.containers.running)


def _fastcgi_obstacle(
    container: Container, called: CalledPort, site: RoutingSite
) -> WrongPort | OtherProtocol | None:
    """The wrong port, or HTTP at a program that accepts only FastCGI; or None."""
    wrong = at_port(container, called, site)
    is_fastcgi = any(map(_FASTCGI.fullmatch, container.command))
    if container.config.value_of(_PROTOCOL) or not is_fastcgi:
        return wrong
    if site.listening(container) != (FASTCGI_PORT,):
        return wrong
    if wrong is None or not called.number:
        return wrong or OtherProtocol(called.number)
    return msgspec.structs.replace(wrong, better=str(FASTCGI_PORT), is_fastcgi=True)


def _usual_port(container: Container) -> CalledPort:
    """The port that nginx-proxy calls without VIRTUAL_PORT: the only declared one, or 80."""
    return CalledPort(only(declared_ports(container)) or 80)
