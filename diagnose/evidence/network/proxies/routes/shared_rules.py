"""Containers that ask one reverse proxy for the same requests. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.network.proxies.routes.route_obstacles import SameRule
from diagnose.evidence.network.proxies.routes.routing_site import UnservedRoute
from diagnose.evidence.network.proxies.routes.traefik_labels import LabelledRouter
from diagnose.mappings import by_key

_HOSTS = "VIRTUAL_HOST"
_PATH = "VIRTUAL_PATH"


def shared_rules(
    proxy: Container, served: Sequence[tuple[Container, Sequence[LabelledRouter]]]
) -> Iterator[UnservedRoute]:
    """The routers of two names and containers with one rule: Traefik uses the one or the other.

    A priority settles that, and one may be for HTTP and the other for HTTPS. Routers of one service
    lead to the same servers.
    """
    first: dict[tuple[str, str, bool], tuple[Container, LabelledRouter]] = {}
    for container, routers in served:
        for router in routers:
            if not router.rule or "priority" in router.settings:
                continue
            rule = "".join(router.rule.lower().split())
            points = router.names("entrypoints")
            key = (rule, ",".join(sorted(points)), router.has_tls)
            other, first_router = first.setdefault(key, (container, router))
            is_one_service = router.service and router.service == first_router.service
            if (
                not _are_twins(other, container)
                and first_router.name != router.name
                and not is_one_service
            ):
                yield _younger_route(proxy, (container, router), (other, first_router))


def _younger_route(
    proxy: Container, one: tuple[Container, LabelledRouter], other: tuple[Container, LabelledRouter]
) -> UnservedRoute:
    """The later one took the rule of a site that was served before."""
    older, younger = sorted((one, other), key=lambda route: route[0].created_at or 0.0)
    obstacle = SameRule(older[0], older[1].name)
    return UnservedRoute(proxy, younger[0], younger[1].site, obstacle, younger[1].name)


def shared_hosts(proxy: Container, containers: Iterable[Container]) -> Iterator[UnservedRoute]:
    """Containers of two programs for one VIRTUAL_HOST: nginx-proxy sends requests to each in turn.

    Those of one program share the work.
    """
    sites = by_key(
        ((host.strip(), container.config.value_of(_PATH)), container)
        for container in containers
        for host in container.config.value_of(_HOSTS).split(",")
        if host.strip() and container.id != proxy.id
    )
    for (host, _), sharing in sites.items():
        older, *newer = sorted(sharing, key=lambda container: container.created_at or 0.0)
        for younger in newer:
            if not _are_twins(younger, older):
                yield UnservedRoute(proxy, younger, host, SameRule(older))


def _are_twins(one: Container, other: Container) -> bool:
    """Whether two containers are one program, or two releases of it (blue and green, a canary)."""
    names = {repository_of(container.config.image) for container in (one, other)}
    return one.image == other.image or (len(names) == 1 and "" not in names)
