"""The owners of the addresses, ports and names of a pasted message on the examined host.

A message such as `dial tcp 172.18.0.9:5432: connect: no route to host` is half of the story: the
other half is the owner of that address, and whether that container runs.
"""

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.networks import Networks
from diagnose.phrases import joined, numbered
from diagnose.symptoms.user_question import UserQuestion

MOST = 4
"""At most this many facts of one message are shown."""
_OF_NOBODY = frozenset({"localhost", "undefined", "null", "nil", "none"})
"""Words that are not names of containers: they stand for the caller itself, or for a setting
without a value."""


def places_named(
    question: UserQuestion, containers: Iterable[Container], networks: Networks | None
) -> tuple[str, ...]:
    """A sentence for each address, port and name of the text that this host decides."""
    all_containers = tuple(containers)
    facts = itertools.chain(
        _addresses(question.addresses, all_containers, networks),
        _ports(question.ports, all_containers),
        _names(question.looked_up, all_containers),
    )
    return tuple(itertools.islice(dict.fromkeys(facts), MOST))


def _addresses(
    addresses: Iterable[str], containers: Sequence[Container], networks: Networks | None
) -> Iterator[str]:
    """A sentence for each address with the container that has it, or its network."""
    for address in addresses:
        owners = [
            f'{container} on network "{name}"'
            for container in containers
            for name, endpoint in container.endpoints.items()
            if endpoint.ip_address == address
        ]
        if owners:
            yield f"{address} is {joined(owners)}"
        elif networks is not None:
            yield from _addresses_without_container(address, networks)


def _addresses_without_container(address: str, networks: Networks) -> Iterator[str]:
    """A sentence about an address of a network of the engine that no running container has."""
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


def _ports(ports: Iterable[int], containers: Sequence[Container]) -> Iterator[str]:
    """A sentence for each port with the container that publishes it, or should."""
    for port in ports:
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
    others_clause = f"; {numbered('port', published)} are published" if published[1:] else ""
    return f"no container publishes port {port}{others_clause}"


def _names(names: Iterable[str], containers: Sequence[Container]) -> Iterator[str]:
    for name in names:
        called = [container for container in containers if _has_name(container, name)]
        if called:
            yield from (_is_called(name, container) for container in called)
        elif "." not in name and name.lower() not in _OF_NOBODY:
            yield f'no container has the name "{name}"'


def _has_name(container: Container, name: str) -> bool:
    """Whether the engine's resolver knows the container by that name, in small letters or not."""
    return name.lower() in {dns_name.lower() for dns_name in container.dns_names}


def _is_called(name: str, container: Container) -> str:
    """The sentence about a container's name, its state and its networks."""
    places = ", ".join(f'"{network}"' for network in sorted(container.endpoints))
    places_clause = f" on {places}" if places else ""
    return f'"{name}" is a name of {container}{places_clause}, and it {_state(container)}'


def _state(container: Container) -> str:
    state = container.state
    if state.status == "exited":
        return f"has ended with code {state.exit_code}"
    if container.is_running:
        return "runs, but is unhealthy" if container.is_unhealthy else "runs"
    return f"is {state.status}"
