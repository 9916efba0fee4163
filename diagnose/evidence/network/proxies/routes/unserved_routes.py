"""Routes that a reverse proxy takes from labels and variables of containers, and cannot serve."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.health_check import interval_s
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.proxies.routes.auth_servers import lacking_auth_server
from diagnose.evidence.network.proxies.routes.caddy_labels import caddy_label_routes
from diagnose.evidence.network.proxies.routes.nginx_proxy_routes import (
    down_routes,
    nginx_proxy_routes,
)
from diagnose.evidence.network.proxies.routes.route_obstacles import (
    DefinedTwice,
    FormerLabel,
    LabelsForSwarm,
    NoEntryPoint,
    NoMiddleware,
    NoResolver,
    NotEnabled,
    RouteObstacle,
    SeveralServices,
    Unchecked,
    Unhealthy,
    UnreadParts,
)
from diagnose.evidence.network.proxies.routes.routing_site import (
    SETTLED_S,
    CalledPort,
    RoutingSite,
    UnservedRoute,
    at_port,
    declared_ports,
    without_network,
)
from diagnose.evidence.network.proxies.routes.secure_entry_points import (
    SecureEntryPoints,
    secure_entry_points,
)
from diagnose.evidence.network.proxies.routes.shared_rules import shared_rules
from diagnose.evidence.network.proxies.routes.traefik_labels import (
    FILES,
    FOLDER,
    ROUTERS,
    LabelledRouter,
    StaticSettings,
    dynamic_parts,
    flags_of,
    is_traefik,
    routers_of,
    settings_of_file,
    settings_of_words,
)
from diagnose.model import Failed, Unexamined
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

_MISSPELT = frozenset({"traefik.enabled", "traefik.http.enable", "traefik.docker.enable"})


class UnservedRoutes(Items[UnservedRoute], frozen=True):
    """The routes that cannot work; a proxy with unknown settings is left out.

    unseen: containers with a route whose sockets were not seen.
    """

    unseen: tuple[Unexamined, ...] = ()


class ReadStatic(msgspec.Struct, frozen=True):
    """The file of static settings on the host."""

    text: str
    path: str


class _Traefik(msgspec.Struct, frozen=True):
    """The one Traefik of the host, and what it is given."""

    proxy: Container
    settings: StaticSettings
    secure: SecureEntryPoints
    labelled: Sequence[tuple[Container, Sequence[LabelledRouter]]]
    """The other running containers, each with the routers of its labels."""


@evidence
def unserved_routes(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    clock: Clock,
    written: WrittenProjects | None,
    networks: Networks | None,
) -> UnservedRoutes:
    """The routes that cannot work, by inspect, sockets and Traefik's static settings.

    The file of static settings is read if there is one, and that of nginx-proxy where it may have
    marked a container as down.
    """
    namespaces_seen = Namespaces({}) if namespaces is None else namespaces
    site = RoutingSite(containers, namespaces_seen, clock)
    routes = [
        *_traefik_routes(host, site, written),
        *nginx_proxy_routes(site),
        *down_routes(host, site, networks),
        *caddy_label_routes(site),
    ]
    unseen = (Unexamined(subject, "its sockets were not seen") for subject in sorted(site.unseen))
    return UnservedRoutes(tuple(routes), tuple(unseen))


def _traefik_routes(
    host: Host, site: RoutingSite, written: WrittenProjects | None
) -> Iterator[UnservedRoute]:
    """The routes of the one Traefik on this host, where its settings are known."""
    proxies = [container for container in site.containers.running if is_traefik(container)]
    if len(proxies) != 1:
        return
    (proxy,) = proxies
    file = _static_file(host, proxy)
    yield from _unread_parts(proxy, file)
    settings = _static_settings(file, proxy)
    if settings is None or not _asks_this_engine(settings, site.containers):
        return
    labelled = [
        (container, list(routers_of(container)))
        for container in site.containers.running
        if container.id != proxy.id
    ]
    traefik = _Traefik(proxy, settings, _secure_entry_points(proxy, file, labelled), labelled)
    served = []
    for container, routers in labelled:
        if routers and not _is_enabled(container, settings):
            yield from _ignored_routes(proxy, container, routers, settings)
        else:
            served.append((container, routers))
            for router in routers:
                yield from _hindered_route(router, container, traefik, site)
    yield from _labelled_for_swarm(proxy, served, written)
    yield from _defined_twice(proxy, served)
    yield from shared_rules(proxy, served)


def _unread_parts(proxy: Container, file: ReadStatic | Failed | None) -> Iterator[UnservedRoute]:
    """The routes that stand in Traefik's static settings: Traefik reads no routes there."""
    if not isinstance(file, ReadStatic):
        return
    keys = dynamic_parts(file.text, proxy)
    if keys:
        yield UnservedRoute(proxy, proxy, ", ".join(keys), UnreadParts(keys, file.path))


