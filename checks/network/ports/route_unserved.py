"""network.route-unserved: a proxy takes its routes from labels, and cannot serve one of them."""

from __future__ import annotations

from collections.abc import Callable

from diagnose.evidence.network.proxies.unserved_routes import Reason, UnservedRoute, UnservedRoutes
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import joined, sentence
from diagnose.registry import check


@check("network.route-unserved", severity=Severity.warning)
def route_unserved(unserved_routes: UnservedRoutes) -> CheckResult:
    """A reverse proxy cannot serve a container as the container's labels ask.

    Traefik and nginx-proxy make their routes from labels and variables of containers. What they
    leave out they answer with 404 or 503, and where they call the wrong place with 502 or 504; at
    their usual level they log nothing. The labels, the settings of the proxy, its networks and the
    sockets in the container are compared. Nothing is said where several proxies of a kind run,
    where the settings of the proxy cannot be read, and where they pick containers by constraints.
    """
    for route in unserved_routes:
        yield _route_finding(route)
    yield from unserved_routes.unseen
    return None


def _route_finding(route: UnservedRoute) -> Finding:
    others = (route.other.subject,) if route.other is not None else ()
    finding = Finding.about(
        route.container,
        _WORDS[route.why](route),
        present(
            {
                "that is set in": route.source if route.why == "ignored" else "",
                "labels": _shown_labels(route),
                "networks of the proxy": sorted(route.proxy.endpoints),
                "networks of the container": sorted(route.container.endpoints),
            }
        ),
        discriminator=route.router or route.site,
        stable=(route.container.life,),
        touches=(route.proxy.subject, *others),
        proxy=route.proxy.name,
    )
    return finding.with_variables(_cure(route))


def _shown_labels(route: UnservedRoute) -> list[str]:
    """The labels and variables that the proxy goes by."""
    begins = ("traefik.enable", "traefik.docker.", f"traefik.http.routers.{route.router}.")
    labels = [
        f"{name}={value}"
        for name, value in route.container.labels.items()
        if name.startswith((*begins, "traefik.http.services."))
    ]
    variables = [
        f"{name}={value}"
        for name, value in route.container.config.environment
        if name in ("VIRTUAL_HOST", "VIRTUAL_PORT", "VIRTUAL_PROTO")
    ]
    return [*labels, *variables][:8]


def _ignored(route: UnservedRoute) -> str:
    alike = f'Traefik does not know the label "{route.names[0]}"' if route.names else ""
    main = (
        f'{route.proxy} does not serve "{route.site}": it serves only containers with the label '
        f"traefik.enable=true, which {route.container} lacks"
    )
    return sentence(main, alike)


def _without_network(route: UnservedRoute) -> str:
    why = "they have no network in common"
    if route.source:
        why = f'the proxy is not on network "{route.source}", which the container\'s labels name'
    return f'{route.proxy} cannot reach {route.container}, which serves "{route.site}": {why}'


def _without_port(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} does not serve "{route.site}": no label says on which port '
        f"{route.container} listens, and its image declares no port"
    )


def _other_port(route: UnservedRoute) -> str:
    if route.is_inward:
        return (
            f'{route.proxy} sends requests for "{route.site}" to port {route.port} of '
            f"{route.container}, where the program listens on the loopback address only"
        )
    listens = f"which listens on {joined(route.names)}" if route.names else "where nothing listens"
    if route.is_fastcgi:
        listens += " for FastCGI alone (PHP-FPM)"
    reason = f"that port is set by {route.source}"
    if not route.source and route.router:
        reason = "no label sets the port, so the proxy takes the lowest one that the image declares"
    elif not route.source:
        reason = _usual_port(route)
    main = (
        f'{route.proxy} sends requests for "{route.site}" to port {route.port} of '
        f"{route.container}, {listens}"
    )
    return sentence(main, reason)


def _usual_port(route: UnservedRoute) -> str:
    """Why nginx-proxy calls a port that no variable names."""
    if len(route.declared) == 1:
        return "it is the only port that the container declares, and VIRTUAL_PORT is not set"
    declares = f"ports {joined(route.declared)}" if route.declared else "no port"
    return f"the container declares {declares}, and without VIRTUAL_PORT nginx-proxy calls port 80"


def _other_protocol(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} sends requests for "{route.site}" to port {route.port} of '
        f"{route.container} as HTTP, and the program there takes FastCGI alone (PHP-FPM)"
    )


def _other_entry_point(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} does not serve "{route.site}": {route.container} asks for the entry point '
        f'"{route.source}", but the proxy has only {joined(route.names)}'
    )


def _other_resolver(route: UnservedRoute) -> str:
    has = f"has only {joined(route.names)}" if route.names else "has none"
    return (
        f'{route.proxy} serves "{route.site}" with its own default certificate: {route.container} '
        f'asks for the certificate resolver "{route.source}", but the proxy {has}'
    )


def _twice(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} serves neither "{route.site}" nor "{route.names[0]}": {route.container} '
        f'and {route.other} define the same router "{route.router}" in different ways'
    )


def _several_services(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} does not serve "{route.site}": {route.container} has the services '
        f'{joined(route.names)}, but its router "{route.router}" names none of them'
    )


def _without_middleware(route: UnservedRoute) -> str:
    return (
        f'{route.proxy} does not serve "{route.site}": {route.container} asks for the middleware '
        f'"{route.source}", which no running container defines in its labels'
    )


_WORDS: dict[Reason, Callable[[UnservedRoute], str]] = {
    "ignored": _ignored,
    "no network": _without_network,
    "no port": _without_port,
    "port": _other_port,
    "protocol": _other_protocol,
    "entry point": _other_entry_point,
    "resolver": _other_resolver,
    "twice": _twice,
    "services": _several_services,
    "middleware": _without_middleware,
}


def _cure(route: UnservedRoute) -> PageVariables:
    """The label or the network that is missing, where there is no choice."""
    sole = only(route.names) or ""
    if route.why == "ignored":
        return {"label": "traefik.enable=true"}
    if route.why == "no network":
        return _network_cure(route, sole)
    if route.why == "middleware":
        return {"middleware": route.source}
    if route.is_fastcgi:
        return {"fastcgi_port": route.better_port}
    if route.why in ("port", "no port"):
        return _port_cure(route)
    if route.why == "entry point" and sole:
        return {"label": f"traefik.http.routers.{route.router}.entrypoints={sole}"}
    if route.why == "resolver" and sole:
        return {"label": f"traefik.http.routers.{route.router}.tls.certresolver={sole}"}
    return {}


def _network_cure(route: UnservedRoute, sole: str) -> PageVariables:
    """The proxy joins the network that the container names; else the container the proxy's.

    On several networks Traefik takes any of the container's addresses, unless a label names one.
    """
    if route.source:
        return {"network": route.source, "joining": route.proxy.name}
    if not sole:
        return {}
    if not route.router:
        return {"network": sole, "joining": route.container.name}
    return {"called_network": sole, "label": f"traefik.docker.network={sole}"}


def _port_cure(route: UnservedRoute) -> PageVariables:
    port = route.better_port
    if not port and not route.router and len(route.names) > 1:
        return {"choices": joined(route.names)}
    if not port:
        return {"proxied": route.container.name} if route.why == "port" else {}
    if not route.router:
        return {"assignment": f"VIRTUAL_PORT={port}"}
    label = route.source or f"traefik.http.services.{route.router}.loadbalancer.server.port"
    return {"label": f"{label}={port}"}
