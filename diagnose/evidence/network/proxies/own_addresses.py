"""Addresses that programs show to their users, and whose port does not lead to them.

A program builds them from its settings, and takes its port inside the container where no setting
gives another one.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import BROWSED_PORTS, WEB_PORTS
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.proxies.git_addresses import bare_address, ssh_address
from diagnose.evidence.network.proxies.shown_address import ShownAddress, is_led_on, takers
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.programs.own_addresses import ANNOUNCED_BY, ANNOUNCES, HOST_NAME, OWN_URL, URL
from diagnose.programs.web_programs import FRONTS
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.registry import evidence

_MOST = 20
"""Containers whose log is read."""
_LINES = 400
_BYTES = 131072


class OwnAddresses(Items[ShownAddress], frozen=True):
    """The wrong shown addresses: at most one for the web and one for SSH of each container."""


class _Claim(msgspec.Struct, frozen=True):
    """A URL that a program takes for its own."""

    container: Container
    place: str
    url: str
    scheme: str
    host: str
    port: int
    variable: str = ""

    def with_port(self, scheme: str, port: int) -> str:
        """The same address at another port, without a number for the default port."""
        path = urlsplit(self.url).path or "/"
        place = self.host if WEB_PORTS[scheme] == port else f"{self.host}:{port}"
        return f"{scheme}://{place}{path}"


class _Front(msgspec.Struct, frozen=True):
    """The port and the container or program that visitors of a program reach first."""

    port: int
    """0 where they may use one of several."""
    container: Container | None = None
    program: str = ""


class _Surroundings(msgspec.Struct, frozen=True):
    """The containers, namespaces and listeners of the host, for visitors' ports."""

    containers: Containers
    namespaces: Namespaces
    listeners: Listeners

    def is_stray(self, claim: _Claim) -> bool:
        """Whether the port is the program's own one inside, and no socket of the host serves it."""
        inside = self.namespaces.of(claim.container)
        if inside is None or claim.port not in inside.served_ports:
            return False
        if claim.host.lower() in self.containers.by_dns_name or claim.port in BROWSED_PORTS:
            return False
        is_served = is_led_on(claim.port, self.containers) or takers(claim.port, self.listeners)
        return not is_served and self.front(claim.container, claim.port) is not None

    def may_announce(self, container: Container) -> bool:
        """Whether its log is worth reading: it has a site's name, and a hidden port."""
        inside = self.namespaces.of(container)
        if inside is None or not any(map(HOST_NAME.fullmatch, container.config.variable_values)):
            return False
        return any(self.front(container, port) is not None for port in inside.served_ports)

    def front(self, container: Container, port: int) -> _Front | None:
        """The place that visitors of this port reach: another port of the host, or a proxy."""
        ports = {
            binding.host_port
            for binding in container.published_by("tcp")
            if binding.number == port and not binding.is_for_host_alone
        }
        if ports:
            return _Front(only(ports) or 0)
        fronts = (self._web_front(container, web) for web in BROWSED_PORTS)
        return next(filter(None, fronts), None)

    def _web_front(self, container: Container, web: int) -> _Front | None:
        """The proxy at a port of the web: a neighbour of the container, or a host's program."""
        for other in self.containers.running:
            networks = set(other.shared_networks(container)) - {"bridge"}
            if other.id != container.id and networks and _is_published(other, web):
                return _Front(web, other)
        for listener in takers(web, self.listeners):
            if listener.comm in FRONTS:
                return _Front(web, program=listener.comm or "")
        return None


