"""Calls of a failing program to its own container, which the kernel has counted."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.service import has_health_check
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.phrases import how_often

LEAST = 2
"""A program that starts its own server may try once before that listens."""
MOST_SHOWN = 5


class OwnCalls(msgspec.Struct, frozen=True):
    """Calls to localhost that were refused, in a container in which nothing listens."""

    caller: str
    """The name of the container."""
    times: int
    """The number in this run: each start creates a new network namespace."""
    neighbours: tuple[tuple[str, int], ...]
    """Name and port of what listens for others on its networks, in its own compose project."""

    @property
    def text(self) -> str:
        """The calls to localhost and their refusal, as a clause."""
        return (
            f"it calls localhost, which is its own container, and is refused ({how_often(self.times)} "
            "in this run): nothing in it listens"
        )

    @property
    def evidence(self) -> dict[str, object]:
        """The neighbours that listen and that the program may have to call instead."""
        places = [f"{name}:{port}" for name, port in self.neighbours[:MOST_SHOWN]]
        return present({"its neighbours listen at": places})

    @property
    def steps(self) -> PageVariables:
        """The variables of the page, with the neighbour where one alone can be meant."""
        neighbour = only({name for name, _ in self.neighbours}) or ""
        return {"self_caller": self.caller, **present({"neighbour": neighbour})}


def own_calls(
    container: Container,
    losses: NetworkLosses | None,
    namespaces: Namespaces | None,
    containers: Containers,
) -> OwnCalls | None:
    """The refused calls inside a container, or None.

    None where no such calls were counted, or something in the container listens. A health check may
    have caused them, too. The engine's own DNS server listens in each container.
    """
    if has_health_check(container):
        return None
    times = losses.refused_inside.get(container.id, 0) if losses is not None else 0
    if times < LEAST or container.shares_network or namespaces is None:
        return None
    netns = namespaces.of(container)
    if netns is None:
        return None
    if any(socket.protocol == "tcp" and socket.address != EMBEDDED for socket in netns.listeners):
        return None
    neighbours = [
        (other.name, port)
        for other in containers.running
        if other.id != container.id and _may_be_meant(container, other)
        for port in _served_ports(other, namespaces)
    ]
    return OwnCalls(container.name, times, tuple(neighbours))


def _may_be_meant(container: Container, other: Container) -> bool:
    """Whether another container is of the same project, on a network on which it has names."""
    project = container.compose_project
    is_near = bool(container.shared_networks(other) - {DEFAULT_NETWORK})
    return is_near and (not project or other.compose_project == project)


def _served_ports(container: Container, namespaces: Namespaces) -> list[int]:
    netns = namespaces.of(container)
    return netns.served_ports if netns is not None else []
