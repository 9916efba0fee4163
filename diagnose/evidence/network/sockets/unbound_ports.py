"""Ports of the host that a program requests repeatedly, while another program listens there.

The program runs on the host's network.
"""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.items import Items
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import count
from diagnose.registry import evidence

_IN_USE = LazyPattern(r"address (?:already )?in use|EADDRINUSE|\berrno 98\b", re.IGNORECASE)
_PORT = LazyPattern(r"(?::|\bport )(\d{2,5})\b(?![.:]\d)")


class UnboundPort(msgspec.Struct, frozen=True):
    """A port that a running program does not get, and its holder."""

    container: Container
    line: str
    times: int
    port: int
    holders: tuple[Listener, ...]
    serves: bool
    """Whether the program listens at another port of the host."""

    @property
    def evidence(self) -> dict[str, str]:
        """The line of the program, and the number of times."""
        return {
            "HostConfig.NetworkMode": self.container.host_config.network_mode,
            "log": f"{self.line} ({count(self.times, 'time')})",
        }


class UnboundPorts(Items[UnboundPort], frozen=True):
    """The ports in use, one for each container on the host's network whose log says so."""


@evidence
def unbound_ports(
    repeated_errors: RepeatedErrors, listeners: Listeners, containers: Containers
) -> UnboundPorts:
    """The TCP ports whose holder is a foreign program.

    A program of the container itself is none, nor one of its service: a new copy may wait for the
    former one to go.
    """
    unbound_by_place: dict[tuple[str, int], UnboundPort] = {}
    for error in repeated_errors:
        container = error.container
        line = error.line.whole
        # the first number behind a colon may be of the time
        ports = _PORT.findall(line) if _IN_USE.search(line) else ()
        if not ports or not container.shares_host_network:
            continue
        port = int(ports[-1])
        holders = listeners.on("tcp", "", port)
        if not holders or any(_is_of_its_own(holder, container, containers) for holder in holders):
            continue
        serves = any(listener.container == container.id for listener in listeners)
        unbound = UnboundPort(
            container, line, error.times, port=port, holders=holders, serves=serves
        )
        unbound_by_place.setdefault((container.id, port), unbound)
    return UnboundPorts(tuple(unbound_by_place.values()))


def _is_of_its_own(holder: Listener, container: Container, containers: Containers) -> bool:
    """Whether a program of the container, or of its service or image, has the port."""
    owner = containers.by_id.get(holder.container or "")
    if owner is None:
        return False
    is_same_service = bool(container.service) and owner.service == container.service
    is_same_image = owner.config.image == container.config.image
    return owner.id == container.id or is_same_service or is_same_image
