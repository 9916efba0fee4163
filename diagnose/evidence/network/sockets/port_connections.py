"""Connections of the host that have a port which a container was to get."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.sockets.refused_ports import IN_USE
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.sockets import ListPortConnections, PortConnection
from diagnose.registry import evidence

__all__ = ["PortConnection", "PortConnections", "port_connections"]

_MOST = 5
"""Ports that are asked about; each is a walk over all processes."""


class PortConnections(msgspec.Struct, frozen=True):
    """The connections by the host's port."""

    by_port: dict[int, tuple[PortConnection, ...]] = {}

    def __len__(self) -> int:
        return len(self.by_port)


@evidence
def port_connections(host: Host, containers: Containers) -> PortConnections:
    """The connections to ports of containers whose start failed for an address in use."""
    ports = sorted(
        {
            binding.host_port
            for container in containers
            if not container.is_running and IN_USE in container.state.error
            for binding in container.wanted_ports
            if binding.host_port and binding.protocol == "tcp"
        }
    )
    by_port: dict[int, tuple[PortConnection, ...]] = {}
    for port, rows in host.ask_about(
        host.first(ports, _MOST, "ports that are in use"), ListPortConnections
    ):
        if not isinstance(rows, Failed) and rows:
            by_port[port] = tuple(rows)
    return PortConnections(by_port)
