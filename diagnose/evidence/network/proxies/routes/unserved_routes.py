"""Routes that a reverse proxy takes from labels and variables of containers, and cannot serve."""

import functools
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.routes.route_obstacles import (
    FASTCGI_PORT,
    DefinedTwice,
    NoEntryPoint,
    NoMiddleware,
    NoResolver,
    NoSharedNetwork,
    NotEnabled,
    OtherProtocol,
    RouteObstacle,
    SeveralServices,
    UnreadParts,
    WrongPort,
)
from diagnose.evidence.network.proxies.routes.traefik_labels import (
    FILES,
    FOLDER,
    LabelledRouter,
    StaticSettings,
    dynamic_parts,
    flags_of,
    is_traefik,
    routers_of,
    settings_of_file,
    settings_of_words,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed, Subject, Unexamined
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

SETTLED_S = 20
"""Seconds after its start within which a program may still open its first port."""
NEXT_S = 3
"""Seconds after its start within which a program may still open a further port."""
_NGINX_PROXY = LazyPattern(
    r"(?:^|/)nginx-?proxy(?::|@|$)|jwilder/nginx-proxy|/nginx-proxy/nginx-proxy"
)
_HOSTS = "VIRTUAL_HOST"
_PROTOCOL = "VIRTUAL_PROTO"
_FASTCGI = LazyPattern(r"(?:\S*/)?php-fpm[\d.]*")
"""A program that speaks FastCGI, and no HTTP."""
_MIDDLEWARE = "traefik.http.middlewares."
_MISSPELT = frozenset({"traefik.enabled", "traefik.http.enable", "traefik.docker.enable"})


class UnservedRoute(msgspec.Struct, frozen=True):
    """A site that a proxy should serve from a container, and why the proxy cannot."""

    proxy: Container
    container: Container
    site: str
    obstacle: RouteObstacle
    router: str = ""
    """The name of Traefik's router; "" with nginx-proxy, which has none."""


class UnservedRoutes(Items[UnservedRoute], frozen=True):
    """The routes that cannot work; a proxy with unknown settings is left out.

    unseen: containers with a route whose sockets were not seen.
    """

    unseen: tuple[Unexamined, ...] = ()


@evidence
def unserved_routes(
    host: Host, containers: Containers, namespaces: Namespaces | None, clock: Clock
) -> UnservedRoutes:
    """Judged by inspect and sockets; Traefik's file of static settings is read if there is one."""
    seen = Namespaces({}) if namespaces is None else namespaces
    site = _Site(containers, seen, clock)
    routes = [*_traefik_routes(host, site), *_nginx_proxy_routes(site)]
    unseen = (Unexamined(subject, "its sockets were not seen") for subject in sorted(site.unseen))
    return UnservedRoutes(tuple(routes), tuple(unseen))


class _Site(msgspec.Struct, dict=True):
    """What routes are compared with; it collects the containers whose sockets were not seen."""

    containers: Containers
    namespaces: Namespaces
    clock: Clock
    unseen: set[Subject] = msgspec.field(default_factory=set)

    @functools.cached_property
    def middlewares(self) -> frozenset[str]:
        """The names, in small letters, that labels of running containers define."""
        return frozenset(
            label.split(".")[3].lower()
            for container in self.containers.running
            for label in container.labels
            if label.lower().startswith(_MIDDLEWARE)
        )

    def listening(self, container: Container) -> tuple[int, ...] | None:
        """The TCP ports of a container that others reach; None while that is not known or may
        change."""
        netns = self.namespaces.of(container)
        age = self.clock.age(container.started_at)
        if netns is None or container.has_own_kernel or age is None:
            self.unseen.add(container.subject)
            return None
        health = container.state.health
        is_up = container.state.status == "running"
        if not is_up or (health is not None and health.status == "starting"):
            return None
        ports = {socket.port for socket in netns.listeners if socket.protocol == "tcp"}
        served = tuple(sorted(port for port in ports if netns.serves_others("tcp", port)))
        return served if age >= (NEXT_S if served else SETTLED_S) else None


def _traefik_routes(host: Host, site: _Site) -> Iterator[UnservedRoute]:
    """The routes of the one Traefik on this host, where its settings are known."""
    proxies = [container for container in site.containers.running if is_traefik(container)]
    if len(proxies) != 1:
        return
    (proxy,) = proxies
    file = _static_file(host, proxy)
    if isinstance(file, ReadStatic) and (keys := dynamic_parts(file.text, proxy)):
        yield UnservedRoute(proxy, proxy, ", ".join(keys), UnreadParts(keys, file.path))
    settings = _static_settings(file, proxy)
    if settings is None or not _asks_this_engine(settings, site.containers):
        return
    labelled = [
        (container, list(routers_of(container)))
        for container in site.containers.running
        if container.id != proxy.id
    ]
    served = []
    for container, routers in labelled:
        if routers and not _is_enabled(container, settings):
            yield from _ignored_routes(proxy, container, routers, settings)
            continue
        served.append((container, routers))
        for router in routers:
            obstacle = _obstacle_of(router, proxy, container, settings, site)
            if obstacle is not None:
                yield UnservedRoute(proxy, container, router.site, obstacle, router.name)
    yield from _defined_twice(proxy, served)


class ReadStatic(msgspec.Struct, frozen=True):
    """The file of static settings, as it lies on the host."""

    text: str
    path: str


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
    named = _named_file(proxy)
    places = [named] if named else [f"{FOLDER}/{name}" for name in FILES]
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
    """Whether Traefik asks a socket, or a container of this host that stands before the socket."""
    place = settings.endpoint.partition("://")[2]
    if settings.endpoint.startswith(("unix:", "/")) or not place:
        return True
    name = place.partition(":")[0]
    return any(name in container.dns_names for container in containers.running)


def _is_enabled(container: Container, settings: StaticSettings) -> bool:
    wanted = container.labels.get("traefik.enable", "").lower()
    return wanted == "true" if wanted else settings.takes_all


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
    site: _Site,
) -> RouteObstacle | None:
    """The first thing that keeps Traefik from serving a router of a container."""
    if router.services:
        return SeveralServices(router.services)
    if _lacks_entry_point(router, settings):
        wanted = ", ".join(router.names("entrypoints"))
        return NoEntryPoint(wanted, tuple(sorted(settings.entry_points or ())))
    undefined = _undefined_middleware(router, site)
    if undefined:
        return NoMiddleware(undefined)
    if router.is_elsewhere:
        return None
    network_name = container.labels.get("traefik.docker.network") or settings.network
    lost = _without_network(proxy, container, network_name) or _at_port(
        container, _called_port(container, router), site
    )
    return lost or _lacking_resolver(router, settings)


