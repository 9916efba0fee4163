"""network.route-unserved: a proxy takes its routes from labels, and cannot serve one of them."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.routes import route_obstacles
from diagnose.evidence.network.proxies.routes.routing_site import UnservedRoute
from diagnose.evidence.network.proxies.routes.unserved_routes import UnservedRoutes
from diagnose.first_steps.network.route_cures import route_steps
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import duration, joined, sentence
from diagnose.registry import check


@check(
    "network.route-unserved",
    severity=Severity.warning,
    caused_by=("container.label-misspelt", "container.unhealthy"),
    aloud=(
        "may have a site that its proxy does not serve",
        "may have sites that their proxy does not serve",
    ),
    causes=("container.answers-with-errors",),
)
def route_unserved(unserved_routes: UnservedRoutes) -> CheckResult:
    """A reverse proxy cannot serve a container as the container's labels ask.

    Traefik, nginx-proxy and caddy-docker-proxy make their routes from labels and variables of
    containers. They answer 404 or 503 for a site that they leave out, and 502 or 504 where they
    call the wrong place; at their usual level they log nothing. Traefik leaves out containers that
    are unhealthy. A router that asks for no TLS serves no calls by HTTPS: advice where it does
    not name that entry point, since a site may be for plain HTTP alone. The labels, the
    settings of the proxy, its networks and the sockets in the container are compared. The
    check says nothing where several proxies of a kind run, where the settings of the proxy cannot
    be read, and where they pick containers by constraints. A server for logins whose name no
    container has is advice: a machine of the network may have it. Routers and certificates in
    Traefik's file of static settings are not read by it either.
    """
    for route in unserved_routes:
        yield _route_finding(route)
    yield from unserved_routes.unseen


def _route_finding(route: UnservedRoute) -> Finding:
    obstacle = route.obstacle
    rivals = (route_obstacles.DefinedTwice, route_obstacles.SameRule)
    others = (obstacle.other.subject,) if isinstance(obstacle, rivals) else ()
    setting = ""
    if isinstance(obstacle, route_obstacles.NotEnabled):
        setting = obstacle.setting
    return Finding.about(
        route.container,
        _sentence(route),
        present(
            {
                "that is set in": setting,
                "labels": _shown_labels(route),
                "networks of the proxy": sorted(route.proxy.endpoints),
                "networks of the container": sorted(route.container.endpoints),
            }
        ),
        discriminator=route.router or route.site,
        severity=Severity.advice if _may_be_wanted(obstacle) else None,
        is_quiet=isinstance(obstacle, route_obstacles.NoAuthServer),
        recheck=(route.container.run,),
        touches=(route.proxy.subject, *others),
        variables={"proxy": route.proxy.name, **route_steps(route)},
    )


def _may_be_wanted(obstacle: route_obstacles.RouteObstacle) -> bool:
    """Whether an obstacle may be on purpose: another machine may have the name that no container
    has, and a site may be for plain HTTP alone."""
    match obstacle:
        case route_obstacles.NoAuthServer(server=None):
            return True
        case route_obstacles.NoTls(is_meant=is_meant):
            return not is_meant
    return False


def _shown_labels(route: UnservedRoute) -> list[str]:
    """The labels and variables that the proxy uses, as evidence."""
    begins = ("traefik.enable", "traefik.docker.", f"traefik.http.routers.{route.router}.")
    labels = [
        f"{name}={value}"
        for name, value in route.container.labels.items()
        if name.startswith((*begins, "traefik.http.services.", "caddy"))
    ]
    variables = [
        f"{name}={value}"
        for name, value in route.container.config.environment
        if name in ("VIRTUAL_HOST", "VIRTUAL_PORT", "VIRTUAL_PROTO")
    ]
    return [*labels, *variables][:8]


def _sentence(route: UnservedRoute) -> str:
    """The sentence about the site that the proxy does not serve, and the reason."""
    site = f'"{route.site}"'
    proxy = route.proxy
    container = route.container
    unserved = f"{proxy} does not serve {site}"
    match route.obstacle:
        case route_obstacles.UnreadParts(keys, path):
            return (
                f"{proxy} does not read {joined(keys)} of {path}: that is its file of static settings, "
                "and no file provider loads it"
            )
        case route_obstacles.NotEnabled() as lack:
            return _not_enabled(unserved, container, lack)
        case route_obstacles.NoSharedNetwork() as lack:
            return f"{proxy} cannot reach {container}, which serves {site}: {_network_reason(lack)}"
        case route_obstacles.WrongPort() as wrong:
            return _wrong_port(route, wrong)
        case route_obstacles.OtherProtocol(port):
            return (
                f"{proxy} sends requests for {site} to port {port} of {container} as HTTP, "
                "and the program there accepts only FastCGI (PHP-FPM)"
            )
        case route_obstacles.NoResolver(wanted, known):
            has = f"has only {_quoted_names(known)}" if known else "has none"
            return (
                f"{proxy} serves {site} with its own default certificate: {container} "
                f'asks for the certificate resolver "{wanted}", but the proxy {has}'
            )
        case route_obstacles.DefinedTwice(other, other_site):
            return (
                f'{proxy} serves neither {site} nor "{other_site}": {container} '
                f'and {other} define the same router "{route.router}" in different ways'
            )
        case route_obstacles.SameRule() as same:
            return _same_rule(route, same)
        case route_obstacles.NoTls() | route_obstacles.MarkedDown():
            return _unreached_site(route)
        case route_obstacles.NoAuthServer() as lack:
            return f"{proxy} answers each request for {site} with an error: {_auth_reason(lack)}"
    return f"{unserved}: {container} {_unmet_wish(route)}"


def _unreached_site(route: UnservedRoute) -> str:
    """The sentence about a site whose router or server the proxy has, and does not use."""
    obstacle = route.obstacle
    if isinstance(obstacle, route_obstacles.NoTls):
        return (
            f'{route.proxy} answers HTTPS calls for "{route.site}" with 404: router {route.router} '
            f"of {route.container} does not ask for TLS, and takes only plain HTTP at "
            f"{obstacle.entry_point}"
        )
    assert isinstance(obstacle, route_obstacles.MarkedDown)
    return (
        f'{route.proxy} has marked {route.container}, which serves "{route.site}", as down: both '
        f"are only on {_quoted_names(obstacle.internal)}, and of internal networks the engine "
        "tells it no ports"
    )


def _same_rule(route: UnservedRoute, obstacle: route_obstacles.SameRule) -> str:
    """The sentence about two containers that a proxy takes for one site."""
    two_containers = f"{obstacle.other} and {route.container}"
    if not obstacle.router:
        return (
            f'{route.proxy} sends requests for "{route.site}" to {two_containers} in turn: '
            "both have that name in VIRTUAL_HOST, and their images differ"
        )
    return (
        f'{route.proxy} serves "{route.site}" from only one of {two_containers}: their routers '
        f'"{obstacle.router}" and "{route.router}" have the same rule'
    )


def _auth_reason(lack: route_obstacles.NoAuthServer) -> str:
    asks = f'its middleware "{lack.middleware}" asks {lack.place} about each one'
    server = lack.server
    if server is None:
        return f"{asks}, and no container has that name"
    if not server.is_running:
        return f"{asks}, and {server} is not running"
    return f"{asks}, and {server} does not listen there, or is on none of the proxy's networks"


def _unmet_wish(route: UnservedRoute) -> str:
    """The predicate about a part that the labels of the container name and that nobody has."""
    match route.obstacle:
        case route_obstacles.NoEntryPoint(wanted, known):
            return (
                f'asks for the entry point "{wanted}", '
                f"but the proxy has only {_quoted_names(known)}"
            )
        case route_obstacles.NoMiddleware(wanted):
            return (
                f'asks for the middleware "{wanted}", '
                "which no running container defines in its labels"
            )
        case route_obstacles.FormerLabel(port, label):
            return (
                f"names its port in label {label}, which only Traefik 1 reads: requests go to "
                f"port {port}, the lowest that the container declares"
            )
        case route_obstacles.SeveralServices(services):
            return (
                f"has the services {joined(services)}, "
                f'but its router "{route.router}" names none of them'
            )
        case route_obstacles.LabelsForSwarm(path, service):
            return (
                f"has no label, because service {service} has them below deploy in {path}, where "
                "they apply only to a swarm"
            )
        case route_obstacles.Unhealthy():
            return "is unhealthy, and the proxy leaves it out until its health check succeeds"
        case route_obstacles.Unchecked(interval_s, has_run):
            check_clause = "has not succeeded yet" if has_run else "has not run yet"
            return (
                f"is not healthy so far, for its check {check_clause} (it runs every "
                f"{duration(interval_s)}), and the proxy excludes it until then"
            )
    return "has labels that Traefik does not follow"


def _not_enabled(unserved: str, container: Container, lack: route_obstacles.NotEnabled) -> str:
    main = (
        f"{unserved}: it serves only containers with the label "
        f"traefik.enable=true, which {container} lacks"
    )
    unknown = f'Traefik does not know the label "{lack.misspelt}"' if lack.misspelt else ""
    return sentence(main, unknown)


def _network_reason(lack: route_obstacles.NoSharedNetwork) -> str:
    if lack.named:
        return f'the proxy is not on network "{lack.named}", which the container\'s labels name'
    return "they have no network in common"


def _wrong_port(route: UnservedRoute, wrong: route_obstacles.WrongPort) -> str:
    """The sentence about the port to which the proxy sends requests, and the listeners of the
    container."""
    if not wrong.port:
        return (
            f'{route.proxy} does not serve "{route.site}": no label says on which port '
            f"{route.container} listens, and its image declares no port"
        )
    sends = (
        f'{route.proxy} sends requests for "{route.site}" to port {wrong.port} of '
        f"{route.container}, "
    )
    if wrong.is_inward:
        return f"{sends}where the program listens on the loopback address only"
    listens = "where nothing listens"
    if wrong.listening:
        listens = f"which listens on {joined(wrong.listening)}"
    if wrong.is_fastcgi:
        listens += " for FastCGI alone (PHP-FPM)"
    return sentence(sends + listens, _port_reason(route, wrong))


def _port_reason(route: UnservedRoute, wrong: route_obstacles.WrongPort) -> str:
    """The reason why the proxy calls that port."""
    if wrong.source:
        return f"that port is set by {wrong.source}"
    if route.router:
        return "no label sets the port, so the proxy takes the lowest one that the image declares"
    if len(wrong.declared) == 1:
        return "it is the only port that the container declares, and VIRTUAL_PORT is not set"
    declares = f"ports {joined(wrong.declared)}" if wrong.declared else "no port"
    return f"the container declares {declares}, and without VIRTUAL_PORT nginx-proxy uses port 80"


def _quoted_names(names: Sequence[str]) -> str:
    return joined([f'"{name}"' for name in names])