def _secure_entry_points(
    proxy: Container,
    file: ReadStatic | Failed | None,
    labelled: Sequence[tuple[Container, Sequence[LabelledRouter]]],
) -> SecureEntryPoints:
    """The entry points with TLS; none where a file has the settings, which is not read for them."""
    if file is not None:
        return SecureEntryPoints()
    return secure_entry_points(proxy, [router for _, routers in labelled for router in routers])


def _hindered_route(
    router: LabelledRouter, container: Container, traefik: _Traefik, site: RoutingSite
) -> Iterator[UnservedRoute]:
    """The route of a router if something keeps Traefik from serving it."""
    obstacle = _obstacle_of(router, traefik.proxy, container, traefik.settings, site)
    if isinstance(obstacle, Unhealthy | Unchecked) and _has_twin(router, traefik.labelled):
        return
    if obstacle is None and not router.is_elsewhere:
        obstacle = traefik.secure.lacking_tls(router)
    if obstacle is not None:
        yield UnservedRoute(traefik.proxy, container, router.site, obstacle, router.name)


def _has_twin(
    router: LabelledRouter, labelled: Sequence[tuple[Container, Sequence[LabelledRouter]]]
) -> bool:
    """Whether a healthy container has the same rule: a replica, or the release before."""
    return any(
        twin.rule == router.rule
        for container, routers in labelled
        for twin in routers
        if container.is_healthy
    )


def _named_file(proxy: Container) -> str:
    """The file of static settings that its command names; "" for the usual ones."""
    return flags_of(proxy).get("configfile") or proxy.config.value_of("TRAEFIK_CONFIGFILE")


def _static_settings(file: ReadStatic | Failed | None, proxy: Container) -> StaticSettings | None:
    """None where they are not known."""
    if isinstance(file, ReadStatic):
        return settings_of_file(file.text, file.path)
    return None if file is not None or _named_file(proxy) else settings_of_words(proxy)


def _static_file(host: Host, proxy: Container) -> ReadStatic | Failed | None:
    """None where no such file is mounted."""
    named_file = _named_file(proxy)
    places = [named_file] if named_file else [f"{FOLDER}/{name}" for name in FILES]
    for mount in proxy.mounts:
        inside = [place for place in places if place == mount.destination or mount.holds(place)]
        for place in inside:
            path = mount.on_host(place)
            answer = host.ask(ReadFile(path, max_bytes=65536))
            if not isinstance(answer, Failed):
                return ReadStatic(answer.text, path)
            if answer.reason != "missing":
                return answer
    return None


def _asks_this_engine(settings: StaticSettings, containers: Containers) -> bool:
    """Whether Traefik asks a socket, or a container of this host that is a proxy of the socket."""
    place = settings.endpoint.partition("://")[2]
    if settings.endpoint.startswith(("unix:", "/")) or not place:
        return True
    name = place.partition(":")[0]
    return any(name in container.dns_names for container in containers.running)


def _is_enabled(container: Container, settings: StaticSettings) -> bool:
    label = container.labels.get("traefik.enable", "").lower()
    return label == "true" if label else settings.takes_all


def _ignored_routes(
    proxy: Container,
    container: Container,
    routers: Sequence[LabelledRouter],
    settings: StaticSettings,
) -> Iterator[UnservedRoute]:
    """The route of a container that has routers, and lacks the label by which Traefik serves it."""
    if "traefik.enable" in container.labels:
        return
    misspelt = (label for label in container.labels if label.lower() in _MISSPELT)
    obstacle = NotEnabled(settings.source, next(misspelt, ""))
    yield UnservedRoute(proxy, container, routers[0].site, obstacle)


def _obstacle_of(
    router: LabelledRouter,
    proxy: Container,
    container: Container,
    settings: StaticSettings,
    site: RoutingSite,
) -> RouteObstacle | None:
    """The first thing that keeps Traefik from serving a router of a container."""
    if router.services:
        return SeveralServices(router.services)
    if _lacks_entry_point(router, settings):
        entry_points = ", ".join(router.names("entrypoints"))
        return NoEntryPoint(entry_points, tuple(sorted(settings.entry_points or ())))
    undefined = _undefined_middleware(router, site)
    if undefined:
        return NoMiddleware(undefined)
    if container.is_unhealthy:
        return Unhealthy()
    if (unchecked := _pending_check(container, site)) is not None:
        return unchecked
    if (lacking := lacking_auth_server(router, proxy, site)) is not None:
        return lacking
    if router.is_elsewhere:
        return None
    network_name = container.labels.get("traefik.docker.network") or settings.network
    called = _called_port(container, router)
    lost = without_network(proxy, container, network_name) or at_port(container, called, site)
    if lost is not None:
        return lost
    return _former_label(container, called, site) or _lacking_resolver(router, settings)


