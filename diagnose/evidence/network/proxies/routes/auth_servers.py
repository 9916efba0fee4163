"""The servers that Traefik asks about each request (forwardAuth), and that are not there. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.routes.route_obstacles import NoAuthServer
from diagnose.evidence.network.proxies.routes.routing_site import RoutingSite
from diagnose.evidence.network.proxies.routes.traefik_labels import LabelledRouter
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of

_ADDRESS = LazyPattern(
    r"http(?P<tls>s?)://(?P<place>(?P<host>[A-Za-z0-9_-]{1,63})(?::(?P<port>\d{1,5}))?)(?:[/?]|$)"
)
"""The name of a container: one word."""
_SETTING = ".forwardauth.address"


def lacking_auth_server(
    router: LabelledRouter, proxy: Container, site: RoutingSite
) -> NoAuthServer | None:
    """The server of the first middleware of a router that the proxy cannot reach by its name."""
    if proxy.shares_network or not proxy.endpoints:
        return None
    for middleware in router.names("middlewares"):
        name = middleware.removesuffix("@docker").lower()
        match = _ADDRESS.match(_auth_addresses(site).get(name, ""))
        if match is None or match["host"] in ("localhost", *proxy.extra_names):
            continue
        called = site.containers.called_by(proxy, match["host"])
        running = [container for container in called if container.is_running]
        port = int(match["port"] or (443 if match["tls"] else 80))
        if not any(_may_serve(container, port, site) for container in running):
            candidates = [*running, *called, *site.containers.by_dns_name.get(match["host"], ())]
            return NoAuthServer(name, match["place"], first_of(candidates, None))
    return None


def _may_serve(container: Container, port: int, site: RoutingSite) -> bool:
    listening = site.listening(container)
    return listening is None or port in listening


def _auth_addresses(site: RoutingSite) -> dict[str, str]:
    """By the name of a middleware, the address that its label gives."""
    return {
        label.split(".")[3].lower(): value
        for container in site.containers.running
        for label, value in container.labels.items()
        if label.lower().startswith("traefik.http.middlewares.")
        and label.lower().endswith(_SETTING)
    }
