"""Host ports that a start did not get, and their holders, by the engine's own words. Pure."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.sockets.listeners import overlap
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key

_ALLOCATED = LazyPattern(
    r"Bind for (?P<address>\S+):(?P<port>\d+) failed: port is already allocated"
)
_BIND = LazyPattern(
    r"""
    (?:
          listen\ (?P<old>tcp|udp|sctp)[46]?\ (?P<oldip>\S+):(?P<oldport>\d+):\ bind
        | failed\ to\ bind\ host\ port\ (?:for\ )?(?P<ip>\S+?):(?P<port>\d+)(?::\S+)?/
            (?P<proto>tcp|udp|sctp)
      ):\ (?P<why>.+)
    """,
    re.VERBOSE,
)
"""Engines up to 27, whose proxy binds, and newer ones, which bind themselves (28.5.2: `host port
for 0.0.0.0:80:172.17.0.3:80/tcp`)."""
IN_USE = "address already in use"
MOST_HOLDERS = 8
"""Containers that are named as holders of one port. Each has another address of the host, so that
more are not seen on a real one."""


def _publishes(container: Container, proto: str, address: str, port: int) -> bool:
    return any(
        published.host_port == port and overlap(published.host_ip, address)
        for published in container.published_by(proto)
    )


def _protocols(container: Container, port: int) -> set[str]:
    """The protocols in which this host port was asked for: the engine's message does not say."""
    protocols = {
        binding.protocol for binding in container.wanted_ports if binding.host_port == port
    }
    return protocols or {"tcp"}


class AllocatedPort(msgspec.Struct, frozen=True):
    """A container whose host port the engine had given to others before."""

    container: Container
    port: int
    holders: list[Container]
    """The running ones that publish it now, the first few."""
    own: tuple[str, ...] = ()
    """The container's own ports that are to be published there, where that is more than one."""


def allocated_ports(containers: Containers) -> Iterator[AllocatedPort]:
    """The containers that did not start because the engine's allocator refused a port."""
    publishers = _publishers_by_port(containers)
    for container in not_up(containers):
        error = _ALLOCATED.search(container.state.error)
        if error is not None:
            address = error["address"]
            port = int(error["port"])
            holders = _publishing_containers(publishers.get(port, ()), container, address, port)
            doubled_ports = () if holders else _doubled_ports(container, port)
            yield AllocatedPort(container, port, holders, doubled_ports)


def _doubled_ports(container: Container, port: int) -> tuple[str, ...]:
    """The ports of one container with the same place on the host; none where each has its own."""
    bindings = [binding for binding in container.wanted_ports if binding.host_port == port]
    clashing = {
        binding.port
        for one, other in itertools.combinations(bindings, 2)
        for binding in (one, other)
        if one.protocol == other.protocol
        and one.port != other.port
        and overlap(one.host_ip, other.host_ip)
    }
    return tuple(sorted(clashing))


def _publishers_by_port(containers: Containers) -> Mapping[int, list[Container]]:
    """The running containers that publish each host port."""
    return by_key(
        (port, container) for container in containers.running for port in _host_ports(container)
    )


def _host_ports(container: Container) -> set[int]:
    """The host ports that a container publishes."""
    return {published.host_port for published in container.published_ports} - {0}


def _publishing_containers(
    publishers: Iterable[Container], container: Container, address: str, port: int
) -> list[Container]:
    """The other containers that publish this host port in a wanted protocol, the first few."""
    protocols = _protocols(container, port)
    holders: list[Container] = []
    for other in publishers:
        takes_it = any(_publishes(other, protocol, address, port) for protocol in protocols)
        if takes_it and other.id != container.id:
            holders.append(other)
        if len(holders) == MOST_HOLDERS:
            break
    return holders


class BindFailure(msgspec.Struct, frozen=True):
    """A container whose host port the kernel did not let the engine bind."""

    container: Container
    proto: str
    address: str
    port: int


def bind_failures(containers: Containers, reason: str) -> Iterator[BindFailure]:
    """The containers that did not start because a host port could not be bound for this reason."""
    for container in not_up(containers):
        error = _BIND.search(container.state.error)
        if error is not None and reason in error["why"]:
            address = error["ip"] or error["oldip"]
            port = error["port"] or error["oldport"]
            yield BindFailure(
                container, error["proto"] or error["old"], address.strip("[]"), int(port)
            )


def not_up(containers: Containers) -> Iterator[Container]:
    """Containers whose last start failed.

    A successful start clears the error, so no running container has an old one.
    """
    for container in containers:
        if not container.is_running and container.state.error:
            yield container
