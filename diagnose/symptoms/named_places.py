"""What the addresses, ports and names of a pasted message are on the examined host.

A message such as `dial tcp 172.18.0.9:5432: connect: no route to host` tells half: the other half
is whose address that is, and whether that container runs.
"""

import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.networks import Networks
from diagnose.phrases import joined, numbered

MOST = 4
"""So many facts are shown of one message."""
_MOST_PORT = 65535
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w/-])(?!\.\w)")
"""No network (172.18.0.0/16), and no version."""
_BY_A_VISITOR = re.compile(
    r"\bcurl\b|\bwget\b|\bERR_[A-Z]|\bbrowser\b|\b(?:web)?sites?\b|\bport\s+\d+\s+(?:is|does|do|not)\b",
    re.IGNORECASE,
)
"""The port is one of the host: in a program's own log, localhost is its container."""
_PORT = re.compile(
    r"(?:\b(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::|\s+port\s+)|^port\s+|\bport\s+)(?P<port>\d{2,5})\b",
    re.IGNORECASE,
)
_NAME = r"(?P<name>\w[\w-]{0,62}(?:\.[\w-]{1,63}){0,9})"
_CALLED = re.compile(
    rf"(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN) |UnknownHostException: |Could not resolve host: |getaddrinfo for "
    rf"|translate host name \\?[\"']|bad address '|server can't find |not found in upstream \"){_NAME}"
    rf"|\blookup {_NAME.replace('name', 'asked')}(?:\.? on |: )"
    rf"|^(?:ping: )?{_NAME.replace('name', 'first')}: (?:Temporary failure in name|Name or service not known)"
)
"""A name that a program looks up."""
_OF_NOBODY = frozenset({"localhost", "undefined", "null", "nil", "none"})
"""No names of containers: what stands for the caller itself, or for a setting without a value."""


def places_named(
    text: str, containers: Iterable[Container], networks: Networks | None
) -> tuple[str, ...]:
    """One sentence for each address, port and name that the text has and this host decides."""
    listed = tuple(containers)
    facts = itertools.chain(
        _addresses(text, listed, networks), _ports(text, listed), _names(text, listed)
    )
    return tuple(itertools.islice(dict.fromkeys(facts), MOST))


def _addresses(
    text: str, containers: Sequence[Container], networks: Networks | None
) -> Iterator[str]:
    for address in dict.fromkeys(_ADDRESS.findall(text)):
        owners = [
            f'{container} on network "{name}"'
            for container in containers
            for name, endpoint in container.endpoints.items()
            if endpoint.ip_address == address
        ]
        if owners:
            yield f"{address} is {joined(owners)}"
        elif networks is not None:
            yield from _of_no_container(address, networks)


def _of_no_container(address: str, networks: Networks) -> Iterator[str]:
    """An address of a network of the engine that no running container has."""
    try:
        network = networks.bridge_of(ipaddress.ip_address(address))
    except ValueError:
        return
    if network is None:
        return
    if address in network.gateways:
        yield f"{address} is this host on {network}"
    else:
        yield f"no running container has {address} now, an address of {network}"


def ports_of_visitor(text: str) -> tuple[int, ...]:
    """The ports of the host that a visitor names, who is no program of a container."""
    if not _BY_A_VISITOR.search(text):
        return ()
    named = dict.fromkeys(int(match["port"]) for match in _PORT.finditer(text))
    return tuple(port for port in named if 0 < port <= _MOST_PORT)


def _ports(text: str, containers: Sequence[Container]) -> Iterator[str]:
    for port in ports_of_visitor(text):
        publishing = [container for container in containers if container.publishes(port)]
        wanting = [container for container in containers if container.wants_port(port)]
        if publishing:
            yield from (_publishes(container, port) for container in publishing)
        elif wanting:
            yield from (
                f"{container} should publish port {port}, and {_state(container)}"
                for container in wanting
            )
        elif not any(
            container.shares_host_network or container.swarm_service for container in containers
        ):
            yield _nobody_publishes(port, containers)


def _publishes(container: Container, port: int) -> str:
    inner = {
        published.port for published in container.published_ports if published.host_port == port
    }
    return f"port {port} leads to {joined(sorted(inner))} of {container}"


def _nobody_publishes(port: int, containers: Sequence[Container]) -> str:
    published = sorted(
        {binding.host_port for container in containers for binding in container.published_by("tcp")}
    )
    others = f"; {numbered('port', published)} are published" if published[1:] else ""
    return f"no container publishes port {port}{others}"


def _names(text: str, containers: Sequence[Container]) -> Iterator[str]:
    found = (match["name"] or match["asked"] or match["first"] for match in _CALLED.finditer(text))
    for name in dict.fromkeys(found):
        called = [container for container in containers if _has_name(container, name)]
        if called:
            yield from (_is_called(name, container) for container in called)
        elif "." not in name and name.lower() not in _OF_NOBODY:
            yield f'no container has the name "{name}"'


def _has_name(container: Container, name: str) -> bool:
    """Whether the engine's resolver knows the container by that name, in small letters or not."""
    return name.lower() in {own.lower() for own in container.dns_names}


def _is_called(name: str, container: Container) -> str:
    """Which container has a name, in which state, and on which networks."""
    places = ", ".join(f'"{network}"' for network in sorted(container.endpoints))
    where = f" on {places}" if places else ""
    return f'"{name}" is a name of {container}{where}, and it {_state(container)}'


def _state(container: Container) -> str:
    state = container.state
    if state.status == "exited":
        return f"has ended with code {state.exit_code}"
    if container.is_running:
        return "runs, but is unhealthy" if container.is_unhealthy else "runs"
    return f"is {state.status}"