def _lacking_resolver(router: LabelledRouter, settings: StaticSettings) -> NoResolver | None:
    """The resolver of certificates that a router names and the proxy is known not to have."""
    wanted, known = router.settings.get("tls.certresolver", ""), settings.resolvers
    if not wanted or known is None or wanted.lower() in known:
        return None
    return NoResolver(wanted, tuple(sorted(known)))


def _lacks_entry_point(router: LabelledRouter, settings: StaticSettings) -> bool:
    """Whether the proxy is known to have none of the entry points that the router names."""
    wanted = {name.lower() for name in router.names("entrypoints")}
    known = settings.entry_points or frozenset()
    return bool(wanted and known) and wanted.isdisjoint(known)


def _undefined_middleware(router: LabelledRouter, site: _Site) -> str:
    """The first middleware of a router that no running container defines; "" if all are defined.

    Those of another provider (`@file`) are not known here.
    """
    own = [name.removesuffix("@docker") for name in router.names("middlewares")]
    wanted = (name for name in own if "@" not in name)
    return next((name for name in wanted if name.lower() not in site.middlewares), "")


class _CalledPort(msgspec.Struct, frozen=True):
    """The port that a proxy calls."""

    number: int
    """0 where the proxy knows none."""
    source: str = ""
    """The label or variable that says so."""


