"""Page variables for the part that a proxy's route to a container lacks: a label, a network or
another port."""

from diagnose.evidence.network.proxies.routes import route_obstacles
from diagnose.evidence.network.proxies.routes.routing_site import UnservedRoute
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.phrases import joined

_PORT_LABEL = "traefik.http.services.%s.loadbalancer.server.port"
"""Traefik's label for the port of a service, with the name of the service."""


def route_steps(route: UnservedRoute) -> PageVariables:
    """The page variables of the missing label or network, where there is no choice."""
    labels = f"traefik.http.routers.{route.router}"
    match route.obstacle:
        case route_obstacles.UnreadParts(keys, path):
            return {"unread": joined(keys), "static_file": path}
        case route_obstacles.NotEnabled():
            return {"label": "traefik.enable=true"}
        case route_obstacles.NoSharedNetwork() as lack:
            return _network_cure(route, lack)
        case route_obstacles.NoMiddleware(wanted):
            return {"middleware": wanted}
        case route_obstacles.OtherProtocol():
            return {"fastcgi_port": str(route_obstacles.FASTCGI_PORT)}
        case route_obstacles.WrongPort() as wrong:
            return _port_cure(route, wrong)
        case route_obstacles.FormerLabel() as former:
            return {"label": f"{_PORT_LABEL % route.router}={former.wanted}"}
        case route_obstacles.NoEntryPoint(known=(sole,)):
            return {"label": f"{labels}.entrypoints={sole}"}
        case route_obstacles.NoResolver(known=(sole,)):
            return {"label": f"{labels}.tls.certresolver={sole}"}
        case _:
            return _cure_of_labels(route)


def _cure_of_labels(route: UnservedRoute) -> PageVariables:
    """The page variables of a label that needs another value, or of a container that has to run."""
    match route.obstacle:
        case route_obstacles.LabelsForSwarm(path, service):
            return {"swarm_file": path, "swarm_part": service}
        case route_obstacles.SameRule(other):
            return {"rival": other.name}
        case route_obstacles.NoAuthServer() as lack:
            return _auth_cure(route, lack)
        case route_obstacles.Unchecked():
            return {"check_option": f"--health-interval={SOON_S}s"}
        case route_obstacles.NoTls() as lack:
            return _tls_cure(route, lack)
        case route_obstacles.MarkedDown(others=(sole,)):
            return {"open_network": sole}
        case _:
            return {}


def _tls_cure(route: UnservedRoute, lack: route_obstacles.NoTls) -> PageVariables:
    """The page variables that let a site be served by HTTPS.

    A router takes HTTPS or HTTP: where it serves both entry points, a second one is added, unless
    it has middlewares or a service, which the second one would lack.
    """
    name = route.router
    if lack.is_only:
        tls = f"tls.certresolver={lack.resolver}" if lack.resolver else "tls=true"
        return {"label": f"traefik.http.routers.{name}.{tls}"}
    labels = route.container.labels
    key_prefix = f"traefik.http.routers.{name}."
    if any(f"{key_prefix}{part}" in labels for part in ("middlewares", "service", "priority")):
        return {"plain_router": name}
    second = f"traefik.http.routers.{name}-https"
    tls = f"{second}.tls.certresolver={lack.resolver}" if lack.resolver else f"{second}.tls=true"
    return {
        "rule_label": f"{second}.rule={labels.get(f'{key_prefix}rule', '')}",
        "point_label": f"{second}.entrypoints={lack.entry_point}",
        "tls_label": tls,
    }


SOON_S = 10
"""The interval of a health check after the cure."""


def _auth_cure(route: UnservedRoute, lack: route_obstacles.NoAuthServer) -> PageVariables:
    if lack.server is None:
        return {"auth_place": lack.place}
    if not lack.server.is_running:
        return {"auth_server": lack.server.name}
    shared = lack.server.shared_networks(route.proxy)
    network = only([name for name in route.proxy.endpoints if name != "bridge"])
    if shared or network is None:
        return {"auth_place": lack.place}
    return {"network": network, "joining": lack.server.name}


def _network_cure(route: UnservedRoute, lack: route_obstacles.NoSharedNetwork) -> PageVariables:
    """The page variables that connect the proxy to the container's network, or else the container
    to the proxy's.

    On several networks Traefik takes any of the container's addresses, unless a label names one.
    """
    if lack.named:
        return {"network": lack.named, "joining": route.proxy.name}
    sole = only(lack.networks)
    if sole is None:
        return {}
    if not route.router:
        return {"network": sole, "joining": route.container.name}
    return {"called_network": sole, "label": f"traefik.docker.network={sole}"}


def _port_cure(route: UnservedRoute, wrong: route_obstacles.WrongPort) -> PageVariables:
    """The page variables that lead a proxy to the port at which the program listens."""
    if wrong.is_fastcgi:
        return {"fastcgi_port": wrong.better}
    if not wrong.better and not route.router and len(wrong.listening) > 1:
        return {"choices": joined(wrong.listening)}
    if wrong.is_inward:
        return {"inward": route.container.name}
    if not wrong.better:
        return {"proxied": route.container.name} if wrong.port else {}
    if not route.router:
        return {"assignment": f"VIRTUAL_PORT={wrong.better}"}
    label = wrong.source or _PORT_LABEL % route.router
    return {"label": f"{label}={wrong.form % wrong.better}"}
