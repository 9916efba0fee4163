"""The routes of nginx-proxy, which derives them from variables of containers."""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.evidence.network.proxies.nginx.files import NginxFiles
from diagnose.evidence.network.proxies.routes.route_obstacles import (
    FASTCGI_PORT,
    MarkedDown,
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
from diagnose.nginx_text import Directive
from diagnose.numbers import is_number
from diagnose.questions import Host

_NGINX_PROXY = LazyPattern(
    r"(?:^|/)nginx-?proxy(?::|@|$)|jwilder/nginx-proxy|/nginx-proxy/nginx-proxy"
)
_GENERATED = "/etc/nginx/conf.d/default.conf"
"""The file with all sites that nginx-proxy writes."""
_HOSTS = "VIRTUAL_HOST"
_PROTOCOL = "VIRTUAL_PROTO"
_FASTCGI = LazyPattern(r"(?:\S*/)?php-fpm[\d.]*")
"""A program that speaks FastCGI, and no HTTP."""


def nginx_proxy_routes(site: RoutingSite) -> Iterator[UnservedRoute]:
    """nginx-proxy serves each container with VIRTUAL_HOST, at the port that it finds out itself."""
    proxy = _sole_proxy(site)
    if proxy is None:
        return
    for container, host in _proxied_containers(site, proxy):
        port = container.config.value_of("VIRTUAL_PORT")
        called = (
            CalledPort(int(port), "VIRTUAL_PORT") if is_number(port) else _usual_port(container)
        )
        lost = without_network(proxy, container, "")
        obstacle = lost or _fastcgi_obstacle(container, called, site)
        if obstacle is not None:
            yield UnservedRoute(proxy, container, host, obstacle)
    yield from shared_hosts(proxy, site.containers.running)


def down_routes(
    host: Host, site: RoutingSite, networks: Networks | None
) -> Iterator[UnservedRoute]:
    """The sites for which nginx-proxy wrote no server that is up.

    The engine lists the ports of a container only where it is on a network that is not internal,
    and older templates of nginx-proxy take no other port than a listed one.
    """
    proxy = _sole_proxy(site)
    if proxy is None or networks is None or proxy.shares_network:
        return
    hidden = [
        (container, name)
        for container, name in _proxied_containers(site, proxy)
        if networks.internal_of(container)
        and container.shared_networks(proxy)
        and not container.network_settings.ports
    ]
    if not hidden:
        return
    written = NginxFiles(host, proxy).directives(_GENERATED)
    for container, name in hidden:
        if _is_marked_down(written, name):
            others = [network.name for network in networks.of(proxy) if not network.internal]
            obstacle = MarkedDown(
                tuple(sorted(container.shared_networks(proxy))),
                tuple(other for other in others if other != DEFAULT_NETWORK),
            )
            yield UnservedRoute(proxy, container, name, obstacle)


def _is_marked_down(written: Iterable[Directive], name: str) -> bool:
    """Whether nginx knows the servers of a site, and all of them are marked as down."""
    servers = [
        server
        for block in written
        if block.name == "upstream" and block.first.startswith(name)
        for server in block.all("server")
    ]
    return bool(servers) and all(server.last == "down" for server in servers)


def _sole_proxy(site: RoutingSite) -> Container | None:
    """The one nginx-proxy of this host."""
    return only(
        [
            container
            for container in site.containers.running
            if _NGINX_PROXY.search(container.config.image)
        ]
    )


def _proxied_containers(site: RoutingSite, proxy: Container) -> Iterator[tuple[Container, str]]:
    """The containers that ask for a site, each with its first name."""
    for container in site.containers.running:
        name = container.config.value_of(_HOSTS).partition(",")[0]
        if name and container.id != proxy.id:
            yield container, name


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