def _called_port(container: Container, router: LabelledRouter) -> _CalledPort:
    """The port that Traefik calls."""
    if router.port:
        return _CalledPort(router.port, router.port_label)
    return _CalledPort(min(_declared_ports(container), default=0))


def _declared_ports(container: Container) -> set[int]:
    """The ports that a container's image declares, or that the container publishes."""
    ports = {*(container.network_settings.ports or ()), *(container.config.exposed_ports or ())}
    return {int(number) for port in ports if (number := port.partition("/")[0]).isdigit()}


def _without_network(proxy: Container, container: Container, named: str) -> NoSharedNetwork | None:
    """Whether the proxy calls an address of the container on none of its own networks."""
    both = (proxy, container)
    if any(end.shares_network or end.host_config.network_mode == "none" for end in both):
        return None
    called = [named] if named in container.endpoints else list(container.endpoints)
    if not called or not proxy.endpoints or any(name in proxy.endpoints for name in called):
        return None
    networks = tuple(name for name in proxy.endpoints if name != "bridge")
    return NoSharedNetwork(networks, named if named in container.endpoints else "")


def _at_port(container: Container, called: _CalledPort, site: _Site) -> WrongPort | None:
    """Whether nothing in the container listens at the port that the proxy calls."""
    if container.shares_host_network:
        return None
    listening = site.listening(container)
    if listening is None or called.number in listening:
        return None
    ports = tuple(str(number) for number in listening)
    netns = site.namespaces.of(container)
    is_inward = netns is not None and bool(netns.sockets("tcp", called.number))
    declared = _declared_ports(container)
    is_meant = called.number in declared and declared.isdisjoint(listening)
    return WrongPort(
        called.number,
        source=called.source,
        listening=ports,
        better="" if is_inward or is_meant else only(ports) or "",
        declared=tuple(str(number) for number in sorted(declared)),
        is_inward=is_inward,
    )


def _defined_twice(
    proxy: Container, served: Sequence[tuple[Container, Sequence[LabelledRouter]]]
) -> Iterator[UnservedRoute]:
    """Routers of one name with different rules: Traefik serves none of them."""
    first: dict[str, tuple[Container, LabelledRouter]] = {}
    for container, routers in served:
        for router in routers:
            other, known = first.setdefault(router.name, (container, router))
            if router.rule != known.rule:
                obstacle = DefinedTwice(other, known.site)
                yield UnservedRoute(proxy, container, router.site, obstacle, router.name)


def _nginx_proxy_routes(site: _Site) -> Iterator[UnservedRoute]:
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
            _CalledPort(int(port), "VIRTUAL_PORT") if port.isdigit() else _usual_port(container)
        )
        lost = _without_network(proxy, container, "")
        obstacle = lost or _fastcgi_obstacle(container, called, site)
        if obstacle is not None:
            yield UnservedRoute(proxy, container, host, obstacle)


def _fastcgi_obstacle(
    container: Container, called: _CalledPort, site: _Site
) -> WrongPort | OtherProtocol | None:
    """What is wrong with the port, or with HTTP at a program that takes nothing but FastCGI."""
    wrong = _at_port(container, called, site)
    is_fastcgi = any(map(_FASTCGI.fullmatch, container.command))
    if container.config.value_of(_PROTOCOL) or not is_fastcgi:
        return wrong
    if site.listening(container) != (FASTCGI_PORT,):
        return wrong
    if wrong is None or not called.number:
        return wrong or OtherProtocol(called.number)
    return msgspec.structs.replace(wrong, better=str(FASTCGI_PORT), is_fastcgi=True)


def _usual_port(container: Container) -> _CalledPort:
    """The port that nginx-proxy calls without VIRTUAL_PORT: the only declared one, or 80."""
    return _CalledPort(only(_declared_ports(container)) or 80)
