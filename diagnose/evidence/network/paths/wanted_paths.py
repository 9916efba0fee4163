"""Connections that containers want to open to the host and to each other, each walked.

They are configured, or failed in logs.

What a container wants stands in its configuration: extra hosts, environment, command, health check,
the dependencies of its compose service; and in log lines that tell of a connection that failed.
What nobody wants is not walked: it may be closed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.packet_paths import not_walked
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Coverage
from diagnose.phrases import count
from diagnose.registry import evidence

PORT_OF_SCHEME: Mapping[str, int] = {
    "amqp": 5672, "amqps": 5671, "elasticsearch": 9200, "http": 80, "https": 443, "kafka": 9092,
    "ldap": 389, "ldaps": 636,
    "mariadb": 3306, "memcached": 11211, "mongodb": 27017, "mqtt": 1883, "mysql": 3306, "nats":
    4222, "postgres": 5432,
    "postgresql": 5432, "redis": 6379, "rediss": 6379, "smtp": 25, "ws": 80, "wss": 443,
}  # fmt: skip
"""The port that a URL means which names none."""

PORT_OF_WORD: Mapping[str, int] = {
    "AMQP": 5672, "ELASTIC": 9200, "MARIADB": 3306, "MEMCACHE": 11211, "MONGO": 27017, "MQTT":
    1883, "MYSQL": 3306, "PG": 5432,
    "POSTGRES": 5432, "RABBIT": 5672, "REDIS": 6379, "SMTP": 25,
}  # fmt: skip
"""The port that a variable's name hints at: POSTGRES_HOST."""

ARRIVES = Trace("accept")
"""What becomes of a walked connection that no rule stops."""

MOST = 400
"""Wanted connections that are walked."""

_FAILED = frozenset({"refused", "timeout", "unreachable"})
"""What a program prints when nobody answers it."""
_WORD = LazyPattern(r"[A-Za-z0-9][\w.-]*")
_PLACE = LazyPattern(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^@/\s]*@)?)?(?P<host>[A-Za-z0-9][\w.-]*)(?::(?P<port>\d{2,5}))?(?![\w.])"
)
"""A host, maybe behind a scheme and credentials, maybe with a port."""
_DEPENDENCY = LazyPattern(r"(?:^|,)([^:,]+)")

Source = Literal[
    "environment", "command", "health check", "extra hosts", "depends_on", "log", "socket"
]


