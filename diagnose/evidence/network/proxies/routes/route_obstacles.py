"""Obstacles to a route of a reverse proxy. Each kind has the facts that are known of it."""

import msgspec

from diagnose.evidence.containers.listing import Container

FASTCGI_PORT = 9000
"""The default port of a FastCGI program."""


class UnreadParts(msgspec.Struct, frozen=True):
    """The proxy's file of static settings holds dynamic ones, which nothing loads."""

    keys: tuple[str, ...]
    """The sections: http, tls."""
    path: str
    """The file on the host."""


class NotEnabled(msgspec.Struct, frozen=True):
    """The container lacks the label without which Traefik serves none of its routers."""

    setting: str
    """The setting for which Traefik serves only containers with the label: a command, a variable, a
    file."""
    misspelt: str = ""
    """A misspelt label for that one."""


class NoSharedNetwork(msgspec.Struct, frozen=True):
    """The proxy has no address on a network of the container."""

    networks: tuple[str, ...]
    """The proxy's own, without the default bridge."""
    named: str = ""
    """The network of the container that the settings tell the proxy to use."""


class WrongPort(msgspec.Struct, frozen=True):
    """Nothing in the container listens for others at the port that the proxy calls."""

    port: int
    """0 where the proxy knows no port at all."""
    source: str = ""
    """The label or variable that sets it; "" where nothing does."""
    listening: tuple[str, ...] = ()
    """The ports at which something listens for others."""
    better: str = ""
    """The only port on which the container listens; "" where the program may merely have failed to
    open the called port."""
    declared: tuple[str, ...] = ()
    """The ports that the container declares or publishes."""
    is_inward: bool = False
    """Whether the program listens at that port on the loopback address only."""
    is_fastcgi: bool = False
    """Whether all listeners are FastCGI, which no variable announces to the proxy."""
    form: str = "%s"
    """The value of `source` with %s for the port."""


class FormerLabel(msgspec.Struct, frozen=True):
    """The port stands in a label of Traefik 1, which later ones do not read."""

    port: int
    """The port that the proxy calls instead."""
    label: str
    """The label with its value: traefik.port=8080."""

    @property
    def wanted(self) -> str:
        """The port in the label."""
        return self.label.partition("=")[2]


class OtherProtocol(msgspec.Struct, frozen=True):
    """The proxy speaks HTTP to a program that takes nothing but FastCGI."""

    port: int


class NoEntryPoint(msgspec.Struct, frozen=True):
    """The router asks for entry points of which the proxy has none."""

    wanted: str
    known: tuple[str, ...]


class NoResolver(msgspec.Struct, frozen=True):
    """The router asks for a resolver of certificates that the proxy does not have."""

    wanted: str
    known: tuple[str, ...]


class NoMiddleware(msgspec.Struct, frozen=True):
    """The router asks for a middleware that no running container defines."""

    wanted: str


class SeveralServices(msgspec.Struct, frozen=True):
    """The container has several services, and its router names none of them."""

    services: tuple[str, ...]


class DefinedTwice(msgspec.Struct, frozen=True):
    """Another container defines a router of the same name with another rule."""

    other: Container
    site: str
    """The site of that router."""


class SameRule(msgspec.Struct, frozen=True):
    """Another container asks for the very same requests: the proxy cannot tell the two apart."""

    other: Container
    router: str = ""
    """Traefik's router of that container; "" with nginx-proxy."""


class LabelsForSwarm(msgspec.Struct, frozen=True):
    """The labels stand below `deploy` in the compose file, which counts for a swarm alone."""

    path: str
    service: str


class Unchecked(msgspec.Struct, frozen=True):
    """The container's health check has not succeeded yet, and Traefik waits for that."""

    interval_s: float
    """How long the engine waits before each run of the check."""
    has_run: bool


class Unhealthy(msgspec.Struct, frozen=True):
    """The container's health check fails, and Traefik leaves such containers out."""


class NoTls(msgspec.Struct, frozen=True):
    """Clients call an entry point by HTTPS, and the router takes only plain HTTP there."""

    entry_point: str
    is_meant: bool
    """Whether the router names that entry point, or all clients are sent on to it."""
    resolver: str = ""
    """The only resolver of certificates that the proxy has."""
    is_only: bool = False
    """Whether the router takes requests at that entry point alone."""


class MarkedDown(msgspec.Struct, frozen=True):
    """nginx-proxy knows no port of the container: the engine lists none on internal networks."""

    internal: tuple[str, ...]
    """The networks that both are on."""
    others: tuple[str, ...]
    """Networks of the proxy that are not internal, without the default one."""


class NoAuthServer(msgspec.Struct, frozen=True):
    """The server that should allow each request (forwardAuth) is not where the proxy calls it."""

    middleware: str
    place: str
    """The host and the port in its address."""
    server: Container | None
    """The container that has this name, and does not answer there."""


RouteObstacle = (
    NotEnabled
    | NoSharedNetwork
    | WrongPort
    | FormerLabel
    | OtherProtocol
    | NoEntryPoint
    | NoResolver
    | NoMiddleware
    | SeveralServices
    | DefinedTwice
    | UnreadParts
    | SameRule
    | Unchecked
    | Unhealthy
    | NoTls
    | MarkedDown
    | LabelsForSwarm
    | NoAuthServer
)
