"""Addresses that programs show to their users, and whose port does not lead to them.

A program builds them from its settings, and takes its port inside the container where no setting
gives another one.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import WEB_PORTS
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.proxies.git_addresses import bare_address, ssh_address
from diagnose.evidence.network.proxies.shown_address import ShownAddress, is_led_on, takers
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.model import Failed
from diagnose.programs.own_addresses import ANNOUNCED_BY, ANNOUNCES, HOST_NAME, OWN_URL, URL
from diagnose.programs.web_programs import FRONTS
from diagnose.questions import Host
from diagnose.questions.containers import ReadLogs
from diagnose.registry import evidence

_MOST = 20
"""Containers whose log is read."""
_LINES = 400
_BYTES = 131072


class OwnAddresses(Items[ShownAddress], frozen=True):
    """The wrong shown addresses: at most one for the web and one for SSH of each container."""


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
    around = _Surroundings(containers, namespaces, listeners)
    on_bridges = [
        container for container in containers.running if _is_on_bridges(container, networks)
    ]
    addresses: list[ShownAddress] = []
    for container in on_bridges:
        for address in (ssh_address, bare_address):
            shown = address(host, container, containers, listeners)
            if shown is not None:
                addresses.append(shown)
    unsaid: list[Container] = []
    for container in on_bridges:
        own = [claim for claim in _settings(container) if around.is_stray(claim)]
        if own and not _is_set_elsewhere(own[0]):
            addresses += _shown_address(own[0], around)
        elif not own and around.may_announce(container):
            unsaid.append(container)
    read = host.first(unsaid, _MOST, "programs behind a proxy")
    for container, log in host.ask_about(
        read, lambda container: ReadLogs(container.id, _LINES, _BYTES)
    ):
        if isinstance(log, Failed):
            continue
        lines = [line.text for line in log.lines]
        stray_claims = [
            claim for claim in _announced_addresses(container, lines) if around.is_stray(claim)
        ]
        if stray_claims and not _is_set_elsewhere(stray_claims[-1]):
            addresses += _shown_address(stray_claims[-1], around)
    return OwnAddresses(tuple(addresses))


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
        if claim.host.lower() in self.containers.by_dns_name or claim.port in WEB_PORTS.values():
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
        other_claims = sorted(
            {
                binding.host_port
                for binding in container.published_by("tcp")
                if binding.number == port and not binding.is_for_host_alone
            }
        )
        if other_claims:
            return _Front(other_claims[0]) if len(other_claims) == 1 else _Front(0)
        for web in (443, 80):
            for other in self.containers.running:
                is_front = _is_published(other, web) and bool(
                    set(other.shared_networks(container)) - {"bridge"}
                )
                if is_front and other.id != container.id:
                    return _Front(web, other)
            for listener in takers(web, self.listeners):
                if listener.comm in FRONTS:
                    return _Front(web, program=listener.comm or "")
        return None


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
        lower_value = value.lower()
        if (
            variable != claim.variable
            and sign in lower_value
            and f"{sign}:{claim.port}" not in lower_value
        ):
            return True
    return False


def _shown_address(claim: _Claim, around: _Surroundings) -> Iterator[ShownAddress]:
    """The wrong address that a program shows, with the right one."""
    front = around.front(claim.container, claim.port)
    if front is None:
        return
    scheme = claim.scheme
    if front.container is not None or front.program:
        scheme = "https" if front.port == WEB_PORTS["https"] else "http"
    name = claim.container.config.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
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