class Want(msgspec.Struct, frozen=True):
    """One connection that a container is to open.

    port 0: any. where: the variable, or the log's line.
    """

    container: Container
    host: str
    port: int
    source: Source
    where: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether the container has tried without success: a log line or a socket says so."""
        return self.source in ("log", "socket")


class WantedPath(msgspec.Struct, frozen=True):
    """A wanted connection and what becomes of it.

    kind: whom it leads to. network: by which the packets leave the container. address, port: as the
    container calls it. peer: the container that it leads to. listener: the host's own socket.
    bridged: whether it stays on one bridge.
    """

    kind: Literal["to the host", "between containers"]
    want: Want
    network: Network
    address: str
    port: int
    trace: Trace
    peer: Container | None = None
    listener: Listener | None = None
    bridged: bool = False


class UnservedWant(msgspec.Struct, frozen=True):
    """A wanted connection to an address and port of the host at which nothing listens.

    elsewhere: the sockets of that port on other addresses of the host. has_address: whether the
    host has the address at all; a `host-gateway` may name one that it has lost.
    """

    want: Want
    network: Network
    address: str
    elsewhere: tuple[Listener, ...] = ()
    has_address: bool = True


class WantedPaths(Items[WantedPath], frozen=True):
    """The wanted connections that were walked; why_none: why none was, if that is so.

    unserved: those that nobody can take.
    """

    why_none: str = ""
    unserved: tuple[UnservedWant, ...] = ()

    @property
    def coverage(self) -> Coverage:
        """How many connections to the host and between containers were traced, for the report."""
        kinds = Counter(path.kind for path in self.items)
        families = frozenset("ip6" if ":" in path.address else "ip" for path in self.items)
        return Coverage(dict(sorted(kinds.items())), families, self.why_none)


@evidence
def wanted_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    listeners: Listeners | None,
    log_tails: LogTails | None,
    config: DaemonConfig | None,
    ping: Ping | None,
    info: Info | None,
    network_losses: NetworkLosses | None,
) -> WantedPaths:
    """Pure: what is wanted is read from evidence, and each connection is traced."""
    why_none = not_walked(ping, info, uplinks)
    if why_none and len(uplinks):
        return WantedPaths((), why_none=why_none)
    gateway = _host_gateway(host_stack.stack, networks, config)
    site = _Site(host_stack.stack, containers, networks, listeners, gateway)
    wants = [
        want for container in containers.running for want in _wants(container, site, log_tails)
    ]
    wants += _waiting(network_losses)
    paths: dict[tuple[str, str, int], WantedPath] = {}
    unserved: dict[tuple[str, str, int], UnservedWant] = {}
    for want in sorted(wants, key=lambda want: not want.has_failed)[:MOST]:
        for path in site.paths(want):
            paths.setdefault((want.container.id, path.address, path.port), path)
        lack = site.unserved(want)
        if lack is not None:
            unserved.setdefault((want.container.id, lack.address, want.port), lack)
    return WantedPaths(tuple(paths.values()), unserved=tuple(unserved.values()))


def _host_gateway(stack: Stack, networks: Networks, config: DaemonConfig | None) -> str:
    """The address that `host-gateway` means.

    The configured one, or the default bridge's (before 26 the engine does not list it).
    """
    configured = config.value("host-gateway-ip") if config is not None else None
    if isinstance(configured, str):
        return configured
    default = networks.by_name.get("bridge")
    return (stack.address_on(default.bridge, "ip") if default is not None else None) or ""


# -- what is wanted ----------------------------------------


def _wants(container: Container, site: _Site, log_tails: LogTails | None) -> Iterator[Want]:
    names = site.words(container)
    lines = log_tails.of(container).lines if log_tails is not None else ()
    for line in lines:
        if signs(line) & _FAILED:
            yield from _in_text(container, line, names, "log", line[:200])
    ports: list[int] = []
    for variable, value in container.config.environment:
        for want in _in_variable(container, variable, value, names):
            ports.append(want.port)
            yield want
    texts: list[tuple[Source, str]] = [("command", " ".join(container.command))]
    probe = container.config.healthcheck
    texts.append(("health check", " ".join((probe.test if probe else None) or ())))
    for source, text in texts:
        yield from _in_text(container, text, names, source, source)
    yield from _dependencies(container, site)
    gateway = site.extra_hosts(container, only_gateway=True)
    if gateway and not ports:
        yield Want(container, next(iter(gateway)), 0, "extra hosts", next(iter(gateway)))


def _waiting(network_losses: NetworkLosses | None) -> list[Want]:
    """The connections whose answer a socket waits for right now."""
    return [
        Want(
            loss.container,
            call.address,
            call.port,
            "socket",
            f"asked {call.address}:{call.port} again {count(call.repeats, 'time')}",
        )
        for loss in (network_losses.items if network_losses is not None else ())
        for call in loss.calls
    ]


def _in_variable(
    container: Container, name: str, value: str, names: frozenset[str]
) -> Iterator[Want]:
    """What the value of one variable names.

    A bare host takes its port from the variable beside it.
    """
    if not names & set(_WORD.findall(value)):
        return
    for match in _PLACE.finditer(value):
        host = match["host"].rstrip(".")
        if host not in names:
            continue
        port = _port(match) or _port_beside(container, name)
        yield Want(container, host, port, "environment", name)


def _in_text(
    container: Container, text: str, names: frozenset[str], source: Source, where: str
) -> Iterator[Want]:
    if not names & set(_WORD.findall(text)):
        return
    for match in _PLACE.finditer(text):
        host, port = match["host"].rstrip("."), _port(match)
        if host in names and port:
            yield Want(container, host, port, source, where)


def _port(match: re.Match[str]) -> int:
    if match["port"]:
        return int(match["port"])
    scheme = (match["scheme"] or "").rpartition("+")[0] or match["scheme"] or ""
    return PORT_OF_SCHEME.get(scheme, 0)


def _port_beside(container: Container, name: str) -> int:
    """The value of DB_PORT beside DB_HOST, or the port that the name hints at; 0 if neither."""
    stem = re.sub(r"_?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|NAME)$", "", name.upper())
    values = {variable.upper(): value for variable, value in container.config.environment}
    beside = values.get(f"{stem}_PORT", "") or values.get(f"{stem}PORT", "")
    if beside.isdigit():
        return int(beside)
    return next((port for word, port in PORT_OF_WORD.items() if word in name.upper()), 0)


def _dependencies(container: Container, site: _Site) -> Iterator[Want]:
    """The services that a compose service depends on, at a port that their image exposes."""
    depends = container.labels.get("com.docker.compose.depends_on", "")
    for service in _DEPENDENCY.findall(depends):
        for peer in site.of_service(container, service):
            port = _exposed(peer)
            if port:
                yield Want(container, peer.name, port, "depends_on", service)


def _exposed(container: Container) -> int:
    ports = [
        int(port.partition("/")[0])
        for port in container.config.exposed_ports or {}
        if port.endswith("/tcp")
    ]
    return min(ports, default=0)


# -- where it leads ----------------------------------------


class _Site:
    """The host with its containers by the words that they are called by."""

    def __init__(
        self,
        stack: Stack,
        containers: Containers,
        networks: Networks,
        listeners: Listeners | None,
        host_gateway: str,
    ) -> None:
        self._stack = stack
        self._networks = networks
        self._listeners = listeners
        self._host_gateway = host_gateway
        self._by_address: dict[str, tuple[Container, Network]] = {}
        self._by_word: dict[tuple[str, str], tuple[Container, str]] = {}
        self._words_of: dict[str, set[str]] = {}
        self._services: dict[tuple[str, str], list[Container]] = {}
        self._publishers: dict[int, Container] = {}
        self._owners = containers.namespace_owners
        for container in containers.running:
            self._learn(container)
        self._host_words = frozenset(address for address in stack.local if ":" not in address) - {
            "127.0.0.1"
        }

    def _learn(self, container: Container) -> None:
        project, service = (
            container.labels.get(f"com.docker.compose.{key}", "") for key in ("project", "service")
        )
        self._services.setdefault((project, service), []).append(container)
        for _, binding in container.published_ports:
            if binding.host_port.isdigit():
                self._publishers.setdefault(int(binding.host_port), container)
        for name, endpoint in container.endpoints.items():
            network = self._networks.by_name.get(name)
            if network is None or not network.is_bridge or not endpoint.ip_address:
                continue
            self._by_address[endpoint.ip_address] = container, network
            for word in {
                container.name,
                *(endpoint.aliases or ()),
                *(endpoint.dns_names or ()),
                endpoint.ip_address,
            }:
                self._by_word.setdefault((name, word), (container, endpoint.ip_address))
                self._words_of.setdefault(name, set()).add(word)

    def extra_hosts(self, container: Container, *, only_gateway: bool = False) -> dict[str, str]:
        """The names that the container's own hosts file gives, with their addresses."""
        addresses = {}
        for entry in container.host_config.extra_hosts or ():
            name, _, address = entry.replace("=", ":", 1).partition(":")
            if address == "host-gateway":
                addresses[name] = self._host_gateway
            elif not only_gateway:
                addresses[name] = address.strip("[]")
        return {name: address for name, address in addresses.items() if address}

    def words(self, container: Container) -> frozenset[str]:
        """The words that name the host or another container to this one."""
        names = {*self._host_words, *self.extra_hosts(container)}
        for network in self._endpoints(container):
            names |= self._words_of.get(network, set())
        return frozenset(names - {container.name})

    def _endpoints(self, container: Container) -> dict[str, NetworkEndpoint]:
        """The places on networks of a container, or of the one whose namespace it shares."""
        return self._owners.get(container.id, container).endpoints

    def _owner_id(self, container: Container) -> str:
        return self._owners.get(container.id, container).id

    def of_service(self, container: Container, service: str) -> list[Container]:
        """The containers of a service of the same compose project."""
        project = container.compose_project
        return self._services.get((project, service), []) if project else []

    def paths(self, want: Want) -> Iterator[WantedPath]:
        """The walks of one wanted connection."""
        address = self.extra_hosts(want.container).get(want.host, want.host)
        if self._stack.is_local(address) if _is_address(address) else False:
            yield from self._to_host(want, address)
            return
        yield from self._to_container(want, address)

    def _to_host(self, want: Want, address: str) -> Iterator[WantedPath]:
        origin = self._origin(want.container)
        if origin is None or is_loopback(address):
            return
        network, source = origin
        for port in [want.port] if want.port else self._host_ports():
            traced = trace(self._stack, Flow(Origin(network.bridge, source), address, "tcp", port))
            listener = self._listening(address, port)
            peer = self._publishers.get(port)
            if peer is not None and (traced.nat is not None or listener is None):
                yield WantedPath("between containers", want, network, address, port, traced, peer)
            elif listener is not None or self._listeners is None:
                yield WantedPath(
                    "to the host", want, network, address, port, traced, peer, listener
                )

    def unserved(self, want: Want) -> UnservedWant | None:
        """Why nobody can take a wanted connection to the host, if that is so."""
        address = self.extra_hosts(want.container).get(want.host, want.host)
        origin = self._origin(want.container)
        if origin is None or not _is_address(address) or is_loopback(address):
            return None
        network, source = origin
        if not self._stack.is_local(address):
            is_gateway = want.host in self.extra_hosts(want.container, only_gateway=True)
            return UnservedWant(want, network, address, has_address=False) if is_gateway else None
        publisher = self._publishers.get(want.port)
        if (
            not want.port
            or self._listeners is None
            or (publisher is not None and publisher.id == want.container.id)
        ):
            return None
        if any(self._listeners.on(protocol, address, want.port) for protocol in ("tcp", "udp")):
            return None
        if (
            trace(self._stack, Flow(Origin(network.bridge, source), address, "tcp", want.port)).nat
            is not None
        ):
            return None
        elsewhere = [listener for listener in self._listeners if listener.port == want.port]
        return UnservedWant(want, network, address, tuple(elsewhere))

    def _host_ports(self) -> list[int]:
        """The ports on which programs of the host listen for others than itself."""
        listeners = self._listeners or ()
        ports = {
            listener.port
            for listener in listeners
            if listener.proto.startswith("tcp")
            and not is_loopback(listener.address)
            and listener.comm != "docker-proxy"
        }
        return sorted(ports)[:8]

    def _listening(self, address: str, port: int) -> Listener | None:
        if self._listeners is None:
            return None
        return next((listener for listener in self._listeners.on("tcp", address, port)), None)

    def _origin(self, container: Container) -> tuple[Network, str] | None:
        """The network by which a container's packets to others leave.

        Its only one, or the first by name as engines choose.
        """
        endpoints = self._endpoints(container)
        for name in sorted(endpoints):
            network, endpoint = self._networks.by_name.get(name), endpoints[name]
            if (
                network is not None
                and network.is_bridge
                and endpoint.ip_address
                and not network.internal
            ):
                return network, endpoint.ip_address
        return None

    def _to_container(self, want: Want, address: str) -> Iterator[WantedPath]:
        for name, endpoint in self._endpoints(want.container).items():
            peer, target = self._by_word.get((name, address), (None, ""))
            network = self._networks.by_name.get(name)
            if (
                peer is None
                or network is None
                or peer.id in (want.container.id, self._owner_id(want.container))
                or not endpoint.ip_address
            ):
                continue
            port = want.port or _exposed(peer)
            if not port:
                return
            flow = Flow(Origin(network.bridge, endpoint.ip_address), target, "tcp", port)
            traced = trace_bridged(self._stack, flow)
            yield WantedPath(
                "between containers", want, network, target, port, traced, peer, bridged=True
            )
            return


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:\.\d+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]+", text))


def failing(paths: Iterable[WantedPath | UnservedWant]) -> bool:
    """Whether a connection failed in a log, or its container is not healthy."""
    return any(path.want.has_failed or _is_unwell(path.want.container) for path in paths)


def _is_unwell(container: Container) -> bool:
    health = container.state.health
    return container.restart_count > 0 or (health is not None and health.status == "unhealthy")
