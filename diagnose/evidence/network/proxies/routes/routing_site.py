"""A route from a reverse proxy to a container, and the surroundings of the comparison. Pure."""

import functools

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.routes.route_obstacles import (
    NoSharedNetwork,
    RouteObstacle,
    WrongPort,
)
from diagnose.mappings import only
from diagnose.model import Subject
from diagnose.numbers import is_number

SETTLED_S = 20
"""Seconds after its start within which a program may still open its first port."""
NEXT_S = 3
"""Seconds after its start within which a program may still open a further port."""
_MIDDLEWARE = "traefik.http.middlewares."


class UnservedRoute(msgspec.Struct, frozen=True):
    """A site that a proxy should serve from a container, and why the proxy cannot."""

    proxy: Container
    container: Container
    site: str
    obstacle: RouteObstacle
    router: str = ""
    """The name of Traefik's router; "" with nginx-proxy, which has none."""


class RoutingSite(msgspec.Struct, dict=True):
    """The containers, namespaces and clock for the judgement of routes.

    Collects the containers whose sockets were not seen.
    """

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
        """The TCP ports that others reach; None while they are not known or may change."""
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


class CalledPort(msgspec.Struct, frozen=True):
    """The port that a proxy calls."""

    number: int
    """0 where the proxy knows none."""
    source: str = ""
    """The label or variable that says so."""


def declared_ports(container: Container) -> set[int]:
    """The ports that a container's image declares, or that the container publishes."""
    ports = {*(container.network_settings.ports or ()), *(container.config.exposed_ports or ())}
    return {int(number) for port in ports if is_number(number := port.partition("/")[0])}


def without_network(
    proxy: Container, container: Container, network_name: str
) -> NoSharedNetwork | None:
    """The fault that the proxy calls an address of the container on none of its own networks."""
    both = (proxy, container)
    if any(end.shares_network or end.host_config.network_mode == "none" for end in both):
        return None
    called = [network_name] if network_name in container.endpoints else list(container.endpoints)
    if not called or not proxy.endpoints or any(name in proxy.endpoints for name in called):
        return None
    networks = tuple(name for name in proxy.endpoints if name != "bridge")
    return NoSharedNetwork(networks, network_name if network_name in container.endpoints else "")


def at_port(container: Container, called: CalledPort, site: RoutingSite) -> WrongPort | None:
    """The fault that nothing in the container listens at the port that the proxy calls."""
    if container.shares_host_network:
        return None
    listening = site.listening(container)
    if listening is None or called.number in listening:
        return None
    ports = tuple(str(number) for number in listening)
    netns = site.namespaces.of(container)
    is_inward = netns is not None and bool(netns.sockets("tcp", called.number))
    declared = declared_ports(container)
    is_meant = called.number in declared and declared.isdisjoint(listening)
    return WrongPort(
        called.number,
        source=called.source,
        listening=ports,
        better="" if is_inward or is_meant else only(ports) or "",
        declared=tuple(str(number) for number in sorted(declared)),
        is_inward=is_inward,
    )