_FORMER_PORT = "traefik.port"
"""The label of Traefik 1 for the port of a container."""


def _former_label(
    container: Container, called: CalledPort, site: RoutingSite
) -> FormerLabel | None:
    """The label of Traefik 1 that names another port than the one that the proxy calls.

    None unless the container listens at the port of the label too.
    """
    value = container.labels.get(_FORMER_PORT, "")
    if called.source or not is_number(value):
        return None
    labelled_port = int(value)
    if labelled_port == called.number or labelled_port not in (site.listening(container) or ()):
        return None
    return FormerLabel(called.number, f"{_FORMER_PORT}={value}")


UNCHECKED_S = 120.0
"""Seconds after a start from which on a site is missed that waits for its health check."""


def _pending_check(container: Container, site: RoutingSite) -> Unchecked | None:
    """The fault that Traefik passes over a container, whose health check has not succeeded yet.

    Where the first run is still far, that is known soon after the start.
    """
    health = container.state.health
    if health is None or health.status != "starting":
        return None
    obstacle = Unchecked(interval_s(container), has_run=bool(health.log))
    is_far = not obstacle.has_run and obstacle.interval_s > UNCHECKED_S
    waited = SETTLED_S if is_far else UNCHECKED_S
    return obstacle if site.clock.has_passed(container.started_at, waited) else None


def _lacking_resolver(router: LabelledRouter, settings: StaticSettings) -> NoResolver | None:
    """The resolver of certificates that a router names and the proxy is known not to have."""
    resolver = router.settings.get("tls.certresolver", "")
    resolvers = settings.resolvers
    if not resolver or resolvers is None or resolver.lower() in resolvers:
        return None
    return NoResolver(resolver, tuple(sorted(resolvers)))


def _lacks_entry_point(router: LabelledRouter, settings: StaticSettings) -> bool:
    """Whether the proxy is known to have none of the entry points that the router names."""
    named_points = {name.lower() for name in router.names("entrypoints")}
    entry_points = settings.entry_points or frozenset()
    return bool(named_points and entry_points) and named_points.isdisjoint(entry_points)


def _undefined_middleware(router: LabelledRouter, site: RoutingSite) -> str:
    """The first middleware of a router that no running container defines; "" if all are defined.

    Those of another provider (`@file`) are not known here.
    """
    docker_middlewares = [name.removesuffix("@docker") for name in router.names("middlewares")]
    names_here = (name for name in docker_middlewares if "@" not in name)
    return next((name for name in names_here if name.lower() not in site.middlewares), "")


def _called_port(container: Container, router: LabelledRouter) -> CalledPort:
    """The port that Traefik calls."""
    if router.port:
        return CalledPort(router.port, router.port_label)
    return CalledPort(min(declared_ports(container), default=0))


def _labelled_for_swarm(
    proxy: Container,
    served: Sequence[tuple[Container, Sequence[LabelledRouter]]],
    written: WrittenProjects | None,
) -> Iterator[UnservedRoute]:
    """The containers without a router, whose service has one below `deploy` in its compose file."""
    unlabelled = {container.id for container, routers in served if not routers}
    for project in written or ():
        for container in project.containers:
            service = project.of(container)
            if service is None or container.id not in unlabelled:
                continue
            labels = [label for label in service.swarm_labels if label.startswith(ROUTERS)]
            if labels and not container.swarm_service:
                router = labels[0].removeprefix(ROUTERS).partition(".")[0]
                obstacle = LabelsForSwarm(service.path, service.name)
                yield UnservedRoute(proxy, container, service.name, obstacle, router)


def _defined_twice(
    proxy: Container, served: Sequence[tuple[Container, Sequence[LabelledRouter]]]
) -> Iterator[UnservedRoute]:
    """Routers of one name with different rules: Traefik serves none of them."""
    first: dict[str, tuple[Container, LabelledRouter]] = {}
    for container, routers in served:
        for router in routers:
            other, first_router = first.setdefault(router.name, (container, router))
            if router.rule != first_router.rule:
                obstacle = DefinedTwice(other, first_router.site)
                yield UnservedRoute(proxy, container, router.site, obstacle, router.name)