@evidence
def own_addresses(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    networks: Networks,
    listeners: Listeners,
) -> OwnAddresses:
    """The wrong addresses that programs show, of containers on bridges of their own.

    Others may have an address of the site. A log is read of containers with the name of a site in a
    variable, and a proxy before them.
    """
    surroundings = _Surroundings(containers, namespaces, listeners)
    on_bridges = [
        container for container in containers.running if _is_on_bridges(container, networks)
    ]
    addresses: list[ShownAddress] = []
    for container in on_bridges:
        addresses += filter(
            None,
            (
                ssh_address(host, container, containers, listeners),
                bare_address(host, container, containers, listeners),
            ),
        )
    without_setting: list[Container] = []
    for container in on_bridges:
        stray_claims = list(filter(surroundings.is_stray, _settings(container)))
        if stray_claims:
            addresses += _shown_address(stray_claims[0], surroundings)
        elif surroundings.may_announce(container):
            without_setting.append(container)
    for claim in _logged_claims(host, without_setting, surroundings):
        addresses += _shown_address(claim, surroundings)
    return OwnAddresses(tuple(addresses))


def _logged_claims(
    host: Host, containers: Sequence[Container], surroundings: _Surroundings
) -> Iterator[_Claim]:
    """The last wrong address that each of these programs announces in its log."""
    read = host.first(containers, _MOST, "programs behind a proxy")
    logs = host.ask_about(read, lambda container: ReadLogs(container.id, _LINES, _BYTES))
    for container, log in logs:
        if isinstance(log, Failed):
            continue
        claims = _announced_addresses(container, [line.text for line in log.lines])
        stray_claims = list(filter(surroundings.is_stray, claims))
        if stray_claims:
            yield stray_claims[-1]


def _is_published(container: Container, port: int) -> bool:
    return any(
        binding.host_port == port and not binding.is_for_host_alone
        for binding in container.published_by("tcp")
    )


def _is_on_bridges(container: Container, networks: Networks) -> bool:
    """Whether a container is reached through the host alone, and has no address of the site."""
    if container.shares_network or container.swarm_service:
        return False
    places = networks.of(container)
    return bool(places) and all(network.is_bridge for network in places)


def _settings(container: Container) -> Iterator[_Claim]:
    """The variables that hold the program's own address, with a port."""
    for variable, value in container.config.environment:
        match = URL.fullmatch(value) if OWN_URL.fullmatch(variable) else None
        if match is not None:
            place = f"Config.Env {variable}"
            yield _Claim(
                container,
                place,
                value,
                scheme=match["scheme"],
                host=match["host"],
                port=int(match["port"]),
                variable=variable,
            )


def _announced_addresses(container: Container, lines: Sequence[str]) -> Iterator[_Claim]:
    """The addresses in lines in which a program announces its place.

    The name has to be that of a variable of its own.
    """
    names = {
        value.lower() for value in container.config.variable_values if HOST_NAME.fullmatch(value)
    }
    for line in lines:
        match = URL.search(line)
        if match is None or match["host"].lower() not in names:
            continue
        if URL.fullmatch(line.strip()) or ANNOUNCES.search(line[: match.start()]):
            yield _Claim(
                container,
                "log",
                match[0],
                scheme=match["scheme"],
                host=match["host"],
                port=int(match["port"]),
            )


def _is_set_elsewhere(claim: _Claim) -> bool:
    """Whether another variable has the same name with another port, or with none."""
    sign = f"://{claim.host.lower()}"
    for variable, value in claim.container.config.environment:
        has_name = sign in value.lower()
        has_port = f"{sign}:{claim.port}" in value.lower()
        if variable != claim.variable and has_name and not has_port:
            return True
    return False


def _shown_address(claim: _Claim, surroundings: _Surroundings) -> Iterator[ShownAddress]:
    """The wrong address that a program shows, with the right one.

    None where another variable corrects it.
    """
    front = surroundings.front(claim.container, claim.port)
    if front is None or _is_set_elsewhere(claim):
        return
    scheme = claim.scheme
    if front.container is not None or front.program:
        scheme = "https" if front.port == WEB_PORTS["https"] else "http"
    name = claim.container.config.image_name
    yield ShownAddress(
        claim.container,
        "web",
        claim.place,
        claim.url,
        claim.port,
        right=claim.with_port(scheme, front.port) if front.port else "",
        variable=claim.variable or ANNOUNCED_BY.get(name, ""),
        way=front.port,
        front=front.container,
        front_program=front.program,
    )
